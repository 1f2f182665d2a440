/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/sched.h for counting: nobody else wants the CPU or the lock, and to find that
 * out takes a call.
 */
#ifndef __BENCH_LINUX_SCHED_H__
#define __BENCH_LINUX_SCHED_H__

#include_next <linux/sched.h>

#define cond_resched_lock(lock)	((void)(lock), bench_resched())

#endif
