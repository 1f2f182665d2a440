// SPDX-License-Identifier: GPL-2.0 or MIT
//
// Takes out of the panthor driver what it does around io-pgtable, and adds
// reservations: the part of the switch to panthor_pgtable that all kernels share. Each
// has rules of its own besides, in panthor-KERNEL.cocci, and functions of its own, in
// panthor-KERNEL-mmu.c. Applied by scripts/switch-driver.
//
// switch-driver runs each rule alone. The line in front of a rule tells it the
// file, a digest of the lines that the rule is to remove (or several, where kernels
// differ), and what to call the place if they are not found. If another kernel has
// other lines there: read what changed, adapt the rule if need be, and write down the
// digest that is reported.

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

// panthor_mmu.c 3763216168,2047539720 field rsvd_page_tables of struct panthor_vm_op_ctx
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

// panthor_mmu.c 319110999,3867268199 variable pt_cache
@pt_cache@
@@
-static struct kmem_cache *pt_cache;

// panthor_mmu.c 98630297 function alloc_pt()
@alloc_pt@
type T;
parameter list P;
@@
-T alloc_pt(P) { ... }

// panthor_mmu.c 467304559,3844145587 function free_pt()
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

// panthor_drv.c 4294967295 include of panthor_mmu.h
@drv_include@
@@
 #include "panthor_mmu.h"
+#include "panthor_pgtable.h"

// panthor_drv.c 3823045862 start of function panthor_init()
@drv_init@
identifier ret;
@@
 panthor_init(void)
 {
 ...
-	ret = panthor_mmu_pt_cache_init();
+	ret = panthor_pgtable_init();
 ...
 }

// panthor_drv.c 4115386603 label err_mmu_pt_cache_fini in function panthor_init()
@drv_init_label@
@@
(
-goto err_mmu_pt_cache_fini;
+goto err_pgtable_exit;
|
-err_mmu_pt_cache_fini:
-	panthor_mmu_pt_cache_fini();
+err_pgtable_exit:
+	panthor_pgtable_exit();
)

// panthor_drv.c 4008456659 function panthor_exit()
@drv_exit@
@@
 panthor_exit(void)
 {
 ...
-	panthor_mmu_pt_cache_fini();
+	panthor_pgtable_exit();
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

// rounddown_pow_of_two() is for unsigned long.
// panthor_mmu.c 528871916 rounddown_pow_of_two() in function panthor_vm_create_check_args()
@kernel_va_range@
expression E;
@@
-rounddown_pow_of_two(E)
+1ull << ilog2(E)

// Reservations.

// panthor_mmu.c 1356236016,3269575343 variable of function panthor_vm_cleanup_op_ctx()
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

// Map and unmap.

// panthor_mmu.c 3568012170 function get_pgsize()
@get_pgsize@
type T;
parameter list P;
@@
-T get_pgsize(P) { ... }

// panthor_mmu.c 3736904020,148093849 function panthor_vm_unmap_pages()
@unmap_pages@
type T;
parameter list P;
@@
-T panthor_vm_unmap_pages(P) { ... }

// panthor_mmu.c 1852965437,2416570186 function panthor_vm_map_pages()
@map_pages@
type T;
parameter list P;
@@
-T panthor_vm_map_pages(P) { ... }
