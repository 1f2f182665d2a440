// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Reservations: which slots a job needs, and that there is a table for each of them,
 * in the tree or held, until the job gives them back.
 */

#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "panthor_pgtable_mem.h"
#include "panthor_pgtable_priv.h"

/*
 * A slot with a table in the tree, or with one that is held, gets a pin. One without
 * gets a table that is held for it, and so do those above it that have none. So the
 * tables that are held are those that all reservations together lack, and no more.
 */

/* The deepest table that is held below @table, down to @level; *@at: its level. */
static struct panthor_table *held_below(struct panthor_pool *pool, struct panthor_table *table,
					u64 iova, int *at, int level)
{
	struct panthor_table *held;

	for (; *at < level; ++*at, table = held) {
		held = panthor_pool_find(pool, panthor_slot(iova, *at + 1));
		if (!held)
			break;
	}
	return table;
}

static unsigned int rsv_room(const struct panthor_pgtable_rsv *rsv)
{
	return rsv->room ?: ARRAY_SIZE(rsv->few);
}

/* Make room for @count more pins. */
static noinline int rsv_grow(struct panthor_pgtable_rsv *rsv, unsigned int count)
{
	unsigned int room = max(rsv->count + count, 2 * rsv_room(rsv));
	struct panthor_table **many;

	many = kvmalloc_array(room, sizeof(*many), GFP_KERNEL_ACCOUNT);
	if (!many)
		return -ENOMEM;

	memcpy(many, rsv_tables(rsv), rsv->count * sizeof(*many));
	if (rsv->room)
		kvfree(rsv->many);
	rsv->many = many;
	rsv->room = room;
	return 0;
}

static void pin(struct panthor_pool *pool, struct panthor_pgtable_rsv *rsv,
		struct panthor_table *table)
{
	table->pins++;
	pool->pins++;
	rsv_tables(rsv)[rsv->count++] = table;
}

/*
 * Pin the slots of up to @count tables of @level that follow each other, from the one
 * on the way to @iova, under one table. Returns how many; less if more tables have to
 * be made free first. With the lock of the pool.
 */
static unsigned int pin_some(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
			     u64 iova, int level, unsigned int count)
{
	u64 span = PANTHOR_PT_SPAN(level - 1);
	struct panthor_pool *pool = &pt->pool;
	struct panthor_table *parent = NULL;
	u64 *entries = pt->root, *entry;
	int at = pt->start_level;
	bool new = false;
	unsigned int done;

	if (level == at) {
		pin(pool, rsv, panthor_table_of(entries));
		return 1;
	}

	/* Down in the tree to the table above them, ... */
	for (; at < level - 1; at++) {
		u64 pte = READ_ONCE(entries[PANTHOR_PT_INDEX(iova, at)]);

		if (!panthor_pte_is_table(pte))
			break;
		entries = pte_to_table(pte);
	}

	/* ... or in what is held, and to be held: all or none, or one would stay for nobody. */
	if (at < level - 1) {
		parent = held_below(pool, panthor_table_of(entries), iova, &at, level - 1);
		if (at < level - 1 && pool->free < level - at)
			return 0;
		for (new = at < level - 1; at < level - 1; )
			parent = panthor_pool_hold(pool, parent, panthor_slot(iova, ++at));
		entries = parent->entries;
	}

	entry = &entries[PANTHOR_PT_INDEX(iova, level - 1)];
	for (done = 0; done < count; done++, iova += span) {
		u64 pte = READ_ONCE(entry[done]);
		struct panthor_table *table;

		if (panthor_pte_is_table(pte)) {
			pin(pool, rsv, panthor_table_of(pte_to_table(pte)));
			continue;
		}
		/* Nothing is held below a table that is new. */
		table = new ? NULL : panthor_pool_find(pool, panthor_slot(iova, level));
		if (!table && !pool->free)
			break;
		if (!table)
			table = panthor_pool_hold(pool, panthor_table_of(entries),
						  panthor_slot(iova, level));
		pin(pool, rsv, table);
	}
	return done;
}

