/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * What all parts of the test share: the configuration of a page table, the log
 * of what was done, checks, and random numbers.
 */
#ifndef __PANTHOR_TEST_H__
#define __PANTHOR_TEST_H__

#include <linux/kernel.h>
#include <linux/sizes.h>

struct test_cfg {
	u8 va_bits;
	u8 pa_bits;
	bool coherent;
	u64 pgsizes;
};

/* Bytes that one entry covers at a level, as the architecture has it. */
#define ENTRY_BYTES(level)	(1ull << (39 - 9 * (level)))

/* Bytes that a whole table covers. */
#define TABLE_BYTES(level)	(1ull << (48 - 9 * (level)))

/* The level at which the walk of an iova of @va_bits starts. */
static inline int start_level(int va_bits)
{
	return va_bits > 39 ? 0 : va_bits > 30 ? 1 : 2;
}

/* Note what is about to be done. The last lines are printed if a check fails. */
void __printf(1, 2) test_log(const char *fmt, ...);

/* Forget the log, and say what runs from here on. */
void __printf(1, 2) test_begin(const char *fmt, ...);

/* Fail the test unless @cond, in the name of the detector @tag. */
#define check(cond, tag, fmt, ...) do {						\
	if (!(cond))								\
		shim_fail(tag, "%s:%d: " fmt, __func__, __LINE__, ##__VA_ARGS__); \
} while (0)

static inline u64 test_random(u64 *state)
{
	/* xorshift64*: period 2^64 - 1, so the state must not be 0. */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ull;
}

#endif
