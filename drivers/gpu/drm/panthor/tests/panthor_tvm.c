// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * A test VM: what panthor's VM_BIND path does, on the real drm_gpuvm, drm_sched
 * and dma_fence, with the page tables under test and no GPU below.
 */

#include <linux/cleanup.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/iommu.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_exec.h>

#include "panthor_tvm.h"
#include "panthor_tvm_kernel.h"

#define TVM_PROT	(IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE | IOMMU_NOEXEC)

struct panthor_tvm_vma {
	struct drm_gpuva base;
	struct list_head node;
};

struct tvm_job {
	struct drm_sched_job base;
	struct panthor_tvm_op op;
	struct work_struct cleanup_work;
	bool ran;
};

static const struct drm_sched_backend_ops tvm_sched_ops;

static struct panthor_tvm *to_tvm(struct drm_gpuvm *gpuvm)
{
	return container_of(gpuvm, struct panthor_tvm, base);
}

static struct panthor_tvm_bo *to_bo(struct drm_gem_object *obj)
{
	return container_of(obj, struct panthor_tvm_bo, base);
}

/* Jobs have no timeout, so that .timedout_job is not needed. */
static int tvm_sched_init(struct panthor_tvm *vm)
{
	const struct drm_sched_init_args args = {
		.ops = &tvm_sched_ops,
		.submit_wq = vm->gpu->submit_wq,
		.num_rqs = 1,
		.credit_limit = 1,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = "panthor-tvm",
		.dev = vm->gpu->drm.dev,
	};

	return drm_sched_init(&vm->sched, &args);
}

/* Operations: everything that allocates or frees is in prepare and cleanup. */

static void vm_bo_put(struct drm_gpuvm_bo *vm_bo)
{
	struct panthor_tvm_bo *bo = to_bo(vm_bo->obj);
	struct drm_gpuvm *gpuvm = vm_bo->vm;

	/* The last put drops both, but their locks are held around it. */
	drm_gpuvm_get(gpuvm);
	drm_gem_object_get(&bo->base);

	dma_resv_lock(drm_gpuvm_resv(gpuvm), NULL);
	mutex_lock(tvm_bo_lock(bo));
	drm_gpuvm_bo_put(vm_bo);
	mutex_unlock(tvm_bo_lock(bo));
	dma_resv_unlock(drm_gpuvm_resv(gpuvm));

	drm_gem_object_put(&bo->base);
	drm_gpuvm_put(gpuvm);
}

static int vm_bo_get(struct panthor_tvm_op *op)
{
	struct panthor_tvm *vm = op->vm;
	struct panthor_tvm_bo *bo = op->req.bo;
	struct drm_gpuvm_bo *vm_bo;

	vm_bo = drm_gpuvm_bo_create(&vm->base, &bo->base);
	if (!vm_bo)
		return -ENOMEM;

	dma_resv_lock(drm_gpuvm_resv(&vm->base), NULL);
	op->vm_bo = tvm_vm_bo_obtain(vm_bo, bo);
	drm_gpuvm_bo_extobj_add(op->vm_bo);
	dma_resv_unlock(drm_gpuvm_resv(&vm->base));

	return 0;
}

static int op_reserve(struct panthor_tvm_op *op)
{
	const struct panthor_tvm_req *req = &op->req;
	struct panthor_pgtable *pt = op->vm->pt;
	struct panthor_tvm_bo *bo = req->bo;

	if (req->type == PANTHOR_TVM_UNMAP)
		return panthor_pgtable_reserve_unmap(pt, &op->rsv, req->iova, req->size);

	switch (bo->layout) {
	case PANTHOR_TVM_RANGE:
		return panthor_pgtable_reserve_map(pt, &op->rsv, req->iova,
						   panthor_tvm_bo_paddr(bo, req->offset),
						   req->size);

	case PANTHOR_TVM_REPEAT:
		return panthor_pgtable_reserve_map_repeat(pt, &op->rsv, req->iova,
							  panthor_tvm_bo_paddr(bo, 0),
							  bo->size, req->size);

	default:
		return panthor_pgtable_reserve_map_sgt(pt, &op->rsv, req->iova,
						       &bo->sgt, req->offset,
						       req->size);
	}
}