static noinline int pin_slots(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
			      u64 iova, int level, unsigned int count)
{
	struct panthor_pool *pool = &pt->pool;
	unsigned int done;
	int err = 0;

	if (rsv->count + count > rsv_room(rsv))
		err = rsv_grow(rsv, count);

	/* A few at a time: a job of this VM may be waiting for the lock. */
	while (!err && count) {
		unsigned int some = min(count, 32u);

		spin_lock(&pool->lock);
		done = pin_some(pt, rsv, iova, level, some);
		spin_unlock(&pool->lock);
		if (done < some)
			err = panthor_pool_fill(pool);

		iova += done * PANTHOR_PT_SPAN(level - 1);
		count -= done;
	}
	return err;
}

/* Pin one slot if there is a table for it, and room in @rsv. */
static __always_inline bool pin_table(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
				      u64 iova, int level)
{
	struct panthor_pool *pool = &pt->pool;
	struct panthor_table *table;
	u64 *entries;

	if (rsv->count == rsv_room(rsv))
		return false;

	spin_lock(&pool->lock);
	table = find_table(pt, iova, level, &entries) ? panthor_table_of(entries) :
		panthor_pool_find(pool, panthor_slot(iova, level));
	if (table)
		pin(pool, rsv, table);
	spin_unlock(&pool->lock);
	return table;
}

/* Pin one slot, which has a table most of the time. */
static __always_inline int pin_slot(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
				    u64 iova, int level)
{
	return pin_table(pt, rsv, iova, level) ? 0 : pin_slots(pt, rsv, iova, level, 1);
}

/* Drop all pins but the first @keep. */
static void unpin_slots(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
			unsigned int keep)
{
	if (rsv->count > keep)
		panthor_pool_unpin(&pt->pool, rsv_tables(rsv) + keep, rsv->count - keep);
	rsv->count = keep;
	if (unlikely(!keep && rsv->room)) {
		kvfree(rsv->many);
		rsv->room = 0;
	}
}

/* Level of the largest leaf that the next bytes fit. */
static int largest_leaf(const struct panthor_pgtable *pt, struct pa_cursor *pa, u64 iova, u64 left)
{
	int level = 1;

	while (level < PANTHOR_PT_LAST_LEVEL && !leaf_fits(pt, pa, iova, left, level))
		level++;
	return level;
}

/* Slots that are to be pinned, which follow each other under one table. */
struct slots {
	u64 iova;
	int level;
	unsigned int count;
};

/* Add the slot of @level on the way to @iova, and pin those before if it is none of theirs. */
static int add_slot(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
		    struct slots *slots, u64 iova, int level)
{
	u64 span = PANTHOR_PT_SPAN(level - 1);
	int err = 0;

	iova &= ~(span - 1);
	if (slots->level == level && iova == slots->iova + (slots->count - 1) * span)
		return 0;

	if (slots->level == level && iova == slots->iova + slots->count * span &&
	    !((iova ^ slots->iova) >> PANTHOR_PT_SHIFT(level - 2))) {
		slots->count++;
		return 0;
	}

	if (slots->count)
		err = pin_slots(pt, rsv, slots->iova, slots->level, slots->count);
	*slots = (struct slots){ .iova = iova, .level = level, .count = 1 };
	return err;
}

/*
 * Pin the slots of the tables that the leaves of a map go to. That covers the splits
 * at both ends of the range, too: where a block would have to be cut, there is no
 * room for one.
 */
static int pin_map(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
		   struct pa_cursor *pa, u64 iova, u64 left)
{
	struct slots slots = {};
	int err = 0, level;
	u64 size;

	/* One table, and no block fits. */
	if (left < SZ_2M && table_left(iova, left, PANTHOR_PT_LAST_LEVEL) == left)
		return panthor_pa_skip(pt, pa, left, left) ?:
		       pin_slot(pt, rsv, iova, PANTHOR_PT_LAST_LEVEL);

	while (left) {
		if (!pa->len)
			err = panthor_pa_next(pt, pa, iova, left);
		if (err)
			return err;

		level = largest_leaf(pt, pa, iova, left);
		size = table_left(iova, left, level);
		if (level < PANTHOR_PT_LAST_LEVEL)
			size = min(size, pa->len) & ~(PANTHOR_PT_SPAN(level) - 1);
		err = panthor_pa_skip(pt, pa, left, size);
		if (err)
			return err;

		err = add_slot(pt, rsv, &slots, iova, level);
		if (err)
			return err;
		iova += size;
		left -= size;
	}

