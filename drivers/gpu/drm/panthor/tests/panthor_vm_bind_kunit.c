// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * VM_BIND jobs against a plain model: an array with the physical address of each
 * page of some windows of the address space, compared after each job.
 */

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/iommu.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <kunit/test.h>

#include "panthor_tvm.h"

static unsigned long long vm_bind_seed;
module_param(vm_bind_seed, ullong, 0444);
MODULE_PARM_DESC(vm_bind_seed, "KUnit: seed of the random VM_BIND test (0: a new one)");

static unsigned int vm_bind_jobs = 4000;
module_param(vm_bind_jobs, uint, 0444);
MODULE_PARM_DESC(vm_bind_jobs, "KUnit: number of jobs of the random VM_BIND test");

#define NOT_MAPPED	U64_MAX
#define QUEUE_MAX	64

/* Compare all pages near the ends of a range, and every so many in between. */
#define CHECK_MARGIN	SZ_4M
#define CHECK_STRIDE	(61 * SZ_4K)

enum {
	WINDOW_BOTTOM,
	WINDOW_4G,
	WINDOW_512G,
	WINDOW_TOP,
	WINDOW_LARGE,
	WINDOW_COUNT,
};

static const struct {
	u64 start;
	u64 size;
} windows[WINDOW_COUNT] = {
	[WINDOW_BOTTOM] = { 0, SZ_16M },
	[WINDOW_4G] = { SZ_4G - SZ_8M, SZ_16M },
	[WINDOW_512G] = { 512ull * SZ_1G - SZ_8M, SZ_16M },
	[WINDOW_TOP] = { BIT_ULL(PANTHOR_TVM_VA_BITS) - SZ_16M, SZ_16M },
	[WINDOW_LARGE] = { 640ull * SZ_1G - SZ_1G, 3ull * SZ_1G },
};

/* A place where a block of 2 MiB fits, with room on both sides. */
#define BASE	(SZ_4G - SZ_2M)

enum {
	BO_CONTIGUOUS,
	BO_RANGE,
	BO_SCATTERED,
	BO_MIXED,
	BO_MIXED_CUT,
	BO_REPEAT_4K,
	BO_REPEAT_64K,
	BO_REPEAT_2M,
	BO_HUGE,
	BO_COUNT,
};

static const struct {
	enum panthor_tvm_layout layout;
	u64 size;
	u32 seed;
} bo_kinds[BO_COUNT] = {
	[BO_CONTIGUOUS] = { PANTHOR_TVM_CONTIGUOUS, SZ_16M, 16 },
	[BO_RANGE] = { PANTHOR_TVM_RANGE, SZ_16M, 17 },
	[BO_SCATTERED] = { PANTHOR_TVM_SCATTERED, SZ_8M, 18 },
	[BO_MIXED] = { PANTHOR_TVM_MIXED, SZ_16M, 32 },
	[BO_MIXED_CUT] = { PANTHOR_TVM_MIXED, SZ_16M, 35 },
	[BO_REPEAT_4K] = { PANTHOR_TVM_REPEAT, SZ_4K, 20 },
	[BO_REPEAT_64K] = { PANTHOR_TVM_REPEAT, SZ_64K, 21 },
	[BO_REPEAT_2M] = { PANTHOR_TVM_REPEAT, SZ_2M, 22 },
	[BO_HUGE] = { PANTHOR_TVM_CONTIGUOUS, 2ull * SZ_1G, 23 },
};

struct fixture {
	struct kunit *test;
	struct panthor_tvm_gpu *gpu;
	struct panthor_tvm *vm;
	struct panthor_tvm_bo *bos[BO_COUNT];

	/* Holds jobs back until gate_open(). */
	struct dma_fence *gate;

	/* Physical address of each page, NOT_MAPPED if there is none. */
	u64 *model[WINDOW_COUNT];

	/* Written by the jobs, read while there are none. */
	u64 compared;
	u64 wrong;
};

/* The model. */

static u64 *model_page(struct fixture *f, u64 iova)
{
	for (int i = 0; i < WINDOW_COUNT; i++) {
		if (f->model[i] && iova - windows[i].start < windows[i].size)
			return &f->model[i][(iova - windows[i].start) / SZ_4K];
	}
	return NULL;
}

