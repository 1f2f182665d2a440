/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/bug.h for counting: part of linux/kernel.h here.
 */
#include <linux/kernel.h>
