/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Random numbers for the tests of queues: fast, and the same for the same seed.
 */
#ifndef __QUEUE_RANDOM_H__
#define __QUEUE_RANDOM_H__

#include <linux/types.h>

/* xorshift64*: the state must not be 0. */
static inline u64 random_u64(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ull;
}

/* One of the numbers below @n. */
static inline u32 random_below(u64 *state, u32 n)
{
	return (random_u64(state) >> 32) * n >> 32;
}

static inline u64 random_start(u64 seed)
{
	u64 state = (seed + 1) * 0x9e3779b97f4a7c15ull ?: 1;
	int i;

	for (i = 0; i < 8; i++)
		random_u64(&state);
	return state;
}

#endif