static void model_apply(struct fixture *f, const struct panthor_tvm_req *req)
{
	u64 *page = model_page(f, req->iova);

	for (u64 done = 0; page && done < req->size; done += SZ_4K, page++) {
		if (req->type == PANTHOR_TVM_MAP)
			*page = panthor_tvm_req_paddr(req, req->iova + done);
		else
			*page = NOT_MAPPED;
	}
}

static void model_check_page(struct fixture *f, u64 iova, u64 expected)
{
	u64 paddr = NOT_MAPPED;
	int err = panthor_pgtable_iova_to_phys(f->vm->pt, iova, &paddr);

	f->compared++;
	if (paddr == expected && err == (expected == NOT_MAPPED ? -ENOENT : 0))
		return;

	/* One is enough to fail, and the first says most. */
	if (!f->wrong++)
		KUNIT_FAIL(f->test, "job %llu: iova %#llx: %d, paddr %#llx, expected %#llx",
			   f->vm->counts.jobs, iova, err, paddr, expected);
}

/* Compare what is around [@iova, @iova + @size), not beyond its window. */
static void model_check(struct fixture *f, u64 iova, u64 size)
{
	for (int i = 0; i < WINDOW_COUNT; i++) {
		u64 start = windows[i].start, end = start + windows[i].size;
		u64 first, last;

		if (!f->model[i] || iova < start || iova >= end)
			continue;

		first = iova - min(iova - start, SZ_2M);
		last = min(iova + size + SZ_2M, end);
		for (u64 at = first; at < last; ) {
			model_check_page(f, at, f->model[i][(at - start) / SZ_4K]);

			if (at - first > CHECK_MARGIN && last - at > CHECK_MARGIN + CHECK_STRIDE)
				at += CHECK_STRIDE;
			else
				at += SZ_4K;
		}
	}
}

static void model_check_all(struct fixture *f)
{
	for (int i = 0; i < WINDOW_COUNT; i++) {
		if (f->model[i])
			model_check(f, windows[i].start, windows[i].size);
	}
}

static void job_done(void *priv, const struct panthor_tvm_op *op, int err, u64 ticks)
{
	struct fixture *f = priv;

	/* A job that fails changes nothing, in these tests. */
	if (!err)
		model_apply(f, &op->req);
	model_check(f, op->req.iova, op->req.size);
}

static const struct panthor_tvm_observer observer = {
	.done = job_done,
};

/* The fixture. */

static void gate_open(struct fixture *f)
{
	if (!f->gate)
		return;

	dma_fence_signal(f->gate);
	dma_fence_put(f->gate);
	f->gate = NULL;
}

static void gate_close(struct fixture *f)
{
	f->gate = panthor_tvm_gate_create();
	KUNIT_ASSERT_NOT_NULL(f->test, f->gate);
}

/* Returns a reference to the fence of the job. */
static struct dma_fence *submit(struct fixture *f, const struct panthor_tvm_req *req)
{
	struct dma_fence *fence = panthor_tvm_submit(f->vm, req, f->gate);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(f->test, fence);
	return fence;
}

/* Returns what the fence says: 0 or an error. */
static int wait_put(struct fixture *f, struct dma_fence *fence)
{
	long left = dma_fence_wait_timeout(fence, false, 60 * HZ);
	int status = dma_fence_get_status(fence);

	dma_fence_put(fence);
	KUNIT_ASSERT_GT_MSG(f->test, left, 0, "a job does not come back");
	return status < 0 ? status : 0;
}

static int run(struct fixture *f, const struct panthor_tvm_req *req)
{
	int err = wait_put(f, submit(f, req));

	/* A table that it holds stays in the tree until it is cleaned up. */
	KUNIT_EXPECT_EQ(f->test, panthor_tvm_wait_idle(f->vm), 0);
	return err;
}

static void map(struct fixture *f, int bo, u64 offset, u64 iova, u64 size)
{
	const struct panthor_tvm_req req = {
		.type = PANTHOR_TVM_MAP,
		.iova = iova,
		.size = size,
		.bo = f->bos[bo],
		.offset = offset,
	};

	KUNIT_EXPECT_EQ(f->test, run(f, &req), 0);
}

static void unmap(struct fixture *f, u64 iova, u64 size)
{
	const struct panthor_tvm_req req = {
		.type = PANTHOR_TVM_UNMAP,
		.iova = iova,
		.size = size,
	};

	KUNIT_EXPECT_EQ(f->test, run(f, &req), 0);
}

static struct panthor_pgtable_stats read_stats(struct fixture *f)
{
	struct panthor_pgtable_stats stats;

