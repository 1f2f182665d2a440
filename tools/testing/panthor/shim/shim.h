/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The test's side of the shim: the state of the simulated machine, the faults
 * to plant in it, and the events that it reports.
 */
#ifndef __SHIM_H__
#define __SHIM_H__

#include <linux/types.h>

/* PAGE_SIZE is 1 << SHIM_PAGE_SHIFT, given by the Makefile. */
#ifndef SHIM_PAGE_SHIFT
#define SHIM_PAGE_SHIFT	12
#endif

/* Memory for tables. */
#define SHIM_ARENA_SIZE	(32ul << 20)

/* Faults to plant, each of which a detector has to find. */
enum shim_break {
	SHIM_BREAK_NONE,
	SHIM_BREAK_SYNC,	/* Cache maintenance is not done. */
	SHIM_BREAK_BARRIER,	/* Barriers are not there. */
	SHIM_BREAK_ALLOC,	/* Each barrier allocates. */
	SHIM_BREAK_DIRTY,	/* Fresh pages are not zeroed. */
	SHIM_BREAK_LEAK,	/* Pages do not go back to the system. */
	SHIM_BREAK_RCU,		/* Grace periods do not pass. */
	SHIM_BREAK_BIT,		/* Stores lose a bit. */
	SHIM_BREAK_ADDRESS,	/* Pages are off by one. */
	SHIM_BREAK_SPLIT,	/* A block loses its ends when it becomes a table. */
	SHIM_BREAK_FREE,	/* Pages are poisoned while they are in use. */
	SHIM_BREAK_FLUSH,	/* The device is not flushed. */
	SHIM_BREAK_RESERVATION,	/* Reservations are given back before the job. */
	SHIM_BREAK_ROLLBACK,	/* A map that fails leaves something behind. */
	SHIM_BREAK_WARN,	/* Something warns. */
};

/* What a test wants to know at once. Any may be NULL. */
struct shim_events {
	/* A descriptor is about to be written. */
	void (*store)(u64 *entry, u64 value);

	/* A page is about to go back to the system. */
	void (*page_free)(u64 paddr);
};

struct shim {
	/* Depth of the section in which nothing may allocate or sleep. */
	unsigned int signalling;

	/* Spinlocks held, and RCU readers. */
	unsigned int atomic;

	/* Warnings so far. */
	unsigned long warnings;

	/* Counts down to the request that is refused; 0 refuses none. */
	unsigned long refuse_nth;

	/* Requests refused so far. */
	unsigned long refused;

	/* Out of the system: pages, objects of the heap, DMA mappings. */
	unsigned long pages;
	unsigned long objects;
	unsigned long mappings;

	/* Grace periods that passed. */
	unsigned long grace_periods;

	/* Barriers so far. */
	unsigned long barriers;

	/* Calls of dma_sync_single_for_device() so far. */
	unsigned long syncs;

	/* Physical address of the arena. */
	u64 arena;

	enum shim_break broken;
	struct shim_events on;
};

extern struct shim shim;

/* Start a machine whose table memory is at @arena. Counters start at 0. */
void shim_start(u64 arena);

/* What a device that does not snoop sees of a table page at @paddr. */
u64 *shim_device_memory(u64 paddr);

/* What the CPU sees of it. NULL if no page is allocated there. */
u64 *shim_cpu_memory(u64 paddr);

bool shim_in_arena(u64 paddr);

/* Whether a CPU address is in table memory, and the 4 KiB it is in. */
bool shim_is_table_memory(const void *p);
u64 shim_table_paddr(const void *p);

/* Run the work that is queued. Returns whether there was some. */
bool shim_run_work(void);

/* Ask each shrinker for @count objects, as if memory were short. */
unsigned long shim_shrink(unsigned long count);

/* The last warning or message. */
const char *shim_last_message(void);

/* End the test: found by the detector @tag. Provided by the test. */
void __noreturn __printf(2, 3) shim_fail(const char *tag, const char *fmt, ...);

/* For the shim headers. */
void __printf(1, 2) shim_warn(const char *fmt, ...);
void __printf(1, 2) shim_message(const char *fmt, ...);
u64 shim_store(void *p, u64 value);
void shim_barrier(void);
void shim_may_sleep(const char *what);
bool shim_refuse(void);

#endif
