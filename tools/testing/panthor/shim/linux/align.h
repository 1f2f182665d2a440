/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/align.h: part of linux/kernel.h here.
 */
#include <linux/kernel.h>
