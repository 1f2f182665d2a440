// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The walker: maps and unmaps in the tree of one VM. Tables come from those
 * that are held for their slots, and go to the gather; nothing is allocated or freed.
 */

#include <linux/dev_printk.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/slab.h>

#include "panthor_pgtable_mem.h"
#include "panthor_pgtable_priv.h"

/* A map or an unmap under way. */
struct update {
	struct panthor_pgtable *pt;
	struct panthor_pgtable_rsv *rsv;

	/* Of a map that failed. */
	bool undo;

	/* Progress. */
	u64 iova;
	u64 left;

	/* Tables that are new, in the order in which they were made: parents first. */
	struct panthor_table_stack new;
};

static void begin_update(struct update *op, struct panthor_pgtable *pt,
			 struct panthor_pgtable_rsv *rsv, u64 iova, u64 size)
{
	op->pt = pt;
	op->rsv = rsv;
	op->undo = false;
	op->iova = iova;
	op->left = size;
	op->new.first = NULL;
	op->new.count = 0;
}

/*
 * Update.
 *
 * A path of tables leads from the root to where the operation is. It goes down to the
 * next entry that is to change, and up again where a table ends.
 */

/*
 * Put a table that is held under @entries, at a level below @level; it takes leaves
 * of @leaf_level behind @iova in the end. The device sees it when link_tables() has
 * put it in the tree, unless it is below such a table. Returns NULL if none is held.
 */
static struct panthor_table *new_table(struct update *op, u64 *entries, int level, int leaf_level)
{
	struct panthor_pool *pool = &op->pt->pool;
	struct panthor_table *table;

	spin_lock(&pool->lock);
	/* If the last one is there, so are those above it. */
	table = panthor_pool_find(pool, panthor_slot(op->iova, leaf_level));
	while (table && panthor_slot_level(table->slot) > level + 1)
		table = table->parent;
	if (table) {
		table->pins++;
		pool->pins++;
		table->fresh = !table->parent->in_tree;
		if (table->fresh)
			WRITE_ONCE(entries[PANTHOR_PT_INDEX(op->iova, level)],
				   panthor_table_pte(table));
	}
	spin_unlock(&pool->lock);
	if (!table)
		return NULL;

	if (IS_ENABLED(CONFIG_DRM_PANTHOR_PGTABLE_DEBUG))
		WARN(memchr_inv(table->entries, 0, PANTHOR_PT_SIZE),
		     "panthor_pgtable: table is not zeroed\n");
	panthor_table_append(&op->new, table);
	return table;
}

/* Clean the entries that lead to the new tables: those in new tables, or the others. */
static void clean_links(struct update *op, bool fresh)
{
	struct panthor_table *table;
	unsigned int count = 0;
	u64 *first = NULL;

	for (table = op->new.first; table; table = table->next) {
		u64 *entry = panthor_table_entry(table);

		if (table->fresh != fresh)
			continue;
		/* Those of one table follow each other, mostly. */
		if (count && (entry != first + count || IS_ALIGNED((unsigned long)entry,
								   PANTHOR_PT_SIZE))) {
			panthor_pool_clean(&op->pt->pool, first, count);
			count = 0;
		}
		if (!count++)
			first = entry;
	}
	if (count)
		panthor_pool_clean(&op->pt->pool, first, count);
}

/* Let the device see the new tables: their content is written, link them. */
static void link_tables(struct update *op)
{
	struct panthor_pool *pool = &op->pt->pool;
	struct panthor_table *table;

	clean_links(op, true);
	dma_wmb();

	/* Parents first, so that a reservation finds each in the tree, or held. */
	for (table = op->new.first; table; table = table->next) {
		spin_lock(&pool->lock);
		if (!table->fresh)
			WRITE_ONCE(*panthor_table_entry(table), panthor_table_pte(table));
		panthor_pool_install(pool, table);
		table->pins--;
		pool->pins--;
		spin_unlock(&pool->lock);
	}

	clean_links(op, false);
	op->pt->installed += op->new.count;
	op->new = (struct panthor_table_stack){};
}

/*
 * Hold the new tables, which the device has not seen, empty as before. @split: they
 * were to come in the place of a block, which is still there.
 */
static void undo_tables(struct update *op, bool split)
{
	struct panthor_table *table;

	while ((table = panthor_table_pop(&op->new))) {
		/* With the lock: a reservation may be looking for what is below. */
		spin_lock(&op->pt->pool.lock);
		memset(table->entries, 0, PANTHOR_PT_SIZE);
		spin_unlock(&op->pt->pool.lock);
		panthor_pool_clean(&op->pt->pool, table->entries, PANTHOR_PT_ENTRIES);
		table->live = 0;
		if (split)
			op->pt->splits--;
		else if (!table->fresh)
			WRITE_ONCE(table->parent->live, table->parent->live - 1);
		panthor_pool_unpin(&op->pt->pool, &table, 1);
	}
}

