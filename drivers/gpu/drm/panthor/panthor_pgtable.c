// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The walker: maps, unmaps and looks up in the tree of one VM. Tables come out
 * of reservations and go to the gather; nothing is allocated or freed here.
 */

#include <linux/dev_printk.h>
#include <linux/iommu.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "panthor_pgtable.h"
#include "panthor_pgtable_fmt.h"
#include "panthor_pgtable_pool.h"

struct panthor_pgtable {
	u64 *root;
	u64 pgsize_bitmap;
	u8 start_level;
	u8 va_bits;
	u8 pa_bits;

	/* Counts the times that tables may have got a new meaning. */
	unsigned int generation;

	struct panthor_gather gather;
	struct panthor_pool pool;

	u64 installed;
	u64 splits;
	u64 leaves[PANTHOR_PT_LAST_LEVEL + 1];
};

/* Physical memory in the order in which it is mapped, one contiguous run at a time. */
struct pa_cursor {
	/* What is left of the current run. */
	u64 paddr;
	u64 len;

	/* Where the next run comes from: a scatter list ... */
	struct scatterlist *sg;
	unsigned int nents;
	u64 skip;

	/* ... or a range that repeats, if period is not 0. */
	u64 base;
	u64 period;
};

struct map_op {
	/* Input. */
	struct panthor_pgtable *pt;
	struct panthor_table_stack *tables;
	struct pa_cursor *pa;
	u64 attrs;

	/* Progress. */
	u64 iova;
	u64 left;

	/* Subtrees that are ready, but that the tree does not point at yet. */
	struct panthor_table *unlinked;
};

struct unmap_op {
	/* Input. */
	struct panthor_pgtable *pt;
	struct panthor_table_stack *tables;

	/* Progress. */
	u64 iova;
	u64 left;

	/* Result. */
	u64 unmapped;
};

static u64 *pte_to_table(u64 pte)
{
	return phys_to_virt(panthor_pte_addr(pte));
}

static int check_range(u64 addr, u64 size, unsigned int bits)
{
	u64 last = addr + size - 1;

	if (!size || !IS_ALIGNED(addr | size, SZ_4K))
		return -EINVAL;

	if (last < addr || last >> bits)
		return -ERANGE;

	return 0;
}

static int check_map(const struct panthor_pgtable *pt, const struct pa_cursor *pa,
		     u64 iova, u64 size)
{
	int err = check_range(iova, size, pt->va_bits);

	if (!err && pa->period)
		err = pa->period & (pa->period - 1) ? -EINVAL :
		      check_range(pa->base, pa->period, pt->pa_bits);
	else if (!err && pa->len)
		err = check_range(pa->paddr, pa->len, pt->pa_bits);

	if (!err && !IS_ALIGNED(pa->skip, SZ_4K))
		err = -EINVAL;

	return err;
}

static int cursor_next_sg(struct pa_cursor *pa, u64 left)
{
	do {
		if (!pa->nents)
			return -EINVAL;

		pa->paddr = sg_dma_address(pa->sg);
		pa->len = sg_dma_len(pa->sg);
		pa->nents--;
		pa->sg = sg_next(pa->sg);

		if (pa->len <= pa->skip) {
			pa->skip -= pa->len;
			pa->len = 0;
		}
	} while (!pa->len);

	pa->paddr += pa->skip;
	pa->len -= pa->skip;
	pa->skip = 0;

	/* A block may span entries, and empty ones do not end it. */
	while (pa->len < left && pa->nents &&
	       (!sg_dma_len(pa->sg) || sg_dma_address(pa->sg) == pa->paddr + pa->len)) {
		pa->len += sg_dma_len(pa->sg);
		pa->nents--;
		pa->sg = sg_next(pa->sg);
	}

	return 0;
}

