/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Pages of page tables: the pool of one VM, reservations out of it, the gather
 * of tables that wait for a TLB flush, and the books about all of them.
 */
#ifndef __PANTHOR_PGTABLE_POOL_H__
#define __PANTHOR_PGTABLE_POOL_H__

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "panthor_pgtable.h"
#include "panthor_pgtable_fmt.h"

/* More than one where the host's pages are larger than a table. */
#define PANTHOR_TABLES_PER_PAGE	(PAGE_SIZE / PANTHOR_PT_SIZE)

/* A pool keeps this many idle tables, and trims when it has twice as many. */
#define PANTHOR_POOL_KEEP	512ul

/* What the CPU knows about one table. */
struct panthor_table {
	struct panthor_table *next;	/* on a stack, or among the unlinked ones */
	u64 *entries;
	u64 *slot;			/* entry that is about to point here */
	unsigned int live;		/* number of valid entries */
};

/* A page of the host and the tables in it. The page's private field points here. */
struct panthor_table_page {
	struct list_head node;		/* in panthor_pool.pages if @free is not 0 */
	struct page *page;
	unsigned long free;		/* bit mask of the tables that are free */
	struct panthor_table tables[PANTHOR_TABLES_PER_PAGE];
};

/* Tables of one VM. */
struct panthor_pool {
	struct device *dev;
	const struct panthor_pgtable_page_ops *ops;
	void *cookie;
	bool coherent;			/* the walker snoops the CPU's caches */

	/*
	 * Protects what follows. Nothing is allocated under it, so that the
	 * fence signalling section may take it.
	 */
	spinlock_t lock;
	struct list_head pages;		/* that have free tables; whole ones last */
	struct panthor_table_stack dirty; /* idle, but to be cleared first */

	/* The books, in tables: see struct panthor_pgtable_stats. */
	unsigned long total;
	unsigned long free;
	unsigned long reserved;
	unsigned long tree;
	unsigned long gathered;

	struct work_struct trim_work;
};

/* Tables out of the tree that the device may still know. */
struct panthor_gather {
	struct panthor_table_stack clean;	/* emptied entry by entry: zeroed */
	struct panthor_table_stack dirty;	/* dropped unread */
	u64 first, last;			/* bytes of the operations that did it */
};

void panthor_pool_init(struct panthor_pool *pool, const struct panthor_pgtable_cfg *cfg);
bool panthor_pool_fini(struct panthor_pool *pool);
int panthor_pool_reserve(struct panthor_pool *pool, struct panthor_table_stack *rsv,
			 unsigned long count);
void panthor_pool_unreserve(struct panthor_pool *pool, struct panthor_table_stack *rsv);
void panthor_pool_note(struct panthor_pool *pool, unsigned int installed, unsigned int detached);
void panthor_pool_release(struct panthor_pool *pool, struct panthor_gather *gather);
void panthor_pool_clean(struct panthor_pool *pool, const u64 *entries, unsigned int count);

static inline void panthor_table_push(struct panthor_table_stack *stack,
				      struct panthor_table *table)
{
	if (!stack->first)
		stack->last = table;
	table->next = stack->first;
	stack->first = table;
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

static inline struct panthor_table_page *panthor_table_page_of(const u64 *entries)
{
	return (void *)page_private(virt_to_page(entries));
}

static inline struct panthor_table *panthor_table_of(const u64 *entries)
{
	struct panthor_table_page *tp = panthor_table_page_of(entries);

	return &tp->tables[offset_in_page(entries) / PANTHOR_PT_SIZE];
}

static inline u64 panthor_table_paddr(const struct panthor_table *table)
{
	return virt_to_phys(table->entries);
}

#endif