/*
 * Unmap.
 *
 * Whole entries are cleared, whatever is below them. An entry that the range covers
 * in part is a table to go down to, or a block to split first. There are two of those
 * at most, at the ends of the range.
 */

/**
 * struct unmap_path - The path of an unmap
 * @tables: by level, from the root on
 * @cleared: entries of each that became invalid, if it is changed
 * @changed: bit mask of the levels at which entries were cleared
 * @split: and of those of tables that are not linked yet
 */
struct unmap_path {
	u64 *tables[PANTHOR_PT_LAST_LEVEL + 1];
	unsigned int cleared[PANTHOR_PT_LAST_LEVEL + 1];
	unsigned int changed, split;
};

/* The pins of an unmap do not keep what it has just emptied: nothing is left to cut. */
static void forget_pins(struct panthor_pool *pool, struct panthor_pgtable_rsv *rsv,
			struct panthor_table *table)
{
	struct panthor_table **tables = rsv_tables(rsv);
	unsigned int i;

	for (i = rsv->count; i--; ) {
		if (tables[i] != table)
			continue;
		tables[i] = tables[--rsv->count];
		table->pins--;
		pool->pins--;
	}
}

/* Take @table, and what is in it, out of the tree if nobody needs it. Returns whether it went. */
static bool detach_table(struct panthor_pgtable *pt, struct panthor_table *table,
			 struct panthor_table_stack *stack)
{
	struct panthor_pool *pool = &pt->pool;
	bool needed;

	spin_lock(&pool->lock);
	needed = table->pins;
	if (!needed) {
		WRITE_ONCE(*panthor_table_entry(table), 0);
		WRITE_ONCE(table->live, 0);
		panthor_pool_detach(pool, table, stack);
	}
	spin_unlock(&pool->lock);
	return !needed;
}

static u64 drop_table(struct update *op, struct panthor_table *table, int level);

/* Clear @count pages. Returns how many were mapped. */
static unsigned int unmap_pages(struct panthor_pgtable *pt, struct panthor_table *table,
				unsigned int index, unsigned int count)
{
	u64 *entry = table->entries + index, *end = entry + count;
	unsigned int holes = 0;

	/* A full table is not looked at. Otherwise in pairs, which counts in the long run. */
	if (table->live < PANTHOR_PT_ENTRIES) {
		for (; entry + 1 < end; entry += 2) {
			if (unlikely(!entry[0]))
				holes++;
			if (unlikely(!entry[1]))
				holes++;
			WRITE_ONCE(entry[0], 0);
			WRITE_ONCE(entry[1], 0);
		}
		if (entry < end)
			holes += !*entry;
	}
	for (; entry < end; entry++)
		WRITE_ONCE(*entry, 0);

	if (holes < count)
		panthor_pool_clean(&pt->pool, end - count, count);
	return count - holes;
}

/*
 * Clear @count entries of @table at @level, and all that is below them. Adds to *@bytes
 * what was mapped. Returns how many entries became invalid.
 */
static unsigned int clear_entries(struct update *op, struct panthor_table *table, int level,
				  unsigned int index, unsigned int count, u64 *bytes)
{
	u64 *entries = table->entries + index;
	unsigned int cleared = 0, blocks = 0, i;

	if (level == PANTHOR_PT_LAST_LEVEL) {
		blocks = unmap_pages(op->pt, table, index, count);
		*bytes += (u64)blocks * SZ_4K;
		return blocks;
	}

	for (i = 0; i < count; i++) {
		u64 pte = entries[i];

		if (!pte)
			continue;
		if (panthor_pte_is_table(pte)) {
			*bytes += drop_table(op, panthor_table_of(pte_to_table(pte)), level + 1);
			cleared += !entries[i];
		} else {
			WRITE_ONCE(entries[i], 0);
			blocks++;
		}
	}

	*bytes += (u64)blocks << PANTHOR_PT_SHIFT(level);
	cleared += blocks;
	if (cleared)
		panthor_pool_clean(&op->pt->pool, entries, count);
	return cleared;
}

/*
 * @cleared entries of @table are invalid now. If that is all, it goes, unless it is
 * needed. Returns whether it went.
 */
