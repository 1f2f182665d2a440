/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/rcupdate.h: counts grace periods; nothing may sleep inside a
 * reader.
 */
#ifndef __SHIM_LINUX_RCUPDATE_H__
#define __SHIM_LINUX_RCUPDATE_H__

#include <linux/kernel.h>

static inline void rcu_read_lock(void)
{
	shim.atomic++;
}

static inline void rcu_read_unlock(void)
{
	shim.atomic--;
}

void synchronize_rcu(void);

#endif