	panthor_pgtable_stats(f->vm->pt, &stats);
	return stats;
}

static int vm_bind_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->test = test;

	f->gpu = panthor_tvm_gpu_create(test);
	if (IS_ERR(f->gpu))
		return PTR_ERR(f->gpu);
	test->priv = f;

	for (int i = 0; i < WINDOW_COUNT; i++) {
		f->model[i] = vmalloc(windows[i].size / SZ_4K * sizeof(u64));
		if (!f->model[i])
			return -ENOMEM;
		memset(f->model[i], 0xff, windows[i].size / SZ_4K * sizeof(u64));
	}

	for (int i = 0; i < BO_COUNT; i++) {
		f->bos[i] = panthor_tvm_bo_create(f->gpu, bo_kinds[i].layout,
						  bo_kinds[i].size, bo_kinds[i].seed);
		if (!f->bos[i])
			return -ENOMEM;
	}

	f->vm = panthor_tvm_create(f->gpu, SZ_4K | SZ_2M | SZ_1G);
	if (IS_ERR(f->vm))
		return PTR_ERR(no_free_ptr(f->vm));
	f->vm->observer = &observer;
	f->vm->priv = f;

	return 0;
}

static void vm_bind_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;

	gate_open(f);
	if (f->vm) {
		KUNIT_EXPECT_EQ(test, panthor_tvm_wait_idle(f->vm), 0);
		panthor_tvm_finish(test, f->gpu, f->vm);
	}

	for (int i = 0; i < BO_COUNT; i++) {
		if (f->bos[i])
			panthor_tvm_bo_put(f->bos[i]);
	}
	for (int i = 0; i < WINDOW_COUNT; i++)
		vfree(f->model[i]);
	panthor_tvm_gpu_destroy(f->gpu);
}

/* Maps. */

static void vm_bind_map(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct panthor_pgtable_stats stats;

	for (int i = 0; i < BO_HUGE; i++) {
		map(f, i, 0, SZ_8M, SZ_4K);
		map(f, i, 0, BASE, SZ_2M);
		map(f, i, 0, BASE + SZ_2M + SZ_64K, SZ_64K);
		map(f, i, 0, windows[WINDOW_512G].start + SZ_1M, SZ_4M);
		map(f, i, 0, windows[WINDOW_TOP].start + SZ_8M, SZ_8M);
		model_check_all(f);
	}

	stats = read_stats(f);
	KUNIT_EXPECT_GT(test, stats.leaves[2], 0);
	KUNIT_EXPECT_GT(test, stats.leaves[3], 0);
}

static void vm_bind_map_block(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct panthor_pgtable_stats stats;

	map(f, BO_CONTIGUOUS, 0, BASE, SZ_4M);
	map(f, BO_RANGE, 0, 0, SZ_2M);
	map(f, BO_REPEAT_2M, 0, windows[WINDOW_512G].start, SZ_4M);

	stats = read_stats(f);
	KUNIT_EXPECT_EQ(test, stats.leaves[2], 5);
	KUNIT_EXPECT_EQ(test, stats.leaves[3], 0);
}

static void vm_bind_map_over(struct kunit *test)
{
	static const struct {
		u64 start;
		u64 size;
	} over[] = {
		{ 0, SZ_2M },			/* the same */
		{ 0, SZ_64K },			/* left end */
		{ SZ_2M - SZ_64K, SZ_64K },	/* right end */
		{ SZ_1M, SZ_4K },		/* middle */
		{ SZ_1M, SZ_2M },		/* right end, and what follows */
		{ 0, SZ_4M },			/* all, and what follows */
	};
	struct fixture *f = test->priv;

	for (int i = 0; i < ARRAY_SIZE(over); i++) {
		for (int bo = 0; bo < BO_HUGE; bo++) {
			map(f, BO_CONTIGUOUS, 0, BASE, SZ_2M);
			map(f, BO_SCATTERED, 0, BASE + SZ_2M, SZ_2M);
			map(f, bo, 0, BASE + over[i].start, over[i].size);
			unmap(f, BASE, SZ_4M);
		}
	}

	KUNIT_EXPECT_GT(test, f->vm->counts.remaps, 0);
	KUNIT_EXPECT_LE(test, read_stats(f).tree, PANTHOR_TVM_EMPTY_TREE);
}

/* Unmaps of a part of a block. */