static void op_cleanup(struct panthor_tvm_op *op)
{
	struct panthor_tvm *vm = op->vm;
	struct panthor_tvm_vma *vma, *tmp;

	spin_lock(&vm->counts_lock);
	vm->counts.returned += op->reserved;
	spin_unlock(&vm->counts_lock);

	panthor_pgtable_unreserve(vm->pt, &op->rsv);

	if (op->vm_bo)
		vm_bo_put(op->vm_bo);

	for (int i = 0; i < ARRAY_SIZE(op->spare); i++)
		kfree(op->spare[i]);

	list_for_each_entry_safe(vma, tmp, &op->returned, node) {
		vm_bo_put(vma->base.vm_bo);
		kfree(vma);
	}
}

static int op_prepare(struct panthor_tvm_op *op, struct panthor_tvm *vm,
		      const struct panthor_tvm_req *req)
{
	struct panthor_pgtable_stats stats;
	int err;

	op->vm = vm;
	op->req = *req;
	INIT_LIST_HEAD(&op->returned);

	for (int i = 0; i < (req->type == PANTHOR_TVM_MAP ? 3 : 2); i++) {
		op->spare[i] = kzalloc(sizeof(*op->spare[i]), GFP_KERNEL);
		if (!op->spare[i]) {
			err = -ENOMEM;
			goto err_cleanup;
		}
	}

	if (req->type == PANTHOR_TVM_MAP) {
		err = vm_bo_get(op);
		if (err)
			goto err_cleanup;
	}

	err = op_reserve(op);
	if (err)
		goto err_cleanup;

	op->reserved = true;
	panthor_pgtable_stats(vm->pt, &stats);
	spin_lock(&vm->counts_lock);
	vm->counts.reserved++;
	vm->counts.reserved_peak = max(vm->counts.reserved_peak, stats.reserved);
	spin_unlock(&vm->counts_lock);

	return 0;

err_cleanup:
	op_cleanup(op);
	return err;
}

/* Execution: from here to op_exec() nothing may allocate or free. */

static struct panthor_tvm_vma *take_spare(struct panthor_tvm_op *op)
{
	for (int i = 0; i < ARRAY_SIZE(op->spare); i++) {
		if (op->spare[i])
			return no_free_ptr(op->spare[i]);
	}
	return NULL;
}

/* @vma takes over the reference to @vm_bo. */
static void vma_link(struct panthor_tvm_vma *vma, struct drm_gpuvm_bo *vm_bo)
{
	struct panthor_tvm_bo *bo = to_bo(vm_bo->obj);

	mutex_lock(tvm_bo_lock(bo));
	drm_gpuva_link(&vma->base, vm_bo);
	drm_gpuvm_bo_put(vm_bo);
	mutex_unlock(tvm_bo_lock(bo));
}

/* The reference to the buffer is kept for cleanup: the last put frees. */
static void vma_unlink(struct panthor_tvm_op *op, struct panthor_tvm_vma *vma)
{
	struct drm_gpuvm_bo *vm_bo = drm_gpuvm_bo_get(vma->base.vm_bo);
	struct panthor_tvm_bo *bo = to_bo(vm_bo->obj);

	mutex_lock(tvm_bo_lock(bo));
	drm_gpuva_unlink(&vma->base);
	mutex_unlock(tvm_bo_lock(bo));

	vma->base.vm_bo = vm_bo;
	list_add_tail(&vma->node, &op->returned);
}

static bool covers(u64 outer_iova, u64 outer_size, u64 iova, u64 size)
{
	return outer_iova <= iova && outer_iova + outer_size >= iova + size;
}

/* A leaf covers both what is right before @iova and what is at @iova. */
static bool cuts_leaf(struct panthor_tvm *vm, u64 iova)
{
	struct panthor_pgtable_walk walk;

	if (panthor_pgtable_walk(vm->pt, iova, &walk) || !walk.desc[walk.level])
		return false;

	return iova & (BIT_ULL(12 + 9 * (3 - walk.level)) - 1);
}

/* Fail the job, but let it go on: gpuvm and page table are still the same. */
static void op_fail(struct panthor_tvm_op *op, int err)
{
	if (!op->err)
		op->err = err;
}

