// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The API of panthor_pgtable.h on io-pgtable-arm: the way home. What io-pgtable cannot
 * do is worked around here; Documentation/gpu/panthor-pgtable-home.rst lists it.
 */

#include <linux/container_of.h>
#include <linux/dev_printk.h>
#include <linux/err.h>
#include <linux/io-pgtable.h>
#include <linux/iommu.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "panthor_pgtable_mem.h"

struct panthor_iopgt {
	struct panthor_pgtable pt;
	struct io_pgtable_ops *ops;
	u64 mair;

	/* Of the call under way: io-pgtable does not hand it through to alloc_table(). */
	struct panthor_pgtable_rsv *rsv;
};

#define to_iopgt(p)	container_of_const(p, struct panthor_iopgt, pt)

/*
 * Tables: a reservation is a stack of them, with the two ends in rsv->few. io-pgtable
 * takes them when it installs one. It is not known where, so each job has what it needs
 * in an empty tree.
 */

static void *alloc_table(void *cookie, size_t size, gfp_t gfp)
{
	struct panthor_pgtable *pt = cookie;
	struct panthor_pgtable_rsv *rsv = to_iopgt(pt)->rsv;
	struct panthor_table *table;

	if (WARN_ON(!rsv || !rsv->count || size > PANTHOR_PT_SIZE))
		return NULL;

	table = rsv->few[0];
	rsv->few[0] = table->next;
	rsv->count--;
	if (IS_ENABLED(CONFIG_DRM_PANTHOR_PGTABLE_DEBUG))
		WARN(memchr_inv(table->entries, 0, PANTHOR_PT_SIZE),
		     "panthor_pgtable: table is not zeroed\n");

	spin_lock(&pt->pool.lock);
	INIT_LIST_HEAD(&table->idle);
	table->in_tree = true;
	pt->pool.reserved--;
	pt->pool.tree++;
	spin_unlock(&pt->pool.lock);
	pt->installed++;
	return table->entries;
}

static void free_table(void *cookie, void *entries, size_t size)
{
	struct panthor_pgtable *pt = cookie;

	spin_lock(&pt->pool.lock);
	panthor_pool_detach(&pt->pool, panthor_table_of(entries), &pt->gather.dirty);
	spin_unlock(&pt->pool.lock);
}

static struct panthor_table_stack rsv_stack(const struct panthor_pgtable_rsv *rsv)
{
	return (struct panthor_table_stack){
		.first = rsv->few[0], .last = rsv->few[1], .count = rsv->count,
	};
}

static void rsv_set(struct panthor_pgtable_rsv *rsv, const struct panthor_table_stack *stack)
{
	rsv->few[0] = stack->first;
	rsv->few[1] = stack->last;
	rsv->count = stack->count;
}

/* Add @count tables to @rsv, or none. */
static int reserve(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv, unsigned int count)
{
	struct panthor_table_stack all = rsv_stack(rsv), new = {};
	int err;

	while (new.count < count) {
		/* A few at a time: a job of this VM may be waiting for the lock. */
		if (panthor_pool_take(&pt->pool, &new, min(count - new.count, 32u)))
			continue;
		err = panthor_pool_fill(&pt->pool);
		if (err) {
			panthor_pool_give_back(&pt->pool, &new);
			return err;
		}
	}
	panthor_table_splice(&all, &new);
	rsv_set(rsv, &all);
	return 0;
}

/* Slots, counted as the iova goes up: the last one of each level is known. */
struct slots {
	u64 last[PANTHOR_PT_LAST_LEVEL + 1];
	unsigned int count;
};

/* Count the tables on the way to @iova that are below @level, down to @leaf_level. */
static void add_slots(struct slots *slots, u64 iova, int level, int leaf_level)
{
	while (++level <= leaf_level) {
		u64 slot = panthor_slot(iova, level);

		slots->count += slots->last[level] != slot;
		slots->last[level] = slot;
	}
}

/*
 * What is to be mapped, in pieces of one leaf size and one table: as much as io-pgtable
 * takes in one call.
 */
struct pieces {
	/* The piece: its leaves are of this level. */
	u64 iova;
	u64 size;
	int level;

	/* Bytes from the piece on, and the memory behind them. */
	u64 left;
	struct pa_cursor pa;
};

static struct pieces of_range(u64 iova, u64 paddr, u64 size)
{
	return (struct pieces){
		.iova = iova, .left = size, .pa = { .paddr = paddr, .len = size },
	};
}