static bool shrink_table(struct update *op, struct panthor_table *table, unsigned int cleared)
{
	struct panthor_pool *pool = &op->pt->pool;
	bool went = false;

	if (table->live != cleared) {
		WRITE_ONCE(table->live, table->live - cleared);
		return false;
	}

	spin_lock(&pool->lock);
	WRITE_ONCE(table->live, 0);
	if (op->rsv && op->rsv->unmaps)
		forget_pins(pool, op->rsv, table);
	if (!table->pins && op->undo) {
		/* It was there, and empty, before the map that failed. */
		panthor_table_set_idle(pool, table);
	} else if (!table->pins) {
		WRITE_ONCE(*panthor_table_entry(table), 0);
		panthor_pool_detach(pool, table, &op->pt->gather.clean);
		went = true;
	}
	spin_unlock(&pool->lock);
	return went;
}

/*
 * Unmap all that @table translates. One of the last level goes unread. Returns the
 * bytes that were mapped.
 */
static u64 drop_table(struct update *op, struct panthor_table *table, int level)
{
	u64 bytes = 0;
	unsigned int cleared;

	if (level == PANTHOR_PT_LAST_LEVEL) {
		bytes = (u64)table->live << PANTHOR_PT_SHIFT(level);
		if (!op->undo && detach_table(op->pt, table, &op->pt->gather.dirty))
			return bytes;
		bytes = 0;
	}

	cleared = clear_entries(op, table, level, 0, PANTHOR_PT_ENTRIES, &bytes);
	shrink_table(op, table, cleared);
	return bytes;
}

/* Make a table of smaller leaves that translates as the block behind @iova does, or NULL. */
static noinline u64 *split_block(struct update *op, u64 *entries, int level)
{
	u64 pte = entries[PANTHOR_PT_INDEX(op->iova, level)];
	struct panthor_table *table = new_table(op, entries, level, level + 1);
	u64 leaf = panthor_pte_leaf(panthor_pte_addr(pte), panthor_pte_keep(pte), level + 1);
	unsigned int i;

	if (!table)
		return NULL;
	for (i = 0; i < PANTHOR_PT_ENTRIES; i++)
		WRITE_ONCE(table->entries[i], leaf + i * PANTHOR_PT_SPAN(level + 1));
	table->live = PANTHOR_PT_ENTRIES;

	op->pt->splits++;
	return table->entries;
}

static void note_cleared(struct unmap_path *path, int level, unsigned int count)
{
	if (path->changed & BIT(level))
		count += path->cleared[level];
	path->cleared[level] = count;
	path->changed |= BIT(level);
}

/* Clear all whole entries from here to the end of the table or of the range. Returns bytes. */
static __always_inline u64 clear_run(struct update *op, struct unmap_path *path, int level,
				     u64 *unmapped)
{
	struct panthor_table *table = panthor_table_of(path->tables[level]);
	unsigned int index = PANTHOR_PT_INDEX(op->iova, level);
	unsigned int count, cleared;

	count = min(op->left >> PANTHOR_PT_SHIFT(level), (u64)PANTHOR_PT_ENTRIES - index);
	if (level == PANTHOR_PT_LAST_LEVEL) {
		cleared = unmap_pages(op->pt, table, index, count);
		*unmapped += (u64)cleared * SZ_4K;
	} else {
		cleared = clear_entries(op, table, level, index, count, unmapped);
	}
	note_cleared(path, level, cleared);
	return (u64)count << PANTHOR_PT_SHIFT(level);
}

/* The range, or the table, ends here: put in order what was changed in the table at @level. */
static noinline void leave_table(struct update *op, struct unmap_path *path, int level)
{
	struct panthor_table *table = panthor_table_of(path->tables[level]);
	struct panthor_pool *pool = &op->pt->pool;
	unsigned int cleared = path->changed & BIT(level) ? path->cleared[level] : 0;

	if (path->split & BIT(level)) {
		/* The device goes from the block to what is left of it in one step. */
		table->live -= cleared;
		panthor_pool_clean(pool, table->entries, PANTHOR_PT_ENTRIES);
		if (!(path->split & BIT(level - 1)))
			link_tables(op);
	} else if (shrink_table(op, table, cleared)) {
		panthor_pool_clean(pool, panthor_table_entry(table), 1);
		note_cleared(path, level - 1, 1);
	}
	path->changed &= ~BIT(level);
	path->split &= ~BIT(level);
}

/*
 * The usual unmap: entries of one table, in which others stay valid. Returns false with
 * nothing done if it is another one.
 */
