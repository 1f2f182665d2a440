/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The inside of the address spaces: what vmali_mmu.c, which changes it, and
 * vmali_judge.c, which looks at it, have in common. vmali_mmu::lock is held for all.
 */
#ifndef __VMALI_MMU_H__
#define __VMALI_MMU_H__

#include <linux/hashtable.h>
#include <linux/prandom.h>

#include "vmali_walk.h"

#define TLB_ENTRIES	4096
#define WALK_ENTRIES	1024
#define HISTORY		32
#define COMMANDS	(AS_COMMAND_FLUSH_MEM + 1)
/* How many walks the end of a region is a chance for, at most. */
#define SAMPLES		4

/**
 * struct vmali_entry - A descriptor as it was when it was read
 *
 * The TLB has leaves: an entry answers for the 4 KiB at @base, also if the leaf is
 * a block. The walk cache has tables, and what was invalid: an entry answers for
 * what a descriptor of its level covers.
 *
 * @in_as: in vmali_as::cached; not in it: the entry is free
 * @in_page: in vmali_mmu::leaves or vmali_mmu::tables, if @desc is valid
 * @base: first address it answers for
 * @desc: descriptor
 * @page: address of the 4 KiB that it leads to
 * @as: address space
 * @level: of the descriptor
 * @used_stale: it was used when memory had another value already
 * @reported: as stale
 */
struct vmali_entry {
	struct hlist_node in_as, in_page;
	u64 base, desc, page;
	u8 as, level;
	bool used_stale, reported;
};

struct vmali_command {
	u64 ns, first, last;
	u32 command;
};

/**
 * struct vmali_as - An address space
 * @regs: registers as written
 * @tree: what of them was latched
 * @on: it translates
 * @locked: a region is:
 * @first: its first byte
 * @last: its last byte
 * @lock_lost: a reset took the lock, which its owner may not know yet
 * @cached: entries of both caches
 * @cached_count: how many
 * @history: ring of the last commands
 * @history_count: how many there ever were
 * @commands: how many of each kind there were
 * @accesses: of the GPU, counted in pages
 * @through: those that succeeded, by what the leaf was
 * @hits: those that the TLB had,
 * @walks: and those that it had not
 * @prefetches: walks that nobody asked for
 * @faults: also those that found FAULTSTATUS taken
 * @errors: reported
 */
struct vmali_as {
	u32 regs[16];
	struct vmali_tree tree;
	bool on, locked, lock_lost;
	u64 first, last;
	struct hlist_head cached;
	unsigned int cached_count;
	struct vmali_command history[HISTORY];
	unsigned int history_count;
	u64 commands[COMMANDS];
	u64 accesses, hits, walks, prefetches, faults, errors;
	struct {
		u64 cached, uncached, block, page;
	} through;
};

/**
 * struct vmali_mmu - All address spaces
 * @lock: for everything here. Callbacks are called with it, and wake others up.
 * @cfg: from the owner
 * @rnd: decides what is cached ahead, and what is dropped for no reason
 * @errors: reported
 * @injection: of vmali_inject.c, not under @lock
 * @leaves: entries by vmali_entry::page: leaves,
 * @tables: and tables
 * @as: address spaces
 * @entries: first those of the TLB, then the walk cache
 */
struct vmali_mmu {
	spinlock_t lock; /* innermost but for what callbacks take */
	struct vmali_mmu_cfg cfg;
	struct rnd_state rnd;
	u64 errors;
	struct vmali_injection injection;
	DECLARE_HASHTABLE(leaves, 10);
	DECLARE_HASHTABLE(tables, 8);
	struct vmali_as as[VMALI_AS_COUNT];
	struct vmali_entry entries[TLB_ENTRIES + WALK_ENTRIES];
};

static inline bool is_leaf(u64 desc, unsigned int level)
{
	return (desc & VMALI_DESC_VALID) && !vmali_desc_is_table(desc, level);
}

static inline bool entry_is_leaf(const struct vmali_entry *e)
{
	return is_leaf(e->desc, e->level);
}

static inline bool entry_is_table(const struct vmali_entry *e)
{
	return vmali_desc_is_table(e->desc, e->level);
}

static inline u64 entry_last(const struct vmali_entry *e)
{
	return e->base + VMALI_SPAN(entry_is_leaf(e) ? VMALI_LAST_LEVEL : e->level) - 1;
}

static inline bool overlaps(const struct vmali_entry *e, u64 first, u64 last)
{
	return e->base <= last && entry_last(e) >= first;
}

static inline bool in_locked_region(const struct vmali_as *a, const struct vmali_entry *e)
{
	return a->locked && overlaps(e, a->first, a->last);
}

/* --- vmali_judge.c --- */

const char *vmali_command_name(u32 command);

/* An error: @level is below 0 if it is about a command. */
__printf(5, 6) void vmali_report(struct vmali_mmu *mmu, unsigned int as, u64 iova, int level,
				 const char *fmt, ...);

/* An entry that is about to be cached. */
void vmali_judge_entry(struct vmali_mmu *mmu, const struct vmali_entry *e);

/*
 * Does the tree say something else than @e? @now: the place in the tree; all zero
 * before, or from the entry before.
 */
bool vmali_is_stale(struct vmali_mmu *mmu, const struct vmali_entry *e, struct vmali_place *now);

/* Nothing is under way for the address of @e: it has to be as in memory. */
void vmali_judge_stale(struct vmali_mmu *mmu, struct vmali_entry *e, struct vmali_place *now);

/* Nor for any of @as, but for a region that is locked. */
void vmali_judge_all(struct vmali_mmu *mmu, unsigned int as);

/**
 * vmali_judge_region() - Look at a region before it is locked, or before its flush
 * @mmu: MMU
 * @as: address space
 * @first: first byte of the region
 * @last: last byte
 * @sample: addresses for which hardware might walk at this moment
 *
 * The driver's operation lies between the two calls, or before both: what it took out
 * of the tree has to be there still, and be nothing else, until the flush is done.
 *
 * Return: how many addresses are in @sample.
 */
unsigned int vmali_judge_region(struct vmali_mmu *mmu, unsigned int as, u64 first, u64 last,
				u64 sample[SAMPLES]);

/* It is about to be locked: nothing of it has another translation already. */
void vmali_judge_unlocked(struct vmali_mmu *mmu, unsigned int as, u64 first, u64 last);

/* The root table that @as was given just now. */
void vmali_judge_root(struct vmali_mmu *mmu, unsigned int as);

#endif
