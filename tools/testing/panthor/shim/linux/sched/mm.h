/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/sched/mm.h: the check that memory may be allocated here.
 */
#ifndef __SHIM_LINUX_SCHED_MM_H__
#define __SHIM_LINUX_SCHED_MM_H__

#include <linux/gfp.h>

#endif