struct split_case {
	const char *name;
	u64 start;
	u64 size;
	unsigned int splits;
};

static const struct split_case split_cases[] = {
	{ "left", 0, SZ_4K, 1 },
	{ "right", SZ_2M - SZ_4K, SZ_4K, 1 },
	{ "middle", SZ_1M, SZ_64K, 1 },
	{ "all but the first page", SZ_4K, SZ_2M - SZ_4K, 1 },
	{ "all but the last page", 0, SZ_2M - SZ_4K, 1 },
	{ "across two", SZ_1M, SZ_2M, 2 },
	{ "across three", SZ_1M, SZ_4M, 2 },
	{ "one whole", 0, SZ_2M, 0 },
};

static void split_case_name(const struct split_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(split, split_cases, split_case_name);

static void vm_bind_unmap_part(struct kunit *test)
{
	const struct split_case *c = test->param_value;
	struct fixture *f = test->priv;

	map(f, BO_CONTIGUOUS, 0, BASE, SZ_8M);
	unmap(f, BASE + c->start, c->size);
	KUNIT_EXPECT_EQ(test, read_stats(f).splits, c->splits);

	/* What is left can be cut again, unmapped, and mapped over. */
	unmap(f, BASE + SZ_64K, SZ_64K);
	map(f, BO_MIXED, 0, BASE + c->start, c->size);
	unmap(f, BASE, SZ_8M);
	KUNIT_EXPECT_LE(test, read_stats(f).tree, PANTHOR_TVM_EMPTY_TREE);
}

static void vm_bind_unmap_holes(struct kunit *test)
{
	struct fixture *f = test->priv;

	map(f, BO_SCATTERED, 0, SZ_4K, SZ_4K);
	map(f, BO_SCATTERED, SZ_1M, SZ_2M + SZ_64K, SZ_64K);
	map(f, BO_CONTIGUOUS, 0, SZ_4M, SZ_2M);
	map(f, BO_REPEAT_64K, 0, SZ_8M, SZ_1M);

	/* Ends in a hole, starts in a hole, cuts both ends, nothing but a hole. */
	unmap(f, 0, SZ_1M);
	unmap(f, SZ_2M, SZ_1M);
	unmap(f, SZ_4M + SZ_64K, SZ_4M);
	unmap(f, SZ_16M - SZ_4K, SZ_4K);
	unmap(f, 0, SZ_16M);
	KUNIT_EXPECT_LE(test, read_stats(f).tree, PANTHOR_TVM_EMPTY_TREE);
}

static void vm_bind_blocks_1g(struct kunit *test)
{
	u64 iova = windows[WINDOW_LARGE].start;
	struct fixture *f = test->priv;

	map(f, BO_HUGE, 0, iova, 2ull * SZ_1G);
	KUNIT_EXPECT_EQ(test, read_stats(f).leaves[1], 2);

	unmap(f, iova + SZ_1G - SZ_4K, SZ_4K);
	KUNIT_EXPECT_EQ(test, read_stats(f).splits, 2);
	map(f, BO_SCATTERED, 0, iova + SZ_1G - SZ_4K, SZ_4M);
	map(f, BO_HUGE, SZ_2M, iova + SZ_1G + SZ_16M, SZ_512M);
	unmap(f, iova + SZ_512M, SZ_1G);
	map(f, BO_REPEAT_2M, 0, iova + SZ_512M + SZ_4K, SZ_1G);
	unmap(f, iova, 3ull * SZ_1G);
	KUNIT_EXPECT_LE(test, read_stats(f).tree, PANTHOR_TVM_EMPTY_TREE);
}

/* A job that fails: gpuvm does not know of a page that is mapped. */
static void vm_bind_map_rejected(struct kunit *test)
{
	struct fixture *f = test->priv;
	const struct panthor_tvm_req sneaked = {
		.type = PANTHOR_TVM_MAP,
		.iova = BASE + SZ_1M,
		.size = SZ_4K,
		.bo = f->bos[BO_RANGE],
	};
	const struct panthor_tvm_req req = {
		.type = PANTHOR_TVM_MAP,
		.iova = BASE - SZ_2M,
		.size = SZ_8M,
		.bo = f->bos[BO_MIXED],
	};
	struct panthor_pgtable_rsv rsv = {};
	struct panthor_pgtable *pt = f->vm->pt;
	u64 paddr = panthor_tvm_bo_paddr(sneaked.bo, 0);

	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pt, &rsv, sneaked.iova, paddr,
							  SZ_4K), 0);
	KUNIT_ASSERT_EQ(test, panthor_pgtable_map(pt, &rsv, sneaked.iova, paddr, SZ_4K,
						  IOMMU_READ), 0);
	model_apply(f, &sneaked);

	/* Nothing of the map is left, and the page is still there. */
	KUNIT_EXPECT_EQ(test, run(f, &req), -EEXIST);
	KUNIT_EXPECT_TRUE(test, f->vm->unusable);
	model_check_all(f);

	KUNIT_EXPECT_EQ(test, panthor_pgtable_unmap(pt, &rsv, sneaked.iova, SZ_4K), SZ_4K);
	panthor_pgtable_flushed(pt);
	panthor_pgtable_unreserve(pt, &rsv);
}

