// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * A VM_BIND workload like that of a Vulkan client, at a size worth watching, and
 * a report of what it did to the page tables for whoever works on a driver.
 */

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <drm/drm_mm.h>

#include <kunit/test.h>

#include "panthor_tvm.h"

static unsigned int workload_jobs = 2000;
module_param(workload_jobs, uint, 0444);
MODULE_PARM_DESC(workload_jobs, "KUnit: number of jobs of the VM_BIND workload");

static unsigned long long workload_seed = 1;
module_param(workload_seed, ullong, 0444);
MODULE_PARM_DESC(workload_seed, "KUnit: seed of the VM_BIND workload");

/* `make run` shows the lines that start like this, without the prefix. */
#define report(fmt, ...)	pr_info("panthor-workload: " fmt "\n", ##__VA_ARGS__)

#define LIVE_MAX	1024
#define LIVE_BYTES_MAX	(8ull * SZ_1G)
#define QUEUE_MAX	64
#define SAMPLES_MAX	8192

/* What clients allocate: a size is min << 0 to spread - 1. */
static const struct {
	unsigned int weight;
	enum panthor_tvm_layout layout;
	u64 min;
	unsigned int spread;
} mix[] = {
	{ 18, PANTHOR_TVM_SCATTERED, SZ_4K, 1 },	/* descriptors, queries */
	{ 30, PANTHOR_TVM_SCATTERED, SZ_8K, 4 },	/* uniforms, small buffers */
	{ 14, PANTHOR_TVM_SCATTERED, SZ_128K, 4 },	/* vertices, small images */
	{ 9, PANTHOR_TVM_CONTIGUOUS, SZ_2M, 1 },	/* suballocated, huge page */
	{ 5, PANTHOR_TVM_SCATTERED, SZ_2M, 1 },		/* the same without one */
	{ 8, PANTHOR_TVM_CONTIGUOUS, SZ_4M, 4 },	/* images, huge pages */
	{ 6, PANTHOR_TVM_MIXED, SZ_4M, 4 },		/* images, some huge pages */
	{ 4, PANTHOR_TVM_SCATTERED, SZ_4M, 3 },		/* images, shmem */
	{ 1, PANTHOR_TVM_RANGE, SZ_64M, 5 },		/* heaps, up to 1 GiB */
	{ 5, PANTHOR_TVM_REPEAT, SZ_1M, 8 },		/* sparse images */
};

struct buffer {
	struct drm_mm_node node;
	struct panthor_tvm_bo *bo;
};

/* Times of one kind of call. Beyond SAMPLES_MAX, each has the same chance to stay. */
struct timing {
	u64 calls;
	u64 bytes;
	u32 *samples;
};

enum {
	TIME_MAP_4K,
	TIME_MAP_64K,
	TIME_MAP_PAGES,
	TIME_MAP_2M_BLOCK,
	TIME_MAP_2M_PAGES,
	TIME_MAP_LARGE_BLOCKS,
	TIME_MAP_LARGE_MIXED,
	TIME_MAP_LARGE_PAGES,
	TIME_MAP_SPARSE,
	TIME_UNMAP_4K,
	TIME_UNMAP_64K,
	TIME_UNMAP_PAGES,
	TIME_UNMAP_2M,
	TIME_UNMAP_LARGE,
	TIME_JOB_MAP,
	TIME_JOB_UNMAP,
	TIME_COUNT,
};

static const char * const timing_names[TIME_COUNT] = {
	[TIME_MAP_4K] = "map 4 KiB",
	[TIME_MAP_64K] = "map 8 to 64 KiB, scattered",
	[TIME_MAP_PAGES] = "map 68 KiB to 2 MiB, scattered",
	[TIME_MAP_2M_BLOCK] = "map 2 MiB, one block",
	[TIME_MAP_2M_PAGES] = "map 2 MiB, scattered",
	[TIME_MAP_LARGE_BLOCKS] = "map over 2 MiB, contiguous",
	[TIME_MAP_LARGE_MIXED] = "map over 2 MiB, mixed",
	[TIME_MAP_LARGE_PAGES] = "map over 2 MiB, scattered",
	[TIME_MAP_SPARSE] = "map sparse (repeat)",
	[TIME_UNMAP_4K] = "unmap 4 KiB",
	[TIME_UNMAP_64K] = "unmap 8 to 64 KiB",
	[TIME_UNMAP_PAGES] = "unmap 68 KiB to 2 MiB",
	[TIME_UNMAP_2M] = "unmap 2 MiB",
	[TIME_UNMAP_LARGE] = "unmap over 2 MiB",
	[TIME_JOB_MAP] = "map job, gpuvm included",
	[TIME_JOB_UNMAP] = "unmap job, gpuvm included",
};

