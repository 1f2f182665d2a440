// SPDX-License-Identifier: GPL-2.0 or MIT
//
// Takes out of the panthor driver of Linux 6.12 what it does around io-pgtable, and
// adds reservations: the half of the switch to panthor_pgtable that is not in
// panthor-6.12-mmu.c. Applied by scripts/switch-driver.
//
// switch-driver runs each rule alone. The line in front of a rule tells it the
// file, a digest of the lines that the rule is to remove, and what to call the
// place if they are not found. If another kernel has other lines there: read what
// changed, adapt the rule if need be, and write down the digest that is reported.

// Includes.

// panthor_device.h 4289366410 #include <linux/io-pgtable.h>
@device_include@
@@
-#include <linux/io-pgtable.h>

// panthor_mmu.c 4289366410 #include <linux/io-pgtable.h>
@mmu_include_io_pgtable@
@@
-#include <linux/io-pgtable.h>

// panthor_mmu.c 681213798 #include <linux/kmemleak.h>
@mmu_include_kmemleak@
@@
-#include <linux/kmemleak.h>

// panthor_mmu.c 4294967295 #include "panthor_mmu.h"
@mmu_include_pgtable@
@@
 #include "panthor_mmu.h"
+#include "panthor_pgtable.h"

// Data.

// panthor_mmu.c 3763216168 field rsvd_page_tables of struct panthor_vm_op_ctx
@op_ctx_rsvd_page_tables@
@@
 struct panthor_vm_op_ctx {
-	struct {
-		u32 count;
-		u32 ptr;
-		void **pages;
-	} rsvd_page_tables;
 ...
 };

// panthor_mmu.c 4294967295 field flags of struct panthor_vm_op_ctx
@op_ctx_rsv@
@@
 struct panthor_vm_op_ctx {
 ...
 u32 flags;
+
+	/** @rsv: Page tables held for the operation. */
+	struct panthor_pgtable_rsv rsv;
 ...
 };

// panthor_mmu.c 4294967295 field memattr of struct panthor_vm
@vm_pgtable@
@@
 struct panthor_vm {
 ...
 u64 memattr;
+
+	/** @pgtable: Page table. */
+	struct panthor_pgtable *pgtable;
+
+	/** @flush_failed: A flush failed once: the table may lack what gpuvm has. */
+	bool flush_failed;
 ...
 };

// panthor_mmu.c 845812133 fields pgtbl_ops and root_page_table of struct panthor_vm
@vm_pgtbl_ops@
@@
 struct panthor_vm {
 ...
-	struct io_pgtable_ops *pgtbl_ops;
-	void *root_page_table;
 ...
 };

// The allocator of tables.

// panthor_mmu.c 319110999 variable pt_cache
@pt_cache@
@@
-static struct kmem_cache *pt_cache;

// panthor_mmu.c 98630297 function alloc_pt()
@alloc_pt@
type T;
parameter list P;
@@
-T alloc_pt(P) { ... }

// panthor_mmu.c 467304559 function free_pt()
@free_pt@
type T;
parameter list P;
@@
-T free_pt(P) { ... }

// panthor_mmu.c 2920043240 function panthor_mmu_pt_cache_init()
@pt_cache_init@
type T;
parameter list P;
@@
-T panthor_mmu_pt_cache_init(P) { ... }

// panthor_mmu.c 3319892025 function panthor_mmu_pt_cache_fini()
@pt_cache_fini@
type T;
parameter list P;
@@
-T panthor_mmu_pt_cache_fini(P) { ... }

// panthor_mmu.h 1349202483 prototype of panthor_mmu_pt_cache_init()
@pt_cache_init_prototype@
@@
-int panthor_mmu_pt_cache_init(void);

// panthor_mmu.h 1592983674 prototype of panthor_mmu_pt_cache_fini()
@pt_cache_fini_prototype@
@@
-void panthor_mmu_pt_cache_fini(void);

// panthor_drv.c 924016592 start of function panthor_init()
@drv_init@
identifier ret;
@@
 panthor_init(void)
 {
 ...
-	ret = panthor_mmu_pt_cache_init();
-	if (ret)
-		return ret;
 ...
 }

// panthor_drv.c 677273588 label err_mmu_pt_cache_fini in function panthor_init()
@drv_init_label@
identifier ret;
@@
(
-	ret = -ENOMEM;
-	goto err_mmu_pt_cache_fini;
+	return -ENOMEM;
|
-err_mmu_pt_cache_fini:
-	panthor_mmu_pt_cache_fini();
 return ret;
)

// panthor_drv.c 4008456659 function panthor_exit()
@drv_exit@
@@
 panthor_exit(void)
 {
 ...
-	panthor_mmu_pt_cache_fini();
 }

// The life of a page table.

// panthor_mmu.c 3324430513 variable mmu_tlb_ops
@tlb_ops@
@@
-static const struct iommu_flush_ops mmu_tlb_ops = {
-	.tlb_flush_all = mmu_tlb_flush_all,
-	.tlb_flush_walk = mmu_tlb_flush_walk,
-};

// panthor_mmu.c 360858617 function mmu_tlb_flush_all()
@tlb_flush_all@
type T;
parameter list P;
@@
-T mmu_tlb_flush_all(P) { ... }