/* Queues. */

static void queue_maps(struct fixture *f, struct dma_fence **fences)
{
	struct panthor_tvm_req req = {
		.type = PANTHOR_TVM_MAP,
		.size = SZ_256K,
	};

	gate_close(f);
	for (int i = 0; i < QUEUE_MAX; i++) {
		int window = i % WINDOW_LARGE;

		req.bo = f->bos[i % BO_HUGE];
		req.iova = windows[window].start + i * (windows[window].size / QUEUE_MAX);
		fences[i] = submit(f, &req);
	}

	/* All of them hold their tables, and none has run. */
	KUNIT_EXPECT_EQ(f->test, f->vm->counts.jobs, 0);
	KUNIT_EXPECT_EQ(f->test, f->vm->counts.reserved, QUEUE_MAX);
	KUNIT_EXPECT_GT(f->test, read_stats(f).reserved, 0);
}

static void vm_bind_queue(struct kunit *test)
{
	struct dma_fence *fences[QUEUE_MAX];
	struct fixture *f = test->priv;

	queue_maps(f, fences);
	gate_open(f);
	for (int i = 0; i < QUEUE_MAX; i++)
		KUNIT_EXPECT_EQ(test, wait_put(f, fences[i]), 0);

	KUNIT_EXPECT_EQ(test, panthor_tvm_wait_idle(f->vm), 0);
	KUNIT_EXPECT_EQ(test, f->vm->counts.jobs, QUEUE_MAX);
	KUNIT_EXPECT_EQ(test, read_stats(f).reserved, 0);
	model_check_all(f);
}

static void vm_bind_cancelled(struct kunit *test)
{
	struct dma_fence *fences[QUEUE_MAX];
	struct fixture *f = test->priv;

	queue_maps(f, fences);
	panthor_tvm_kill(f->vm);
	gate_open(f);
	for (int i = 0; i < QUEUE_MAX; i++)
		KUNIT_EXPECT_EQ(test, wait_put(f, fences[i]), -ESRCH);

	KUNIT_EXPECT_EQ(test, panthor_tvm_wait_idle(f->vm), 0);
	KUNIT_EXPECT_EQ(test, f->vm->counts.jobs, 0);
	KUNIT_EXPECT_EQ(test, f->vm->counts.cancelled, QUEUE_MAX);
	KUNIT_EXPECT_EQ(test, f->vm->counts.returned, f->vm->counts.reserved);
	KUNIT_EXPECT_EQ(test, read_stats(f).reserved, 0);
	KUNIT_EXPECT_LE(test, read_stats(f).tree, PANTHOR_TVM_EMPTY_TREE);
	model_check_all(f);
}

static void vm_bind_destroyed(struct kunit *test)
{
	struct dma_fence *fences[QUEUE_MAX];
	struct fixture *f = test->priv;

	queue_maps(f, fences);
	drm_gpuvm_get(&f->vm->base);
	panthor_tvm_destroy(f->vm);
	gate_open(f);
	for (int i = 0; i < QUEUE_MAX; i++)
		KUNIT_EXPECT_EQ(test, wait_put(f, fences[i]), -EINVAL);

	/* Our reference is the last one, which the fixture's exit drops. */
	KUNIT_EXPECT_EQ(test, panthor_tvm_wait_idle(f->vm), 0);
	KUNIT_EXPECT_EQ(test, f->vm->counts.failed, QUEUE_MAX);
	KUNIT_EXPECT_EQ(test, read_stats(f).reserved, 0);
	KUNIT_EXPECT_LE(test, read_stats(f).tree, PANTHOR_TVM_EMPTY_TREE);
}

