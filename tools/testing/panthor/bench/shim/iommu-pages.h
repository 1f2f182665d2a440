/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Stands for the kernel's drivers/iommu/iommu-pages.h, whose guard it takes: panthor
 * brings its own pages, so that io-pgtable never asks for any of these.
 */
#ifndef __IOMMU_PAGES_H
#define __IOMMU_PAGES_H

#include <linux/gfp.h>
#include <linux/mm.h>

/* The second is of 7.x. */
#define iommu_alloc_pages_node(nid, gfp, order)		((void)(nid), NULL)
#define iommu_alloc_pages_node_sz(nid, gfp, size)	((void)(nid), NULL)
#define iommu_free_pages(p, ...)			((void)(p))

#endif
