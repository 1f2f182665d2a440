/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * asm/barrier.h for counting: barriers are part of linux/kernel.h here.
 */
#include <linux/kernel.h>
