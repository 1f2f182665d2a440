// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * What a test VM needs around it: the device, buffers with made-up addresses,
 * fences to hold jobs back, and the signalling section with its allocation count.
 */

#include <linux/debug_locks.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/hash.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <trace/events/kmem.h>

#include <drm/drm_drv.h>

#include <kunit/device.h>
#include <kunit/test.h>

#include "panthor_tvm.h"
#include "panthor_tvm_kernel.h"

/*
 * The signalling section, and a count of what is allocated in it. At most one
 * task is in it: one VM lives at a time, and its jobs run one after the other.
 */

static struct task_struct *section_task;
static atomic_long_t section_allocs[PANTHOR_TVM_ALLOCS];

static void count_alloc(enum panthor_tvm_alloc kind)
{
	if (READ_ONCE(section_task) == current && in_task())
		atomic_long_inc(&section_allocs[kind]);
}

static void probe_kmalloc(void *data, unsigned long call_site, const void *ptr,
			  size_t bytes_req, size_t bytes_alloc, gfp_t gfp, int node)
{
	count_alloc(PANTHOR_TVM_ALLOC_KMALLOC);
}

static void probe_kmem_cache_alloc(void *data, unsigned long call_site,
				   const void *ptr, struct kmem_cache *s,
				   gfp_t gfp, int node)
{
	count_alloc(PANTHOR_TVM_ALLOC_CACHE);
}

static void probe_mm_page_alloc(void *data, struct page *page, unsigned int order,
				gfp_t gfp, int migratetype)
{
	count_alloc(PANTHOR_TVM_ALLOC_PAGE);
}

static const struct {
	const char *name;
	void *probe;
} alloc_probes[PANTHOR_TVM_ALLOCS] = {
	[PANTHOR_TVM_ALLOC_KMALLOC] = { "kmalloc", probe_kmalloc },
	[PANTHOR_TVM_ALLOC_CACHE] = { "kmem_cache_alloc", probe_kmem_cache_alloc },
	[PANTHOR_TVM_ALLOC_PAGE] = { "mm_page_alloc", probe_mm_page_alloc },
};

static struct tracepoint *alloc_tps[PANTHOR_TVM_ALLOCS];

static void find_alloc_tp(struct tracepoint *tp, void *priv)
{
	for (int i = 0; i < PANTHOR_TVM_ALLOCS; i++) {
		if (!strcmp(tp->name, alloc_probes[i].name))
			alloc_tps[i] = tp;
	}
}

/**
 * panthor_tvm_unwatch_allocs() - stop counting
 */
void panthor_tvm_unwatch_allocs(void)
{
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		return;

	for (int i = 0; i < PANTHOR_TVM_ALLOCS; i++) {
		if (alloc_tps[i])
			tracepoint_probe_unregister(alloc_tps[i], alloc_probes[i].probe, NULL);
		alloc_tps[i] = NULL;
	}
	tracepoint_synchronize_unregister();
}

/**
 * panthor_tvm_watch_allocs() - count allocations in the section from now on
 *
 * Tracepoints are found by name because not all of them are exported; that the
 * probes have the right type is checked where they are.
 *
 * Return: 0, or -EOPNOTSUPP if the kernel has no tracepoints.
 */
int panthor_tvm_watch_allocs(void)
{
	int err = 0;

	check_trace_callback_type_kmalloc(probe_kmalloc);
	check_trace_callback_type_kmem_cache_alloc(probe_kmem_cache_alloc);
	check_trace_callback_type_mm_page_alloc(probe_mm_page_alloc);

	for (int i = 0; i < PANTHOR_TVM_ALLOCS; i++)
		atomic_long_set(&section_allocs[i], 0);
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		return -EOPNOTSUPP;

	for_each_kernel_tracepoint(find_alloc_tp, NULL);

	for (int i = 0; i < PANTHOR_TVM_ALLOCS; i++) {
		err = alloc_tps[i] ? tracepoint_probe_register(alloc_tps[i],
							       alloc_probes[i].probe,
							       NULL) : -ENOENT;
		if (err) {
			for (; i < PANTHOR_TVM_ALLOCS; i++)
				alloc_tps[i] = NULL;
			panthor_tvm_unwatch_allocs();
		}
	}

	return err;
}

