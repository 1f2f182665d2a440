/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/kernel.h and what it brings along: alignment, errors,
 * configuration, single accesses to memory, warnings.
 */
#ifndef __SHIM_LINUX_KERNEL_H__
#define __SHIM_LINUX_KERNEL_H__

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include "../shim.h"

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a)	((x) & ~((typeof(x))(a) - 1))

/* 1 for an option that is defined to 1, 0 for one that is not defined. */
#define SHIM_PAD_1			0,
#define SHIM_SECOND(a, b, ...)		b
#define SHIM_IS_1(pad)			SHIM_SECOND(pad 1, 0, 0)
#define SHIM_IS_ENABLED(value)		SHIM_IS_1(SHIM_PAD_##value)
#define IS_ENABLED(option)		SHIM_IS_ENABLED(option)

#define CONFIG_DRM_PANTHOR_PGTABLE_DEBUG	1

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) do {						\
	typeof(x) *once_p = &(x);					\
	typeof(x) once_v = (v);						\
									\
	if (sizeof(x) == sizeof(u64))					\
		once_v = (typeof(x))shim_store(once_p, (u64)once_v);	\
	*(volatile typeof(x) *)once_p = once_v;				\
} while (0)

/* Read beside somebody who writes it: any of its values will do. */
#define data_race(expr)	(expr)

#define dma_wmb()	shim_barrier()
#define wmb()		shim_barrier()
#define smp_wmb()	barrier()
#define smp_rmb()	barrier()
#define barrier()	__atomic_signal_fence(__ATOMIC_SEQ_CST)

#define cond_resched()	shim_may_sleep(__func__)

#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)

#define WARN(cond, ...) ({						\
	bool warn_on = !!(cond);					\
									\
	if (warn_on)							\
		shim_warn(__VA_ARGS__);					\
	warn_on;							\
})
#define WARN_ON(cond)		WARN(cond, "%s", #cond)

/* Not of a u64 on a 32-bit host, as in the kernel. */
static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline const void *memchr_inv(const void *start, int c, size_t bytes)
{
	const u8 *p = start;

	for (; bytes; bytes--, p++) {
		if (*p != (u8)c)
			return p;
	}
	return NULL;
}

#endif