/* Load the run behind @iova, @left bytes at most. */
static int cursor_next(const struct panthor_pgtable *pt, struct pa_cursor *pa,
		       u64 iova, u64 left)
{
	int err;

	if (pa->period) {
		u64 offset = iova & (pa->period - 1);

		pa->paddr = pa->base + offset;
		pa->len = pa->period - offset;
	} else {
		err = cursor_next_sg(pa, left);
		if (err)
			return err;
	}

	pa->len = min(pa->len, left);
	return check_range(pa->paddr, pa->len, pt->pa_bits);
}

static bool leaf_allowed(const struct panthor_pgtable *pt, int level)
{
	return pt->pgsize_bitmap & PANTHOR_PT_SPAN(level);
}

static bool leaf_fits(const struct panthor_pgtable *pt, const struct pa_cursor *pa,
		      u64 iova, int level)
{
	u64 span = PANTHOR_PT_SPAN(level);

	return pa->len >= span && !((iova | pa->paddr) & (span - 1)) &&
	       leaf_allowed(pt, level);
}

/* The caller has checked that there is one. */
static struct panthor_table *take_table(struct panthor_pgtable *pt,
					struct panthor_table_stack *tables)
{
	struct panthor_table *table = panthor_table_pop(tables);

	if (IS_ENABLED(CONFIG_DRM_PANTHOR_PGTABLE_DEBUG))
		WARN(memchr_inv(table->entries, 0, PANTHOR_PT_SIZE),
		     "panthor_pgtable: table is not zeroed\n");
	pt->installed++;
	return table;
}

/*
 * Unmap.
 *
 * Whole entries are cleared, whatever is below them. An entry that the range
 * covers in part is a table to descend into, or a block to split first. There
 * are two of those at most, at the ends of the range.
 */

static void unmap_table(struct unmap_op *op, u64 *entries, int level);

/*
 * Gather a table, and all below it, that nothing points at any more. Returns the
 * bytes that were mapped. A last-level table is not read for that.
 */
static u64 drop_table(struct panthor_pgtable *pt, u64 *entries, int level)
{
	struct panthor_table *table = panthor_table_of(entries);
	u64 unmapped = 0;
	unsigned int i;

	if (level == PANTHOR_PT_LAST_LEVEL) {
		unmapped = (u64)table->live << PANTHOR_PT_SHIFT(level);
	} else {
		for (i = 0; i < PANTHOR_PT_ENTRIES; i++) {
			if (!entries[i])
				continue;
			if (panthor_pte_is_table(entries[i]))
				unmapped += drop_table(pt, pte_to_table(entries[i]), level + 1);
			else
				unmapped += PANTHOR_PT_SPAN(level);
		}
	}

	table->live = 0;
	panthor_table_push(&pt->gather.dirty, table);
	return unmapped;
}

/* Make a table of smaller leaves that translates as the block @pte at @level does. */
static struct panthor_table *split_block(struct unmap_op *op, u64 pte, int level)
{
	struct panthor_table *table = take_table(op->pt, op->tables);
	u64 leaf = panthor_pte_leaf(panthor_pte_addr(pte), pte, level + 1);
	unsigned int i;

	for (i = 0; i < PANTHOR_PT_ENTRIES; i++)
		table->entries[i] = leaf + i * PANTHOR_PT_SPAN(level + 1);
	table->live = PANTHOR_PT_ENTRIES;

	op->pt->splits++;
	return table;
}

/* Unmap a part of what @entry covers. Returns whether it became empty. */
static bool unmap_part(struct unmap_op *op, u64 *entry, int level)
{
	struct panthor_pgtable *pt = op->pt;
	struct panthor_table *table;

	if (panthor_pte_is_table(*entry)) {
		unmap_table(op, pte_to_table(*entry), level + 1);

		table = panthor_table_of(pte_to_table(*entry));
		if (table->live)
			return false;

		WRITE_ONCE(*entry, 0);
		panthor_table_push(&pt->gather.clean, table);
		return true;
	}

	table = split_block(op, *entry, level);
	unmap_table(op, table->entries, level + 1);

	/* The device goes from the block to what is left of it in one step. */
	panthor_pool_clean(&pt->pool, table->entries, PANTHOR_PT_ENTRIES);
	dma_wmb();
	WRITE_ONCE(*entry, panthor_pte_table(panthor_table_paddr(table)));
	panthor_pool_clean(&pt->pool, entry, 1);
	return false;
}

