/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * How the tests of queues run and report: each case in a process of its own, in the
 * manner of TAP, with a last line that run.sh sums up; numbers on the command line.
 */
#ifndef __QUEUE_REPORT_H__
#define __QUEUE_REPORT_H__

#include <linux/types.h>
#include "../shim/shim.h"

/* Fail the test unless @cond, in the name of the detector @tag. */
#define check(cond, tag, ...) do {						\
	if (unlikely(!(cond)))							\
		shim_fail(tag, __VA_ARGS__);					\
} while (0)

typedef void (*report_fn)(const void *arg);

/* Says where a test was when it failed. Set by the test, or NULL. */
extern void (*report_context)(void);

void report_begin(const char *program);

/* A case that has to pass. The last line that it prints is what is said of it. */
void report_case(const char *name, report_fn run, const void *arg);

/* One with a fault in it, which has to end with a line that has @found_by in it. */
void report_canary(const char *name, report_fn run, const void *arg, const char *found_by);

/* Something that the program found out itself. */
void report_result(bool ok, const char *name, const char *text);

/* Print the sum. Returns the exit code of the program. */
int report_end(void);

double report_now(void);

/* The number in @arg after "@name=", if it is from @min to @max; or end the program. */
bool report_option(const char *arg, const char *name, u64 min, u64 max, u64 *value);

/* End the program: nobody took the argument. */
void __noreturn report_usage(const char *arg, const char *known);

#endif