// panthor_mmu.c 2472591268 function mmu_tlb_flush_walk()
@tlb_flush_walk@
type T;
parameter list P;
@@
-T mmu_tlb_flush_walk(P) { ... }

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

// panthor_mmu.c 4022254323 label err_free_io_pgtable in function panthor_vm_create()
@create_label@
identifier vm;
@@
(
-goto err_free_io_pgtable;
+goto err_destroy_pgtable;
|
-err_free_io_pgtable:
-	free_io_pgtable_ops(vm->pgtbl_ops);
+err_destroy_pgtable:
+	panthor_pgtable_destroy(vm->pgtable);
)

// panthor_mmu.c 2906455619 call of free_io_pgtable_ops() in function panthor_vm_free()
@destroy@
identifier vm;
@@
 panthor_vm_free(...)
 {
 ...
-	free_io_pgtable_ops(vm->pgtbl_ops);
+	panthor_pgtable_destroy(vm->pgtable);
 ...
 }

// panthor_mmu.c 1277734544 MAIR in function panthor_vm_create()
@mair@
identifier vm;
@@
-io_pgtable_ops_to_pgtable(vm->pgtbl_ops)->cfg.arm_lpae_s1_cfg.mair
+panthor_pgtable_mair(vm->pgtable)

// panthor_mmu.c 4045897193 variable cfg of function panthor_vm_active()
@active_cfg@
identifier vm;
@@
 panthor_vm_active(...)
 {
 ...
-	struct io_pgtable_cfg *cfg = &io_pgtable_ops_to_pgtable(vm->pgtbl_ops)->cfg;
 ...
 }

// panthor_mmu.c 3096922379 TTBR in function panthor_vm_active()
@active_ttbr@
@@
-cfg->arm_lpae_s1_cfg.ttbr
+panthor_pgtable_ttbr(vm->pgtable)

// panthor_mmu.c 3020103991 function panthor_vm_page_size()
@page_size@
identifier vm, pgt, pg_shift;
@@
 panthor_vm_page_size(struct panthor_vm *vm)
 {
-	const struct io_pgtable *pgt = io_pgtable_ops_to_pgtable(vm->pgtbl_ops);
-	u32 pg_shift = ffs(pgt->cfg.pgsize_bitmap) - 1;
-	return 1u << pg_shift;
+	return SZ_4K;
 }

// An iova is 64 bits wide everywhere.

// panthor_mmu.c 2793298077 variable va_bits of function panthor_mmu_init()
@va_bits@
@@
 panthor_mmu_init(...)
 {
-	u32 va_bits = GPU_MMU_FEATURES_VA_BITS(ptdev->gpu_info.mmu_features);
 ...
 }

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

// rounddown_pow_of_two() is for unsigned long.
// panthor_mmu.c 528871916 rounddown_pow_of_two() in function panthor_vm_create_check_args()
@kernel_va_range@
expression E;
@@
-rounddown_pow_of_two(E)
+1ull << ilog2(E)

// Reservations.

// panthor_mmu.c 1356236016 variable of function panthor_vm_cleanup_op_ctx()
@unreserve_count@
identifier op_ctx, remaining;
@@
-	u32 remaining = op_ctx->rsvd_page_tables.count -
-		    op_ctx->rsvd_page_tables.ptr;

// panthor_mmu.c 3614006916 page tables in function panthor_vm_cleanup_op_ctx()
@unreserve@
identifier op_ctx, remaining;
@@
-	if (remaining) {
-		kmem_cache_free_bulk(pt_cache, remaining,
-				     op_ctx->rsvd_page_tables.pages +
-				     op_ctx->rsvd_page_tables.ptr);
-	}
-	kfree(op_ctx->rsvd_page_tables.pages);
+	panthor_pgtable_unreserve(vm->pgtable, &op_ctx->rsv);

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

// panthor_mmu.c 683148560 variable pt_count of function panthor_vm_prepare_unmap_op_ctx()
@reserve_unmap_count@
identifier pt_count;
@@
 panthor_vm_prepare_unmap_op_ctx(...)
 {
 ...
-	u32 pt_count = 0;
 ...
 }

// panthor_mmu.c 2780702886 count of page tables in function panthor_vm_prepare_unmap_op_ctx()
@reserve_unmap_ends@
identifier va, size, pt_count;
@@
-	if (va != ALIGN(va, SZ_2M))
-		pt_count++;
-	if (va + size != ALIGN(va + size, SZ_2M) &&
-	    ALIGN(va + size, SZ_2M) != ALIGN(va, SZ_2M))
-		pt_count++;

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

// panthor_mmu.c 3568012170 function get_pgsize()
@get_pgsize@
type T;
parameter list P;
@@
-T get_pgsize(P) { ... }

// panthor_mmu.c 3736904020 function panthor_vm_unmap_pages()
@unmap_pages@
type T;
parameter list P;
@@
-T panthor_vm_unmap_pages(P) { ... }

// panthor_mmu.c 1852965437 function panthor_vm_map_pages()
@map_pages@
type T;
parameter list P;
@@
-T panthor_vm_map_pages(P) { ... }
