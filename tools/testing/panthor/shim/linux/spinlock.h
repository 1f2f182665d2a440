/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/spinlock.h: one thread, so a lock only knows whether it is
 * held, and that nothing may sleep under it.
 */
#ifndef __SHIM_LINUX_SPINLOCK_H__
#define __SHIM_LINUX_SPINLOCK_H__

#include <linux/kernel.h>

typedef struct {
	bool held;
} spinlock_t;

#define DEFINE_SPINLOCK(lock)		spinlock_t lock = {}
#define spin_lock_init(lock)		((lock)->held = false)
#define lockdep_assert_held(lock)	WARN_ON(!(lock)->held)

static inline void spin_lock(spinlock_t *lock)
{
	WARN(lock->held, "deadlock");
	lock->held = true;
	shim.atomic++;
}

static inline void spin_unlock(spinlock_t *lock)
{
	WARN(!lock->held, "unlock of a lock that is not held");
	lock->held = false;
	shim.atomic--;
}

#endif
