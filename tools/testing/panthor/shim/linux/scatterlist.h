/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/scatterlist.h: DMA-mapped scatter lists, of chained arrays.
 */
#ifndef __SHIM_LINUX_SCATTERLIST_H__
#define __SHIM_LINUX_SCATTERLIST_H__

#include <linux/types.h>

struct scatterlist {
	unsigned long page_link;
	dma_addr_t dma_address;
	unsigned int dma_length;
};

#define SG_CHAIN	1ul
#define SG_END		2ul

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;
	unsigned int orig_nents;
};

#define sg_dma_address(sg)	((sg)->dma_address)
#define sg_dma_len(sg)		((sg)->dma_length)

static inline bool sg_is_chain(struct scatterlist *sg)
{
	return sg->page_link & SG_CHAIN;
}

static inline struct scatterlist *sg_chain_ptr(struct scatterlist *sg)
{
	return (struct scatterlist *)(sg->page_link & ~(SG_CHAIN | SG_END));
}

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->page_link |= SG_END;
}

/* Go on at @next instead of in the entry @sg. */
static inline void sg_chain_to(struct scatterlist *sg, struct scatterlist *next)
{
	sg->page_link = (unsigned long)next | SG_CHAIN;
}

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	if (sg->page_link & SG_END)
		return NULL;
	sg++;
	return sg_is_chain(sg) ? sg_chain_ptr(sg) : sg;
}

#define for_each_sgtable_dma_sg(sgt, sg, i) \
	for ((i) = 0, (sg) = (sgt)->sgl; (i) < (sgt)->nents; (i)++, (sg) = sg_next(sg))

#endif