/**
 * panthor_tvm_allocs() - how many allocations were counted
 * @kind: Of which kind. PANTHOR_TVM_ALLOCS for all.
 *
 * Return: number since the last panthor_tvm_watch_allocs().
 */
unsigned long panthor_tvm_allocs(enum panthor_tvm_alloc kind)
{
	unsigned long sum = 0;

	for (int i = 0; i < PANTHOR_TVM_ALLOCS; i++) {
		if (kind == i || kind == PANTHOR_TVM_ALLOCS)
			sum += atomic_long_read(&section_allocs[i]);
	}
	return sum;
}

/**
 * panthor_tvm_section_begin() - enter the fence signalling section
 *
 * Return: cookie for panthor_tvm_section_end().
 */
bool panthor_tvm_section_begin(void)
{
	bool cookie = dma_fence_begin_signalling();

	WARN_ON(READ_ONCE(section_task));
	WRITE_ONCE(section_task, current);
	return cookie;
}

/**
 * panthor_tvm_section_end() - leave the fence signalling section
 * @cookie: From panthor_tvm_section_begin().
 */
void panthor_tvm_section_end(bool cookie)
{
	WRITE_ONCE(section_task, NULL);
	dma_fence_end_signalling(cookie);
}

/**
 * panthor_tvm_clock() - read a clock that is fine enough for one map
 *
 * The clock of User Mode Linux counts in steps of 256 ns.
 *
 * Return: ticks of a constant, unknown length: compare with ktime_get_ns().
 */
u64 panthor_tvm_clock(void)
{
#ifdef CONFIG_UML_X86
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
#else
	return ktime_get_ns();
#endif
}

/* A fence that the test signals, to hold jobs back. */

struct tvm_gate {
	struct dma_fence base;
	spinlock_t lock;	/* That of @base. */
};

static const char *gate_name(struct dma_fence *fence)
{
	return "panthor-tvm-gate";
}

static const struct dma_fence_ops gate_ops = {
	.get_driver_name = gate_name,
	.get_timeline_name = gate_name,
};

/**
 * panthor_tvm_gate_create() - make a fence for dma_fence_signal() to signal
 *
 * Return: fence with one reference, or NULL.
 */
struct dma_fence *panthor_tvm_gate_create(void)
{
	struct tvm_gate *gate = kzalloc(sizeof(*gate), GFP_KERNEL);

	if (!gate)
		return NULL;

	spin_lock_init(&gate->lock);
	dma_fence_init(&gate->base, &gate_ops, &gate->lock, dma_fence_context_alloc(1), 1);
	return &gate->base;
}

/* Buffers. */

static struct panthor_tvm_bo *to_bo(struct drm_gem_object *obj)
{
	return container_of(obj, struct panthor_tvm_bo, base);
}

static void bo_free(struct drm_gem_object *obj)
{
	struct panthor_tvm_bo *bo = to_bo(obj);

	drm_gem_object_release(obj);
	mutex_destroy(&bo->gpuva_lock);
	sg_free_table(&bo->sgt);
	kfree(bo);
}

static const struct drm_gem_object_funcs bo_funcs = {
	.free = bo_free,
};

/* A place in physical memory, aligned to 1 << shift, for a piece of a buffer. */
static u64 fake_paddr(const struct panthor_tvm_bo *bo, u64 piece, unsigned int shift)
{
	u64 key = ((u64)bo->seed << 32) + piece;

	return (u64)hash_64(key, PANTHOR_TVM_PA_BITS - shift) << shift;
}

static unsigned int contiguous_shift(const struct panthor_tvm_bo *bo)
{
	if (bo->size >= SZ_1G)
		return 30;
	return bo->size >= SZ_2M ? 21 : 12;
}

/* In a mixed buffer: how large the pieces are that each 2 MiB is made of. */
static unsigned int mixed_shift(const struct panthor_tvm_bo *bo, u64 offset)
{
	static const unsigned int shifts[] = { 21, 16, 12 };

	return shifts[hash_64(bo->seed + (offset >> 21), 16) % ARRAY_SIZE(shifts)];
}

