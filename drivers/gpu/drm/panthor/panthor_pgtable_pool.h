/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Pages of page tables: the pool of one VM, the tables that are held for slots of
 * its tree, the gather of tables that wait for a TLB flush, and the books.
 */
#ifndef __PANTHOR_PGTABLE_POOL_H__
#define __PANTHOR_PGTABLE_POOL_H__

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "panthor_pgtable.h"
#include "panthor_pgtable_fmt.h"

struct shrinker;

/* More than one where the host's pages are larger than a table. */
#define PANTHOR_TABLES_PER_PAGE	(PAGE_SIZE / PANTHOR_PT_SIZE)

/* A pool keeps this many tables that are free, and trims when it has twice as many, ... */
#define PANTHOR_POOL_KEEP	512ul

/* ... so many jiffies later: a queue that comes and goes needs them again. */
#define PANTHOR_POOL_TRIM_DELAY	HZ

/* No more tables than this stay in the tree for nobody. */
#define PANTHOR_POOL_IDLE	32

/*
 * What the CPU knows about one table. It is in one of four places: in the pool; held
 * for a slot that has no table yet; in the tree; or in the gather. With a slot, that
 * is in the tree or held, it stays there as long as it has pins, so that a
 * reservation needs no more than a pointer to it.
 */
struct panthor_table {
	u64 *entries;
	struct panthor_table *next;	/* on a stack, or among those of one operation */
	struct panthor_table *parent;	/* of the slot */
	union {
		struct rb_node held;	/* in panthor_pool.held */
		struct list_head idle;	/* if it is in the tree: in panthor_pool.idle */
	};
	u64 slot;			/* see panthor_slot() */
	unsigned int pins;		/* by reservations, and by held tables below */
	u16 live;			/* number of valid entries */
	bool in_tree;
	bool fresh;			/* an operation makes it under a table that is new, too */
};

/* A page of the host and the tables in it. The page's private field points here. */
struct panthor_table_page {
	struct list_head node;		/* in panthor_pool.pages if @free is not 0 */
	struct page *page;
	unsigned long free;		/* bit mask of the tables that are free */
	struct panthor_table tables[PANTHOR_TABLES_PER_PAGE];
};

/* Tables, the last in first out. Zeroed is empty. */
struct panthor_table_stack {
	struct panthor_table *first;
	struct panthor_table *last;	/* only valid if @first is not NULL */
	unsigned int count;
};

/* Tables of one VM. */
struct panthor_pool {
	struct device *dev;
	const struct panthor_pgtable_page_ops *ops;
	void *cookie;
	bool coherent;			/* the walker snoops the CPU's caches */

	/*
	 * Protects what follows, and which table has which slot, in the tree or not.
	 * Nothing is allocated under it, so that the fence signalling section may
	 * take it.
	 */
	spinlock_t lock;
	struct list_head pages;		/* that have free tables; whole ones last */
	struct panthor_table_stack dirty; /* like the free ones, but to be cleared first */
	unsigned int washing;		/* on the way from dirty to free */
	struct rb_root held;		/* by slot */
	struct list_head idle;		/* in the tree, but empty and not pinned any more */
	unsigned int idle_count;

	/* The books, in tables: see struct panthor_pgtable_stats. */
	unsigned long total;
	unsigned long free;
	unsigned long reserved;
	unsigned long tree;
	unsigned long gathered;
	unsigned long pins;		/* by reservations */

	unsigned long surplus;		/* that the shrinker wants */
	struct delayed_work trim_work;
	struct list_head node;		/* of all pools */
};

/* Tables out of the tree that the device may still know. */
struct panthor_gather {
	struct panthor_table_stack clean;	/* emptied entry by entry: zeroed */
	struct panthor_table_stack dirty;	/* dropped unread */
	u64 first, last;			/* bytes of the operations that did it */
};

extern struct shrinker *panthor_pools_shrinker;

void panthor_pool_init(struct panthor_pool *pool, const struct panthor_pgtable_cfg *cfg);
bool panthor_pool_fini(struct panthor_pool *pool);
int panthor_pool_fill(struct panthor_pool *pool);
unsigned long panthor_pool_shrink(struct panthor_pool *pool, unsigned long count);
void panthor_pool_sync(struct panthor_pool *pool, const u64 *entries, unsigned int count);
void panthor_pool_release(struct panthor_pool *pool, struct panthor_gather *gather);

unsigned int panthor_pool_take(struct panthor_pool *pool, struct panthor_table_stack *stack,
			       unsigned int count);
void panthor_pool_give_back(struct panthor_pool *pool, struct panthor_table_stack *stack);

