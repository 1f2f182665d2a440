/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * A test VM: what panthor's VM_BIND path does, on the real drm_gpuvm, drm_sched
 * and dma_fence, with the page tables under test and no GPU below.
 */
#ifndef __PANTHOR_TVM_H__
#define __PANTHOR_TVM_H__

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_gem.h>
#include <drm/drm_gpuvm.h>
#include <drm/gpu_scheduler.h>

#include "../panthor_pgtable.h"

struct dma_fence;
struct kunit;
struct panthor_tvm_op;

#define PANTHOR_TVM_VA_BITS	48

/*
 * Tables that an empty tree may have. io-pgtable cannot let go of those of level 1, and
 * no test goes to more than three regions of what they span.
 */
#define PANTHOR_TVM_EMPTY_TREE	(IS_ENABLED(CONFIG_DRM_PANTHOR_PGTABLE_FORK) ? 1 : 1 + 3)

/* As much as the host can put in a scatter list, and no more than a Mali has. */
#define PANTHOR_TVM_PA_BITS	(sizeof(dma_addr_t) > 4 ? 40 : 32)

/**
 * struct panthor_tvm_counts - what happened in a VM
 */
struct panthor_tvm_counts {
	/** @jobs: Jobs that ran, those that failed included. */
	u64 jobs;

	/** @failed: Jobs that ran and failed. */
	u64 failed;

	/** @cancelled: Jobs that were given back without having run. */
	u64 cancelled;

	/** @maps: Map calls. */
	u64 maps;

	/** @unmaps: Unmap calls. */
	u64 unmaps;

	/** @remaps: Mappings that gpuvm had to cut. */
	u64 remaps;

	/** @mapped: Bytes mapped. */
	u64 mapped;

	/** @unmapped: Bytes unmapped. */
	u64 unmapped;

	/** @reserved: Reservations that jobs made. */
	u64 reserved;

	/** @returned: Reservations that were given back. */
	u64 returned;

	/** @reserved_peak: Most tables held at one time for all of them. */
	unsigned long reserved_peak;
};

/**
 * struct panthor_tvm_gpu - the device, and what outlives its VMs
 */
struct panthor_tvm_gpu {
	/** @drm: Never registered. */
	struct drm_device drm;

	/** @submit_wq: Runs the jobs. */
	struct workqueue_struct *submit_wq;

	/** @cleanup_wq: Where jobs go after their fence. */
	struct workqueue_struct *cleanup_wq;

	/** @vm_freed: A VM is gone; @last and @last_counts are valid. */
	struct completion vm_freed;

	/**
	 * @last: Books of the last VM, read right before it went. Without the
	 * root in the number of tables installed.
	 */
	struct panthor_pgtable_stats last;

	/** @last_counts: What happened in the last VM. */
	struct panthor_tvm_counts last_counts;

	/** @allocs_counted: Allocations in the signalling section are counted. */
	bool allocs_counted;

	/** @lockdep: Lockdep was on, nothing before this test has tripped it. */
	bool lockdep;
};

/**
 * enum panthor_tvm_layout - which physical addresses a buffer has
 * @PANTHOR_TVM_CONTIGUOUS: One range, aligned to the largest leaf that fits.
 * @PANTHOR_TVM_RANGE: The same, mapped without its scatter list.
 * @PANTHOR_TVM_SCATTERED: Single pages of 4 KiB.
 * @PANTHOR_TVM_MIXED: Each 2 MiB is one block, runs of 64 KiB, or single pages.
 * @PANTHOR_TVM_REPEAT: One range again and again, for sparse mappings.
 * @PANTHOR_TVM_LAYOUTS: Number of layouts.
 */
enum panthor_tvm_layout {
	PANTHOR_TVM_CONTIGUOUS,
	PANTHOR_TVM_RANGE,
	PANTHOR_TVM_SCATTERED,
	PANTHOR_TVM_MIXED,
	PANTHOR_TVM_REPEAT,
	PANTHOR_TVM_LAYOUTS,
};

/**
 * struct panthor_tvm_bo - a buffer without memory: its addresses are made up
 */
struct panthor_tvm_bo {
	/** @base: GEM object. */
	struct drm_gem_object base;

	/** @gpuva_lock: Protects the list of mappings of @base. */
	struct mutex gpuva_lock;

	/** @layout: Which addresses it has. */
	enum panthor_tvm_layout layout;

	/** @seed: Tells the addresses of one buffer from those of another. */
	u32 seed;

	/** @size: Bytes. The period, if the layout is PANTHOR_TVM_REPEAT. */
	u64 size;

	/** @sgt: As dma_map_sgtable() leaves it, but without pages. */
	struct sg_table sgt;
};

/* Kinds of allocations that are counted, by the tracepoint that tells of them. */
enum panthor_tvm_alloc {
	PANTHOR_TVM_ALLOC_KMALLOC,
	PANTHOR_TVM_ALLOC_CACHE,
	PANTHOR_TVM_ALLOC_PAGE,
	PANTHOR_TVM_ALLOCS,
};

/* Kinds of jobs. */
enum panthor_tvm_op_type {
	PANTHOR_TVM_MAP,
	PANTHOR_TVM_UNMAP,
};

/* Lock and flush for each gpuvm step (as 6.12 does), not once for the job. */
#define PANTHOR_TVM_FLUSH_STEPS		BIT(0)

/* The flush that ends the job fails: what was gathered waits for the next. */
#define PANTHOR_TVM_FLUSH_FAILS		BIT(1)

/**
 * struct panthor_tvm_req - what a client asks for
 */
struct panthor_tvm_req {
	/** @type: Map or unmap. */
	enum panthor_tvm_op_type type;

	/** @flags: PANTHOR_TVM_FLUSH_*. */
	u32 flags;

