/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/spinlock.h for long runs and for threads: a flag, or a lock of threads that can
 * be switched off to see that it is missed.
 */
#ifndef __QUEUE_LINUX_SPINLOCK_H__
#define __QUEUE_LINUX_SPINLOCK_H__

#include <linux/kernel.h>
#include <pthread.h>

typedef struct {
#ifdef QUEUE_THREADS
	pthread_mutex_t mutex;
#endif
	bool held;
} spinlock_t;

#define lockdep_assert_held(lock)	WARN_ON(!(lock)->held)

#ifdef QUEUE_THREADS
#define DEFINE_SPINLOCK(lock)		spinlock_t lock = { .mutex = PTHREAD_MUTEX_INITIALIZER }
#define spin_lock_init(lock)		pthread_mutex_init(&(lock)->mutex, NULL)

static inline void spin_lock(spinlock_t *lock)
{
	machine_atomic++;
	if (machine_plant != PLANT_NO_LOCK)
		pthread_mutex_lock(&lock->mutex);
	lock->held = true;
}

static inline void spin_unlock(spinlock_t *lock)
{
	lock->held = false;
	if (machine_plant != PLANT_NO_LOCK)
		pthread_mutex_unlock(&lock->mutex);
	machine_atomic--;
}
#else
#define DEFINE_SPINLOCK(lock)		spinlock_t lock = {}
#define spin_lock_init(lock)		((lock)->held = false)

static inline void spin_lock(spinlock_t *lock)
{
	if (unlikely(lock->held))
		shim_fail("lock", "deadlock");
	lock->held = true;
	machine_atomic++;
}

static inline void spin_unlock(spinlock_t *lock)
{
	lock->held = false;
	machine_atomic--;
}
#endif

#endif