struct workload {
	struct kunit *test;
	struct panthor_tvm_gpu *gpu;
	struct panthor_tvm *vm;
	struct rnd_state rnd;

	/* Space and buffers, as the client sees them: all jobs have run. */
	struct drm_mm space;
	struct buffer *live[LIVE_MAX];
	unsigned int live_count;
	u64 live_bytes;

	struct dma_fence *queue[QUEUE_MAX];
	unsigned int jobs;

	/* Written by the jobs. */
	struct timing timings[TIME_COUNT];

	/* How long the run took, in both units. */
	u64 run_ns;
	u64 run_ticks;

	struct rnd_state sample_rnd;
	unsigned long tree_peak;
	unsigned long total_peak;
	u64 checked;
	u64 wrong;
};

/* What the jobs tell. */

static void add_sample(struct workload *w, int kind, u64 size, u64 ticks)
{
	struct timing *timing = &w->timings[kind];
	u64 at = timing->calls++;

	timing->bytes += size;
	if (at >= SAMPLES_MAX)
		at = prandom_u32_state(&w->sample_rnd) % (u32)timing->calls;
	if (at < SAMPLES_MAX)
		timing->samples[at] = min_t(u64, ticks, U32_MAX);
}

static int map_kind(const struct panthor_tvm_op *op, u64 size)
{
	enum panthor_tvm_layout layout = op->req.bo->layout;

	if (layout == PANTHOR_TVM_REPEAT)
		return TIME_MAP_SPARSE;
	if (size == SZ_4K)
		return TIME_MAP_4K;
	if (size <= SZ_64K)
		return TIME_MAP_64K;
	if (size < SZ_2M)
		return TIME_MAP_PAGES;
	if (layout == PANTHOR_TVM_MIXED)
		return TIME_MAP_LARGE_MIXED;
	if (size == SZ_2M)
		return layout == PANTHOR_TVM_SCATTERED ? TIME_MAP_2M_PAGES : TIME_MAP_2M_BLOCK;
	return layout == PANTHOR_TVM_SCATTERED ? TIME_MAP_LARGE_PAGES : TIME_MAP_LARGE_BLOCKS;
}

static int unmap_kind(u64 size)
{
	if (size == SZ_4K)
		return TIME_UNMAP_4K;
	if (size <= SZ_64K)
		return TIME_UNMAP_64K;
	if (size < SZ_2M)
		return TIME_UNMAP_PAGES;
	return size == SZ_2M ? TIME_UNMAP_2M : TIME_UNMAP_LARGE;
}

static void step_timed(void *priv, const struct panthor_tvm_op *op,
		       enum panthor_tvm_op_type type, u64 size, u64 ticks)
{
	add_sample(priv, type == PANTHOR_TVM_MAP ? map_kind(op, size) : unmap_kind(size),
		   size, ticks);
}

static void check_page(struct workload *w, const struct panthor_tvm_req *req, u64 iova)
{
	u64 paddr = 0;
	int err = panthor_pgtable_iova_to_phys(w->vm->pt, iova, &paddr);

	w->checked++;
	if (req->type == PANTHOR_TVM_UNMAP ? err == -ENOENT :
					     !err && paddr == panthor_tvm_req_paddr(req, iova))
		return;
	if (!w->wrong++)
		KUNIT_FAIL(w->test, "iova %#llx: %d, paddr %#llx", iova, err, paddr);
}

static void job_done(void *priv, const struct panthor_tvm_op *op, int err, u64 ticks)
{
	const struct panthor_tvm_req *req = &op->req;
	struct panthor_pgtable_stats stats;
	struct workload *w = priv;

	add_sample(w, req->type == PANTHOR_TVM_MAP ? TIME_JOB_MAP : TIME_JOB_UNMAP,
		   req->size, ticks);

	panthor_pgtable_stats(w->vm->pt, &stats);
	w->tree_peak = max(w->tree_peak, stats.tree);
	w->total_peak = max(w->total_peak, stats.total);

	check_page(w, req, req->iova);
	check_page(w, req, req->iova + (req->size / SZ_4K / 2) * SZ_4K);
	check_page(w, req, req->iova + req->size - SZ_4K);
}

