/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/kernel.h for counting: accesses, barriers and warnings cost what they cost
 * in a kernel without debugging, nothing is observed, and io-pgtable finds the rest.
 */
#ifndef __BENCH_LINUX_KERNEL_H__
#define __BENCH_LINUX_KERNEL_H__

#include_next <linux/kernel.h>

#undef CONFIG_DRM_PANTHOR_PGTABLE_DEBUG

#undef WRITE_ONCE
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))

/* One instruction each, as on arm64. */
#undef dma_wmb
#define dma_wmb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#undef wmb
#define wmb()			__atomic_thread_fence(__ATOMIC_SEQ_CST)

#ifndef unlikely
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#endif

#ifndef noinline
#define noinline		__attribute__((noinline))
#endif

#undef WARN
#define WARN(cond, ...) ({						\
	bool warn_on = !!(cond);					\
									\
	if (unlikely(warn_on))						\
		shim_warn(__VA_ARGS__);					\
	unlikely(warn_on);						\
})

#ifndef WARN_ONCE
#define WARN_ONCE(cond, ...)	WARN(cond, __VA_ARGS__)
#endif

/* A call that looks whether somebody waits for the CPU. */
void bench_resched(void);
#undef cond_resched
#define cond_resched()		bench_resched()

#ifndef DIV_ROUND_UP
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#endif

#ifndef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(symbol)	extern typeof(symbol) symbol
#endif

#endif
