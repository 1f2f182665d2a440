/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The page table of a VM, whoever writes it, and the way through its tables. What a back
 * end adds, it keeps around it.
 */
#ifndef __PANTHOR_PGTABLE_TREE_H__
#define __PANTHOR_PGTABLE_TREE_H__

#include "panthor_pgtable.h"
#include "panthor_pgtable_fmt.h"
#include "panthor_pgtable_pool.h"

struct panthor_pgtable {
	u64 *root;
	u64 pgsize_bitmap;
	u8 start_level;
	u8 va_bits;
	u8 pa_bits;

	/* Counts the times that tables may have got a new meaning. */
	unsigned int generation;

	struct panthor_gather gather;
	struct panthor_pool pool;

	u64 installed;
	u64 splits;
	u64 leaves[PANTHOR_PT_LAST_LEVEL + 1];
};

int panthor_tree_init(struct panthor_pgtable *pt, const struct panthor_pgtable_cfg *cfg);

/* io-pgtable marks tables that it has cleaned with a bit of its own. */
static inline u64 *panthor_table_below(u64 pte)
{
	return phys_to_virt(panthor_pte_addr(pte));
}

static inline bool leaf_allowed(const struct panthor_pgtable *pt, int level)
{
	return pt->pgsize_bitmap & PANTHOR_PT_SPAN(level);
}

#endif
