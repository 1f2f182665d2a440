// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Descriptors and tables in memory: reads them, and says what is wrong with them.
 * Knows no caches and no registers.
 */
#include <linux/bitfield.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pfn.h>

#include "vmali_walk.h"

/* All bits that are ever set in a leaf, and in the descriptor of a table. */
#define LEAF_BITS \
	(VMALI_DESC_TYPE | VMALI_DESC_ATTR | VMALI_DESC_UNPRIV | VMALI_DESC_RDONLY | \
	 VMALI_DESC_SH | VMALI_DESC_AF | VMALI_DESC_NG | VMALI_DESC_ADDR | VMALI_DESC_PXN | \
	 VMALI_DESC_UXN | VMALI_DESC_SW)
#define TABLE_BITS	(VMALI_DESC_TYPE | VMALI_DESC_ADDR | VMALI_DESC_SW)

enum vmali_page vmali_page_state(u64 pa)
{
	struct page *page;

	if (pa >> VMALI_PA_BITS || !pfn_valid(PHYS_PFN(pa)))
		return VMALI_PAGE_NO_RAM;

	/* Newer kernels do not count references to slabs, and only their first page tells. */
	page = pfn_to_page(PHYS_PFN(pa));
	if (page_count(page) || PageSlab(compound_head(page)))
		return VMALI_PAGE_OK;
	return VMALI_PAGE_GIVEN_BACK;
}

u64 *vmali_desc_at(u64 table, u64 va, unsigned int level)
{
	return (u64 *)phys_to_virt(table) + VMALI_INDEX(va, level);
}

static bool attr_is_bad(const struct vmali_tree *tree, unsigned int attr)
{
	u8 meaning = tree->memattr >> (8 * attr);

	return attr > VMALI_ATTR_DEVICE || !meaning ||
	       FIELD_GET(VMALI_MEMATTR_POLICY, meaning) == VMALI_MEMATTR_FAULT;
}

/* Cached memory is shared with the CPU, other memory is not: see arm_lpae_prot_to_pte(). */
static bool sh_is_bad(unsigned int attr, unsigned int sh)
{
	if (attr == VMALI_ATTR_CACHED)
		return sh != VMALI_SH_INNER;
	if (attr == VMALI_ATTR_NC)
		return sh != VMALI_SH_OUTER;
	return sh != VMALI_SH_INNER && sh != VMALI_SH_OUTER;
}

static const char *judge_leaf(const struct vmali_tree *tree, u64 desc, unsigned int level,
			      u32 *exc)
{
	unsigned int attr = FIELD_GET(VMALI_DESC_ATTR, desc);

	/* First those that have an exception. */
	if (attr_is_bad(tree, attr)) {
		*exc = VMALI_EXC_MEM_ATTR(level);
		return "attribute index that MEMATTR does not define";
	}
	if (!(desc & VMALI_DESC_AF)) {
		*exc = VMALI_EXC_ACCESS_FLAG(level);
		return "access flag is clear";
	}
	if (desc & ~LEAF_BITS)
		return "leaf with a bit that must be zero";
	if (desc & VMALI_DESC_ADDR & (VMALI_SPAN(level) - 1))
		return "output address is not aligned to the block";
	if (sh_is_bad(attr, FIELD_GET(VMALI_DESC_SH, desc)))
		return "shareability does not fit the attribute index";
	if (!(desc & VMALI_DESC_UNPRIV))
		return "leaf for privileged accesses only";
	if (!(desc & VMALI_DESC_NG))
		return "leaf for all address spaces";
	if (!(desc & VMALI_DESC_PXN) != !(desc & VMALI_DESC_UXN))
		return "only one of the bits against execution";
	return NULL;
}

const char *vmali_desc_judge(const struct vmali_tree *tree, u64 desc, unsigned int level,
			     u32 *exc)
{
	bool block = (desc & VMALI_DESC_TYPE) == VMALI_DESC_BLOCK;

	*exc = 0;
	if (!(desc & VMALI_DESC_VALID)) {
		*exc = VMALI_EXC_TRANSLATION(level);
		return desc ? "invalid descriptor is not zero" : NULL;
	}
	if (block && (level == 0 || level == VMALI_LAST_LEVEL)) {
		*exc = VMALI_EXC_TRANSLATION(level);
		return "descriptor type is reserved";
	}
	if ((desc & VMALI_DESC_ADDR) >> VMALI_PA_BITS) {
		*exc = VMALI_EXC_ADDR_SIZE_OUT(level);
		return "output address is too wide";
	}
	if (!vmali_desc_is_table(desc, level))
		return judge_leaf(tree, desc, level, exc);
	return desc & ~TABLE_BITS ? "table descriptor with a bit that must be zero" : NULL;
}

bool vmali_walk(const struct vmali_tree *tree, u64 va, unsigned int level,
		struct vmali_place *place)
{
	bool same_table = level == VMALI_LAST_LEVEL && place->level == level &&
			  !((place->va ^ va) >> VMALI_SHIFT(level - 1));

	place->va = va;
	place->desc = 0;
	if (!same_table) {
		place->level = tree->start;
		place->table = tree->root;
	}
	for (;;) {
		if (vmali_page_state(place->table) != VMALI_PAGE_OK)
			return false;
		place->desc = READ_ONCE(*vmali_desc_at(place->table, va, place->level));
		if (place->level == level || !vmali_desc_is_table(place->desc, place->level))
			return true;
		place->table = place->desc & VMALI_DESC_ADDR;
		place->level++;
	}
}
