/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/slab.h: the heap, counted, and refused on demand.
 */
#ifndef __SHIM_LINUX_SLAB_H__
#define __SHIM_LINUX_SLAB_H__

#include <linux/gfp.h>

void *kzalloc(size_t size, gfp_t gfp);

/* Zeroed, so that nobody is surprised by what a sanitizer finds there. */
#define kvmalloc_array(n, size, gfp)	kzalloc((size_t)(n) * (size), gfp)
#define kvfree(object)			kfree(object)

void kfree(const void *object);

#endif
