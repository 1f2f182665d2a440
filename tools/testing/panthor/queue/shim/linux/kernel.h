/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/kernel.h for long runs and for threads: single accesses are atomic ones of the
 * compiler, nothing is observed. With QUEUE_THREADS, so that ThreadSanitizer sees order.
 */
#ifndef __QUEUE_LINUX_KERNEL_H__
#define __QUEUE_LINUX_KERNEL_H__

#include_next <linux/kernel.h>
#include <string.h>
#include "../../machine.h"

/* It reads all of a table: too much for a long run. */
#undef CONFIG_DRM_PANTHOR_PGTABLE_DEBUG

#undef READ_ONCE
#undef WRITE_ONCE
#undef dma_wmb
#undef wmb
#undef smp_wmb
#undef smp_load_acquire
#undef WARN

#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)

#ifdef QUEUE_THREADS
/*
 * ThreadSanitizer knows no fences. A barrier makes releases of the stores that follow it
 * in the same call of the API; without one they order nothing. A load stands for the
 * dependency of what is read through it, or for the smp_rmb() that follows.
 */
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE_ONCE(x, v) do {						\
	if (machine_ordered)						\
		__atomic_store_n(&(x), v, __ATOMIC_RELEASE);		\
	else								\
		__atomic_store_n(&(x), v, __ATOMIC_RELAXED);		\
} while (0)

/* Of ThreadSanitizer's library. */
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);

#undef data_race
#define data_race(expr) ({						\
	typeof((expr) + 0) racy_value;					\
									\
	AnnotateIgnoreReadsBegin(__FILE__, __LINE__);			\
	racy_value = (expr);						\
	AnnotateIgnoreReadsEnd(__FILE__, __LINE__);			\
	racy_value;							\
})

#define dma_wmb()	machine_barrier()
#define wmb()		machine_barrier()
#define smp_wmb()	machine_barrier()

/* A lookup has read an entry: give others time to change what it leads to. */
#undef smp_rmb
#define smp_rmb()	machine_dawdle()

/* A lookup may still read what is cleared: it finds out, and drops what it has read. */
#define memset(p, c, n)	machine_memset(p, c, n)
#else
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define dma_wmb()	barrier()
#define wmb()		barrier()
#define smp_wmb()	barrier()
#endif

#define WARN(cond, ...) ({						\
	bool warn_on = unlikely(cond);					\
									\
	if (warn_on)							\
		shim_warn(__VA_ARGS__);					\
	warn_on;							\
})

#endif
