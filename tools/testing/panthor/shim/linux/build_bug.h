/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/build_bug.h: assertions of the compiler.
 */
#ifndef __SHIM_LINUX_BUILD_BUG_H__
#define __SHIM_LINUX_BUILD_BUG_H__

#include <assert.h>

#undef static_assert
#define SHIM_ASSERT(expr, msg, ...)	_Static_assert(expr, msg)
#define static_assert(expr, ...)	SHIM_ASSERT(expr, ##__VA_ARGS__, #expr)

#endif