	return slots.count == 1 ? pin_slot(pt, rsv, slots.iova, slots.level) :
	       pin_slots(pt, rsv, slots.iova, slots.level, slots.count);
}

/*
 * The usual job: its leaves go to one table, see run_level(). Returns 1 with nothing done
 * if it is another one, or wrong.
 */
static __always_inline int pin_run(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
				   u64 iova, u64 paddr, u64 size)
{
	int level = run_level(iova, paddr, size, to_walker(pt)->no_block), err;

	if (!level || !run_in_reach(pt, iova, paddr, size))
		return 1;
	err = pin_slot(pt, rsv, iova, level);
	if (!err)
		rsv->unmaps = false;
	return err;
}

static int reserve_map(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
		       struct pa_cursor *pa, u64 iova, u64 size)
{
	unsigned int before = rsv->count;
	int err = check_range(iova, size, pt->va_bits) ?: panthor_pa_check(pt, pa);

	if (err)
		return err;

	err = pin_map(pt, rsv, pa, iova, size);
	if (err)
		unpin_slots(pt, rsv, before);
	else
		rsv->unmaps = false;
	return err;
}

static int pin_cuts(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv, u64 iova,
		    u64 size)
{
	int head = cut_level(pt, iova), tail = cut_level(pt, iova + size), err = 0;

	if (head)
		err = pin_slot(pt, rsv, iova, head);
	if (!err && tail &&
	    (tail != head || panthor_slot(iova, head) != panthor_slot(iova + size - 1, tail)))
		err = pin_slot(pt, rsv, iova + size - 1, tail);
	return err;
}

int panthor_pgtable_reserve_map(struct panthor_pgtable *pt,
				struct panthor_pgtable_rsv *rsv,
				u64 iova, u64 paddr, u64 size)
{
	struct pa_cursor pa = { .paddr = paddr, .len = size };
	int err = 1;

	might_alloc(GFP_KERNEL);
	if (size)
		err = pin_run(pt, rsv, iova, paddr, size);
	return err > 0 ? reserve_map(pt, rsv, &pa, iova, size) : err;
}

static noinline int reserve_list(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
				 u64 iova, const struct sg_table *sgt, u64 offset, u64 size)
{
	struct pa_cursor pa = {
		.sg = sgt->sgl, .nents = sgt->nents, .skip = offset,
	};

	return reserve_map(pt, rsv, &pa, iova, size);
}

int panthor_pgtable_reserve_map_sgt(struct panthor_pgtable *pt,
				    struct panthor_pgtable_rsv *rsv, u64 iova,
				    const struct sg_table *sgt, u64 offset,
				    u64 size)
{
	int err = 1;

	/* Whether or not it does this time. */
	might_alloc(GFP_KERNEL);
	if (run_in_first(sgt, offset, size))
		err = pin_run(pt, rsv, iova, sg_dma_address(sgt->sgl) + offset, size);
	return err > 0 ? reserve_list(pt, rsv, iova, sgt, offset, size) : err;
}

int panthor_pgtable_reserve_map_repeat(struct panthor_pgtable *pt,
				       struct panthor_pgtable_rsv *rsv,
				       u64 iova, u64 paddr, u64 period,
				       u64 size)
{
	struct pa_cursor pa = { .base = paddr, .period = period };

	might_alloc(GFP_KERNEL);
	if (!period)
		return -EINVAL;
	return reserve_map(pt, rsv, &pa, iova, size);
}

int panthor_pgtable_reserve_unmap(struct panthor_pgtable *pt,
				  struct panthor_pgtable_rsv *rsv,
				  u64 iova, u64 size)
{
	unsigned int before = rsv->count;
	int err = check_range(iova, size, pt->va_bits);

	might_alloc(GFP_KERNEL);
	if (err)
		return err;

	err = pin_cuts(pt, rsv, iova, size);
	if (err)
		unpin_slots(pt, rsv, before);
	else
		rsv->unmaps = !before;
	return err;
}

void panthor_pgtable_unreserve(struct panthor_pgtable *pt,
			       struct panthor_pgtable_rsv *rsv)
{
	unpin_slots(pt, rsv, 0);
}