	/** @iova: First byte. */
	u64 iova;

	/** @size: Bytes. */
	u64 size;

	/** @bo: What to map. NULL for an unmap. */
	struct panthor_tvm_bo *bo;

	/** @offset: First byte of @bo. 0 if @bo repeats. */
	u64 offset;
};

/**
 * struct panthor_tvm_observer - who wants to see what the jobs do
 */
struct panthor_tvm_observer {
	/**
	 * @step: One map or unmap call returned, after @ticks of
	 * panthor_tvm_clock(). Called in the signalling section. Optional.
	 */
	void (*step)(void *priv, const struct panthor_tvm_op *op,
		     enum panthor_tvm_op_type type, u64 size, u64 ticks);

	/**
	 * @done: A job ran, with @err and for @ticks of panthor_tvm_clock().
	 * Called before the next job runs, outside the signalling section.
	 * Optional.
	 */
	void (*done)(void *priv, const struct panthor_tvm_op *op, int err, u64 ticks);
};

/**
 * struct panthor_tvm - a test VM
 */
struct panthor_tvm {
	/** @base: Real gpuvm. Holds a reference for each mapping. */
	struct drm_gpuvm base;

	/** @gpu: Device. */
	struct panthor_tvm_gpu *gpu;

	/** @pt: What is tested. */
	struct panthor_pgtable *pt;

	/** @sched: Real scheduler. */
	struct drm_gpu_scheduler sched;

	/** @entity: The VM_BIND queue. */
	struct drm_sched_entity entity;

	/** @killed: @entity is gone. */
	bool killed;

	/** @op_lock: Serializes changes of @base and @pt. */
	struct mutex op_lock;

	/** @unusable: A job failed, or the VM is being destroyed. Under @op_lock. */
	bool unusable;

	/** @locked: What the GPU is locked out of. Under @op_lock. */
	struct {
		/** @locked.iova: First byte. */
		u64 iova;

		/** @locked.size: Bytes, 0 if the region is not locked. */
		u64 size;
	} locked;

	/** @unflushed: Unmaps that took tables out, and no flush since. Under @op_lock. */
	struct {
		/** @unflushed.iova: First byte of all of them. */
		u64 iova;

		/** @unflushed.size: Bytes, 0 if no table waits. */
		u64 size;
	} unflushed;

	/** @pending: Jobs that are not cleaned up. */
	atomic_t pending;

	/** @idle: Woken when @pending gets 0. */
	wait_queue_head_t idle;

	/** @installed_before: Tables that were in the tree before any job: the root. */
	u64 installed_before;

	/** @observer: Who is told. NULL for nobody. */
	const struct panthor_tvm_observer *observer;

	/** @priv: First argument of the @observer. */
	void *priv;

	/** @counts: What happened. Stable while no job is pending. */
	struct panthor_tvm_counts counts;

	/** @counts_lock: For the fields of @counts that several threads write. */
	spinlock_t counts_lock;
};

/**
 * struct panthor_tvm_op - one operation, ready to run without allocating
 */
struct panthor_tvm_op {
	/** @vm: VM. */
	struct panthor_tvm *vm;

	/** @req: What to do. */
	struct panthor_tvm_req req;

	/** @rsv: Tables. */
	struct panthor_pgtable_rsv rsv;

	/** @reserved: @rsv has been made. */
	bool reserved;

	/** @vm_bo: What ties the buffer to the VM, until a mapping takes it. */
	struct drm_gpuvm_bo *vm_bo;

	/** @spare: Mappings: one for a map, one for each end that is cut. */
	struct panthor_tvm_vma *spare[3];

	/** @err: What went wrong without keeping the operation from going on. */
	int err;

	/** @returned: Mappings to free in cleanup. */
	struct list_head returned;
};

struct panthor_tvm_gpu *panthor_tvm_gpu_create(struct kunit *test);
void panthor_tvm_gpu_destroy(struct panthor_tvm_gpu *gpu);
bool panthor_tvm_finish(struct kunit *test, struct panthor_tvm_gpu *gpu,
			struct panthor_tvm *vm);

struct panthor_tvm_bo *panthor_tvm_bo_create(struct panthor_tvm_gpu *gpu,
					     enum panthor_tvm_layout layout,
					     u64 size, u32 seed);
void panthor_tvm_bo_put(struct panthor_tvm_bo *bo);
u64 panthor_tvm_bo_paddr(const struct panthor_tvm_bo *bo, u64 offset);

struct panthor_tvm *panthor_tvm_create(struct panthor_tvm_gpu *gpu, u64 pgsize_bitmap);
void panthor_tvm_destroy(struct panthor_tvm *vm);
void panthor_tvm_kill(struct panthor_tvm *vm);
int panthor_tvm_wait_idle(struct panthor_tvm *vm);
struct dma_fence *panthor_tvm_submit(struct panthor_tvm *vm,
				     const struct panthor_tvm_req *req,
				     struct dma_fence *dependency);

/* What the page tables must translate a byte to that @req mapped. */
static inline u64 panthor_tvm_req_paddr(const struct panthor_tvm_req *req, u64 iova)
{
	if (req->bo->layout == PANTHOR_TVM_REPEAT)
		return panthor_tvm_bo_paddr(req->bo, iova & (req->bo->size - 1));
	return panthor_tvm_bo_paddr(req->bo, req->offset + iova - req->iova);
}

struct dma_fence *panthor_tvm_gate_create(void);

u64 panthor_tvm_clock(void);
bool panthor_tvm_section_begin(void);
void panthor_tvm_section_end(bool cookie);
int panthor_tvm_watch_allocs(void);
void panthor_tvm_unwatch_allocs(void);
unsigned long panthor_tvm_allocs(enum panthor_tvm_alloc kind);

#endif
