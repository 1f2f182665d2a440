// SPDX-License-Identifier: GPL-2.0 or MIT
//
// Functions that scripts/switch-driver puts in panthor_mmu.c of Linux 7.3, in the
// place of those that panthor.cocci and panthor-7.3.cocci take out: what is reserved,
// and the updates of the page table in a region that is locked. Not a file to be
// compiled.

/* Each update is one of an operation, which has locked the region of all of them. */
static void panthor_vm_check_locked(struct panthor_vm *vm, u64 iova, u64 size)
{
	u64 offset = iova - vm->locked_region.start;

	lockdep_assert_held(&vm->op_lock);
	drm_WARN_ON(&vm->ptdev->base, offset >= vm->locked_region.size ||
		    size > vm->locked_region.size - offset);
}

/*
 * A block that an end of the range cuts is split in place. Eviction has no operation,
 * thus no reservation, and needs none: it unmaps VMAs, and a block is of one VMA.
 */
static void panthor_vm_unmap_pages(struct panthor_vm *vm, u64 iova, u64 size)
{
	struct panthor_pgtable_rsv *rsv = vm->op_ctx ? &vm->op_ctx->rsv : NULL;
	s64 unmapped;

	if (!size)
		return;

	panthor_vm_check_locked(vm, iova, size);
	drm_dbg(&vm->ptdev->base, "unmap: as=%d, iova=%llx, len=%llx\n", vm->as.id, iova, size);

	unmapped = panthor_pgtable_unmap(vm->pgtable, rsv, iova, size);
	if (drm_WARN(&vm->ptdev->base, unmapped != size,
		     "unmap: %lld instead of %llu bytes at iova %llx\n", unmapped, size, iova))
		panthor_vm_declare_unusable(vm);
}

static int panthor_vm_mapped(struct panthor_vm *vm, int ret)
{
	if (drm_WARN_ON(&vm->ptdev->base, ret))
		panthor_vm_declare_unusable(vm);

	return ret;
}

static int panthor_vm_map_pages(struct panthor_vm *vm, u64 iova, int prot,
				struct sg_table *sgt, u64 offset, u64 size)
{
	if (!size)
		return 0;

	panthor_vm_check_locked(vm, iova, size);
	drm_dbg(&vm->ptdev->base, "map: as=%d, iova=%llx, offset=%llx, len=%llx\n",
		vm->as.id, iova, offset, size);

	return panthor_vm_mapped(vm, panthor_pgtable_map_sgt(vm->pgtable, &vm->op_ctx->rsv, iova,
							     sgt, offset, size, prot));
}

/*
 * What the GPU finds in a sparse mapping is undefined, so that of the 2 MiB behind it as
 * much is enough as is in one piece. All of it in one piece makes blocks.
 */
static u64 panthor_vm_sparse_period(const struct sg_table *sgt)
{
	return min_t(u64, rounddown_pow_of_two(sg_dma_len(sgt->sgl)), SZ_2M);
}

static int panthor_vm_map_sparse(struct panthor_vm *vm, u64 iova, int prot,
				 struct sg_table *sgt, u64 size)
{
	u64 period = panthor_vm_sparse_period(sgt);

	if (!size)
		return 0;

	panthor_vm_check_locked(vm, iova, size);
	drm_dbg(&vm->ptdev->base, "map: as=%d, iova=%llx, period=%llx, len=%llx\n",
		vm->as.id, iova, period, size);

	return panthor_vm_mapped(vm, panthor_pgtable_map_repeat(vm->pgtable, &vm->op_ctx->rsv, iova,
								sg_dma_address(sgt->sgl), period,
								size, prot));
}

/* Hold what panthor_vm_map_pages() or panthor_vm_map_sparse() need for the operation. */
static int panthor_vm_op_ctx_reserve_map(struct panthor_vm_op_ctx *op_ctx,
					 struct panthor_vm *vm, struct sg_table *sgt)
{
	if (!op_ctx->va.range)
		return 0;

	if (op_ctx->flags & DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE)
		return panthor_pgtable_reserve_map_repeat(vm->pgtable, &op_ctx->rsv,
							  op_ctx->va.addr,
							  sg_dma_address(sgt->sgl),
							  panthor_vm_sparse_period(sgt),
							  op_ctx->va.range);

	return panthor_pgtable_reserve_map_sgt(vm->pgtable, &op_ctx->rsv, op_ctx->va.addr, sgt,
					       op_ctx->map.bo_offset, op_ctx->va.range);
}

/* A VMA that is to be restored may be another than the one that was reserved for. */
static bool panthor_vm_op_ctx_is_for(const struct panthor_vm_op_ctx *op_ctx,
				     const struct drm_gpuva *va)
{
	return va->va.addr == op_ctx->va.addr && va->va.range == op_ctx->va.range &&
	       va->gem.offset == op_ctx->map.bo_offset;
}
