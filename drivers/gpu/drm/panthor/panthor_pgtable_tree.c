// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * What is the same whoever writes the page table: how it begins, when its tables may get
 * a new meaning, lookups, and the statistics. Contracts: see panthor_pgtable.h.
 */

#include <linux/rcupdate.h>

#include "panthor_pgtable_tree.h"

int panthor_tree_init(struct panthor_pgtable *pt, const struct panthor_pgtable_cfg *cfg)
{
	if (!cfg->dev ||
	    cfg->va_bits < 25 || cfg->va_bits > 48 ||
	    cfg->pa_bits < 32 || cfg->pa_bits > 48 ||
	    (cfg->pgsize_bitmap != SZ_4K && cfg->pgsize_bitmap != (SZ_4K | SZ_2M) &&
	     cfg->pgsize_bitmap != (SZ_4K | SZ_2M | SZ_1G)))
		return -EINVAL;

	pt->start_level = PANTHOR_PT_START_LEVEL(cfg->va_bits);
	pt->va_bits = cfg->va_bits;
	pt->pa_bits = cfg->pa_bits;
	pt->pgsize_bitmap = cfg->pgsize_bitmap;
	if (pt->start_level > 1)
		pt->pgsize_bitmap &= ~(u64)SZ_1G;
	pt->gather.first = ~0ull;
	panthor_pool_init(&pt->pool, cfg);
	return 0;
}

u64 panthor_pgtable_ttbr(const struct panthor_pgtable *pt)
{
	return virt_to_phys(pt->root);
}

void panthor_pgtable_flushed(struct panthor_pgtable *pt)
{
	if (!panthor_gather_count(&pt->gather))
		return;

	/* After the entries that led to these tables were cleared, ... */
	smp_store_release(&pt->generation, pt->generation + 1);
	/* ... and before any of them is written to: pairs with panthor_pgtable_walk(). */
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
		entries = panthor_table_below(pte);
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

static u64 read_late(const u64 *count)
{
	/* Who counts is not stopped for it. */
	return data_race(*count);
}

void panthor_pgtable_stats(struct panthor_pgtable *pt,
			   struct panthor_pgtable_stats *stats)
{
	struct panthor_pool *pool = &pt->pool;
	int level;

	*stats = (struct panthor_pgtable_stats){
		.installed = read_late(&pt->installed),
		.splits = read_late(&pt->splits),
	};
	for (level = 1; level <= PANTHOR_PT_LAST_LEVEL; level++)
		stats->leaves[level] = read_late(&pt->leaves[level]);

	spin_lock(&pool->lock);
	stats->total = pool->total;
	stats->free = pool->free;
	stats->dirty = pool->dirty.count + pool->washing;
	stats->reserved = pool->reserved;
	stats->tree = pool->tree;
	stats->gathered = pool->gathered;
	spin_unlock(&pool->lock);
}
