/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/scatterlist.h: DMA-mapped scatter lists, as one array.
 */
#ifndef __SHIM_LINUX_SCATTERLIST_H__
#define __SHIM_LINUX_SCATTERLIST_H__

#include <linux/types.h>

struct scatterlist {
	dma_addr_t dma_address;
	unsigned int dma_length;
	bool last;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;
	unsigned int orig_nents;
};

#define sg_dma_address(sg)	((sg)->dma_address)
#define sg_dma_len(sg)		((sg)->dma_length)

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	return sg->last ? NULL : sg + 1;
}

#define for_each_sgtable_dma_sg(sgt, sg, i) \
	for ((i) = 0, (sg) = (sgt)->sgl; (i) < (sgt)->nents; (i)++, (sg) = sg_next(sg))

#endif
