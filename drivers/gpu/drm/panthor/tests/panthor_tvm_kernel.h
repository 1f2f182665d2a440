/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * What the test VM asks of drm_gpuvm that is not the same in each kernel.
 */
#ifndef __PANTHOR_TVM_KERNEL_H__
#define __PANTHOR_TVM_KERNEL_H__

#include <linux/version.h>

#include <drm/drm_drv.h>
#include <drm/drm_gpuvm.h>

#include "panthor_tvm.h"

#if LINUX_VERSION_MAJOR >= 7

/* Each object has a lock for its list of mappings: @gpuva_lock of ours is not used. */
#define TVM_GPUVM_FLAGS	(DRM_GPUVM_RESV_PROTECTED | DRM_GPUVM_IMMEDIATE_MODE)
#define TVM_DRIVER_FEATURES	DRIVER_GEM

static inline void tvm_bo_set_lock(struct panthor_tvm_bo *bo)
{
}

static inline struct mutex *tvm_bo_lock(struct panthor_tvm_bo *bo)
{
	return &bo->base.gpuva.lock;
}

static inline struct drm_gpuvm_bo *tvm_vm_bo_obtain(struct drm_gpuvm_bo *prealloc,
						    struct panthor_tvm_bo *bo)
{
	return drm_gpuvm_bo_obtain_prealloc(prealloc);
}

static inline int tvm_sm_map(struct drm_gpuvm *gpuvm, void *priv, u64 iova, u64 size,
			     struct panthor_tvm_bo *bo, u64 offset)
{
	const struct drm_gpuvm_map_req req = {
		.map.va.addr = iova,
		.map.va.range = size,
		.map.gem.obj = &bo->base,
		.map.gem.offset = offset,
	};

	return drm_gpuvm_sm_map(gpuvm, priv, &req);
}

#else

#define TVM_GPUVM_FLAGS	DRM_GPUVM_RESV_PROTECTED
#define TVM_DRIVER_FEATURES	(DRIVER_GEM | DRIVER_GEM_GPUVA)

static inline void tvm_bo_set_lock(struct panthor_tvm_bo *bo)
{
	drm_gem_gpuva_set_lock(&bo->base, &bo->gpuva_lock);
}

static inline struct mutex *tvm_bo_lock(struct panthor_tvm_bo *bo)
{
	return &bo->gpuva_lock;
}

static inline struct drm_gpuvm_bo *tvm_vm_bo_obtain(struct drm_gpuvm_bo *prealloc,
						    struct panthor_tvm_bo *bo)
{
	struct drm_gpuvm_bo *vm_bo;

	mutex_lock(&bo->gpuva_lock);
	vm_bo = drm_gpuvm_bo_obtain_prealloc(prealloc);
	mutex_unlock(&bo->gpuva_lock);

	return vm_bo;
}

static inline int tvm_sm_map(struct drm_gpuvm *gpuvm, void *priv, u64 iova, u64 size,
			     struct panthor_tvm_bo *bo, u64 offset)
{
	return drm_gpuvm_sm_map(gpuvm, priv, iova, size, &bo->base, offset);
}

#endif
#endif