static void unmap_table(struct unmap_op *op, u64 *entries, int level)
{
	unsigned int first = PANTHOR_PT_INDEX(op->iova, level), index = first;
	u64 span = PANTHOR_PT_SPAN(level);
	unsigned int cleared = 0;

	for (; op->left && index < PANTHOR_PT_ENTRIES; index++) {
		u64 part = min(op->left, span - (op->iova & (span - 1)));
		u64 pte = entries[index];

		if (level < PANTHOR_PT_LAST_LEVEL && pte && part < span) {
			cleared += unmap_part(op, &entries[index], level);
			continue;
		}

		if (pte) {
			WRITE_ONCE(entries[index], 0);
			cleared++;
			if (level < PANTHOR_PT_LAST_LEVEL && panthor_pte_is_table(pte))
				op->unmapped += drop_table(op->pt, pte_to_table(pte), level + 1);
			else
				op->unmapped += span;
		}
		op->iova += part;
		op->left -= part;
	}

	if (cleared) {
		panthor_table_of(entries)->live -= cleared;
		panthor_pool_clean(&op->pt->pool, &entries[first], index - first);
	}
}

static s64 unmap_range(struct panthor_pgtable *pt, struct panthor_table_stack *tables,
		       u64 iova, u64 size)
{
	struct panthor_gather *gather = &pt->gather;
	unsigned int gathered = panthor_gather_count(gather);
	unsigned int reserved = tables->count;
	struct unmap_op op = {
		.pt = pt,
		.tables = tables,
		.iova = iova,
		.left = size,
	};
	unsigned int count;

	unmap_table(&op, pt->root, pt->start_level);

	count = panthor_gather_count(gather);
	panthor_pool_note(&pt->pool, reserved - tables->count, count - gathered);
	if (count != gathered) {
		gather->first = gathered ? min(gather->first, iova) : iova;
		gather->last = gathered ? max(gather->last, iova + size - 1) : iova + size - 1;
	}

	return op.unmapped;
}

/*
 * Map.
 *
 * Each table of the range is visited once: the cursor stays in it from one run
 * of physical memory to the next. map_level() is compiled once for each level,
 * so that shifts are immediate, and the last level is a loop over entries.
 */

static int map_table(struct map_op *op, u64 *entries, int level, bool fresh);

/* Make a subtree under an empty entry. @fresh: the device cannot see @entry yet. */
static __always_inline int map_subtree(struct map_op *op, u64 *entry, int level, bool fresh)
{
	struct panthor_pgtable *pt = op->pt;
	struct panthor_table *table;
	unsigned int leaf_level = level + 1;
	int err;

	/* All tables down to the first leaf, or none: no table is left empty. */
	while (leaf_level < PANTHOR_PT_LAST_LEVEL &&
	       !leaf_fits(pt, op->pa, op->iova, leaf_level))
		leaf_level++;
	if (op->tables->count < leaf_level - level) {
		dev_WARN_ONCE(pt->pool.dev, true,
			      "panthor_pgtable: no table reserved for %#llx\n", op->iova);
		return -ENOMEM;
	}

	table = take_table(pt, op->tables);
	err = map_table(op, table->entries, level + 1, true);

	panthor_table_of(entry)->live++;
	if (fresh) {
		*entry = panthor_pte_table(panthor_table_paddr(table));
	} else {
		table->slot = entry;
		table->next = op->unlinked;
		op->unlinked = table;
	}

	return err;
}

