/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/bits.h and linux/bitops.h: masks, and the search for bits in
 * them.
 */
#ifndef __SHIM_LINUX_BITS_H__
#define __SHIM_LINUX_BITS_H__

#include <linux/types.h>

#define BITS_PER_LONG		(8 * (int)sizeof(long))
#define BIT(nr)			(1ul << (nr))
#define BIT_ULL(nr)		(1ull << (nr))
#define GENMASK(h, l)		((~0ul >> (BITS_PER_LONG - 1 - (h))) & (~0ul << (l)))
#define GENMASK_ULL(h, l)	((~0ull >> (63 - (h))) & (~0ull << (l)))

static inline unsigned long __ffs(unsigned long word)
{
	return __builtin_ctzl(word);
}

#endif
