/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/iommu.h: the rights of a mapping.
 */
#ifndef __SHIM_LINUX_IOMMU_H__
#define __SHIM_LINUX_IOMMU_H__

#define IOMMU_READ	(1 << 0)
#define IOMMU_WRITE	(1 << 1)
#define IOMMU_CACHE	(1 << 2)
#define IOMMU_NOEXEC	(1 << 3)
#define IOMMU_PRIV	(1 << 5)

#endif
