/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/sizes.h: sizes of memory by name.
 */
#ifndef __SHIM_LINUX_SIZES_H__
#define __SHIM_LINUX_SIZES_H__

#define SZ_4K	0x00001000
#define SZ_64K	0x00010000
#define SZ_2M	0x00200000
#define SZ_1G	0x40000000

#endif