static bool unmap_run(struct panthor_pgtable *pt, u64 iova, u64 size, u64 *unmapped)
{
	const unsigned int count = size >> PANTHOR_PT_SHIFT(PANTHOR_PT_LAST_LEVEL);
	struct panthor_table *table;
	unsigned int cleared;
	u64 *entries;

	if (!find_table(pt, iova, PANTHOR_PT_LAST_LEVEL, &entries))
		return false;
	table = panthor_table_of(entries);
	if (count >= table->live)
		return false;

	cleared = unmap_pages(pt, table, PANTHOR_PT_INDEX(iova, PANTHOR_PT_LAST_LEVEL), count);
	WRITE_ONCE(table->live, table->live - cleared);
	*unmapped = (u64)cleared * SZ_4K;
	return true;
}

/* See unmap_run(): of the level above that of pages, with all that is below. */
static bool unmap_run_of_blocks(struct update *op, u64 *unmapped)
{
	const int level = PANTHOR_PT_LAST_LEVEL - 1;
	const unsigned int count = op->left >> PANTHOR_PT_SHIFT(level);
	struct panthor_pgtable *pt = op->pt;
	unsigned int gathered = panthor_gather_count(&pt->gather), cleared;
	struct panthor_table *table;
	u64 *entries;

	if (!find_table(pt, op->iova, level, &entries))
		return false;
	table = panthor_table_of(entries);
	if (count >= table->live)
		return false;

	cleared = clear_entries(op, table, level, PANTHOR_PT_INDEX(op->iova, level), count,
				unmapped);
	WRITE_ONCE(table->live, table->live - cleared);
	if (panthor_gather_count(&pt->gather) != gathered)
		panthor_gather_note(&pt->gather, op->iova, op->iova + op->left - 1);
	return true;
}

/*
 * Returns the bytes that were mapped, or -ENOMEM with nothing done if there is no table
 * to split the first block that has to be split.
 */
static s64 unmap_range(struct update *op)
{
	struct panthor_pgtable *pt = op->pt;
	const int top = pt->start_level;
	unsigned int gathered = panthor_gather_count(&pt->gather);
	u64 iova = op->iova, last = iova + op->left - 1, unmapped = 0;
	struct unmap_path path;
	int level = top;

	path.tables[top] = pt->root;
	path.changed = 0;
	path.split = 0;
	do {
		u64 bytes;

		level = walk_down(path.tables, op->iova, op->left, level);
		if (level == PANTHOR_PT_LAST_LEVEL) {
			bytes = clear_run(op, &path, PANTHOR_PT_LAST_LEVEL, &unmapped);
		} else if (covers_entry(op->iova, op->left, level)) {
			bytes = clear_run(op, &path, level, &unmapped);
		} else if (!path.tables[level][PANTHOR_PT_INDEX(op->iova, level)]) {
			bytes = table_left(op->iova, op->left, level + 1);
		} else {
			path.tables[level + 1] = split_block(op, path.tables[level], level);
			if (!path.tables[level + 1])
				goto err_undo;
			path.split |= BIT(++level);
			continue;
		}

		op->iova += bytes;
		op->left -= bytes;
		/* Up, out of the tables that end here. */
		for (; level > top && (!op->left || table_ends(op->iova, level)); level--)
			if ((path.changed | path.split) & BIT(level))
				leave_table(op, &path, level);
	} while (op->left);

	if (path.changed) {
		struct panthor_table *root = panthor_table_of(pt->root);

		WRITE_ONCE(root->live, root->live - path.cleared[top]);
	}
	if (panthor_gather_count(&pt->gather) != gathered)
		panthor_gather_note(&pt->gather, iova, last);
	return unmapped;

err_undo:
	undo_tables(op, true);
	return -ENOMEM;
}

/*
 * Map.
 */

/* The attributes for @prot, or 0 if it is not valid. */
static __always_inline u64 leaf_attrs(const struct panthor_pgtable *pt, unsigned int prot)
{
	const struct panthor_walker *walker = to_walker(pt);

	return prot < ARRAY_SIZE(walker->attrs) ? walker->attrs[prot] : 0;
}

/* The table below an entry that leads to none yet, in which the next leaf goes. */
static noinline u64 *map_new_table(struct update *op, struct pa_cursor *pa, u64 *entries,
				   int level)
{
	struct panthor_table *table, *parent;
	int leaf = level + 1;

	if (entries[PANTHOR_PT_INDEX(op->iova, level)])
		return ERR_PTR(-EEXIST);

	while (leaf < PANTHOR_PT_LAST_LEVEL &&
	       !leaf_fits(op->pt, pa, op->iova, op->left, leaf))
		leaf++;
	table = new_table(op, entries, level, leaf);
	if (!table) {
		dev_WARN_ONCE(op->pt->pool.dev, true,
			      "panthor_pgtable: no table reserved for %#llx\n", op->iova);
		return ERR_PTR(-ENOMEM);
	}

	parent = panthor_table_of(entries);
	WRITE_ONCE(parent->live, parent->live + 1);
	return table->entries;
}

