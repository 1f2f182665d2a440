/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/dma-mapping.h: hands pages to the device. What the device sees
 * of a page is a copy, unless the device is coherent.
 */
#ifndef __SHIM_LINUX_DMA_MAPPING_H__
#define __SHIM_LINUX_DMA_MAPPING_H__

#include <linux/dev_printk.h>
#include <linux/mm.h>

#define DMA_MAPPING_ERROR	(~(dma_addr_t)0)

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };

dma_addr_t dma_map_page(struct device *dev, struct page *page, size_t offset, size_t size,
			enum dma_data_direction dir);
void dma_unmap_page(struct device *dev, dma_addr_t dma, size_t size,
		    enum dma_data_direction dir);
void dma_sync_single_for_device(struct device *dev, dma_addr_t dma, size_t size,
				enum dma_data_direction dir);

static inline int dma_mapping_error(struct device *dev, dma_addr_t dma)
{
	(void)dev;
	return dma == DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

#endif
