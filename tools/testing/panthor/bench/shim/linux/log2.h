/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/log2.h for counting: part of linux/bitops.h here.
 */
#include <linux/bitops.h>