/* @count leaves more of @level in the table at @entries; the first of them is at @first. */
static __always_inline void count_leaves(struct panthor_pgtable *pt, u64 *entries, u64 *first,
					 u64 count, int level)
{
	struct panthor_table *table = panthor_table_of(entries);

	WRITE_ONCE(table->live, table->live + count);
	pt->leaves[level] += count;
	panthor_pool_clean(&pt->pool, first, count);
}

static void go_on(struct update *op, u64 *entries, u64 *first, unsigned int count, int level)
{
	count_leaves(op->pt, entries, first, count, level);
	op->iova += (u64)count << PANTHOR_PT_SHIFT(level);
	op->left -= (u64)count << PANTHOR_PT_SHIFT(level);
}

/* Write pages as long as each is an entry of its own. Returns the entry behind the last one. */
static u64 *map_single_pages(const struct panthor_pgtable *pt, struct pa_cursor *pa, u64 bits,
			     u64 *entry, u64 *end)
{
	u64 pa_last = last_page(pt);
	struct scatterlist *sg = pa->sg;
	unsigned int nents = pa->nents;

	while (entry < end && nents && is_single_page(sg, pa_last) && likely(!*entry)) {
		WRITE_ONCE(*entry++, sg_dma_address(sg) | bits);
		if (!--nents)
			break;
		sg = next_entry(sg);
	}

	pa->sg = sg;
	pa->nents = nents;
	return entry;
}

/* Write pages until the table ends, run after run. */
static int map_pages(struct update *op, struct pa_cursor *pa, u64 attrs, u64 *entries)
{
	unsigned int index = PANTHOR_PT_INDEX(op->iova, PANTHOR_PT_LAST_LEVEL);
	u64 room = min(op->left / SZ_4K, (u64)PANTHOR_PT_ENTRIES - index);
	u64 *first = entries + index, *entry = first, *end = first + room, *stop;
	const u64 bits = panthor_pte_leaf(0, attrs, PANTHOR_PT_LAST_LEVEL);
	int err = 0;

	for (;;) {
		u64 pte = pa->paddr | bits, count = pa->len / SZ_4K;

		stop = entry + min(count, (u64)(end - entry));
		for (; entry < stop && likely(!*entry); entry++, pte += SZ_4K)
			WRITE_ONCE(*entry, pte);
		pa->len -= pte - (pa->paddr | bits);
		pa->paddr = pte - bits;
		if (unlikely(entry < stop)) {
			err = -EEXIST;
			break;
		}
		/* A run that was joined for a block may end within a page. */
		if (unlikely(entry < end && pa->len)) {
			err = -EINVAL;
			break;
		}

		if (entry < end)
			entry = map_single_pages(op->pt, pa, bits, entry, end);
		if (entry == end)
			break;

		room = (u64)(entry - first) * SZ_4K;
		err = panthor_pa_next(op->pt, pa, op->iova + room, op->left - room);
		if (err)
			break;
	}

	if (entry != first)
		go_on(op, entries, first, entry - first, PANTHOR_PT_LAST_LEVEL);
	return err;
}

/* Write blocks until the table ends, or a run that does not fit one comes. */
static int map_blocks(struct update *op, struct pa_cursor *pa, u64 attrs, u64 *entries, int level)
{
	const unsigned int index = PANTHOR_PT_INDEX(op->iova, level);
	const unsigned int shift = PANTHOR_PT_SHIFT(level);
	u64 *first = entries + index, *entry = first, *stop;
	u64 *end = first + min(op->left >> shift, (u64)PANTHOR_PT_ENTRIES - index);
	u64 span = 1ull << shift, done;
	int err = 0;

	do {
		u64 pte = panthor_pte_leaf(pa->paddr, attrs, level);

		stop = entry + min(pa->len >> shift, (u64)(end - entry));
		done = (u64)(stop - entry) << shift;
		for (; entry < stop && likely(!*entry); entry++, pte += span)
			WRITE_ONCE(*entry, pte);
		done -= (u64)(stop - entry) << shift;
		pa->paddr += done;
		pa->len -= done;

		/* A table is in the way, but may be empty: then it is filled. */
		if (entry < stop && !panthor_pte_is_table(*entry))
			err = -EEXIST;
		if (entry < stop || entry == end)
			break;

		done = (u64)(entry - first) << shift;
		if (!pa->len)
			err = panthor_pa_next(op->pt, pa, op->iova + done, op->left - done);
	} while (!err && leaf_fits(op->pt, pa, op->iova + done, op->left - done, level));

	if (entry != first)
		go_on(op, entries, first, entry - first, level);
	return err;
}