/**
 * panthor_tvm_bo_paddr() - physical address of a byte of a buffer
 * @bo: Buffer.
 * @offset: Bytes.
 *
 * Does not look at the scatter list, so that both can be held against each other.
 *
 * Return: the address.
 */
u64 panthor_tvm_bo_paddr(const struct panthor_tvm_bo *bo, u64 offset)
{
	unsigned int shift;
	u64 base;

	switch (bo->layout) {
	case PANTHOR_TVM_SCATTERED:
		shift = 12;
		break;

	case PANTHOR_TVM_MIXED:
		shift = mixed_shift(bo, offset);
		break;

	default:
		/* Leave room for all of the buffer above its first byte. */
		base = fake_paddr(bo, 0, contiguous_shift(bo));
		return (base & (BIT_ULL(PANTHOR_TVM_PA_BITS - 1) - 1)) + offset;
	}

	return fake_paddr(bo, offset >> shift, shift) + (offset & (BIT_ULL(shift) - 1));
}

/* Bytes from @offset to the end of its entry in the scatter list. */
static u64 bo_run(const struct panthor_tvm_bo *bo, u64 offset)
{
	u64 size, cut;

	switch (bo->layout) {
	case PANTHOR_TVM_SCATTERED:
		return SZ_4K;

	case PANTHOR_TVM_MIXED:
		size = BIT_ULL(mixed_shift(bo, offset));
		offset &= size - 1;

		/* Cut some runs in two entries, which a block has to span. */
		cut = SZ_4K * (bo->seed % 16);
		if (offset < cut && cut < size)
			return cut - offset;
		return size - offset;

	default:
		return SZ_1G - (offset & (SZ_1G - 1));
	}
}

static int bo_init_sgt(struct panthor_tvm_bo *bo)
{
	struct scatterlist *sg;
	unsigned int nents = 0;
	u64 offset, len;
	int err;

	for (offset = 0; offset < bo->size; offset += bo_run(bo, offset))
		nents++;

	err = sg_alloc_table(&bo->sgt, nents, GFP_KERNEL);
	if (err)
		return err;

	sg = bo->sgt.sgl;
	for (offset = 0; offset < bo->size; offset += len) {
		len = min(bo_run(bo, offset), bo->size - offset);
		sg_dma_address(sg) = panthor_tvm_bo_paddr(bo, offset);
		sg_dma_len(sg) = len;
		sg = sg_next(sg);
	}

	return 0;
}

/**
 * panthor_tvm_bo_create() - make a buffer
 * @gpu: Device.
 * @layout: Which physical addresses it has.
 * @size: Bytes, a multiple of 4 KiB; a power of two for PANTHOR_TVM_REPEAT.
 * @seed: Any number; buffers with the same have the same addresses.
 *
 * Return: the buffer, or NULL.
 */
struct panthor_tvm_bo *panthor_tvm_bo_create(struct panthor_tvm_gpu *gpu,
					     enum panthor_tvm_layout layout,
					     u64 size, u32 seed)
{
	struct panthor_tvm_bo *bo;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	if (!bo)
		return NULL;

	bo->layout = layout;
	bo->size = size;
	bo->seed = seed;
	if (bo_init_sgt(bo)) {
		kfree(bo);
		return NULL;
	}

	bo->base.funcs = &bo_funcs;
	drm_gem_private_object_init(&gpu->drm, &bo->base, PAGE_ALIGN(size));
	mutex_init(&bo->gpuva_lock);
	tvm_bo_set_lock(bo);

	return bo;
}

/**
 * panthor_tvm_bo_put() - let go of a buffer
 * @bo: Buffer. VMs and jobs hold references of their own.
 */
void panthor_tvm_bo_put(struct panthor_tvm_bo *bo)
{
	drm_gem_object_put(&bo->base);
}

/* The device. */

static const struct drm_driver tvm_driver = {
	.driver_features = TVM_DRIVER_FEATURES,
	.name = "panthor-tvm",
	.desc = "test VM of panthor",
};