/* Write leaves until the run, or the table, or the room ends. */
static __always_inline int map_leaves(struct map_op *op, u64 *entries, unsigned int *index,
				      int level)
{
	u64 pte = panthor_pte_leaf(op->pa->paddr, op->attrs, level);
	unsigned int count, i;
	u64 bytes;

	count = min_t(u64, op->pa->len >> PANTHOR_PT_SHIFT(level),
		      PANTHOR_PT_ENTRIES - *index);
	entries += *index;

	for (i = 0; i < count && !entries[i]; i++) {
		WRITE_ONCE(entries[i], pte);
		pte += PANTHOR_PT_SPAN(level);
	}

	bytes = (u64)i << PANTHOR_PT_SHIFT(level);
	op->pa->paddr += bytes;
	op->pa->len -= bytes;
	op->iova += bytes;
	op->left -= bytes;
	*index += i;

	return i < count ? -EEXIST : 0;
}

static __always_inline int map_level(struct map_op *op, u64 *entries, int level, bool fresh)
{
	unsigned int first = PANTHOR_PT_INDEX(op->iova, level), index = first;
	unsigned int leaves = 0;
	int err;

	do {
		unsigned int start = index;

		if (!op->pa->len) {
			err = cursor_next(op->pt, op->pa, op->iova, op->left);
			if (err)
				break;
		}

		if (level == PANTHOR_PT_LAST_LEVEL ||
		    (level && leaf_fits(op->pt, op->pa, op->iova, level))) {
			err = map_leaves(op, entries, &index, level);
			leaves += index - start;
			continue;
		}

		if (!entries[index])
			err = map_subtree(op, &entries[index], level, fresh);
		else if (level < PANTHOR_PT_LAST_LEVEL && panthor_pte_is_table(entries[index]))
			err = map_table(op, pte_to_table(entries[index]), level + 1, false);
		else
			err = -EEXIST;
		index++;
	} while (!err && op->left && index < PANTHOR_PT_ENTRIES);

	if (leaves) {
		panthor_table_of(entries)->live += leaves;
		op->pt->leaves[level] += leaves;
	}
	if (leaves || fresh)
		panthor_pool_clean(&op->pt->pool, &entries[first], index - first);

	return err;
}

/* @fresh: the device cannot see the table yet. */
static int map_table(struct map_op *op, u64 *entries, int level, bool fresh)
{
	switch (level) {
	case 0:
		return map_level(op, entries, 0, fresh);
	case 1:
		return map_level(op, entries, 1, fresh);
	case 2:
		return map_level(op, entries, 2, fresh);
	default:
		return map_level(op, entries, 3, fresh);
	}
}

/* Let the device see the new subtrees: their content is written, link them. */
static void link_subtrees(struct map_op *op)
{
	struct panthor_table *table = op->unlinked;
	unsigned int neighbours = 0;

	if (!table)
		return;

	dma_wmb();
	for (; table; table = table->next) {
		WRITE_ONCE(*table->slot, panthor_pte_table(panthor_table_paddr(table)));
		neighbours++;

		/* Later ones are in front, mostly: clean entries that touch together. */
		if (table->next && table->next->slot + 1 == table->slot &&
		    !IS_ALIGNED((unsigned long)table->slot, PANTHOR_PT_SIZE))
			continue;
		panthor_pool_clean(&op->pt->pool, table->slot, neighbours);
		neighbours = 0;
	}
}

static int map_range(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
		     struct pa_cursor *pa, u64 iova, u64 size, int prot)
{
	struct map_op op = {
		.pt = pt,
		.tables = &rsv->tables,
		.pa = pa,
		.attrs = panthor_pte_attrs(prot),
		.iova = iova,
		.left = size,
	};
	unsigned int reserved = rsv->tables.count;
	int err = check_map(pt, pa, iova, size);

	if (err)
		return err;
	if (!(prot & (IOMMU_READ | IOMMU_WRITE)) || (prot & ~PANTHOR_PROT_MASK))
		return -EINVAL;

	err = map_table(&op, pt->root, pt->start_level, false);
	link_subtrees(&op);

	panthor_pool_note(&pt->pool, reserved - rsv->tables.count, 0);

	/* Everything up to the failure was empty before. */
	if (err && op.iova != iova)
		unmap_range(pt, &rsv->tables, iova, op.iova - iova);

	/* The caller may tell the device about the range as soon as we return. */
	wmb();

