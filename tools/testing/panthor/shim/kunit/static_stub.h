/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of kunit/static_stub.h: nothing is replaced here.
 */
#ifndef __SHIM_KUNIT_STATIC_STUB_H__
#define __SHIM_KUNIT_STATIC_STUB_H__

#define KUNIT_STATIC_STUB_REDIRECT(fn, ...)	do { } while (0)

#endif