/* Where the driver would lock the GPU out of a region. */
static void region_lock(struct panthor_tvm_op *op, u64 iova, u64 size)
{
	struct panthor_tvm *vm = op->vm;
	u64 locked = iova, locked_size = size;

	panthor_pgtable_expand(vm->pt, &locked, &locked_size);
	vm->locked.iova = locked;
	vm->locked.size = locked_size;

	/* The GPU must not use any part of a block that is going to be cut. */
	if (!covers(locked, locked_size, iova, size) ||
	    cuts_leaf(vm, locked) || cuts_leaf(vm, locked + locked_size))
		op_fail(op, -ERANGE);
}

/* Where the driver would flush the region, and let the GPU in again. */
static void region_unlock(struct panthor_tvm_op *op)
{
	struct panthor_tvm *vm = op->vm;
	u64 iova = vm->locked.iova, size = vm->locked.size;
	bool ok;

	panthor_pgtable_flush_range(vm->pt, &iova, &size);
	ok = covers(iova, size, vm->locked.iova, vm->locked.size);

	/* Also what earlier flushes, that failed, have left. */
	if (vm->unflushed.size)
		ok &= covers(iova, size, vm->unflushed.iova, vm->unflushed.size);

	if (!(op->req.flags & PANTHOR_TVM_FLUSH_FAILS)) {
		panthor_pgtable_flushed(vm->pt);
		vm->unflushed.size = 0;
	}
	vm->locked.size = 0;

	if (!ok)
		op_fail(op, -ERANGE);
}

/* An unmap took tables out of the tree: its range is to be flushed. */
static void note_gathered(struct panthor_tvm *vm, u64 iova, u64 size)
{
	u64 last = iova + size - 1;

	if (vm->unflushed.size) {
		last = max(last, vm->unflushed.iova + vm->unflushed.size - 1);
		iova = min(iova, vm->unflushed.iova);
	}
	vm->unflushed.iova = iova;
	vm->unflushed.size = last - iova + 1;
}

static s64 table_map(struct panthor_tvm_op *op, u64 iova, u64 size, u64 offset)
{
	struct panthor_pgtable *pt = op->vm->pt;
	struct panthor_tvm_bo *bo = op->req.bo;

	switch (bo->layout) {
	case PANTHOR_TVM_RANGE:
		return panthor_pgtable_map(pt, &op->rsv, iova,
					   panthor_tvm_bo_paddr(bo, offset), size, TVM_PROT);

	case PANTHOR_TVM_REPEAT:
		return panthor_pgtable_map_repeat(pt, &op->rsv, iova,
						  panthor_tvm_bo_paddr(bo, 0),
						  bo->size, size, TVM_PROT);

	default:
		return panthor_pgtable_map_sgt(pt, &op->rsv, iova, &bo->sgt, offset,
					       size, TVM_PROT);
	}
}

static int step(struct panthor_tvm_op *op, enum panthor_tvm_op_type type,
		u64 iova, u64 size, u64 offset)
{
	struct panthor_tvm *vm = op->vm;
	struct panthor_pgtable_stats before, after;
	u64 ticks;
	s64 ret;

	if (op->req.flags & PANTHOR_TVM_FLUSH_STEPS)
		region_lock(op, iova, size);
	else if (!covers(vm->locked.iova, vm->locked.size, iova, size))
		op_fail(op, -ERANGE);

	panthor_pgtable_stats(vm->pt, &before);
	ticks = panthor_tvm_clock();
	if (type == PANTHOR_TVM_MAP)
		ret = table_map(op, iova, size, offset);
	else
		ret = panthor_pgtable_unmap(vm->pt, &op->rsv, iova, size);
	ticks = panthor_tvm_clock() - ticks;
	panthor_pgtable_stats(vm->pt, &after);
	if (after.gathered > before.gathered)
		note_gathered(vm, iova, size);

	if (op->req.flags & PANTHOR_TVM_FLUSH_STEPS)
		region_unlock(op);
	if (ret < 0)
		return ret;

	/* What gpuvm takes for mapped is mapped without holes. */
	if (type == PANTHOR_TVM_UNMAP && ret != size)
		op_fail(op, -EFAULT);

	if (type == PANTHOR_TVM_MAP) {
		vm->counts.maps++;
		vm->counts.mapped += size;
	} else {
		vm->counts.unmaps++;
		vm->counts.unmapped += size;
	}
	if (vm->observer && vm->observer->step)
		vm->observer->step(vm->priv, op, type, size, ticks);

	return 0;
}

