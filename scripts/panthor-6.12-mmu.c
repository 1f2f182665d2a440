// SPDX-License-Identifier: GPL-2.0 or MIT
//
// Functions that scripts/switch-driver puts in panthor_mmu.c of Linux 6.12, in
// the place of those of the same name that panthor.cocci takes out: how an
// update of the page table is kept from the GPU. Not a file to be compiled.

/*
 * Lock the GPU out of a range, and out of what an earlier flush has missed, until
 * panthor_vm_flush_region(). With slots_lock held the VM keeps its AS, and nobody
 * else sends a command that unlocks.
 */
static int panthor_vm_lock_region(struct panthor_vm *vm, u64 iova, u64 size)
{
	struct panthor_device *ptdev = vm->ptdev;
	int ret;

	lockdep_assert_held(&vm->op_lock);
	lockdep_assert_held(&ptdev->mmu->as.slots_lock);

	/* Also after suspend and unplug: they take the AS away. */
	panthor_pgtable_flush_range(vm->pgtable, &iova, &size);
	if (vm->as.id < 0)
		return 0;

	ret = lock_region(ptdev, vm->as.id, iova, size);

	return ret ?: wait_ready(ptdev, vm->as.id);
}

/*
 * Flush the region that is locked. The command unlocks it when it is done. If it
 * fails, tables that the GPU may still know wait for the next flush.
 */
static int panthor_vm_flush_region(struct panthor_vm *vm)
{
	struct panthor_device *ptdev = vm->ptdev;
	int ret = 0;

	lockdep_assert_held(&ptdev->mmu->as.slots_lock);

	if (vm->as.id >= 0) {
		ret = write_cmd(ptdev, vm->as.id, AS_COMMAND_FLUSH_PT);
		if (!ret)
			ret = wait_ready(ptdev, vm->as.id);
	}

	if (ret)
		vm->flush_failed = true;
	else
		panthor_pgtable_flushed(vm->pgtable);

	return ret;
}

static int panthor_vm_unmap_pages(struct panthor_vm *vm, u64 iova, u64 size)
{
	struct panthor_device *ptdev = vm->ptdev;
	u64 lock_iova = iova, lock_size = size;
	s64 unmapped;
	int ret;

	if (!size)
		return 0;

	drm_dbg(&ptdev->base, "unmap: as=%d, iova=%llx, len=%llx\n", vm->as.id, iova, size);

	panthor_pgtable_expand(vm->pgtable, &lock_iova, &lock_size);

	mutex_lock(&ptdev->mmu->as.slots_lock);
	ret = panthor_vm_lock_region(vm, lock_iova, lock_size);
	if (ret) {
		mutex_unlock(&ptdev->mmu->as.slots_lock);
		return ret;
	}

	unmapped = panthor_pgtable_unmap(vm->pgtable, &vm->op_ctx->rsv, iova, size);
	ret = panthor_vm_flush_region(vm);
	mutex_unlock(&ptdev->mmu->as.slots_lock);

	/* gpuvm keeps what could not be flushed, and comes back for it: to a hole. */
	if (unmapped == size || (unmapped >= 0 && vm->flush_failed))
		return ret;

	drm_WARN(&ptdev->base, true, "unmap: %lld instead of %llu bytes at iova %llx\n",
		 unmapped, size, iova);
	return -EINVAL;
}

static int panthor_vm_map_pages(struct panthor_vm *vm, u64 iova, int prot,
				struct sg_table *sgt, u64 offset, u64 size)
{
	struct panthor_device *ptdev = vm->ptdev;
	int ret, flush_ret;

	if (!size)
		return 0;

	drm_dbg(&ptdev->base, "map: as=%d, iova=%llx, offset=%llx, len=%llx\n",
		vm->as.id, iova, offset, size);

	ret = panthor_pgtable_map_sgt(vm->pgtable, &vm->op_ctx->rsv, iova, sgt, offset, size,
				      prot);
	drm_WARN_ON(&ptdev->base, ret);

	/* The GPU may remember that nothing was mapped here, or what was undone. */
	mutex_lock(&ptdev->mmu->as.slots_lock);
	flush_ret = panthor_vm_lock_region(vm, iova, size);
	if (!flush_ret)
		flush_ret = panthor_vm_flush_region(vm);
	mutex_unlock(&ptdev->mmu->as.slots_lock);

	/* A map that failed has no VMA: nobody would unmap it later. */
	if (flush_ret && !ret)
		panthor_pgtable_unmap(vm->pgtable, NULL, iova, size);

	return ret ?: flush_ret;
}
