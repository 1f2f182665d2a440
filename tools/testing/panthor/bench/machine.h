/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The machine that instructions are counted on: its start, and its end if something
 * is wrong.
 */
#ifndef __BENCH_MACHINE_H__
#define __BENCH_MACHINE_H__

#include <linux/types.h>

void bench_start(void);

/* Ends the benchmark if anything warned: what was counted is not what it should be. */
void bench_check_warnings(void);

void __noreturn __printf(1, 2) bench_die(const char *fmt, ...);

#endif