/*
 * Write the leaves of one table, or as many blocks as follow. Where there is a table, there
 * is no block: it is empty, if one would fit there, but other reservations need it.
 */
static __always_inline int map_some(struct update *op, struct pa_cursor *pa, u64 attrs,
				    u64 **path, int *level)
{
	int l = walk_down(path, op->iova, 0, *level);

	for (; l < PANTHOR_PT_LAST_LEVEL; l++) {
		if (leaf_fits(op->pt, pa, op->iova, op->left, l)) {
			*level = l;
			return map_blocks(op, pa, attrs, path[l], l);
		}
		path[l + 1] = map_new_table(op, pa, path[l], l);
		if (IS_ERR(path[l + 1]))
			return PTR_ERR(path[l + 1]);
	}

	*level = l;
	return map_pages(op, pa, attrs, path[l]);
}

/* The tree is as it was: everything up to the failure was empty before. */
static void undo_map(struct update *op, u64 iova)
{
	u64 end = op->iova;

	undo_tables(op, false);
	if (end == iova)
		return;
	op->undo = true;
	op->iova = iova;
	op->left = end - iova;
	unmap_range(op);
}

static int map_range(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
		     struct pa_cursor *pa, u64 iova, u64 size, int prot)
{
	int err = check_range(iova, size, pt->va_bits) ?: panthor_pa_check(pt, pa);
	u64 *path[PANTHOR_PT_LAST_LEVEL + 1];
	u64 attrs = leaf_attrs(pt, prot);
	int level = pt->start_level;
	struct update op;

	if (err)
		return err;
	if (!attrs)
		return -EINVAL;

	begin_update(&op, pt, rsv, iova, size);
	path[level] = pt->root;
	for (;;) {
		if (!pa->len)
			err = panthor_pa_next(pt, pa, op.iova, op.left);
		if (!err)
			err = map_some(&op, pa, attrs, path, &level);
		if (err || !op.left)
			break;
		/* Up, out of the tables that end here. */
		while (level > pt->start_level && table_ends(op.iova, level))
			level--;
	}

	if (unlikely(err))
		undo_map(&op, iova);
	else if (op.new.first)
		link_tables(&op);

	/* The caller may tell the device about the range as soon as we return. */
	wmb();

	return err;
}

/* See map_run(): compiled for each level. */
static __always_inline bool map_run_level(struct panthor_pgtable *pt, u64 iova, u64 paddr,
					  u64 size, u64 attrs, int level)
{
	u64 count = size >> PANTHOR_PT_SHIFT(level), i = 0;
	u64 *entries, *first, pte;

	if (!find_table(pt, iova, level, &entries))
		return false;
	first = entries + PANTHOR_PT_INDEX(iova, level);
	pte = panthor_pte_leaf(paddr, attrs, level);
	for (;;) {
		if (unlikely(first[i]))
			goto undo;
		WRITE_ONCE(first[i], pte);
		if (++i == count)
			break;
		pte += PANTHOR_PT_SPAN(level);
	}

	count_leaves(pt, entries, first, count, level);
	/* The caller may tell the device about the range as soon as we return. */
	wmb();
	return true;

undo:
	while (i--)
		WRITE_ONCE(first[i], 0);
	return false;
}

/*
 * The usual map: one run of memory, into entries of one table, which is there. Returns
 * false with nothing done if it is another one, or wrong.
 */
static __always_inline bool map_run(struct panthor_pgtable *pt, u64 iova, u64 paddr, u64 size,
				    int prot)
{
	u64 attrs = leaf_attrs(pt, prot);

	if (!attrs || !run_in_reach(pt, iova, paddr, size))
		return false;

	switch (run_level(iova, paddr, size, to_walker(pt)->no_block)) {
	case PANTHOR_PT_LAST_LEVEL:
		return map_run_level(pt, iova, paddr, size, attrs, PANTHOR_PT_LAST_LEVEL);
	case PANTHOR_PT_LAST_LEVEL - 1:
		return map_run_level(pt, iova, paddr, size, attrs, PANTHOR_PT_LAST_LEVEL - 1);
	default:
		return false;
	}
}

/*
 * Lookups.
 */