/**
 * panthor_tvm_gpu_create() - make a device for VMs
 * @test: Test, with which the device goes.
 *
 * Return: the device, or an ERR_PTR().
 */
struct panthor_tvm_gpu *panthor_tvm_gpu_create(struct kunit *test)
{
	struct panthor_tvm_gpu *gpu;
	struct device *dev;
	int err;

	dev = kunit_device_register(test, "panthor-tvm");
	if (IS_ERR(dev))
		return ERR_CAST(dev);

	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(PANTHOR_TVM_PA_BITS));
	if (err)
		return ERR_PTR(err);

	gpu = devm_drm_dev_alloc(dev, &tvm_driver, struct panthor_tvm_gpu, drm);
	if (IS_ERR(gpu))
		return gpu;

	init_completion(&gpu->vm_freed);
	gpu->lockdep = IS_ENABLED(CONFIG_PROVE_LOCKING) && debug_locks;
	gpu->allocs_counted = !panthor_tvm_watch_allocs();
	gpu->submit_wq = alloc_workqueue("panthor-tvm-bind", WQ_UNBOUND, 0);
	gpu->cleanup_wq = alloc_workqueue("panthor-tvm-cleanup", WQ_UNBOUND, 0);
	if (!gpu->submit_wq || !gpu->cleanup_wq) {
		panthor_tvm_gpu_destroy(gpu);
		return ERR_PTR(-ENOMEM);
	}

	return gpu;
}

/**
 * panthor_tvm_gpu_destroy() - stop the device's workers
 * @gpu: Device. Its VMs are gone.
 */
void panthor_tvm_gpu_destroy(struct panthor_tvm_gpu *gpu)
{
	if (gpu->allocs_counted)
		panthor_tvm_unwatch_allocs();
	gpu->allocs_counted = false;

	if (gpu->submit_wq)
		destroy_workqueue(gpu->submit_wq);
	if (gpu->cleanup_wq)
		destroy_workqueue(gpu->cleanup_wq);
	gpu->submit_wq = NULL;
	gpu->cleanup_wq = NULL;
}

/**
 * panthor_tvm_finish() - destroy a VM, and check what every test must leave behind
 * @test: Test that fails if something is left.
 * @gpu: Device.
 * @vm: VM; no reference to it may be kept.
 *
 * Return: whether the books balance. If not, the test has failed.
 */
bool panthor_tvm_finish(struct kunit *test, struct panthor_tvm_gpu *gpu,
			struct panthor_tvm *vm)
{
	const struct panthor_tvm_counts *counts = &gpu->last_counts;
	const struct panthor_pgtable_stats *books = &gpu->last;
	bool balanced;

	panthor_tvm_destroy(vm);
	if (!wait_for_completion_timeout(&gpu->vm_freed, 60 * HZ)) {
		KUNIT_FAIL(test, "the VM did not go away: jobs or mappings are left");
		return false;
	}

	KUNIT_EXPECT_EQ(test, books->reserved, 0);
	KUNIT_EXPECT_EQ(test, books->gathered, 0);
	KUNIT_EXPECT_LE_MSG(test, books->tree, PANTHOR_TVM_EMPTY_TREE,
			    "only the root is left of an empty tree");
	KUNIT_EXPECT_EQ(test, books->total,
			books->free + books->dirty + books->reserved +
			books->tree + books->gathered);
	KUNIT_EXPECT_EQ(test, counts->reserved, counts->returned);
	balanced = !books->reserved && !books->gathered &&
		   books->tree <= PANTHOR_TVM_EMPTY_TREE &&
		   books->total == books->free + books->dirty + books->tree &&
		   counts->reserved == counts->returned;

	if (gpu->allocs_counted)
		KUNIT_EXPECT_EQ_MSG(test, panthor_tvm_allocs(PANTHOR_TVM_ALLOCS), 0,
				    "allocations in the signalling section");
	if (gpu->lockdep)
		KUNIT_EXPECT_TRUE_MSG(test, debug_locks, "lockdep tripped, see above");
	return balanced;
}
