/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Translation tables as the model reads them: AArch64, stage 1, 4 KiB granule.
 * Written down apart from the driver's, so that a mistake in one shows in the other.
 * For the files of the model that work on tables.
 */
#ifndef __VMALI_WALK_H__
#define __VMALI_WALK_H__

#include <linux/bits.h>
#include <linux/types.h>

#include "vmali.h"

struct page;

#define VMALI_LAST_LEVEL	3
#define VMALI_SHIFT(level)	(12 + 9 * (VMALI_LAST_LEVEL - (level)))
#define VMALI_SPAN(level)	(1ull << VMALI_SHIFT(level))
#define VMALI_INDEX(va, level)	((unsigned int)((va) >> VMALI_SHIFT(level)) & 511)

#define VMALI_DESC_VALID	BIT_ULL(0)
#define VMALI_DESC_TYPE		GENMASK_ULL(1, 0)
#define   VMALI_DESC_BLOCK	1
#define   VMALI_DESC_TABLE	3	/* a page, at the last level */
#define VMALI_DESC_ATTR		GENMASK_ULL(4, 2)
#define VMALI_DESC_UNPRIV	BIT_ULL(6)
#define VMALI_DESC_RDONLY	BIT_ULL(7)
#define VMALI_DESC_SH		GENMASK_ULL(9, 8)
#define   VMALI_SH_OUTER	2
#define   VMALI_SH_INNER	3
#define VMALI_DESC_AF		BIT_ULL(10)
#define VMALI_DESC_NG		BIT_ULL(11)
#define VMALI_DESC_ADDR		GENMASK_ULL(47, 12)
#define VMALI_DESC_PXN		BIT_ULL(53)
#define VMALI_DESC_UXN		BIT_ULL(54)
/* Ignored by hardware. io-pgtable notes there what it has cleaned from CPU caches. */
#define VMALI_DESC_SW		BIT_ULL(55)

/* What indexes into MEMATTR io-pgtable uses. */
#define VMALI_ATTR_NC		0
#define VMALI_ATTR_CACHED	1
#define VMALI_ATTR_DEVICE	2

/* One byte of MEMATTR. */
#define VMALI_MEMATTR_POLICY	GENMASK(7, 6)
#define   VMALI_MEMATTR_FAULT	3

/**
 * struct vmali_tree - Where a tree is and how it is to be read
 * @root: address of the root table
 * @memattr: meaning of the attribute indexes, as in MEMATTR
 * @va_bits: width of the addresses that it translates
 * @start: level of the root table
 */
struct vmali_tree {
	u64 root, memattr;
	unsigned int va_bits, start;
};

/**
 * struct vmali_place - A descriptor in memory
 * @va: an address that it is for
 * @table: address of the table it is in
 * @desc: its value
 * @level: its level
 */
struct vmali_place {
	u64 va, table, desc;
	unsigned int level;
};

enum vmali_page {
	VMALI_PAGE_OK,
	VMALI_PAGE_NO_RAM,
	VMALI_PAGE_GIVEN_BACK,
};

/* May the model touch the page at @pa? */
enum vmali_page vmali_page_state(u64 pa);

static inline bool vmali_desc_is_table(u64 desc, unsigned int level)
{
	return level < VMALI_LAST_LEVEL && (desc & VMALI_DESC_TYPE) == VMALI_DESC_TABLE;
}

/**
 * vmali_desc_judge() - Is this descriptor as the driver should write it?
 * @tree: tree
 * @desc: descriptor
 * @level: its level
 * @exc: set to the exception that hardware raises for it, 0 for none
 *
 * Strict: whatever io-pgtable never writes is wrong, even if hardware ignores it.
 *
 * Return: what is wrong with it, or NULL.
 */
const char *vmali_desc_judge(const struct vmali_tree *tree, u64 desc, unsigned int level,
			     u32 *exc);

/* A descriptor in a table whose page is VMALI_PAGE_OK. */
u64 *vmali_desc_at(u64 table, u64 va, unsigned int level);

/**
 * vmali_walk() - What the tree in memory says now, caches aside
 * @tree: tree
 * @va: of this address
 * @level: no deeper than this level
 * @place: the last descriptor on the way. All zero before, or from a call just now
 *	   for this tree: neighbours are found without a walk.
 *
 * Return: false, and no descriptor, if a table on the way cannot be read.
 */
bool vmali_walk(const struct vmali_tree *tree, u64 va, unsigned int level,
		struct vmali_place *place);

/* --- vmali_inject.c --- */

/**
 * struct vmali_injection - Damage that can be undone
 * @tree: where; its root is 0 if there is none
 * @place: descriptor that was overwritten, as it was before,
 * @planted: and after
 * @pages: two pages that are ours, the second of which looks given back, or NULL
 */
struct vmali_injection {
	struct vmali_tree tree;
	struct vmali_place place;
	u64 planted;
	struct page *pages;
};

void vmali_inject_undo(struct vmali_injection *in);

/* --- vmali_mmu.c --- */

/* The tree of @as, as it was latched; false if the address space is off. */
bool vmali_mmu_tree(struct vmali_mmu *mmu, unsigned int as, struct vmali_tree *tree);
struct vmali_injection *vmali_mmu_injection(struct vmali_mmu *mmu);

/* Commands drop nothing: a canary that shows that the judge sees it. */
extern bool vmali_ignore_flush;

#endif
