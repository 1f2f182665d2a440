/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/rcupdate.h for long runs and for threads: a grace period waits for readers,
 * if there are threads.
 */
#ifndef __QUEUE_LINUX_RCUPDATE_H__
#define __QUEUE_LINUX_RCUPDATE_H__

#include <linux/kernel.h>

#ifdef QUEUE_THREADS
void rcu_read_lock(void);
void rcu_read_unlock(void);
#else
static inline void rcu_read_lock(void)
{
	machine_atomic++;
}

static inline void rcu_read_unlock(void)
{
	machine_atomic--;
}
#endif

void synchronize_rcu(void);

#endif
