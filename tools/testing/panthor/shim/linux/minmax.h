/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/minmax.h: the smaller and the larger of two.
 */
#ifndef __SHIM_LINUX_MINMAX_H__
#define __SHIM_LINUX_MINMAX_H__

#define min(x, y) ({				\
	__auto_type min_x = (x);		\
	__auto_type min_y = (y);		\
	min_x < min_y ? min_x : min_y;		\
})

#define max(x, y) ({				\
	__auto_type max_x = (x);		\
	__auto_type max_y = (y);		\
	max_x > max_y ? max_x : max_y;		\
})

#define min_t(type, x, y)	min((type)(x), (type)(y))
#define max_t(type, x, y)	max((type)(x), (type)(y))

#endif