static struct pieces of_list(u64 iova, const struct sg_table *sgt, u64 offset, u64 size)
{
	return (struct pieces){
		.iova = iova, .left = size,
		.pa = { .sg = sgt->sgl, .nents = sgt->nents, .skip = offset },
	};
}

static struct pieces of_repeat(u64 iova, u64 paddr, u64 period, u64 size)
{
	return (struct pieces){
		.iova = iova, .left = size, .pa = { .base = paddr, .period = period },
	};
}

/* Go on to the next piece. Returns 1, 0 if there is none, or an error. */
static int next_piece(const struct panthor_pgtable *pt, struct pieces *p)
{
	struct pa_cursor *pa = &p->pa;
	u64 len;
	int err;

	p->iova += p->size;
	p->left -= p->size;
	pa->paddr += p->size;
	pa->len -= p->size;
	p->size = 0;
	if (!p->left)
		return 0;

	err = pa->len ? 0 : panthor_pa_next(pt, pa, p->iova, p->left);
	if (err)
		return err;
	panthor_pa_join(pt, pa, p->left);
	len = min(pa->len, p->left);
	if (!IS_ALIGNED(len, SZ_4K))
		return -EINVAL;

	for (p->level = 1; !leaf_fits(pt, pa, p->iova, p->left, p->level); )
		p->level++;
	p->size = table_left(p->iova, len, p->level) & ~(PANTHOR_PT_SPAN(p->level) - 1);
	return 1;
}

static int check_pieces(const struct panthor_pgtable *pt, const struct pieces *p)
{
	return check_range(p->iova, p->left, pt->va_bits) ?: panthor_pa_check(pt, &p->pa);
}

/* Tables that @p needs below those of @level, if there is nothing. */
static int count_slots(const struct panthor_pgtable *pt, struct pieces p, int level,
		       struct slots *slots)
{
	int ret;

	while ((ret = next_piece(pt, &p)) > 0)
		add_slots(slots, p.iova, level, p.level);
	return ret;
}

/*
 * The tree, read only. io-pgtable tells what an address translates to, but neither the
 * size of the leaf nor its attributes, nor whether a table is empty.
 */

static bool is_table(u64 pte, int level)
{
	return level < PANTHOR_PT_LAST_LEVEL && panthor_pte_is_table(pte);
}

/* The entry for @iova at the deepest level that there is, but not below @leaf_level. */
static u64 *find_entry(const struct panthor_pgtable *pt, u64 iova, int leaf_level, int *level)
{
	u64 *entries = pt->root;

	for (*level = pt->start_level; ; ++*level) {
		u64 *entry = &entries[PANTHOR_PT_INDEX(iova, *level)];

		if (*level == leaf_level || !is_table(*entry, *level))
			return entry;
		entries = panthor_table_below(*entry);
	}
}

/* Bytes that are mapped by @count entries of @level. */
static u64 mapped_bytes(const u64 *entry, unsigned int count, int level)
{
	u64 bytes = 0;

	for (; count--; entry++) {
		if (is_table(*entry, level))
			bytes += mapped_bytes(panthor_table_below(*entry), PANTHOR_PT_ENTRIES,
					      level + 1);
		else if (*entry)
			bytes += PANTHOR_PT_SPAN(level);
	}
	return bytes;
}

/* See panthor_pte_attrs(). */
static int prot_of(u64 pte)
{
	return IOMMU_READ |
	       (pte & PANTHOR_PTE_AP_RDONLY ? 0 : IOMMU_WRITE) |
	       ((pte & PANTHOR_PTE_SH_IS) == PANTHOR_PTE_SH_IS ? IOMMU_CACHE : 0) |
	       (pte & PANTHOR_PTE_XN ? IOMMU_NOEXEC : 0);
}

/*
 * Unmap. io-pgtable warns about a hole, and 7.x about a part of a block, so it gets
 * whole entries that are valid. What is left of a block is mapped again.
 */

/* Returns whether io-pgtable did what it was told. */
static bool clear_entries(struct panthor_pgtable *pt, u64 iova, int level, unsigned int count)
{
	struct io_pgtable_ops *ops = to_iopgt(pt)->ops;
	size_t span = PANTHOR_PT_SPAN(level);

	return !WARN_ON(ops->unmap_pages(ops, iova, span, count, NULL) != span * count);
}

