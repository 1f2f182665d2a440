/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Stands for the kernel's drivers/iommu/iommu-pages.h, whose guard it takes: panthor
 * brings its own pages, so that io-pgtable never asks for any of these.
 */
#ifndef __IOMMU_PAGES_H
#define __IOMMU_PAGES_H

#include <linux/gfp.h>
#include <linux/mm.h>

#define iommu_alloc_pages_node(nid, gfp, order)		((void)(nid), NULL)
#define iommu_free_pages(p, ...)			((void)(p))

/* Of 7.x. */
#define iommu_alloc_pages_node_sz(nid, gfp, size)	((void)(nid), NULL)
#define iommu_pages_start_incoherent(p, dev)		((void)(p), (void)(dev), 0)
#define iommu_pages_free_incoherent(p, dev)		((void)(p), (void)(dev))

#endif
