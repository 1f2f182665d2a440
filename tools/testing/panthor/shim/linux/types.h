/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/types.h: the integers of the kernel, and the compiler's
 * annotations that every kernel file may use without asking for them.
 */
#ifndef __SHIM_LINUX_TYPES_H__
#define __SHIM_LINUX_TYPES_H__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

/* Headers of glibc 2.41 include uapi headers that use these. */
typedef u32 __u32;
typedef s32 __s32;
typedef u64 __u64;

typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef unsigned int gfp_t;

struct list_head {
	struct list_head *next, *prev;
};

#define __printf(fmt, args)	__attribute__((__format__(__printf__, fmt, args)))
#define __noreturn		__attribute__((__noreturn__))
#define noinline		__attribute__((__noinline__))

#ifndef __always_inline
#define __always_inline		inline __attribute__((__always_inline__))
#endif

#define fallthrough		__attribute__((__fallthrough__))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)

#endif
