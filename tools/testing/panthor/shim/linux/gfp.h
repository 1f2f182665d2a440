/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/gfp.h: what an allocation may do.
 */
#ifndef __SHIM_LINUX_GFP_H__
#define __SHIM_LINUX_GFP_H__

#include <linux/kernel.h>
#include <string.h>

#define __GFP_ZERO		0x1u
#define __GFP_ACCOUNT		0x2u
#define __GFP_RECLAIM		0x4u
#define GFP_KERNEL		__GFP_RECLAIM
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)

#define might_alloc(gfp)	((void)(gfp), shim_may_sleep(__func__))

#endif
