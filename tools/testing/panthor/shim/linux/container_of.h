/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/container_of.h.
 */
#ifndef __SHIM_LINUX_CONTAINER_OF_H__
#define __SHIM_LINUX_CONTAINER_OF_H__

#include <stddef.h>

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define container_of_const(ptr, type, member) \
	_Generic(ptr, \
		 const typeof(((type *)0)->member) *: (const type *)container_of(ptr, type, member), \
		 default: container_of(ptr, type, member))

#endif
