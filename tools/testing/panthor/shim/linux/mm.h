/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/mm.h and linux/vmstat.h: pages of the arena, their addresses,
 * and the accounting of page tables.
 */
#ifndef __SHIM_LINUX_MM_H__
#define __SHIM_LINUX_MM_H__

#include <linux/gfp.h>

struct page {
	unsigned long private;
	bool allocated;
	bool mapped;
	bool charged;
	int accounted;
};

#define PAGE_SHIFT		SHIM_PAGE_SHIFT
#define PAGE_SIZE		(1ul << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)

#define page_private(page)		((page)->private)
#define set_page_private(page, v)	((page)->private = (v))

enum node_stat_item { NR_SECONDARY_PAGETABLE };

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order);
void __free_page(struct page *page);
void *page_address(const struct page *page);
phys_addr_t page_to_phys(const struct page *page);
struct page *virt_to_page(const void *addr);
phys_addr_t virt_to_phys(const volatile void *addr);
void *phys_to_virt(phys_addr_t paddr);

static inline void mod_lruvec_page_state(struct page *page, enum node_stat_item item, int val)
{
	(void)item;
	page->accounted += val;
}

#endif
