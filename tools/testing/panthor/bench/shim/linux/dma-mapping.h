/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/dma-mapping.h for counting: cache maintenance is a call, one instruction for
 * each line, and a barrier.
 */
#ifndef __BENCH_LINUX_DMA_MAPPING_H__
#define __BENCH_LINUX_DMA_MAPPING_H__

#include_next <linux/dma-mapping.h>

void bench_dma_sync(struct device *dev, dma_addr_t dma, size_t size,
		    enum dma_data_direction dir);

#define dma_sync_single_for_device(dev, dma, size, dir)	bench_dma_sync(dev, dma, size, dir)

/* Only for tables, so of whole pages. */
#define dma_map_single(dev, p, size, dir)	dma_map_page(dev, virt_to_page(p), 0, size, dir)
#define dma_unmap_single(dev, dma, size, dir)	dma_unmap_page(dev, dma, size, dir)

#ifndef dev_err
#define dev_err(dev, ...)	((void)(dev), shim_message(__VA_ARGS__))
#endif

#endif