static const struct panthor_tvm_observer observer = {
	.step = step_timed,
	.done = job_done,
};

/* The client. */

static void queue_wait(struct workload *w, unsigned int at)
{
	struct dma_fence *fence = no_free_ptr(w->queue[at]);

	if (!fence)
		return;

	KUNIT_EXPECT_GT(w->test, dma_fence_wait_timeout(fence, false, 60 * HZ), 0);
	KUNIT_EXPECT_EQ(w->test, dma_fence_get_status(fence), 1);
	dma_fence_put(fence);
}

static void submit(struct workload *w, const struct panthor_tvm_req *req)
{
	unsigned int at = w->jobs++ % QUEUE_MAX;
	struct dma_fence *fence;

	queue_wait(w, at);
	fence = panthor_tvm_submit(w->vm, req, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(w->test, fence);
	w->queue[at] = fence;
}

static u32 random_below(struct workload *w, u32 end)
{
	return prandom_u32_state(&w->rnd) % end;
}

/* A part of a buffer: some pages, mostly few. */
static void random_part(struct workload *w, const struct buffer *buffer, u64 *start, u64 *size)
{
	u32 pages = buffer->node.size / SZ_4K;
	u32 count = random_below(w, random_below(w, 4) ? min(pages, 64u) : pages) + 1;

	*start = (u64)random_below(w, pages - count + 1) * SZ_4K;
	*size = (u64)count * SZ_4K;
}

static void bind_new(struct workload *w)
{
	struct panthor_tvm_req req = { .type = PANTHOR_TVM_MAP };
	struct buffer *buffer;
	u32 dice = random_below(w, 100);
	u64 bo_size;
	int kind = 0;

	while (dice >= mix[kind].weight)
		dice -= mix[kind++].weight;

	req.size = mix[kind].min << random_below(w, mix[kind].spread);
	if (mix[kind].spread > 1 && req.size < SZ_2M)
		req.size += (u64)random_below(w, req.size / SZ_4K) * SZ_4K;
	bo_size = mix[kind].layout == PANTHOR_TVM_REPEAT ? SZ_2M : req.size;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(w->test, buffer);
	buffer->bo = panthor_tvm_bo_create(w->gpu, mix[kind].layout, bo_size, w->jobs);
	if (!buffer->bo ||
	    drm_mm_insert_node_generic(&w->space, &buffer->node, req.size,
				       req.size >= SZ_1G ? SZ_1G :
				       req.size >= SZ_2M ? SZ_2M : SZ_4K,
				       0, DRM_MM_INSERT_BEST)) {
		if (buffer->bo)
			panthor_tvm_bo_put(buffer->bo);
		kfree(buffer);
		KUNIT_FAIL_AND_ABORT(w->test, "no memory or no space for a buffer");
	}

	w->live[w->live_count++] = buffer;
	w->live_bytes += req.size;
	req.iova = buffer->node.start;
	req.bo = buffer->bo;
	submit(w, &req);
}

static void unbind_buffer(struct workload *w, unsigned int at)
{
	struct buffer *buffer = w->live[at];
	const struct panthor_tvm_req req = {
		.type = PANTHOR_TVM_UNMAP,
		.iova = buffer->node.start,
		.size = buffer->node.size,
	};

	w->live[at] = w->live[--w->live_count];
	w->live_bytes -= req.size;
	drm_mm_remove_node(&buffer->node);
	panthor_tvm_bo_put(buffer->bo);
	kfree(buffer);
	submit(w, &req);
}

static void unbind_part(struct workload *w, const struct buffer *buffer)
{
	struct panthor_tvm_req req = { .type = PANTHOR_TVM_UNMAP };

	random_part(w, buffer, &req.iova, &req.size);
	req.iova += buffer->node.start;
	submit(w, &req);
}

/* Another part of the same memory, over what is there or where a hole is. */
static void rebind_part(struct workload *w, const struct buffer *buffer)
{
	struct panthor_tvm_req req = { .type = PANTHOR_TVM_MAP, .bo = buffer->bo };
	u64 room;

	random_part(w, buffer, &req.iova, &req.size);
	req.iova += buffer->node.start;
	if (req.bo->layout != PANTHOR_TVM_REPEAT) {
		room = req.bo->size - req.size;
		req.offset = (u64)random_below(w, room / SZ_4K + 1) * SZ_4K;
	}
	submit(w, &req);
}

static void client_step(struct workload *w)
{
	u32 dice = random_below(w, 100);

	if (w->live_count == LIVE_MAX || w->live_bytes > LIVE_BYTES_MAX)
		unbind_buffer(w, random_below(w, w->live_count));
	else if (dice < 50 || !w->live_count)
		bind_new(w);
	else if (dice < 78)
		unbind_buffer(w, random_below(w, w->live_count));
	else if (dice < 89)
		unbind_part(w, w->live[random_below(w, w->live_count)]);
	else
		rebind_part(w, w->live[random_below(w, w->live_count)]);
}

/* The report. */

static int compare_samples(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return (x > y) - (x < y);
}

static u64 to_ns(const struct workload *w, u64 ticks)
{
	return mul_u64_u64_div_u64(ticks, w->run_ns, w->run_ticks);
}

static void report_times(struct workload *w)
{
	u64 clock = panthor_tvm_clock();

	for (int i = 1; i < 1000; i++)
		panthor_tvm_clock();
	clock = panthor_tvm_clock() - clock;

	report("%-32s %8s %12s %10s %10s", "time per call, ns", "calls", "mean KiB",
	       "p10", "median");
	for (int i = 0; i < TIME_COUNT; i++) {
		struct timing *timing = &w->timings[i];
		u32 count = min_t(u64, timing->calls, SAMPLES_MAX);

		if (!count)
			continue;
		sort(timing->samples, count, sizeof(u32), compare_samples, NULL);
		report("  %-30s %8llu %12llu %10llu %10llu", timing_names[i], timing->calls,
		       div64_u64(timing->bytes, timing->calls) / SZ_1K,
		       to_ns(w, timing->samples[count / 10]),
		       to_ns(w, timing->samples[count / 2]));
	}
	report("  (one reading of the clock takes %llu ns of these)", to_ns(w, clock) / 1000);
	if (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_PROVE_LOCKING))
		report("  (built with debug checks: these times say nothing about the code)");
}