	return err;
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

/*
 * Tables that it takes to cut the leaves of @head_level and @tail_level in which
 * a range starts and ends.
 */
static unsigned int split_count(u64 iova, u64 size, int head_level, int tail_level)
{
	u64 end = iova + size;
	unsigned int count = 0;
	int level;

	for (level = 1; level < PANTHOR_PT_LAST_LEVEL; level++) {
		u64 mask = PANTHOR_PT_SPAN(level) - 1;
		bool head = level >= head_level && (iova & mask);
		bool tail = level >= tail_level && (end & mask);

		count += head + tail;
		if (head && tail && (iova & ~mask) == (end & ~mask))
			count--;
	}

	return count;
}

/* The same if the largest blocks there are were everywhere. */
static unsigned int split_count_max(const struct panthor_pgtable *pt, u64 iova, u64 size)
{
	int level = 1;

	while (level < PANTHOR_PT_LAST_LEVEL && !leaf_allowed(pt, level))
		level++;

	return split_count(iova, size, level, level);
}

/*
 * Tables that a map of what is behind @pa takes if the tree is empty: one for
 * each slot of the range, but for those that whole blocks cover.
 */
static int count_map_tables(const struct panthor_pgtable *pt, struct pa_cursor *pa,
			    u64 iova, u64 size, unsigned long *count)
{
	u64 last = iova + size - 1;
	u64 left = size;
	int level, err;

	*count = 0;
	for (level = pt->start_level; level < PANTHOR_PT_LAST_LEVEL; level++)
		*count += (last >> PANTHOR_PT_SHIFT(level)) - (iova >> PANTHOR_PT_SHIFT(level)) + 1;

	while (left) {
		u64 run;

		if (!pa->len) {
			err = cursor_next(pt, pa, iova, left);
			if (err)
				return err;
		}
		run = pa->len;

		for (level = 1; level < PANTHOR_PT_LAST_LEVEL; level++) {
			u64 mask = PANTHOR_PT_SPAN(level) - 1;
			u64 start = (iova + mask) & ~mask;
			u64 end = (iova + run) & ~mask;

			if (!leaf_allowed(pt, level) || ((iova ^ pa->paddr) & mask) || end <= start)
				continue;

			/* A block of 1 GiB counts again at level 2, for the tables below. */
			*count -= (end - start) >> PANTHOR_PT_SHIFT(level);
		}

		/* A short period has no blocks: one look at it is enough. */
		if (pa->period && pa->period < SZ_2M)
			break;

		pa->len = 0;
		iova += run;
		left -= run;
	}

	return 0;
}

static int reserve_map(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
		       struct pa_cursor *pa, u64 iova, u64 size)
{
	unsigned long count;
	int err;

	err = check_map(pt, pa, iova, size) ?: count_map_tables(pt, pa, iova, size, &count);

	return err ?: panthor_pool_reserve(&pt->pool, &rsv->tables, count);
}

/*
 * The API. Contracts: see panthor_pgtable.h.
 */

struct panthor_pgtable *panthor_pgtable_create(const struct panthor_pgtable_cfg *cfg)
{
	struct panthor_table_stack root = {};
	struct panthor_pgtable *pt;
	int err;

	if (!cfg->dev ||
	    cfg->va_bits < 25 || cfg->va_bits > 48 ||
	    cfg->pa_bits < 32 || cfg->pa_bits > 48 ||
	    (cfg->pgsize_bitmap != SZ_4K && cfg->pgsize_bitmap != (SZ_4K | SZ_2M) &&
	     cfg->pgsize_bitmap != (SZ_4K | SZ_2M | SZ_1G)))
		return ERR_PTR(-EINVAL);

	pt = kzalloc(sizeof(*pt), GFP_KERNEL);
	if (!pt)
		return ERR_PTR(-ENOMEM);

	pt->start_level = PANTHOR_PT_START_LEVEL(cfg->va_bits);
	pt->va_bits = cfg->va_bits;
	pt->pa_bits = cfg->pa_bits;
	pt->pgsize_bitmap = cfg->pgsize_bitmap;
	if (pt->start_level > 1)
		pt->pgsize_bitmap &= ~(u64)SZ_1G;
	panthor_pool_init(&pt->pool, cfg);