static int sm_step_map(struct drm_gpuva_op *gop, void *priv)
{
	struct panthor_tvm_op *op = priv;
	struct panthor_tvm_vma *vma;
	int err;

	err = step(op, PANTHOR_TVM_MAP, gop->map.va.addr, gop->map.va.range,
		   gop->map.gem.offset);
	if (err)
		return err;

	vma = take_spare(op);
	if (WARN_ON(!vma))
		return -EINVAL;

	drm_gpuva_map(&op->vm->base, &vma->base, &gop->map);
	vma_link(vma, no_free_ptr(op->vm_bo));
	return 0;
}

static int sm_step_remap(struct drm_gpuva_op *gop, void *priv)
{
	struct drm_gpuva_op_remap *remap = &gop->remap;
	struct drm_gpuva *va = remap->unmap->va;
	struct panthor_tvm_vma *prev, *next;
	struct panthor_tvm_op *op = priv;
	u64 iova, size;
	int err;

	drm_gpuva_op_remap_to_unmap_range(remap, &iova, &size);
	err = step(op, PANTHOR_TVM_UNMAP, iova, size, 0);
	if (err)
		return err;

	prev = remap->prev ? take_spare(op) : NULL;
	next = remap->next ? take_spare(op) : NULL;
	if (WARN_ON((remap->prev && !prev) || (remap->next && !next)))
		return -EINVAL;

	drm_gpuva_remap(prev ? &prev->base : NULL, next ? &next->base : NULL, remap);
	if (prev)
		vma_link(prev, drm_gpuvm_bo_get(va->vm_bo));
	if (next)
		vma_link(next, drm_gpuvm_bo_get(va->vm_bo));

	vma_unlink(op, container_of(va, struct panthor_tvm_vma, base));
	op->vm->counts.remaps++;
	return 0;
}

static int sm_step_unmap(struct drm_gpuva_op *gop, void *priv)
{
	struct drm_gpuva *va = gop->unmap.va;
	struct panthor_tvm_op *op = priv;
	int err;

	err = step(op, PANTHOR_TVM_UNMAP, va->va.addr, va->va.range, 0);
	if (err)
		return err;

	drm_gpuva_unmap(&gop->unmap);
	vma_unlink(op, container_of(va, struct panthor_tvm_vma, base));
	return 0;
}

static int op_exec(struct panthor_tvm_op *op)
{
	const struct panthor_tvm_req *req = &op->req;
	bool whole = !(req->flags & PANTHOR_TVM_FLUSH_STEPS);
	struct panthor_tvm *vm = op->vm;
	int err;

	mutex_lock(&vm->op_lock);

	if (vm->unusable && req->type == PANTHOR_TVM_MAP) {
		err = -EINVAL;
		goto out_unlock;
	}

	if (whole)
		region_lock(op, req->iova, req->size);

	if (req->type == PANTHOR_TVM_MAP)
		err = tvm_sm_map(&vm->base, op, req->iova, req->size, req->bo, req->offset);
	else
		err = drm_gpuvm_sm_unmap(&vm->base, op, req->iova, req->size);

	if (whole)
		region_unlock(op);

	if (!err)
		err = op->err;
	if (err)
		vm->unusable = true;

out_unlock:
	mutex_unlock(&vm->op_lock);
	return err;
}

/* Jobs. */

static struct dma_fence *tvm_run_job(struct drm_sched_job *sched_job)
{
	struct tvm_job *job = container_of(sched_job, struct tvm_job, base);
	struct panthor_tvm *vm = job->op.vm;
	bool cookie;
	u64 ticks;
	int err;

	cookie = panthor_tvm_section_begin();
	ticks = panthor_tvm_clock();
	err = op_exec(&job->op);
	ticks = panthor_tvm_clock() - ticks;
	panthor_tvm_section_end(cookie);

	job->ran = true;
	vm->counts.jobs++;
	if (err)
		vm->counts.failed++;
	if (vm->observer && vm->observer->done)
		vm->observer->done(vm->priv, &job->op, err, ticks);

	return err ? ERR_PTR(err) : NULL;
}

static void job_cleanup_work(struct work_struct *work)
{
	struct tvm_job *job = container_of(work, struct tvm_job, cleanup_work);
	struct panthor_tvm *vm = job->op.vm;

	if (!job->ran) {
		spin_lock(&vm->counts_lock);
		vm->counts.cancelled++;
		spin_unlock(&vm->counts_lock);
	}

	op_cleanup(&job->op);
	kfree(job);

	if (atomic_dec_and_test(&vm->pending))
		wake_up_all(&vm->idle);
	drm_gpuvm_put(&vm->base);
}