struct panthor_table *panthor_pool_find(struct panthor_pool *pool, u64 slot);
struct panthor_table *panthor_pool_hold(struct panthor_pool *pool, struct panthor_table *parent,
					u64 slot);
struct panthor_table *panthor_pool_root(struct panthor_pool *pool, u64 slot);
void panthor_pool_unpin(struct panthor_pool *pool, struct panthor_table * const *tables,
			unsigned int count);
void panthor_pool_install(struct panthor_pool *pool, struct panthor_table *table);
void panthor_pool_detach(struct panthor_pool *pool, struct panthor_table *table,
			 struct panthor_table_stack *stack);

/* Let the device see @count entries of one table that were written. */
static inline void panthor_pool_clean(struct panthor_pool *pool, const u64 *entries,
				      unsigned int count)
{
	if (!pool->coherent)
		panthor_pool_sync(pool, entries, count);
}

/* Nobody needs @table, which is in the tree and empty, or somebody does. With the lock. */
static inline void panthor_table_set_idle(struct panthor_pool *pool, struct panthor_table *table)
{
	if (!list_empty(&table->idle))
		return;
	list_add(&table->idle, &pool->idle);
	pool->idle_count++;
}

static inline void panthor_table_set_busy(struct panthor_pool *pool, struct panthor_table *table)
{
	if (list_empty(&table->idle))
		return;
	list_del_init(&table->idle);
	pool->idle_count--;
}

/* The slot of the table of @level on the way to @iova: its first byte, and the level. */
static inline u64 panthor_slot(u64 iova, int level)
{
	return (iova & ~(PANTHOR_PT_SPAN(level - 1) - 1)) | level;
}

static inline int panthor_slot_level(u64 slot)
{
	return slot % SZ_4K;
}

static inline u64 panthor_slot_iova(u64 slot)
{
	return slot & ~(u64)(SZ_4K - 1);
}

static_assert(PANTHOR_PT_SPAN(-1) == 1ull << 48);

static inline void panthor_table_push(struct panthor_table_stack *stack,
				      struct panthor_table *table)
{
	if (!stack->first)
		stack->last = table;
	table->next = stack->first;
	stack->first = table;
	stack->count++;
}

/* To the other end: what is pushed comes out after it. */
static inline void panthor_table_append(struct panthor_table_stack *stack,
					struct panthor_table *table)
{
	table->next = NULL;
	if (stack->first)
		stack->last->next = table;
	else
		stack->first = table;
	stack->last = table;
	stack->count++;
}

static inline struct panthor_table *panthor_table_pop(struct panthor_table_stack *stack)
{
	struct panthor_table *table = stack->first;

	if (table) {
		stack->first = table->next;
		stack->count--;
	}
	return table;
}

/* Move all tables of @from onto @to. */
static inline void panthor_table_splice(struct panthor_table_stack *to,
					struct panthor_table_stack *from)
{
	if (!from->first)
		return;

	from->last->next = to->first;
	if (!to->first)
		to->last = from->last;
	to->first = from->first;
	to->count += from->count;
	*from = (struct panthor_table_stack){};
}

static inline unsigned int panthor_gather_count(const struct panthor_gather *gather)
{
	return gather->clean.count + gather->dirty.count;
}

/* The next flush has to cover these bytes, for tables were taken out of the tree. */
static inline void panthor_gather_note(struct panthor_gather *gather, u64 first, u64 last)
{
	gather->first = min(gather->first, first);
	gather->last = max(gather->last, last);
}

/* Make a range that is to be flushed cover all that was noted. */
static inline void panthor_gather_widen(const struct panthor_gather *gather, u64 *iova, u64 *size)
{
	u64 last = *iova + *size - 1;

	if (!panthor_gather_count(gather))
		return;

	*iova = min(*iova, gather->first);
	*size = max(last, gather->last) - *iova + 1;
}

static inline struct panthor_table_page *panthor_table_page_of(const u64 *entries)
{
	return (void *)page_private(virt_to_page(entries));
}

static inline struct panthor_table *panthor_table_of(const u64 *entries)
{
	struct panthor_table_page *tp = panthor_table_page_of(entries);

	return &tp->tables[offset_in_page(entries) / PANTHOR_PT_SIZE];
}

static inline u64 panthor_table_pte(const struct panthor_table *table)
{
	return panthor_pte_table(virt_to_phys(table->entries));
}

/* The entry that leads to @table, or will. */
static inline u64 *panthor_table_entry(const struct panthor_table *table)
{
	int level = panthor_slot_level(table->slot) - 1;

	return &table->parent->entries[PANTHOR_PT_INDEX(table->slot, level)];
}

#endif