/* Level of the leaf behind @iova; that of a page if nothing is mapped there. */
static int leaf_level(const struct panthor_pgtable *pt, u64 iova)
{
	const u64 *entries = pt->root;
	int level;

	for (level = pt->start_level; level < PANTHOR_PT_LAST_LEVEL; level++) {
		u64 pte = entries[PANTHOR_PT_INDEX(iova, level)];

		if (!pte)
			break;
		if (!panthor_pte_is_table(pte))
			return level;
		entries = pte_to_table(pte);
	}

	return PANTHOR_PT_LAST_LEVEL;
}

/* Does a pin of @table keep @held, which is held, too? */
static bool needs_held(const struct panthor_table *table, const struct panthor_table *held)
{
	while (table != held && !table->in_tree)
		table = table->parent;
	return table == held;
}

/*
 * Can the block that ends behind @end be cut there, if there is one? With a table of
 * @rsv: one that is held for somebody else may go at any time.
 */
static bool can_cut(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv, u64 end)
{
	int level = cut_level(pt, end), block;
	struct panthor_pool *pool = &pt->pool;
	struct panthor_table *held;
	bool found = false;
	unsigned int i;

	if (!level)
		return true;
	block = leaf_level(pt, end - 1);
	if (block == PANTHOR_PT_LAST_LEVEL || !(end & (PANTHOR_PT_SPAN(block) - 1)))
		return true;

	spin_lock(&pool->lock);
	held = panthor_pool_find(pool, panthor_slot(end - 1, level));
	for (i = 0; held && rsv && i < rsv->count && !found; i++)
		found = needs_held(rsv_tables(rsv)[i], held);
	spin_unlock(&pool->lock);
	return found;
}

/*
 * A table that is empty and not needed any more: one behind a byte of the range, which
 * is flushed anyway, or any other one if there are many.
 */
static struct panthor_table *next_idle(struct panthor_pool *pool, u64 first, u64 last, u64 *byte)
{
	struct panthor_table *table, *found = NULL;

	spin_lock(&pool->lock);
	list_for_each_entry(table, &pool->idle, idle) {
		u64 slot = panthor_slot_iova(table->slot);
		u64 span = PANTHOR_PT_SPAN(panthor_slot_level(table->slot) - 1);

		if (slot > last || (first > slot && first - slot >= span)) {
			if (pool->idle_count <= PANTHOR_POOL_IDLE)
				continue;
			*byte = slot;
		} else {
			*byte = max(first, slot);
		}
		found = table;
		panthor_table_set_busy(pool, table);
		break;
	}
	spin_unlock(&pool->lock);
	return found;
}

/* Take such tables, and those above them that get empty, out of the tree. */
static void collect_idle(struct panthor_pgtable *pt, u64 first, u64 last)
{
	struct panthor_pool *pool = &pt->pool;
	struct panthor_table *table;
	u64 byte;

	/* A race is no harm: what comes now has time until the next flush. */
	while (data_race(pool->idle_count) && (table = next_idle(pool, first, last, &byte))) {
		while (!table->live && table->parent &&
		       detach_table(pt, table, &pt->gather.clean)) {
			/* Any byte does: its walk goes through all of them. */
			panthor_gather_note(&pt->gather, byte, byte);
			panthor_pool_clean(pool, panthor_table_entry(table), 1);
			table = table->parent;
			WRITE_ONCE(table->live, table->live - 1);
		}
	}
}

/*
 * The API. Contracts: see panthor_pgtable.h.
 */

struct panthor_pgtable *panthor_pgtable_create(const struct panthor_pgtable_cfg *cfg)
{
	struct panthor_walker *walker = kzalloc(sizeof(*walker), GFP_KERNEL);
	struct panthor_pgtable *pt;
	int err, prot;

	if (!walker)
		return ERR_PTR(-ENOMEM);
	pt = &walker->pt;
	err = panthor_tree_init(pt, cfg);
	if (err)
		goto err_free;

	walker->no_iova = ~GENMASK_ULL(pt->va_bits - 1, 12);
	walker->no_paddr = ~GENMASK_ULL(pt->pa_bits - 1, 12);
	walker->no_block = pt->pgsize_bitmap & SZ_2M ? SZ_2M - 1 : ~0ull;
	for (prot = 0; prot < ARRAY_SIZE(walker->attrs); prot++)
		if (prot & (IOMMU_READ | IOMMU_WRITE))
			walker->attrs[prot] = panthor_pte_attrs(prot);

	err = panthor_pool_fill(&pt->pool);
	if (err)
		goto err_fini;

	pt->root = panthor_pool_root(&pt->pool, panthor_slot(0, pt->start_level))->entries;
	pt->installed = 1;
	return pt;

err_fini:
	panthor_pool_fini(&pt->pool);
err_free:
	kfree(walker);
	return ERR_PTR(err);
}

