// SPDX-License-Identifier: GPL-2.0 or MIT
//
// What the switch of the driver of Linux 7.3 needs besides panthor.cocci, which says
// how these rules are applied.

// Includes.

// Came with io-pgtable.h.
// panthor_gpu.c 4294967295 #include <linux/pm_runtime.h>
@gpu_include_property@
@@
 #include <linux/pm_runtime.h>
+#include <linux/property.h>

// The life of a page table.

// panthor_mmu.c 4003576334 variable pgtbl_cfg of function panthor_vm_create()
@create_cfg@
@@
 panthor_vm_create(...)
 {
 ...
-	struct io_pgtable_cfg pgtbl_cfg;
+	const struct panthor_pgtable_cfg pgtable_cfg = {
+		.dev = ptdev->base.dev,
+		.pgsize_bitmap = ptdev->mmu_info.page_size_bitmap,
+		.va_bits = va_bits,
+		.pa_bits = pa_bits,
+		.coherent_walk = ptdev->coherent,
+	};
 ...
 }

// panthor_mmu.c 561354372 call of alloc_io_pgtable_ops() in function panthor_vm_create()
@create@
identifier vm, ret;
@@
 panthor_vm_create(...)
 {
 ...
-	pgtbl_cfg = (struct io_pgtable_cfg) {
-		.pgsize_bitmap	= ptdev->mmu_info.page_size_bitmap,
-		.ias		= va_bits,
-		.oas		= pa_bits,
-		.coherent_walk	= ptdev->coherent,
-		.tlb		= &mmu_tlb_ops,
-		.iommu_dev	= ptdev->base.dev,
-		.alloc		= alloc_pt,
-		.free		= free_pt,
-	};
-	vm->pgtbl_ops = alloc_io_pgtable_ops(ARM_64_LPAE_S1, &pgtbl_cfg, vm);
-	if (!vm->pgtbl_ops) {
-		ret = -EINVAL;
+	vm->pgtable = panthor_pgtable_create(&pgtable_cfg);
+	if (IS_ERR(vm->pgtable)) {
+		ret = PTR_ERR(vm->pgtable);
 		goto err_mm_takedown;
 	}
 ...
 }

// An iova is 64 bits wide everywhere.

// panthor_mmu.c 3337728787 32-bit limit of va_bits in function panthor_mmu_init()
@va_bits_limit@
@@
 panthor_mmu_init(...)
 {
 ...
-	if (va_bits > BITS_PER_LONG) {
-		ptdev->gpu_info.mmu_features &= ~GENMASK(7, 0);
-		ptdev->gpu_info.mmu_features |= BITS_PER_LONG;
-	}
 ...
 }

// Reservations.

// panthor_mmu.c 2754487434 function panthor_vm_op_ctx_prealloc_pts()
@prealloc_pts@
type T;
parameter list P;
@@
-T panthor_vm_op_ctx_prealloc_pts(P) { ... }

// panthor_mmu.c 1962990369 page tables in function panthor_vm_prepare_map_op_ctx()
@reserve_map@
identifier op_ctx, vm, sgt, ret;
@@
 panthor_vm_prepare_map_op_ctx(struct panthor_vm_op_ctx *op_ctx, struct panthor_vm *vm, ...)
 {
 ...
 struct sg_table *sgt = NULL;
 ...
-	ret = panthor_vm_op_ctx_prealloc_pts(op_ctx);
+	ret = panthor_vm_op_ctx_reserve_map(op_ctx, vm, sgt);
 ...
 }

// panthor_mmu.c 1962990369 page tables in function remap_evicted_vma()
@reserve_restore@
identifier op_ctx, vm, bo, ret;
@@
 remap_evicted_vma(..., struct panthor_vm_op_ctx *op_ctx)
 {
 struct panthor_vm *vm = ...;
 struct panthor_gem_object *bo = ...;
 ...
-	ret = panthor_vm_op_ctx_prealloc_pts(op_ctx);
+	ret = panthor_vm_op_ctx_reserve_map(op_ctx, vm, bo->dmap.sgt);
 ...
 }

// While op_lock was not held, another VMA may have come to the same place in memory.
// panthor_mmu.c 3923354000 VMA that was reserved for in function remap_evicted_vma()
@reserve_restore_same@
identifier vma;
@@
-	if (vma->evicted)
+	if (vma->evicted && panthor_vm_op_ctx_is_for(op_ctx, va))
 		found = true;

// panthor_mmu.c 3746586244 page tables in function panthor_vm_prepare_unmap_op_ctx()
@reserve_unmap@
identifier op_ctx, ret, pt_count;
@@
-	if (pt_count) {
-		op_ctx->rsvd_page_tables.pages = kzalloc_objs(*op_ctx->rsvd_page_tables.pages,
-							      pt_count);
-		if (!op_ctx->rsvd_page_tables.pages) {
-			ret = -ENOMEM;
-			goto err_cleanup;
-		}
-		if (!kmem_cache_alloc_bulk(pt_cache, GFP_KERNEL, pt_count,
-				op_ctx->rsvd_page_tables.pages)) {
-			ret = -ENOMEM;
-			goto err_cleanup;
-		}
-		op_ctx->rsvd_page_tables.count = pt_count;
-	}
+	if (size) {
+		ret = panthor_pgtable_reserve_unmap(vm->pgtable, &op_ctx->rsv, va, size);
+		if (ret)
+			goto err_cleanup;
+	}

// The region that is locked. It is that of the whole operation, from its start: what a
// split changes is known then.

// panthor_mmu.c 2872292514 region that is locked already in function panthor_vm_lock_region()
@lock_region_again@
identifier vm, start, size;
@@
 panthor_vm_lock_region(struct panthor_vm *vm, u64 start, u64 size)
 {
 ...
-	if (start >= vm->locked_region.start &&
-	    start + size <= vm->locked_region.start + vm->locked_region.size)
-		return 0;
 ...
 }

// panthor_mmu.c 1326881467 union of regions in function panthor_vm_lock_region()
@lock_region_union@
identifier vm, start, size, end;
@@
 panthor_vm_lock_region(struct panthor_vm *vm, u64 start, u64 size)
 {
 ...
-	if (vm->locked_region.size) {
-		u64 end = max(vm->locked_region.start + vm->locked_region.size,
-			      start + size);
-
-		drm_WARN_ON_ONCE(&vm->ptdev->base, (start + size <= vm->locked_region.start) ||
-				 (start >= vm->locked_region.start + vm->locked_region.size));
-
-		start = min(start, vm->locked_region.start);
-		size = end - start;
-	}
 ...
 }

// panthor_mmu.c 4294967295 start of function panthor_vm_lock_region()
@lock_region_wider@
identifier vm, start, size, ptdev, ret;
@@
 panthor_vm_lock_region(struct panthor_vm *vm, u64 start, u64 size)
 {
 struct panthor_device *ptdev = vm->ptdev;
 int ret = 0;
+
+	drm_WARN_ON(&ptdev->base, vm->locked_region.size);
+	if (!size)
+		return 0;
+
+	/* Also what a split changes besides, and what an earlier flush has missed. */
+	panthor_pgtable_expand(vm->pgtable, &start, &size);
+	panthor_pgtable_flush_range(vm->pgtable, &start, &size);
 ...
 }

// panthor_mmu.c 1878177885 status in function panthor_vm_unlock_region()
@unlock_region_status@
identifier vm, ptdev, ret;
@@
 panthor_vm_unlock_region(struct panthor_vm *vm)
 {
 struct panthor_device *ptdev = vm->ptdev;
+int ret = 0;
 ...
 if (vm->as.id >= 0) {
-		int ret;
 ...
 }
 ...
 }

// If the flush failed, tables that the GPU may still know wait for the next one.
// panthor_mmu.c 4294967295 end of function panthor_vm_unlock_region()
@unlock_region_flushed@
identifier vm;
expression E;
@@
 panthor_vm_unlock_region(struct panthor_vm *vm)
 {
 ...
 if (vm->as.id >= E) { ... }
+	if (!ret && vm->locked_region.size)
+		panthor_pgtable_flushed(vm->pgtable);
 vm->locked_region.start = 0;
 ...
 }

// Map and unmap.

// panthor_mmu.c 185999401 function panthor_vm_map_sparse()
@map_sparse@
type T;
parameter list P;
@@
-T panthor_vm_map_sparse(P) { ... }

// panthor_mmu.c 2239049991 function iova_mapped_as_huge_page()
@huge_page@
type T;
parameter list P;
@@
-T iova_mapped_as_huge_page(P) { ... }

// panthor_mmu.c 4214126864 function unmap_hugepage_align()
@huge_page_align@
type T;
parameter list P;
@@
-T unmap_hugepage_align(P) { ... }

// panthor_mmu.c 3764377261 wider unmap in function panthor_gpuva_sm_step_remap()
@remap_range@
identifier op, vm, unmap_vma, unmap_start, unmap_range;
@@
 panthor_gpuva_sm_step_remap(struct drm_gpuva_op *op, ...)
 {
 ...
 panthor_fix_sparse_map_offset(op->remap.next, unmap_vma->flags);
+	if (!unmap_vma->evicted)
+		panthor_vm_unmap_pages(vm, unmap_start, unmap_range);
-	if (!unmap_vma->evicted) {
-		unmap_hugepage_align(&op->remap, &unmap_start, &unmap_range);
-		panthor_vm_lock_region(vm, unmap_start, unmap_range);
-		panthor_vm_unmap_pages(vm, unmap_start, unmap_range);
-	}
 ...
 }

// panthor_mmu.c 1494425277 map of what is before in function panthor_gpuva_sm_step_remap()
@remap_prev@
identifier op, vm, unmap_vma, unmap_start, offset, size, map_op, ret;
@@
-		u64 offset = op->remap.prev->gem.offset + unmap_start - op->remap.prev->va.addr;
-		u64 size = op->remap.prev->va.addr + op->remap.prev->va.range - unmap_start;
-
-		if (!unmap_vma->evicted && size > 0) {
-			struct drm_gpuva_op_map map_op = {
-				.va.addr = unmap_start,
-				.va.range = size,
-				.gem.obj = op->remap.prev->gem.obj,
-				.gem.offset = offset,
-			};
-			panthor_fix_sparse_map_offset(&map_op, unmap_vma->flags);
-
-			ret = panthor_vm_exec_map_op(vm, unmap_vma->flags, &map_op);
-			if (ret)
-				return ret;
-		}

// panthor_mmu.c 3125821977 map of what is behind in function panthor_gpuva_sm_step_remap()
@remap_next@
identifier op, vm, unmap_vma, unmap_start, unmap_range, addr, size, map_op, ret;
@@
-		u64 addr = op->remap.next->va.addr;
-		u64 size = unmap_start + unmap_range - op->remap.next->va.addr;
-
-		if (!unmap_vma->evicted && size > 0) {
-			struct drm_gpuva_op_map map_op = {
-				.va.addr = addr,
-				.va.range = size,
-				.gem.obj = op->remap.next->gem.obj,
-				.gem.offset = op->remap.next->gem.offset,
-			};
-			panthor_fix_sparse_map_offset(&map_op, unmap_vma->flags);
-
-			ret = panthor_vm_exec_map_op(vm, unmap_vma->flags, &map_op);
-			if (ret)
-				return ret;
-		}

// panthor_mmu.c 2139108213 variable ret of function panthor_gpuva_sm_step_remap()
@remap_ret@
@@
 panthor_gpuva_sm_step_remap(...)
 {
 ...
-	int ret;
 ...
 }

// panthor_mmu.c 628242514 release of address spaces in function panthor_mmu_post_reset()
@post_reset_unlock@
identifier ptdev, vm, i;
@@
 panthor_mmu_post_reset(struct panthor_device *ptdev)
 {
 ...
 for (u32 i = 0; ...; i++) {
 ...
-	if (vm)
-		panthor_vm_release_as_locked(vm);
+	if (!vm)
+		continue;
+
+	/* Who has locked a region since the reset will find no address space to unlock. */
+	if (vm->locked_region.size)
+		as_send_cmd_and_wait(ptdev, i, AS_COMMAND_UNLOCK);
+	panthor_vm_release_as_locked(vm);
 }
 ...
 }
