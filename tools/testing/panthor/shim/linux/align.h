/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/align.h: is an address a multiple of something?
 */
#ifndef __SHIM_LINUX_ALIGN_H__
#define __SHIM_LINUX_ALIGN_H__

#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)

#endif
