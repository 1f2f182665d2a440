// SPDX-License-Identifier: GPL-2.0 or MIT
//
// What the switch of the driver of Linux 6.12 needs besides panthor.cocci, which says
// how these rules are applied.

// Data.

// panthor_mmu.c 4294967295 field pgtable of struct panthor_vm
@vm_flush_failed@
@@
 struct panthor_vm {
 ...
 struct panthor_pgtable *pgtable;
+
+	/** @flush_failed: A flush failed once: the table may lack what gpuvm has. */
+	bool flush_failed;
 ...
 };

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
+		.pgsize_bitmap = SZ_4K | SZ_2M,
+		.va_bits = va_bits,
+		.pa_bits = pa_bits,
+		.coherent_walk = ptdev->coherent,
+	};
 ...
 }

// panthor_mmu.c 2528970540 call of alloc_io_pgtable_ops() in function panthor_vm_create()
@create@
identifier vm, ret;
@@
 panthor_vm_create(...)
 {
 ...
-	pgtbl_cfg = (struct io_pgtable_cfg) {
-		.pgsize_bitmap	= SZ_4K | SZ_2M,
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

// panthor_mmu.c 3364094209 32-bit limit of va_bits in function panthor_mmu_init()
@va_bits_limit@
@@
 panthor_mmu_init(...)
 {
 ...
-	if (sizeof(unsigned long) * 8 < va_bits) {
-		ptdev->gpu_info.mmu_features &= ~GENMASK(7, 0);
-		ptdev->gpu_info.mmu_features |= sizeof(unsigned long) * 8;
-	}
 ...
 }

// Reservations.

// panthor_mmu.c 1187511027 variable pt_count of function panthor_vm_prepare_map_op_ctx()
@reserve_map_count@
identifier pt_count;
@@
 panthor_vm_prepare_map_op_ctx(...)
 {
 ...
-	u64 pt_count;
 ...
 }

// panthor_mmu.c 692676770 count of page tables in function panthor_vm_prepare_map_op_ctx()
@reserve_map_slots@
expression E;
@@
-	pt_count = E;

// panthor_mmu.c 1155973973 page tables in function panthor_vm_prepare_map_op_ctx()
@reserve_map@
identifier op_ctx, ret, pt_count;
@@
-	op_ctx->rsvd_page_tables.pages = kcalloc(pt_count,
-						 sizeof(*op_ctx->rsvd_page_tables.pages),
-						 GFP_KERNEL);
-	if (!op_ctx->rsvd_page_tables.pages) {
-		ret = -ENOMEM;
-		goto err_cleanup;
-	}
-	ret = kmem_cache_alloc_bulk(pt_cache, GFP_KERNEL, pt_count,
-				    op_ctx->rsvd_page_tables.pages);
-	op_ctx->rsvd_page_tables.count = ret;
-	if (ret != pt_count) {
-		ret = -ENOMEM;
-		goto err_cleanup;
-	}
+	if (size) {
+		ret = panthor_pgtable_reserve_map_sgt(vm->pgtable, &op_ctx->rsv, va,
+						      sgt, offset, size);
+		if (ret)
+			goto err_cleanup;
+	}

// panthor_mmu.c 4135891494 page tables in function panthor_vm_prepare_unmap_op_ctx()
@reserve_unmap@
identifier op_ctx, ret, pt_count;
@@
-	if (pt_count) {
-		op_ctx->rsvd_page_tables.pages = kcalloc(pt_count,
-							 sizeof(*op_ctx->rsvd_page_tables.pages),
-							 GFP_KERNEL);
-		if (!op_ctx->rsvd_page_tables.pages) {
-			ret = -ENOMEM;
-			goto err_cleanup;
-		}
-		ret = kmem_cache_alloc_bulk(pt_cache, GFP_KERNEL, pt_count,
-					    op_ctx->rsvd_page_tables.pages);
-		if (ret != pt_count) {
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

// Map and unmap.

// panthor_mmu.c 834940978 type of function lock_region()
@lock_region@
identifier ptdev, as_nr, region_start, size;
@@
-static void lock_region(struct panthor_device *ptdev, u32 as_nr,
-			u64 region_start, u64 size)
+static int lock_region(struct panthor_device *ptdev, u32 as_nr, u64 region_start, u64 size)
 { ... }

// panthor_mmu.c 4175072955 check of size in function lock_region()
@lock_region_nothing@
@@
 lock_region(...)
 {
 ...
 if (!size)
-	return;
+	return 0;
 ...
 }

// panthor_mmu.c 1391815099 command in function lock_region()
@lock_region_status@
@@
 lock_region(...)
 {
 ...
-	write_cmd(ptdev, as_nr, AS_COMMAND_LOCK);
+	return write_cmd(ptdev, as_nr, AS_COMMAND_LOCK);
 }
