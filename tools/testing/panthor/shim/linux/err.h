/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/err.h: errors in pointers.
 */
#ifndef __SHIM_LINUX_ERR_H__
#define __SHIM_LINUX_ERR_H__

#include <errno.h>
#include <linux/types.h>

#define MAX_ERRNO	4095

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-MAX_ERRNO;
}

static inline int PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? PTR_ERR(ptr) : 0;
}

#endif