static void report_work(struct workload *w, const struct panthor_pgtable_stats *stats)
{
	const struct panthor_tvm_counts *counts = &w->vm->counts;

	report("%-32s %12llu", "jobs", counts->jobs);
	report("  %-30s %12llu", "failed", counts->failed);
	report("%-32s %12llu", "ops (gpuvm steps)", counts->maps + counts->unmaps);
	report("  %-30s %12llu", "maps", counts->maps);
	report("  %-30s %12llu", "unmaps", counts->unmaps);
	report("  %-30s %12llu", "unmaps that cut a mapping", counts->remaps);
	report("%-32s %12llu MiB", "mapped", counts->mapped / SZ_1M);
	report("%-32s %12llu MiB", "unmapped", counts->unmapped / SZ_1M);
	report("leaves written by map");
	report("  %-30s %12llu", "4 KiB", stats->leaves[3]);
	report("  %-30s %12llu", "2 MiB", stats->leaves[2]);
	report("  %-30s %12llu", "1 GiB", stats->leaves[1]);
	report("%-32s %12llu", "blocks split", stats->splits);
}

static void report_tables(struct workload *w, const struct panthor_pgtable_stats *stats)
{
	const struct panthor_tvm_counts *counts = &w->vm->counts;
	u64 installed = stats->installed - w->vm->installed_before;

	report("%-32s %12llu", "reservations", counts->reserved);
	report("  %-30s %12lu", "tables held for them, most", counts->reserved_peak);
	report("%-32s %12llu", "tables installed", installed);
	report("%-32s %12llu", "tables gathered until a flush", installed + 1 - stats->tree);
	report("%-32s %12lu", "tables in the tree", stats->tree);
	report("  %-30s %12lu", "at one time, most", w->tree_peak);
	report("%-32s %12lu", "tables held, idle ones included", stats->total);
	report("  %-30s %12lu", "at one time, most", w->total_peak);
}

static void report_allocs(struct workload *w)
{
	if (!w->gpu->allocs_counted) {
		report("%-32s %s", "allocations while signalling",
		       "not counted (no tracepoints)");
		return;
	}

	report("%-32s %12lu", "allocations while signalling",
	       panthor_tvm_allocs(PANTHOR_TVM_ALLOCS));
	report("  %-30s %12lu", "kmalloc", panthor_tvm_allocs(PANTHOR_TVM_ALLOC_KMALLOC));
	report("  %-30s %12lu", "kmem_cache_alloc", panthor_tvm_allocs(PANTHOR_TVM_ALLOC_CACHE));
	report("  %-30s %12lu", "pages", panthor_tvm_allocs(PANTHOR_TVM_ALLOC_PAGE));
}