static void tvm_free_job(struct drm_sched_job *sched_job)
{
	struct tvm_job *job = container_of(sched_job, struct tvm_job, base);

	drm_sched_job_cleanup(sched_job);
	queue_work(job->op.vm->gpu->cleanup_wq, &job->cleanup_work);
}

static const struct drm_sched_backend_ops tvm_sched_ops = {
	.run_job = tvm_run_job,
	.free_job = tvm_free_job,
};

static int job_push(struct tvm_job *job, struct dma_fence **fence)
{
	struct drm_gpuvm *gpuvm = &job->op.vm->base;
	struct panthor_tvm_bo *bo = job->op.req.bo;
	struct drm_exec exec;
	int err;

	drm_exec_init(&exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		err = drm_gpuvm_prepare_vm(gpuvm, &exec, 1);
		drm_exec_retry_on_contention(&exec);
		if (err)
			break;

		if (bo)
			err = drm_exec_prepare_obj(&exec, &bo->base, 1);
		drm_exec_retry_on_contention(&exec);
		if (err)
			break;
	}

	if (!err) {
		drm_sched_job_arm(&job->base);
		*fence = dma_fence_get(&job->base.s_fence->finished);
		drm_gpuvm_resv_add_fence(gpuvm, &exec, *fence, DMA_RESV_USAGE_BOOKKEEP,
					 DMA_RESV_USAGE_BOOKKEEP);
		drm_sched_entity_push_job(&job->base);
	}
	drm_exec_fini(&exec);

	return err;
}

/**
 * panthor_tvm_submit() - queue a VM_BIND job
 * @vm: VM.
 * @req: What to do.
 * @dependency: Fence that the job waits for. NULL for none.
 *
 * Return: the fence of the job, or an ERR_PTR().
 */
struct dma_fence *panthor_tvm_submit(struct panthor_tvm *vm,
				     const struct panthor_tvm_req *req,
				     struct dma_fence *dependency)
{
	struct dma_fence *fence;
	struct tvm_job *job;
	int err;

	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return ERR_PTR(-ENOMEM);
	INIT_WORK(&job->cleanup_work, job_cleanup_work);

	err = op_prepare(&job->op, vm, req);
	if (err)
		goto err_free;

	err = drm_sched_job_init(&job->base, &vm->entity, 1, vm, 0);
	if (err)
		goto err_cleanup_op;

	if (dependency) {
		err = drm_sched_job_add_dependency(&job->base, dma_fence_get(dependency));
		if (err)
			goto err_cleanup_job;
	}

	atomic_inc(&vm->pending);
	drm_gpuvm_get(&vm->base);
	err = job_push(job, &fence);
	if (!err)
		return fence;

	drm_gpuvm_put(&vm->base);
	atomic_dec(&vm->pending);
err_cleanup_job:
	drm_sched_job_cleanup(&job->base);
err_cleanup_op:
	op_cleanup(&job->op);
err_free:
	kfree(job);
	return ERR_PTR(err);
}

/**
 * panthor_tvm_wait_idle() - wait until all jobs are cleaned up
 * @vm: VM.
 *
 * Return: 0, or -ETIMEDOUT.
 */
int panthor_tvm_wait_idle(struct panthor_tvm *vm)
{
	return wait_event_timeout(vm->idle, !atomic_read(&vm->pending), 60 * HZ) ?
	       0 : -ETIMEDOUT;
}

/**
 * panthor_tvm_kill() - cancel the jobs that have not begun
 * @vm: VM. Nothing can be submitted any more.
 *
 * Jobs that have a dependency are given back after it signalled.
 */
void panthor_tvm_kill(struct panthor_tvm *vm)
{
	drm_sched_entity_fini(&vm->entity);
	vm->killed = true;
}

/* VMs. */

