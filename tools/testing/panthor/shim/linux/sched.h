/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/sched.h: the lock is let go each time.
 */
#ifndef __SHIM_LINUX_SCHED_H__
#define __SHIM_LINUX_SCHED_H__

#include <linux/kernel.h>
#include <linux/spinlock.h>

static inline void cond_resched_lock(spinlock_t *lock)
{
	spin_unlock(lock);
	cond_resched();
	spin_lock(lock);
}

#endif
