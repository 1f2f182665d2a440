#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 or MIT
#
# test-switch.sh TREE DIR: does scripts/switch-driver switch the driver of the
# pristine kernel tree TREE, once and whole, and does it refuse a driver that
# differs? Works on copies in DIR. Prints TAP, and fails if a test does.
set -uo pipefail

[[ $# -eq 2 ]] || { echo "usage: test-switch.sh TREE DIR" >&2; exit 2; }
sub=drivers/gpu/drm/panthor
pristine=$1/$sub
switch=$(cd "$(dirname "$0")/../../.." && pwd)/scripts/switch-driver
work=$2/test-switch
tree=$work/tree
driver=$tree/$sub
out=$work/out
n=0 failed=0

# What is not the same in Linux 6.12 and 7.3.
if grep -q locked_region "$pristine/panthor_mmu.c"; then
	limit=BITS_PER_LONG
	gone=(iova_mapped_as_huge_page unmap_hugepage_align op_ctx_prealloc_pts)
	once=(reserve_map_repeat map_repeat unmap)
	twice=()
else
	limit='sizeof\(unsigned long\)'
	gone=(pt_count)
	once=()
	twice=(unmap)
fi

[[ -f $pristine/panthor_mmu.c ]] || { echo "test-switch.sh: no panthor driver in $1" >&2; exit 2; }
trap 'rm -rf "$work"' EXIT

# fresh: a driver as it came.
fresh()
{
	rm -rf "$work"
	mkdir -p "$tree/${sub%/*}"
	cp -a "$pristine" "$driver"
}

# result NAME: of the last command.
result()
{
	local status=$?

	n=$((n + 1))
	if ((status == 0)); then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		[[ ! -s $out ]] || sed 's/^/# /' "$out"
		failed=$((failed + 1))
	fi
}

run()
{
	"$switch" "$tree" >"$out" 2>&1
}

# refuses PLACE: with one line that names the place, and all files as they were.
refuses()
{
	cp -a "$driver" "$work/before"
	! run && (($(wc -l <"$out") == 1)) && grep -qF "$1" "$out" &&
		diff -r "$work/before" "$driver" >>"$out"
}

# altered FILE SCRIPT RULE PLACE: a driver changed by sed is refused.
altered()
{
	fresh
	sed -i "$2" "$driver/$1"
	! cmp -s "$pristine/$1" "$driver/$1" &&
		refuses "switch-driver: rule $3 does not match $driver/$1: $4"
	result "refuses another $4"
}

echo "TAP version 13"

fresh
run && [[ ! -s $out ]]
result "switches the driver, silently"

# What was there before, and must not be any more.
for gone in 'alloc_pt\(' 'free_pt\(' pt_cache root_page_table rsvd_page_tables get_pgsize \
	'mmu_tlb_(ops|flush)' 'ops->(map|unmap)_pages' io_pgtable io-pgtable pgtbl_ops kmemleak \
	"$limit" 'rounddown_pow_of_two\(full' 'select IOMMU' "${gone[@]}"; do
	grep -qrE -- "$gone" "$pristine" && ! grep -rnE -- "$gone" "$driver" >"$out"
	result "no $gone is left"
done

for call in create ttbr mair reserve_map_sgt reserve_unmap unreserve map_sgt expand flush_range flushed \
	"${once[@]}"; do
	(($(grep -c "panthor_pgtable_$call(" "$driver/panthor_mmu.c") == 1))
	result "panthor_pgtable_$call() is called in one place"
done
for call in destroy "${twice[@]}"; do
	(($(grep -c "panthor_pgtable_$call(" "$driver/panthor_mmu.c") == 2))
	result "panthor_pgtable_$call() is called in two places"
done

! find "$driver" -name '.*' ! -path "$driver" | grep . >"$out"
result "leaves no temporary files"

cp -a "$driver" "$work/before"
run && [[ ! -s $out ]] && diff -r "$work/before" "$driver" >"$out"
result "does nothing the second time"

altered panthor_mmu.c 's/u64 offset = 0;/u64 offset = 4096;/' \
	unmap_pages "function panthor_vm_unmap_pages()"
altered panthor_mmu.c 's/panthor_vm_map_pages(/panthor_vm_map_all(/' \
	map_pages "function panthor_vm_map_pages()"
altered panthor_mmu.c 's/memset(page, 0, SZ_4K);/clear_page(page);/' \
	alloc_pt "function alloc_pt()"
altered panthor_mmu.c 's/int flags_to_prot(/int to_prot(/' \
	functions "function flags_to_prot(u32 flags)"
altered panthor_mmu.c 's/pt_count++;/pt_count += 2;/' \
	reserve_unmap_ends "count of page tables in function panthor_vm_prepare_unmap_op_ctx()"
altered panthor_mmu.c 's/\*root_page_table;/*root;/' \
	vm_pgtbl_ops "fields pgtbl_ops and root_page_table of struct panthor_vm"
if [[ $limit = BITS_PER_LONG ]]; then
	altered panthor_mmu.c 's/start = min(start, vm->locked_region.start);/start = 0;/' \
		lock_region_union "union of regions in function panthor_vm_lock_region()"
	altered panthor_mmu.c 's/panthor_vm_lock_region(vm, unmap_start, unmap_range);/return 0;/' \
		remap_range "wider unmap in function panthor_gpuva_sm_step_remap()"
fi
altered panthor_mmu.h 's/void panthor_mmu_pt_cache_fini(void)/int panthor_mmu_pt_cache_fini(void)/' \
	pt_cache_fini_prototype "prototype of panthor_mmu_pt_cache_fini()"
altered panthor_drv.c 's/goto err_mmu_pt_cache_fini;/goto err_pt_cache_fini;/; s/^err_mmu_/err_/' \
	drv_init_label "label err_mmu_pt_cache_fini in function panthor_init()"
altered Kconfig '/IOMMU_SUPPORT/d' \
	kconfig "select IOMMU_SUPPORT"

fresh
rm "$driver/panthor_mmu.h"
refuses "panthor_mmu.h"
result "refuses a driver without one of its files"

fresh
mkdir "$work/bin"
for tool in bash dirname grep; do ln -s "$(command -v "$tool")" "$work/bin"; done
PATH=$work/bin run
(($? == 1)) && [[ $(<"$out") = "switch-driver: no spatch: install the package coccinelle" ]]
result "says that coccinelle is missing"

"$switch" "$work/bin" >"$out" 2>&1
(($? == 1)) && (($(wc -l <"$out") == 1)) && grep -q '^switch-driver: no panthor driver in ' "$out"
result "says that there is no driver"

echo "1..$n"
echo "$((n - failed)) passed, $failed failed"
((failed == 0))
