/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The interpreter: turns bytes into operations on one page table and checks
 * each. The same bytes do the same, so a fuzzer can feed it, and records can be
 * left out to shorten a failing sequence.
 */
#ifndef __PANTHOR_TEST_OPS_H__
#define __PANTHOR_TEST_OPS_H__

#include "test.h"

#define OPS_RECORD_SIZE	16

struct ops_result {
	u64 ops;
	u64 calls;
	u64 compared;
};

/* Make a page table, run @count records of OPS_RECORD_SIZE bytes, destroy it. */
void ops_run(const struct test_cfg *cfg, const u8 *bytes, size_t count,
	     struct ops_result *result);

#endif