/* Clear all entries from @iova to @end, which cuts no leaf. Returns the bytes mapped. */
static u64 clear_range(struct panthor_pgtable *pt, u64 iova, u64 end)
{
	u64 bytes = 0, span;

	while (iova < end) {
		unsigned int count = 0, room;
		int level, leaf_level = 1;
		u64 *entry;

		/* Whole entries, of the level where a leaf could be as large. */
		while (iova & (PANTHOR_PT_SPAN(leaf_level) - 1) ||
		       end - iova < PANTHOR_PT_SPAN(leaf_level))
			leaf_level++;
		entry = find_entry(pt, iova, max(leaf_level, pt->start_level), &level);
		span = PANTHOR_PT_SPAN(level);
		room = PANTHOR_PT_ENTRIES - PANTHOR_PT_INDEX(iova, level);
		while (count < room && (count + 1) * span <= end - iova && entry[count])
			count++;
		if (count) {
			bytes += mapped_bytes(entry, count, level);
			if (!clear_entries(pt, iova, level, count))
				return bytes;
			iova += count * span;
		} else {
			iova = (iova | (span - 1)) + 1;
		}
	}
	return bytes;
}

/*
 * Let go of empty tables on the way to @iova. For that, the table is unmapped like a
 * block, so it works for those only that are where a block could be.
 */
static void drop_empty(struct panthor_pgtable *pt, u64 iova)
{
	int level, found;
	u64 *entry;

	for (level = PANTHOR_PT_LAST_LEVEL - 1; level >= max(pt->start_level, 1); level--) {
		entry = find_entry(pt, iova, level, &found);
		if (found != level || !is_table(*entry, level))
			continue;
		if (memchr_inv(panthor_table_below(*entry), 0, PANTHOR_PT_SIZE) ||
		    !clear_entries(pt, iova & ~(PANTHOR_PT_SPAN(level) - 1), level, 1))
			return;
	}
}

static int map_pieces(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
		      struct pieces p, int prot, u64 *leaves)
{
	struct panthor_iopgt *iopgt = to_iopgt(pt);
	struct io_pgtable_ops *ops = iopgt->ops;
	u64 first = p.iova;
	int ret;

	iopgt->rsv = rsv;
	while ((ret = next_piece(pt, &p)) > 0) {
		size_t span = PANTHOR_PT_SPAN(p.level), count = p.size / span, mapped = 0;

		ret = ops->map_pages(ops, p.iova, p.pa.paddr, span, count, prot, GFP_NOWAIT,
				     &mapped);
		if (ret)
			break;
		if (leaves)
			leaves[p.level] += count;
	}
	iopgt->rsv = NULL;

	/* All was looked at before, but the table may be out of the device's reach. */
	if (ret)
		clear_range(pt, first, p.iova);
	return ret;
}

/* A block that an unmap covers in part; level 0 if there is none. */
struct cut {
	u64 iova, end;
	u64 pte;
	int level;
};

static struct cut find_cut(const struct panthor_pgtable *pt, u64 iova)
{
	int level;
	u64 pte = *find_entry(pt, iova, PANTHOR_PT_LAST_LEVEL, &level);
	u64 span = PANTHOR_PT_SPAN(level);

	if (!pte || !(iova & (span - 1)))
		return (struct cut){};
	iova &= ~(span - 1);
	return (struct cut){ .iova = iova, .end = iova + span, .pte = pte, .level = level };
}

/* What is left of it between @first and @end. */
static struct pieces rest_of(const struct cut *cut, u64 first, u64 end)
{
	return of_range(first, panthor_pte_addr(cut->pte) + first - cut->iova, end - first);
}

s64 panthor_pgtable_unmap(struct panthor_pgtable *pt,
			  struct panthor_pgtable_rsv *rsv, u64 iova, u64 size)
{
	unsigned int gathered = panthor_gather_count(&pt->gather);
	int err = check_range(iova, size, pt->va_bits);
	u64 end = iova + size, bytes = 0;
	struct pieces before, behind;
	struct slots slots = {};
	struct cut head, tail;

	if (err)
		return err;

	head = find_cut(pt, iova);
	tail = find_cut(pt, end);
	before = rest_of(&head, head.level ? head.iova : iova, iova);
	behind = rest_of(&tail, end, tail.level ? tail.end : end);
	count_slots(pt, before, head.level, &slots);
	count_slots(pt, behind, tail.level, &slots);
	if (slots.count > (rsv ? rsv->count : 0)) {
		dev_WARN_ONCE(pt->pool.dev, true,
			      "panthor_pgtable: no table reserved to unmap %#llx\n", iova);
		return -ENOMEM;
	}

