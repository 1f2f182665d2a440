/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/slab.h: the heap, counted, and refused on demand.
 */
#ifndef __SHIM_LINUX_SLAB_H__
#define __SHIM_LINUX_SLAB_H__

#include <linux/gfp.h>

void *kzalloc(size_t size, gfp_t gfp);
void kfree(const void *object);

#endif
