/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/jiffies.h: the unit of a time that does not pass.
 */
#ifndef __SHIM_LINUX_JIFFIES_H__
#define __SHIM_LINUX_JIFFIES_H__

#define HZ	100

#endif
