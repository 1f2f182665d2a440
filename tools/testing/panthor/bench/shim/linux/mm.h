/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/mm.h for counting: addresses are computed, not checked. As on x86-64, the
 * direct map and the array of pages start where a variable says.
 */
#ifndef __BENCH_LINUX_MM_H__
#define __BENCH_LINUX_MM_H__

#include_next <linux/mm.h>

/* Physical address of the memory for tables. */
#define BENCH_ARENA		0x80000000ull

extern unsigned long bench_direct_map;
extern struct page *bench_pages;

static inline phys_addr_t bench_virt_to_phys(const volatile void *addr)
{
	return (unsigned long)addr - bench_direct_map;
}

static inline void *bench_phys_to_virt(phys_addr_t paddr)
{
	return (void *)(unsigned long)(paddr + bench_direct_map);
}

static inline struct page *bench_virt_to_page(const void *addr)
{
	return bench_pages + ((bench_virt_to_phys(addr) - BENCH_ARENA) >> PAGE_SHIFT);
}

static inline phys_addr_t bench_page_to_phys(const struct page *page)
{
	return BENCH_ARENA + ((u64)(page - bench_pages) << PAGE_SHIFT);
}

#define virt_to_phys(addr)	bench_virt_to_phys(addr)
#define phys_to_virt(paddr)	bench_phys_to_virt(paddr)
#define virt_to_page(addr)	bench_virt_to_page(addr)
#define page_to_phys(page)	bench_page_to_phys(page)
#define page_address(page)	bench_phys_to_virt(bench_page_to_phys(page))
#define __pa(addr)		bench_virt_to_phys(addr)
#define __va(paddr)		bench_phys_to_virt(paddr)

#ifndef VM_BUG_ON
#define VM_BUG_ON(cond)		((void)(cond))
#endif

#ifndef get_order
#define get_order(size)		bench_get_order(size)
static inline int bench_get_order(size_t size)
{
	return size <= PAGE_SIZE ? 0 : 64 - PAGE_SHIFT - __builtin_clzll(size - 1);
}
#endif

#endif