static void vm_bind_workload(struct kunit *test)
{
	struct workload *w = test->priv;
	struct panthor_pgtable_stats stats;
	u64 done, percent = 10;
	bool balanced;

	report("%u VM_BIND jobs, seed %llu, up to %u in the queue and %u buffers",
	       workload_jobs, workload_seed, QUEUE_MAX, LIVE_MAX);

	w->run_ns = ktime_get_ns();
	w->run_ticks = panthor_tvm_clock();

	while (w->jobs < workload_jobs) {
		client_step(w);
		done = div_u64((u64)w->jobs * 100, workload_jobs);
		if (done < percent)
			continue;
		report("  %3llu %%  %8u jobs  %6u buffers  %8llu MiB", done, w->jobs,
		       w->live_count, w->live_bytes / SZ_1M);
		percent = div_u64(done, 10) * 10 + 10;
	}

	for (int i = 0; i < QUEUE_MAX; i++)
		queue_wait(w, i);
	KUNIT_ASSERT_EQ(test, panthor_tvm_wait_idle(w->vm), 0);

	w->run_ticks = panthor_tvm_clock() - w->run_ticks;
	w->run_ns = ktime_get_ns() - w->run_ns;
	panthor_pgtable_stats(w->vm->pt, &stats);
	KUNIT_EXPECT_EQ(test, stats.reserved, 0);
	report_work(w, &stats);
	report_tables(w, &stats);
	report_allocs(w);
	report_times(w);
	report("%-32s %12llu", "translations checked", w->checked);
	report("  %-30s %12llu", "wrong", w->wrong);

	balanced = panthor_tvm_finish(test, w->gpu, no_free_ptr(w->vm));
	report("%-32s %12s", "books at the end of the VM", balanced ? "balanced" : "NOT BALANCED");
}

/* The fixture. */

static void free_samples(struct workload *w)
{
	for (int i = 0; i < TIME_COUNT; i++)
		kvfree(w->timings[i].samples);
}

static int workload_init(struct kunit *test)
{
	struct workload *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	struct panthor_tvm *vm;

	if (!w)
		return -ENOMEM;
	w->test = test;
	prandom_seed_state(&w->rnd, workload_seed);
	prandom_seed_state(&w->sample_rnd, workload_seed + 1);

	w->gpu = panthor_tvm_gpu_create(test);
	if (IS_ERR(w->gpu))
		return PTR_ERR(w->gpu);
	drm_mm_init(&w->space, SZ_32M, BIT_ULL(PANTHOR_TVM_VA_BITS - 1));
	test->priv = w;

	for (int i = 0; i < TIME_COUNT; i++) {
		w->timings[i].samples = kvcalloc(SAMPLES_MAX, sizeof(u32), GFP_KERNEL);
		if (!w->timings[i].samples)
			return -ENOMEM;
	}

	vm = panthor_tvm_create(w->gpu, SZ_4K | SZ_2M | SZ_1G);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	vm->observer = &observer;
	vm->priv = w;
	w->vm = vm;

	return 0;
}

static void workload_exit(struct kunit *test)
{
	struct workload *w = test->priv;

	if (!w)
		return;

	/* Only if the test was aborted is there something left. */
	for (int i = 0; i < QUEUE_MAX; i++)
		queue_wait(w, i);
	if (w->vm) {
		KUNIT_EXPECT_EQ(test, panthor_tvm_wait_idle(w->vm), 0);
		panthor_tvm_finish(test, w->gpu, w->vm);
	}

	while (w->live_count) {
		struct buffer *buffer = w->live[--w->live_count];

		drm_mm_remove_node(&buffer->node);
		panthor_tvm_bo_put(buffer->bo);
		kfree(buffer);
	}
	drm_mm_takedown(&w->space);
	free_samples(w);
	panthor_tvm_gpu_destroy(w->gpu);
}

static struct kunit_case workload_cases[] = {
	KUNIT_CASE_SLOW(vm_bind_workload),
	{}
};

static struct kunit_suite workload_suite = {
	.name = "panthor_vm_bind_workload",
	.init = workload_init,
	.exit = workload_exit,
	.test_cases = workload_cases,
};

kunit_test_suite(workload_suite);
