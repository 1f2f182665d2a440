/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * What the walker and the reservations share: what they know of a page table, the way
 * down to a table, and ranges.
 */
#ifndef __PANTHOR_PGTABLE_PRIV_H__
#define __PANTHOR_PGTABLE_PRIV_H__

#include <linux/container_of.h>

#include "panthor_pgtable_tree.h"

struct panthor_walker {
	struct panthor_pgtable pt;

	/* Bits that no iova, and no paddr, of a page has. */
	u64 no_iova;
	u64 no_paddr;

	/* Bits that neither iova, nor paddr, nor size of blocks has; all if there are none. */
	u64 no_block;

	/* Of leaves, by what they allow; 0 if that is not valid. */
	u64 attrs[PANTHOR_PROT_MASK + 1];
};

#define to_walker(p)	container_of_const(p, struct panthor_walker, pt)

static inline u64 *pte_to_table(u64 pte)
{
	return phys_to_virt(pte - PANTHOR_PTE_TABLE);
}

/* Level of the table that takes the leaves of a block that is cut at @iova; 0: no block can be. */
static inline int cut_level(const struct panthor_pgtable *pt, u64 iova)
{
	int level;

	for (level = PANTHOR_PT_LAST_LEVEL; level > 1; level--)
		if (leaf_allowed(pt, level - 1) && (iova & (PANTHOR_PT_SPAN(level - 1) - 1)))
			return level;
	return 0;
}

static inline struct panthor_table **rsv_tables(struct panthor_pgtable_rsv *rsv)
{
	return rsv->room ? rsv->many : rsv->few;
}

/*
 * Paths.
 *
 * A path is an array of tables, by level, from the root to where an operation is. It is
 * compiled with the level as a constant: a shift that is known is one instruction.
 */

/* Does a range of @size bytes at @iova cover a whole entry of @level? */
static __always_inline bool covers_entry(u64 iova, u64 size, int level)
{
	return size >= PANTHOR_PT_SPAN(level) && !(iova & (PANTHOR_PT_SPAN(level) - 1));
}

static __always_inline bool step_down(u64 **path, u64 iova, u64 size, int level)
{
	u64 pte = READ_ONCE(path[level][PANTHOR_PT_INDEX(iova, level)]);

	if (!panthor_pte_is_table(pte) || covers_entry(iova, size, level))
		return false;
	path[level + 1] = pte_to_table(pte);
	return true;
}

/*
 * Go down from @level as far as there are tables, and to an entry that @size bytes at
 * @iova cover. Returns the level.
 */
static __always_inline int walk_down(u64 **path, u64 iova, u64 size, int level)
{
	switch (level) {
	case 0:
		if (!step_down(path, iova, size, 0))
			return 0;
		fallthrough;
	case 1:
		if (!step_down(path, iova, size, 1))
			return 1;
		fallthrough;
	case 2:
		if (!step_down(path, iova, size, 2))
			return 2;
		fallthrough;
	default:
		return PANTHOR_PT_LAST_LEVEL;
	}
}

/*
 * The usual range: the level of the entries that it consists of, all of one table; or 0
 * if it is another one. @paddr: of the memory behind it; @no_block: the bits that it and
 * the range do not have if these are no pages. @size is not 0.
 */
static inline int run_level(u64 iova, u64 paddr, u64 size, u64 no_block)
{
	u64 differ = iova ^ (iova + size - 1);

	if ((iova | paddr | size) & no_block)
		return differ < SZ_2M && size <= SZ_2M ? PANTHOR_PT_LAST_LEVEL : 0;
	return differ < SZ_1G && size < SZ_1G ? PANTHOR_PT_LAST_LEVEL - 1 : 0;
}

/* Is a range that run_level() accepts aligned, and are it and its memory in reach? */
static inline bool run_in_reach(const struct panthor_pgtable *pt, u64 iova, u64 paddr, u64 size)
{
	const struct panthor_walker *walker = to_walker(pt);
	u64 last = size - SZ_4K;

	return !((iova | (iova + last)) & walker->no_iova) &&
	       !((paddr | (paddr + last)) & walker->no_paddr);
}

/* Enter the table below that of level @at, unless @level is reached. */
static __always_inline bool enter_table(u64 **entries, u64 iova, int at, int level)
{
	u64 pte;

	if (at >= level)
		return true;
	pte = READ_ONCE((*entries)[PANTHOR_PT_INDEX(iova, at)]);
	if (!panthor_pte_is_table(pte))
		return false;
	*entries = pte_to_table(pte);
	return true;
}

/* Find the table of @level on the way to @iova, if it is in the tree. Returns whether it is. */
static __always_inline bool find_table(const struct panthor_pgtable *pt, u64 iova, int level,
				       u64 **entries)
{
	*entries = pt->root;
	switch (pt->start_level) {
	case 0:
		if (!enter_table(entries, iova, 0, level))
			return false;
		fallthrough;
	case 1:
		if (!enter_table(entries, iova, 1, level))
			return false;
		fallthrough;
	default:
		return enter_table(entries, iova, 2, level);
	}
}

/* Does a table of @level end at @iova? */
static inline bool table_ends(u64 iova, int level)
{
	return !(iova & (PANTHOR_PT_SPAN(level - 1) - 1));
}

#endif
