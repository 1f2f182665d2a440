/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/atomic.h for counting: the one exchange that io-pgtable makes.
 */
#ifndef __BENCH_LINUX_ATOMIC_H__
#define __BENCH_LINUX_ATOMIC_H__

#include <linux/types.h>

#define cmpxchg64_relaxed(p, old, new)	bench_cmpxchg64(p, old, new)

static inline u64 bench_cmpxchg64(u64 *p, u64 old, u64 new)
{
	__atomic_compare_exchange_n(p, &old, new, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return old;
}

#endif