/* Random. */

static u64 random_below(struct rnd_state *rnd, u64 end, u64 align)
{
	return (prandom_u32_state(rnd) % (u32)div64_u64(end, align)) * align;
}

static u64 random_size(struct rnd_state *rnd, u64 window)
{
	u32 dice = prandom_u32_state(rnd) % 16;

	if (window > SZ_1G && dice < 3)
		return SZ_1G + random_below(rnd, SZ_4M, SZ_4K);
	if (dice < 8)
		return SZ_4K + random_below(rnd, SZ_64K, SZ_4K);
	if (dice < 11)
		return SZ_4K + random_below(rnd, SZ_2M, SZ_4K);
	if (dice < 14)
		return SZ_2M << prandom_u32_state(rnd) % 2;
	return SZ_2M + random_below(rnd, SZ_4M, SZ_4K);
}

/* Often a boundary of a block, or near one, for that is where the cases are. */
static u64 random_iova(struct rnd_state *rnd, u64 window, u64 size)
{
	u64 align = window > SZ_1G && size >= SZ_1G ? SZ_1G : SZ_2M;
	u64 iova = random_below(rnd, window, align);

	switch (prandom_u32_state(rnd) % 4) {
	case 0:
		iova = random_below(rnd, window, SZ_4K);
		break;
	case 1:
		iova += SZ_4K * (prandom_u32_state(rnd) % 3);
		break;
	default:
		break;
	}

	return min(iova, window - size);
}

static void random_req(struct fixture *f, struct rnd_state *rnd, struct panthor_tvm_req *req)
{
	int window = prandom_u32_state(rnd) % 64 ? prandom_u32_state(rnd) % WINDOW_LARGE :
						   WINDOW_LARGE;
	u64 iova;

	*req = (struct panthor_tvm_req){ .type = PANTHOR_TVM_UNMAP };
	if (prandom_u32_state(rnd) % 2)
		req->flags |= PANTHOR_TVM_FLUSH_STEPS;
	if (!(prandom_u32_state(rnd) % 32))
		req->flags |= PANTHOR_TVM_FLUSH_FAILS;

	req->size = random_size(rnd, windows[window].size);
	iova = random_iova(rnd, windows[window].size, req->size);
	req->iova = windows[window].start + iova;
	if (prandom_u32_state(rnd) % 8 < 3)
		return;

	req->type = PANTHOR_TVM_MAP;
	if (window == WINDOW_LARGE)
		req->bo = f->bos[BO_HUGE];
	else if (prandom_u32_state(rnd) % 2)
		req->bo = f->bos[BO_CONTIGUOUS];
	else
		req->bo = f->bos[prandom_u32_state(rnd) % BO_HUGE];
	if (req->bo->layout == PANTHOR_TVM_REPEAT)
		return;

	/* As an allocator does: mostly aligned as the iova is. */
	req->size = min(req->size, req->bo->size);
	req->offset = random_below(rnd, req->bo->size - req->size + SZ_4K, SZ_4K);
	if (prandom_u32_state(rnd) % 4)
		req->offset = min(req->offset & ~(u64)(SZ_2M - 1),
				  req->bo->size - req->size) | (iova & (SZ_2M - 1));
	if (req->offset > req->bo->size - req->size)
		req->offset = 0;
}

static void vm_bind_random(struct kunit *test)
{
	struct dma_fence *fences[QUEUE_MAX];
	struct fixture *f = test->priv;
	struct panthor_pgtable_stats stats;
	struct panthor_tvm_req req;
	struct rnd_state rnd;
	unsigned int jobs = 0, rounds = 0;

	prandom_seed_state(&rnd, vm_bind_seed);
	while (jobs < vm_bind_jobs && !f->wrong && !f->vm->unusable) {
		unsigned int depth = prandom_u32_state(&rnd) % QUEUE_MAX + 1;
		unsigned int opened = prandom_u32_state(&rnd) % depth;

		/* Some jobs wait for their start, some are queued to a running queue. */
		gate_close(f);
		for (int i = 0; i < depth; i++) {
			random_req(f, &rnd, &req);
			fences[i] = submit(f, &req);
			if (i == opened)
				gate_open(f);
		}
		for (int i = 0; i < depth; i++)
			KUNIT_EXPECT_EQ(test, wait_put(f, fences[i]), 0);
		jobs += depth;

		if (++rounds % 16)
			continue;
		KUNIT_ASSERT_EQ(test, panthor_tvm_wait_idle(f->vm), 0);
		KUNIT_EXPECT_EQ(test, read_stats(f).reserved, 0);
		model_check_all(f);
	}

	KUNIT_EXPECT_EQ(test, panthor_tvm_wait_idle(f->vm), 0);
	model_check_all(f);
	stats = read_stats(f);
	kunit_info(test, "seed %#llx: %llu jobs, %llu maps, %llu unmaps, %llu blocks, %llu splits, %llu translations compared, %lu tables reserved at most\n",
		   vm_bind_seed, f->vm->counts.jobs, f->vm->counts.maps, f->vm->counts.unmaps,
		   stats.leaves[1] + stats.leaves[2], stats.splits, f->compared,
		   f->vm->counts.reserved_peak);
}

