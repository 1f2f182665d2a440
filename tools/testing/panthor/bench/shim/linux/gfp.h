/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/gfp.h for counting: allocations are not observed, and io-pgtable finds the
 * flags that it names.
 */
#ifndef __BENCH_LINUX_GFP_H__
#define __BENCH_LINUX_GFP_H__

#include_next <linux/gfp.h>

#ifndef GFP_ATOMIC
#define GFP_ATOMIC	0u
#endif
#ifndef __GFP_HIGHMEM
#define __GFP_HIGHMEM	0x100u
#endif

#undef might_alloc
#define might_alloc(gfp)	((void)(gfp))

#endif
