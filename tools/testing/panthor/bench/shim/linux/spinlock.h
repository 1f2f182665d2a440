/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/spinlock.h for counting: a call, a preemption count and an atomic exchange,
 * as in a kernel. Nothing is checked.
 */
#ifndef __BENCH_LINUX_SPINLOCK_H__
#define __BENCH_LINUX_SPINLOCK_H__

#include_next <linux/spinlock.h>

void bench_spin_lock(spinlock_t *lock);
void bench_spin_unlock(spinlock_t *lock);

#define spin_lock(lock)			bench_spin_lock(lock)
#define spin_unlock(lock)		bench_spin_unlock(lock)

#undef lockdep_assert_held
#define lockdep_assert_held(lock)	((void)(lock))

#endif