/* The detector that panthor_tvm_finish() relies on does see allocations. */
static void vm_bind_canary_allocs(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kmem_cache *cache;
	void *ptr, *object;
	struct page *page;
	bool cookie;

	if (!f->gpu->allocs_counted)
		kunit_skip(test, "no tracepoints");

	cache = kmem_cache_create("panthor_canary", 64, 0, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	ptr = kmalloc(64, GFP_KERNEL);
	KUNIT_EXPECT_EQ_MSG(test, panthor_tvm_allocs(PANTHOR_TVM_ALLOCS), 0,
			    "counted outside the section");
	kfree(ptr);

	/* GFP_ATOMIC: not a deadlock, so that lockdep says nothing. */
	cookie = panthor_tvm_section_begin();
	ptr = kmalloc(64, GFP_ATOMIC);
	object = kmem_cache_alloc(cache, GFP_ATOMIC);
	page = alloc_page(GFP_ATOMIC);
	panthor_tvm_section_end(cookie);

	kfree(ptr);
	if (object)
		kmem_cache_free(cache, object);
	if (page)
		__free_page(page);
	kmem_cache_destroy(cache);

	for (int i = 0; i < PANTHOR_TVM_ALLOCS; i++)
		KUNIT_EXPECT_GE_MSG(test, panthor_tvm_allocs(i), 1, "kind %d", i);
	kunit_info(test, "seen in the signalling section: %lu kmalloc, %lu from caches, %lu pages\n",
		   panthor_tvm_allocs(PANTHOR_TVM_ALLOC_KMALLOC),
		   panthor_tvm_allocs(PANTHOR_TVM_ALLOC_CACHE),
		   panthor_tvm_allocs(PANTHOR_TVM_ALLOC_PAGE));

	/* For the check at exit. */
	panthor_tvm_unwatch_allocs();
	KUNIT_ASSERT_EQ(test, panthor_tvm_watch_allocs(), 0);
	KUNIT_EXPECT_EQ(test, panthor_tvm_allocs(PANTHOR_TVM_ALLOCS), 0);
}

static int vm_bind_suite_init(struct kunit_suite *suite)
{
	if (!vm_bind_seed)
		vm_bind_seed = get_random_u32();

	kunit_info(suite,
		   "random seed %#llx (panthor.vm_bind_seed), %u jobs (panthor.vm_bind_jobs)\n",
		   vm_bind_seed, vm_bind_jobs);
	return 0;
}

static struct kunit_case vm_bind_cases[] = {
	KUNIT_CASE(vm_bind_canary_allocs),
	KUNIT_CASE(vm_bind_map),
	KUNIT_CASE(vm_bind_map_block),
	KUNIT_CASE(vm_bind_map_over),
	KUNIT_CASE_PARAM(vm_bind_unmap_part, split_gen_params),
	KUNIT_CASE(vm_bind_unmap_holes),
	KUNIT_CASE(vm_bind_blocks_1g),
	KUNIT_CASE(vm_bind_map_rejected),
	KUNIT_CASE(vm_bind_queue),
	KUNIT_CASE(vm_bind_cancelled),
	KUNIT_CASE(vm_bind_destroyed),
	KUNIT_CASE_SLOW(vm_bind_random),
	{}
};

static struct kunit_suite vm_bind_suite = {
	.name = "panthor_vm_bind",
	.suite_init = vm_bind_suite_init,
	.init = vm_bind_init,
	.exit = vm_bind_exit,
	.test_cases = vm_bind_cases,
};

kunit_test_suite(vm_bind_suite);
