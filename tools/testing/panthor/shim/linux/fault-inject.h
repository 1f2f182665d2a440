/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/fault-inject.h: each question may be the one that is answered
 * with yes.
 */
#ifndef __SHIM_LINUX_FAULT_INJECT_H__
#define __SHIM_LINUX_FAULT_INJECT_H__

#include <linux/kernel.h>

struct fault_attr {
	unsigned long asked;
};

#define DECLARE_FAULT_ATTR(name)	struct fault_attr name = {}

enum fault_flags { FAULT_NOWARN = 1 };

static inline bool should_fail_ex(struct fault_attr *attr, ssize_t size, int flags)
{
	(void)size;
	(void)flags;
	attr->asked++;
	return shim_refuse();
}

#endif
