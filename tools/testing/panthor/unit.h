/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Cases with known answers: what the random test cannot ask for, and what is
 * worth a name of its own.
 */
#ifndef __PANTHOR_TEST_UNIT_H__
#define __PANTHOR_TEST_UNIT_H__

struct unit_case {
	const char *name;
	void (*run)(void);
};

/* Ends with a case without a name. */
extern const struct unit_case unit_cases[];

#endif
