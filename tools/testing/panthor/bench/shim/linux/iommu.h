/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/iommu.h for counting: what io-pgtable names beyond the rights of a mapping.
 * Nobody gathers or tracks dirty pages here.
 */
#ifndef __BENCH_LINUX_IOMMU_H__
#define __BENCH_LINUX_IOMMU_H__

#include_next <linux/iommu.h>
#include <linux/types.h>

#ifndef IOMMU_MMIO
#define IOMMU_MMIO		(1 << 4)
#endif
#define IOMMU_DIRTY_NO_CLEAR	(1 << 0)

struct iommu_iotlb_gather {
	bool queued;
};

struct iommu_dirty_bitmap;

static inline bool iommu_iotlb_gather_queued(const struct iommu_iotlb_gather *gather)
{
	return gather && gather->queued;
}

static inline void iommu_dirty_bitmap_record(struct iommu_dirty_bitmap *dirty,
					     unsigned long iova, unsigned long length)
{
}

#endif
