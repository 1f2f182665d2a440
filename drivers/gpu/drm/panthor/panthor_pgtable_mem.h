/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The physical memory behind a map, one contiguous run at a time: out of a scatter
 * list, a range, or a range that repeats.
 */
#ifndef __PANTHOR_PGTABLE_MEM_H__
#define __PANTHOR_PGTABLE_MEM_H__

#include <linux/scatterlist.h>

#include "panthor_pgtable_tree.h"

/* Physical memory in the order in which it is mapped, one contiguous run at a time. */
struct pa_cursor {
	/* What is left of the current run; it may be more than what is to be mapped. */
	u64 paddr;
	u64 len;

	/* Where the next run comes from: a scatter list, of which some bytes are skipped ... */
	struct scatterlist *sg;
	unsigned int nents;

	/* ... or a range that repeats, if period is not 0. */
	u64 period;
	union {
		u64 skip;
		u64 base;
	};
};

int panthor_pa_check(const struct panthor_pgtable *pt, const struct pa_cursor *pa);
int panthor_pa_next(const struct panthor_pgtable *pt, struct pa_cursor *pa, u64 iova, u64 left);
int panthor_pa_skip(const struct panthor_pgtable *pt, struct pa_cursor *pa, u64 left, u64 size);
void panthor_pa_join(const struct panthor_pgtable *pt, struct pa_cursor *pa, u64 size);

/* Not sg_next(), which is a call; the end of the list is known from nents. */
static __always_inline struct scatterlist *next_entry(struct scatterlist *sg)
{
	sg++;
	return unlikely(sg_is_chain(sg)) ? sg_chain_ptr(sg) : sg;
}

/*
 * Is the entry of a scatter list one page that is in reach? That is what memory without
 * huge pages looks like, and worth loops of its own.
 */
static __always_inline bool is_single_page(struct scatterlist *sg, u64 pa_last)
{
	u64 paddr = sg_dma_address(sg);

	return sg_dma_len(sg) == SZ_4K && IS_ALIGNED(paddr, SZ_4K) && paddr <= pa_last;
}

/* Is the memory of a map, if that is not empty, in the first entry of a scatter list? */
static inline bool run_in_first(const struct sg_table *sgt, u64 offset, u64 size)
{
	u64 len = sgt->nents ? sg_dma_len(sgt->sgl) : 0;

	return IS_ALIGNED(offset, SZ_4K) && offset < len && size - 1 < len - offset;
}

static inline u64 last_page(const struct panthor_pgtable *pt)
{
	return (1ull << pt->pa_bits) - SZ_4K;
}

/* Do the next bytes fit a leaf of @level? Joins what continues the run if need be. */
static inline bool leaf_fits(const struct panthor_pgtable *pt, struct pa_cursor *pa,
			     u64 iova, u64 left, int level)
{
	u64 span = PANTHOR_PT_SPAN(level);

	if (left < span || ((iova | pa->paddr) & (span - 1)) || !leaf_allowed(pt, level))
		return false;

	if (pa->len < span)
		panthor_pa_join(pt, pa, span);
	return pa->len >= span;
}

#endif