static void tvm_free(struct drm_gpuvm *gpuvm)
{
	struct panthor_tvm *vm = to_tvm(gpuvm);
	struct panthor_tvm_gpu *gpu = vm->gpu;
	u64 iova = 0, size = BIT_ULL(32);

	if (!vm->killed)
		drm_sched_entity_destroy(&vm->entity);
	drm_sched_fini(&vm->sched);

	/* What jobs have left empty goes with one more flush. */
	panthor_pgtable_flush_range(vm->pt, &iova, &size);
	panthor_pgtable_flushed(vm->pt);

	gpu->last_counts = vm->counts;
	panthor_pgtable_stats(vm->pt, &gpu->last);
	gpu->last.installed -= vm->installed_before;
	panthor_pgtable_destroy(vm->pt);

	mutex_destroy(&vm->op_lock);
	kfree(vm);
	complete(&gpu->vm_freed);
}

static const struct drm_gpuvm_ops tvm_gpuvm_ops = {
	.vm_free = tvm_free,
	.sm_step_map = sm_step_map,
	.sm_step_remap = sm_step_remap,
	.sm_step_unmap = sm_step_unmap,
};

/**
 * panthor_tvm_create() - make a VM
 * @gpu: Device.
 * @pgsize_bitmap: Leaf sizes in bytes, or'ed.
 *
 * Return: the VM, or an ERR_PTR().
 */
struct panthor_tvm *panthor_tvm_create(struct panthor_tvm_gpu *gpu, u64 pgsize_bitmap)
{
	const struct panthor_pgtable_cfg cfg = {
		.dev = gpu->drm.dev,
		.pgsize_bitmap = pgsize_bitmap,
		.va_bits = PANTHOR_TVM_VA_BITS,
		.pa_bits = PANTHOR_TVM_PA_BITS,
		.coherent_walk = true,
	};
	struct panthor_pgtable_stats stats;
	struct drm_gpu_scheduler *sched;
	struct drm_gem_object *resv_obj;
	struct panthor_tvm *vm;
	int err;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	resv_obj = drm_gpuvm_resv_object_alloc(&gpu->drm);
	if (!vm || !resv_obj) {
		err = -ENOMEM;
		goto err_free;
	}

	vm->gpu = gpu;
	mutex_init(&vm->op_lock);
	spin_lock_init(&vm->counts_lock);
	init_waitqueue_head(&vm->idle);
	reinit_completion(&gpu->vm_freed);

	/* Reclaim may wait for a job: op_lock must not be held to allocate. */
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&vm->op_lock);
	fs_reclaim_release(GFP_KERNEL);

	vm->pt = panthor_pgtable_create(&cfg);
	if (IS_ERR(vm->pt)) {
		err = PTR_ERR(vm->pt);
		goto err_free;
	}

	panthor_pgtable_stats(vm->pt, &stats);
	vm->installed_before = stats.installed;

	err = tvm_sched_init(vm);
	if (err)
		goto err_destroy_pt;

	sched = &vm->sched;
	err = drm_sched_entity_init(&vm->entity, DRM_SCHED_PRIORITY_KERNEL, &sched, 1, NULL);
	if (err)
		goto err_sched_fini;

	drm_gpuvm_init(&vm->base, "panthor-tvm", TVM_GPUVM_FLAGS, &gpu->drm,
		       resv_obj, 0, BIT_ULL(PANTHOR_TVM_VA_BITS), 0, 0, &tvm_gpuvm_ops);
	drm_gem_object_put(resv_obj);
	return vm;

err_sched_fini:
	drm_sched_fini(&vm->sched);
err_destroy_pt:
	panthor_pgtable_destroy(vm->pt);
err_free:
	if (resv_obj)
		drm_gem_object_put(resv_obj);
	kfree(vm);
	return ERR_PTR(err);
}

/**
 * panthor_tvm_destroy() - unmap everything, refuse more maps, drop the reference
 * @vm: VM. It goes with the last of its jobs; see panthor_tvm_gpu.vm_freed.
 */
void panthor_tvm_destroy(struct panthor_tvm *vm)
{
	const struct panthor_tvm_req req = {
		.type = PANTHOR_TVM_UNMAP,
		.size = BIT_ULL(PANTHOR_TVM_VA_BITS),
	};
	struct panthor_tvm_op op = {};

	mutex_lock(&vm->op_lock);
	vm->unusable = true;
	mutex_unlock(&vm->op_lock);

	if (!WARN_ON(op_prepare(&op, vm, &req))) {
		WARN_ON(op_exec(&op));
		op_cleanup(&op);
	}

	drm_gpuvm_put(&vm->base);
}