	if (head.level) {
		bytes += min(end, head.end) - iova;
		if (!clear_entries(pt, head.iova, head.level, 1))
			err = -EIO;
	}
	if (tail.level && (!head.level || tail.iova != head.iova)) {
		bytes += end - tail.iova;
		if (!clear_entries(pt, tail.iova, tail.level, 1))
			err = -EIO;
	}
	/* What is left is lost if this fails: the VM is of no use any more. */
	if (head.level)
		err = err ?: map_pieces(pt, rsv, before, prot_of(head.pte), NULL);
	if (tail.level)
		err = err ?: map_pieces(pt, rsv, behind, prot_of(tail.pte), NULL);
	pt->splits += slots.count;

	bytes += clear_range(pt, iova, end);
	drop_empty(pt, iova);
	drop_empty(pt, end - 1);
	if (panthor_gather_count(&pt->gather) != gathered)
		panthor_gather_note(&pt->gather, iova, end - 1);
	return err ?: (s64)bytes;
}

/*
 * Map. io-pgtable warns about what is mapped already, and stops half-way if there is no
 * table: both are looked for before.
 */

/* Count the tables that are missing. Returns 0, -EEXIST, or what is wrong with the memory. */
static int count_missing(const struct panthor_pgtable *pt, struct pieces p, struct slots *slots)
{
	int ret, level;

	while ((ret = next_piece(pt, &p)) > 0) {
		u64 *entry = find_entry(pt, p.iova, p.level, &level);

		if (mapped_bytes(entry, level == p.level ? p.size >> PANTHOR_PT_SHIFT(level) : 1,
				 level))
			return -EEXIST;
		add_slots(slots, p.iova, level, p.level);
	}
	return ret;
}

static int map(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
	       struct pieces p, int prot)
{
	unsigned int gathered = panthor_gather_count(&pt->gather);
	int err = check_pieces(pt, &p);
	struct slots slots = {};

	if (err)
		return err;
	if (prot & ~PANTHOR_PROT_MASK || !(prot & (IOMMU_READ | IOMMU_WRITE)))
		return -EINVAL;

	err = count_missing(pt, p, &slots);
	if (err)
		return err;
	if (slots.count > rsv->count) {
		dev_WARN_ONCE(pt->pool.dev, true,
			      "panthor_pgtable: no table reserved for %#llx\n", p.iova);
		return -ENOMEM;
	}

	err = map_pieces(pt, rsv, p, prot, pt->leaves);
	/* A block takes the place of an empty table. */
	if (panthor_gather_count(&pt->gather) != gathered)
		panthor_gather_note(&pt->gather, p.iova, p.iova + p.left - 1);
	return err;
}

static int reserve_map(struct panthor_pgtable *pt, struct panthor_pgtable_rsv *rsv,
		       struct pieces p)
{
	struct slots slots = {};
	int err;

	might_alloc(GFP_KERNEL);
	err = check_pieces(pt, &p) ?: count_slots(pt, p, pt->start_level, &slots);
	return err ?: reserve(pt, rsv, slots.count);
}

/*
 * The API. Contracts: see panthor_pgtable.h.
 */

/* The width of addresses that io-pgtable knows. */
static unsigned int io_pgtable_oas(unsigned int pa_bits)
{
	static const unsigned int known[] = { 32, 36, 40, 42, 44, 48 };
	unsigned int i = 0;

	while (known[i] < pa_bits)
		i++;
	return known[i];
}

struct panthor_pgtable *panthor_pgtable_create(const struct panthor_pgtable_cfg *cfg)
{
	struct panthor_pgtable_rsv rsv = {};
	struct io_pgtable_cfg io_cfg = {
		/* Also those that no map uses, to let go of tables: see drop_empty(). */
		.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G,
		.ias = cfg->va_bits,
		.coherent_walk = cfg->coherent_walk,
		.iommu_dev = cfg->dev,
		.alloc = alloc_table,
		.free = free_table,
	};
	struct panthor_iopgt *iopgt = kzalloc(sizeof(*iopgt), GFP_KERNEL);
	struct panthor_pgtable *pt;
	int err;

	if (!iopgt)
		return ERR_PTR(-ENOMEM);
	pt = &iopgt->pt;
	err = panthor_tree_init(pt, cfg);
	if (err)
		goto err_free;
	err = reserve(pt, &rsv, 1);
	if (err)
		goto err_fini;

	io_cfg.oas = io_pgtable_oas(pt->pa_bits);
	iopgt->rsv = &rsv;
	iopgt->ops = alloc_io_pgtable_ops(ARM_64_LPAE_S1, &io_cfg, pt);
	iopgt->rsv = NULL;
	panthor_pgtable_unreserve(pt, &rsv);
	if (!iopgt->ops) {
		panthor_pool_release(&pt->pool, &pt->gather);
		err = -ENOMEM;
		goto err_fini;
	}

