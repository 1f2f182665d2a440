/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The machine of the tests of queues: memory for tables, deferred work, grace periods.
 * It checks little, is fast, and may be used by threads.
 */
#ifndef __QUEUE_MACHINE_H__
#define __QUEUE_MACHINE_H__

#include <linux/types.h>

/* Physical address and size of the memory for tables. */
#define MACHINE_ARENA		0x80000000ull
#define MACHINE_ARENA_SIZE	(32ul << 20)

/* A fault that a detector has to find. */
enum plant {
	PLANT_NONE,

	/* Of threads: */
	PLANT_NO_LOCK,		/* spinlocks do nothing */
	PLANT_NO_BARRIER,	/* barriers do nothing */
	PLANT_NO_RCU,		/* grace periods do not wait */

	/* Of queues: */
	PLANT_NOT_RESERVED,	/* a job runs without its reservation */
	PLANT_TOO_FEW,		/* a reservation is given back too early */
	PLANT_TOO_MANY,		/* tables are held for nobody */
	PLANT_NO_USE,		/* for somebody who does not need them */
	PLANT_MODEL,		/* the model is wrong about one page */
	PLANT_LEAK,		/* a reservation is lost */
};

extern enum plant machine_plant;

/* What is added to a physical address of a table to get where it is mapped. */
extern u64 machine_offset;

/* Of this thread: locks held and RCU readers, and what may not sleep. */
extern __thread unsigned int machine_atomic;
extern __thread unsigned int machine_signalling;

/* There was a barrier in this call of the API. */
extern __thread bool machine_ordered;

void machine_start(void);

/* End the test if something was not given back, or if there was a warning. */
void machine_check_idle(void);
void machine_check_warnings(void);

/* Run the work that is queued. */
void machine_run_work(void);

/* Pages that were taken from the system so far. */
unsigned long machine_pages_taken(void);

/* Ask the shrinkers for @count objects. */
void machine_shrink(unsigned long count);

void machine_barrier(void);
void machine_dawdle(void);
void *machine_memset(void *p, int c, size_t size);

/* The descriptor of @level on the way to @iova, or 0 if there is no such table. */
u64 machine_look(u64 root, int start_level, int level, u64 iova);

#endif