void panthor_pgtable_destroy(struct panthor_pgtable *pt)
{
	struct panthor_table *root = panthor_table_of(pt->root);
	struct update op = { .pt = pt };
	u64 bytes = 0;

	clear_entries(&op, root, pt->start_level, 0, PANTHOR_PT_ENTRIES, &bytes);
	/* The root is lost with what is pinned below it. */
	spin_lock(&pt->pool.lock);
	if (root->pins == 1)
		panthor_pool_detach(&pt->pool, root, &pt->gather.dirty);
	spin_unlock(&pt->pool.lock);
	panthor_pool_release(&pt->pool, &pt->gather);
	if (panthor_pool_fini(&pt->pool))
		kfree(to_walker(pt));
}

u64 panthor_pgtable_mair(const struct panthor_pgtable *pt)
{
	return PANTHOR_MAIR;
}

int panthor_pgtable_map(struct panthor_pgtable *pt,
			struct panthor_pgtable_rsv *rsv,
			u64 iova, u64 paddr, u64 size, int prot)
{
	struct pa_cursor pa = { .paddr = paddr, .len = size };

	if (size && map_run(pt, iova, paddr, size, prot))
		return 0;
	return map_range(pt, rsv, &pa, iova, size, prot);
}

static noinline int map_list(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
			     u64 iova, const struct sg_table *sgt, u64 offset, u64 size,
			     int prot)
{
	struct pa_cursor pa = {
		.sg = sgt->sgl, .nents = sgt->nents, .skip = offset,
	};

	return map_range(pt, rsv, &pa, iova, size, prot);
}

int panthor_pgtable_map_sgt(struct panthor_pgtable *pt,
			    struct panthor_pgtable_rsv *rsv, u64 iova,
			    const struct sg_table *sgt, u64 offset, u64 size,
			    int prot)
{
	if (run_in_first(sgt, offset, size) &&
	    map_run(pt, iova, sg_dma_address(sgt->sgl) + offset, size, prot))
		return 0;
	return map_list(pt, rsv, iova, sgt, offset, size, prot);
}

int panthor_pgtable_map_repeat(struct panthor_pgtable *pt,
			       struct panthor_pgtable_rsv *rsv, u64 iova,
			       u64 paddr, u64 period, u64 size, int prot)
{
	struct pa_cursor pa = { .base = paddr, .period = period };

	if (!period)
		return -EINVAL;

	return map_range(pt, rsv, &pa, iova, size, prot);
}

static noinline s64 unmap_checked(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
				  u64 iova, u64 size, int level)
{
	u64 last, unmapped = 0;
	struct update op;
	s64 ret;

	begin_update(&op, pt, rsv, iova, size);
	if (level == PANTHOR_PT_LAST_LEVEL - 1 && unmap_run_of_blocks(&op, &unmapped))
		return unmapped;

	/* What is split first is not there yet if it fails, what is split last had better be. */
	last = panthor_slot_iova(panthor_slot(iova + size - 1, PANTHOR_PT_LAST_LEVEL));
	ret = last <= iova || can_cut(pt, rsv, iova + size) ? unmap_range(&op) : -ENOMEM;
	dev_WARN_ONCE(pt->pool.dev, ret == -ENOMEM,
		      "panthor_pgtable: no table reserved to unmap %#llx\n", iova);
	return ret;
}

s64 panthor_pgtable_unmap(struct panthor_pgtable *pt,
			  struct panthor_pgtable_rsv *rsv, u64 iova, u64 size)
{
	int err = check_range(iova, size, pt->va_bits), level;
	u64 unmapped;

	if (err)
		return err;

	level = run_level(iova, 0, size, SZ_2M - 1);
	if (level == PANTHOR_PT_LAST_LEVEL && unmap_run(pt, iova, size, &unmapped))
		return unmapped;
	return unmap_checked(pt, rsv, iova, size, level);
}

void panthor_pgtable_expand(struct panthor_pgtable *pt, u64 *iova, u64 *size)
{
	u64 first = *iova, last = *iova + *size - 1;

	if (check_range(*iova, *size, pt->va_bits))
		return;

	first &= ~(PANTHOR_PT_SPAN(leaf_level(pt, first)) - 1);
	last |= PANTHOR_PT_SPAN(leaf_level(pt, last)) - 1;
	*iova = first;
	*size = last - first + 1;
}

void panthor_pgtable_flush_range(struct panthor_pgtable *pt, u64 *iova, u64 *size)
{
	collect_idle(pt, *iova, *iova + *size - 1);
	panthor_gather_widen(&pt->gather, iova, size);
}