	pt->root = phys_to_virt(io_cfg.arm_lpae_s1_cfg.ttbr);
	/* The sign of the last attribute is extended into those that no leaf has. */
	iopgt->mair = lower_32_bits(io_cfg.arm_lpae_s1_cfg.mair);
	return pt;

err_fini:
	panthor_pool_fini(&pt->pool);
err_free:
	kfree(iopgt);
	return ERR_PTR(err);
}

void panthor_pgtable_destroy(struct panthor_pgtable *pt)
{
	free_io_pgtable_ops(to_iopgt(pt)->ops);
	panthor_pool_release(&pt->pool, &pt->gather);
	if (panthor_pool_fini(&pt->pool))
		kfree(to_iopgt(pt));
}

u64 panthor_pgtable_mair(const struct panthor_pgtable *pt)
{
	return to_iopgt(pt)->mair;
}

int panthor_pgtable_reserve_map(struct panthor_pgtable *pt,
				struct panthor_pgtable_rsv *rsv,
				u64 iova, u64 paddr, u64 size)
{
	return reserve_map(pt, rsv, of_range(iova, paddr, size));
}

int panthor_pgtable_reserve_map_sgt(struct panthor_pgtable *pt,
				    struct panthor_pgtable_rsv *rsv, u64 iova,
				    const struct sg_table *sgt, u64 offset,
				    u64 size)
{
	return reserve_map(pt, rsv, of_list(iova, sgt, offset, size));
}

int panthor_pgtable_reserve_map_repeat(struct panthor_pgtable *pt,
				       struct panthor_pgtable_rsv *rsv,
				       u64 iova, u64 paddr, u64 period,
				       u64 size)
{
	if (!period)
		return -EINVAL;
	return reserve_map(pt, rsv, of_repeat(iova, paddr, period, size));
}

int panthor_pgtable_reserve_unmap(struct panthor_pgtable *pt,
				  struct panthor_pgtable_rsv *rsv,
				  u64 iova, u64 size)
{
	int err = check_range(iova, size, pt->va_bits), level;
	struct slots slots = {};

	might_alloc(GFP_KERNEL);
	if (err)
		return err;

	/* A block that is cut becomes tables of all levels at which it is cut. */
	for (level = 2; level <= PANTHOR_PT_LAST_LEVEL; level++) {
		u64 span = PANTHOR_PT_SPAN(level - 1);

		if (!(pt->pgsize_bitmap & span))
			continue;
		if (iova & (span - 1))
			add_slots(&slots, iova, level - 1, level);
		if ((iova + size) & (span - 1))
			add_slots(&slots, iova + size, level - 1, level);
	}
	return reserve(pt, rsv, slots.count);
}

void panthor_pgtable_unreserve(struct panthor_pgtable *pt,
			       struct panthor_pgtable_rsv *rsv)
{
	struct panthor_table_stack stack = rsv_stack(rsv);

	panthor_pool_give_back(&pt->pool, &stack);
	rsv_set(rsv, &stack);
}

int panthor_pgtable_map(struct panthor_pgtable *pt,
			struct panthor_pgtable_rsv *rsv,
			u64 iova, u64 paddr, u64 size, int prot)
{
	return map(pt, rsv, of_range(iova, paddr, size), prot);
}

int panthor_pgtable_map_sgt(struct panthor_pgtable *pt,
			    struct panthor_pgtable_rsv *rsv, u64 iova,
			    const struct sg_table *sgt, u64 offset, u64 size,
			    int prot)
{
	return map(pt, rsv, of_list(iova, sgt, offset, size), prot);
}

int panthor_pgtable_map_repeat(struct panthor_pgtable *pt,
			       struct panthor_pgtable_rsv *rsv, u64 iova,
			       u64 paddr, u64 period, u64 size, int prot)
{
	if (!period)
		return -EINVAL;
	return map(pt, rsv, of_repeat(iova, paddr, period, size), prot);
}

void panthor_pgtable_expand(struct panthor_pgtable *pt, u64 *iova, u64 *size)
{
	struct cut head, tail;
	u64 end = *iova + *size;

	if (check_range(*iova, *size, pt->va_bits))
		return;

	head = find_cut(pt, *iova);
	tail = find_cut(pt, end);
	if (head.level)
		*iova = head.iova;
	*size = (tail.level ? tail.end : end) - *iova;
}

void panthor_pgtable_flush_range(struct panthor_pgtable *pt, u64 *iova, u64 *size)
{
	panthor_gather_widen(&pt->gather, iova, size);
}