	err = panthor_pool_reserve(&pt->pool, &root, 1);
	if (err) {
		panthor_pool_fini(&pt->pool);
		kfree(pt);
		return ERR_PTR(err);
	}

	pt->root = take_table(pt, &root)->entries;
	panthor_pool_note(&pt->pool, 1, 0);
	return pt;
}

void panthor_pgtable_destroy(struct panthor_pgtable *pt)
{
	unsigned int gathered = panthor_gather_count(&pt->gather);

	drop_table(pt, pt->root, pt->start_level);
	panthor_pool_note(&pt->pool, 0, panthor_gather_count(&pt->gather) - gathered);
	panthor_pool_release(&pt->pool, &pt->gather);
	if (panthor_pool_fini(&pt->pool))
		kfree(pt);
}

u64 panthor_pgtable_ttbr(const struct panthor_pgtable *pt)
{
	return virt_to_phys(pt->root);
}

u64 panthor_pgtable_mair(const struct panthor_pgtable *pt)
{
	return PANTHOR_MAIR;
}

int panthor_pgtable_reserve_map(struct panthor_pgtable *pt,
				struct panthor_pgtable_rsv *rsv,
				u64 iova, u64 paddr, u64 size)
{
	struct pa_cursor pa = { .paddr = paddr, .len = size };

	return reserve_map(pt, rsv, &pa, iova, size);
}

int panthor_pgtable_reserve_map_sgt(struct panthor_pgtable *pt,
				    struct panthor_pgtable_rsv *rsv, u64 iova,
				    const struct sg_table *sgt, u64 offset,
				    u64 size)
{
	struct pa_cursor pa = {
		.sg = sgt->sgl, .nents = sgt->nents, .skip = offset,
	};

	return reserve_map(pt, rsv, &pa, iova, size);
}

int panthor_pgtable_reserve_map_repeat(struct panthor_pgtable *pt,
				       struct panthor_pgtable_rsv *rsv,
				       u64 iova, u64 paddr, u64 period,
				       u64 size)
{
	struct pa_cursor pa = { .base = paddr, .period = period };

	return reserve_map(pt, rsv, &pa, iova, size);
}

int panthor_pgtable_reserve_unmap(struct panthor_pgtable *pt,
				  struct panthor_pgtable_rsv *rsv,
				  u64 iova, u64 size)
{
	int err = check_range(iova, size, pt->va_bits);

	return err ?: panthor_pool_reserve(&pt->pool, &rsv->tables,
					   split_count_max(pt, iova, size));
}

void panthor_pgtable_unreserve(struct panthor_pgtable *pt,
			       struct panthor_pgtable_rsv *rsv)
{
	panthor_pool_unreserve(&pt->pool, &rsv->tables);
}

int panthor_pgtable_map(struct panthor_pgtable *pt,
			struct panthor_pgtable_rsv *rsv,
			u64 iova, u64 paddr, u64 size, int prot)
{
	struct pa_cursor pa = { .paddr = paddr, .len = size };

	return map_range(pt, rsv, &pa, iova, size, prot);
}

int panthor_pgtable_map_sgt(struct panthor_pgtable *pt,
			    struct panthor_pgtable_rsv *rsv, u64 iova,
			    const struct sg_table *sgt, u64 offset, u64 size,
			    int prot)
{
	struct pa_cursor pa = {
		.sg = sgt->sgl, .nents = sgt->nents, .skip = offset,
	};

	return map_range(pt, rsv, &pa, iova, size, prot);
}

int panthor_pgtable_map_repeat(struct panthor_pgtable *pt,
			       struct panthor_pgtable_rsv *rsv, u64 iova,
			       u64 paddr, u64 period, u64 size, int prot)
{
	struct pa_cursor pa = { .base = paddr, .period = period };

	return map_range(pt, rsv, &pa, iova, size, prot);
}

s64 panthor_pgtable_unmap(struct panthor_pgtable *pt,
			  struct panthor_pgtable_rsv *rsv, u64 iova, u64 size)
{
	struct panthor_table_stack none = {};
	struct panthor_table_stack *tables = rsv ? &rsv->tables : &none;
	int err = check_range(iova, size, pt->va_bits);

