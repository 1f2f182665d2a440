/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/bitops.h and linux/log2.h for counting: the highest bit, and a bit that is set
 * atomically.
 */
#ifndef __BENCH_LINUX_BITOPS_H__
#define __BENCH_LINUX_BITOPS_H__

#include <linux/bits.h>

#ifndef __fls
#define __fls(word)	((unsigned long)(BITS_PER_LONG - 1 - __builtin_clzl(word)))
#endif

#ifndef ilog2
#define ilog2(n)	(63 - __builtin_clzll(n))
#endif

#ifndef set_bit
#define set_bit(nr, p)	((void)__atomic_fetch_or(p, BIT(nr), __ATOMIC_RELAXED))
#endif

#endif
