/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/mm.h for long runs and for threads: addresses are computed, not checked.
 */
#ifndef __QUEUE_LINUX_MM_H__
#define __QUEUE_LINUX_MM_H__

#include_next <linux/mm.h>

extern struct page machine_pages[];

#define virt_to_phys(addr)	((u64)(unsigned long)(addr) - machine_offset)
#define phys_to_virt(paddr)	((void *)(unsigned long)((paddr) + machine_offset))
#define virt_to_page(addr) \
	(&machine_pages[(virt_to_phys(addr) - MACHINE_ARENA) >> PAGE_SHIFT])
#define page_to_phys(page) \
	(MACHINE_ARENA + ((u64)((page) - machine_pages) << PAGE_SHIFT))
#define page_address(page)	phys_to_virt(page_to_phys(page))

#endif