	if (err)
		return err;

	/* Look at the blocks only if the reservation is not enough for any. */
	if (tables->count < split_count_max(pt, iova, size) &&
	    tables->count < split_count(iova, size, leaf_level(pt, iova),
					leaf_level(pt, iova + size - 1))) {
		dev_WARN_ONCE(pt->pool.dev, true,
			      "panthor_pgtable: no table reserved to unmap %#llx\n", iova);
		return -ENOMEM;
	}

	return unmap_range(pt, tables, iova, size);
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

void panthor_pgtable_flush_range(const struct panthor_pgtable *pt,
				 u64 *iova, u64 *size)
{
	const struct panthor_gather *gather = &pt->gather;
	u64 last = *iova + *size - 1;

	if (!panthor_gather_count(gather))
		return;

	*iova = min(*iova, gather->first);
	*size = max(last, gather->last) - *iova + 1;
}

void panthor_pgtable_flushed(struct panthor_pgtable *pt)
{
	if (!panthor_gather_count(&pt->gather))
		return;

	WRITE_ONCE(pt->generation, pt->generation + 1);
	/* Before any of these tables is written to: pairs with panthor_pgtable_walk(). */
	smp_wmb();

	panthor_pool_release(&pt->pool, &pt->gather);
}

/*
 * A table that was unlinked while we read it may be in use elsewhere, even at
 * another level. Its entry counts only if no table got a new meaning since we
 * started; then the next table is one, and RCU keeps its page.
 */
int panthor_pgtable_walk(struct panthor_pgtable *pt, u64 iova,
			 struct panthor_pgtable_walk *walk)
{
	unsigned int generation;
	const u64 *entries;
	int level;

	if (iova >> pt->va_bits)
		return -ERANGE;

	walk->start_level = pt->start_level;
	rcu_read_lock();
again:
	/* Before any entry is read: pairs with panthor_pgtable_flushed(). */
	generation = smp_load_acquire(&pt->generation);
	entries = pt->root;
	for (level = pt->start_level; ; level++) {
		u64 pte = READ_ONCE(entries[PANTHOR_PT_INDEX(iova, level)]);

		/* The entry first, then whether it counts. */
		smp_rmb();
		if (READ_ONCE(pt->generation) != generation)
			goto again;

		walk->desc[level] = pte;
		walk->level = level;
		if (level == PANTHOR_PT_LAST_LEVEL || !panthor_pte_is_table(pte))
			break;
		entries = pte_to_table(pte);
	}
	rcu_read_unlock();

	return 0;
}

int panthor_pgtable_iova_to_phys(struct panthor_pgtable *pt, u64 iova,
				 u64 *paddr)
{
	struct panthor_pgtable_walk walk;
	u64 pte;
	int err;

	err = panthor_pgtable_walk(pt, iova, &walk);
	if (err)
		return err;

	pte = walk.desc[walk.level];
	if (!pte)
		return -ENOENT;

	*paddr = panthor_pte_addr(pte) | (iova & (PANTHOR_PT_SPAN(walk.level) - 1));
	return 0;
}

void panthor_pgtable_stats(struct panthor_pgtable *pt,
			   struct panthor_pgtable_stats *stats)
{
	struct panthor_pool *pool = &pt->pool;

	*stats = (struct panthor_pgtable_stats){
		.installed = pt->installed,
		.splits = pt->splits,
	};
	memcpy(stats->leaves, pt->leaves, sizeof(stats->leaves));

	spin_lock(&pool->lock);
	stats->total = pool->total;
	stats->free = pool->free;
	stats->dirty = pool->dirty.count;
	stats->reserved = pool->reserved;
	stats->tree = pool->tree;
	stats->gathered = pool->gathered;
	spin_unlock(&pool->lock);
}
