// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Pages of page tables: where they come from, how they are prepared outside the
 * fence signalling section, and how they go back to the system.
 */

#include <linux/dma-mapping.h>
#include <linux/fault-inject.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <kunit/static_stub.h>

#include "panthor_pgtable_pool.h"

#define PANTHOR_TABLES_ALL_FREE	GENMASK(PANTHOR_TABLES_PER_PAGE - 1, 0)

/* Fail one step of an allocation, if somebody asks for it: /proc/<pid>/fail-nth. */
static bool fail_here(size_t size)
{
#ifdef CONFIG_FAULT_INJECTION
	static DECLARE_FAULT_ATTR(panthor_pool_fail);

	return should_fail_ex(&panthor_pool_fail, size, FAULT_NOWARN);
#else
	return false;
#endif
}

static struct page *page_source_alloc(void *cookie, gfp_t gfp)
{
	struct device *dev = cookie;

	return alloc_pages_node(dev_to_node(dev), gfp, 0);
}

static void page_source_free(void *cookie, struct page *page)
{
	__free_page(page);
}

static const struct panthor_pgtable_page_ops page_source_default = {
	.alloc = page_source_alloc,
	.free = page_source_free,
};

/* Add a page from the system. Called, and allocates, without the lock. */
static int pool_fill(struct panthor_pool *pool)
{
	struct panthor_table_page *tp;
	dma_addr_t dma;
	int i, err;

	/* Charged, as the page: user space decides how many tables there are. */
	tp = kzalloc(sizeof(*tp), GFP_KERNEL_ACCOUNT);
	if (!tp || fail_here(sizeof(*tp))) {
		err = -ENOMEM;
		goto err_free;
	}

	if (!fail_here(PAGE_SIZE))
		tp->page = pool->ops->alloc(pool->cookie, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!tp->page) {
		err = -ENOMEM;
		goto err_free;
	}

	/* The device finds tables by their physical address. */
	dma = fail_here(PAGE_SIZE) ? DMA_MAPPING_ERROR :
	      dma_map_page(pool->dev, tp->page, 0, PAGE_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(pool->dev, dma)) {
		err = -ENOMEM;
		goto err_free_page;
	}

	if (dma != page_to_phys(tp->page)) {
		dev_err_once(pool->dev,
			     "panthor_pgtable: DMA address of a table is not its physical address\n");
		err = -EFAULT;
		goto err_unmap;
	}

	for (i = 0; i < PANTHOR_TABLES_PER_PAGE; i++)
		tp->tables[i].entries = page_address(tp->page) + i * PANTHOR_PT_SIZE;
	tp->free = PANTHOR_TABLES_ALL_FREE;

	set_page_private(tp->page, (unsigned long)tp);
	mod_lruvec_page_state(tp->page, NR_SECONDARY_PAGETABLE, 1);

	spin_lock(&pool->lock);
	list_add_tail(&tp->node, &pool->pages);
	pool->free += PANTHOR_TABLES_PER_PAGE;
	pool->total += PANTHOR_TABLES_PER_PAGE;
	spin_unlock(&pool->lock);

	return 0;

err_unmap:
	dma_unmap_page(pool->dev, dma, PAGE_SIZE, DMA_TO_DEVICE);
err_free_page:
	pool->ops->free(pool->cookie, tp->page);
err_free:
	kfree(tp);
	return err;
}

static void table_page_free(struct panthor_pool *pool, struct panthor_table_page *tp)
{
	mod_lruvec_page_state(tp->page, NR_SECONDARY_PAGETABLE, -1);
	set_page_private(tp->page, 0);
	dma_unmap_page(pool->dev, page_to_phys(tp->page), PAGE_SIZE, DMA_TO_DEVICE);
	pool->ops->free(pool->cookie, tp->page);
	kfree(tp);
}

static void put_free(struct panthor_pool *pool, struct panthor_table *table)
{
	struct panthor_table_page *tp = panthor_table_page_of(table->entries);

	lockdep_assert_held(&pool->lock);

	if (!tp->free)
		list_add(&tp->node, &pool->pages);
	tp->free |= BIT(table - tp->tables);
	if (PANTHOR_TABLES_PER_PAGE > 1 && tp->free == PANTHOR_TABLES_ALL_FREE)
		list_move_tail(&tp->node, &pool->pages);
	pool->free++;
}

static struct panthor_table *get_free(struct panthor_pool *pool)
{
	struct panthor_table_page *tp;
	unsigned int bit;

	lockdep_assert_held(&pool->lock);

	tp = list_first_entry_or_null(&pool->pages, struct panthor_table_page, node);
	if (!tp)
		return NULL;

	bit = __ffs(tp->free);
	tp->free &= ~BIT(bit);
	if (!tp->free)
		list_del(&tp->node);
	pool->free--;

	return &tp->tables[bit];
}

/* Clear one dirty table. Returns false if there is none. */
static bool pool_wash(struct panthor_pool *pool)
{
	struct panthor_table *table;

	spin_lock(&pool->lock);
	table = panthor_table_pop(&pool->dirty);
	spin_unlock(&pool->lock);
	if (!table)
		return false;

	memset(table->entries, 0, PANTHOR_PT_SIZE);
	panthor_pool_clean(pool, table->entries, PANTHOR_PT_ENTRIES);

	spin_lock(&pool->lock);
	put_free(pool, table);
	spin_unlock(&pool->lock);

	return true;
}

static void pool_trim(struct panthor_pool *pool)
{
	struct panthor_table_page *tp, *tmp;
	LIST_HEAD(idle);

	spin_lock(&pool->lock);
	while (pool->free > PANTHOR_POOL_KEEP) {
		tp = list_last_entry(&pool->pages, struct panthor_table_page, node);
		if (tp->free != PANTHOR_TABLES_ALL_FREE)
			break;
		list_move(&tp->node, &idle);
		pool->free -= PANTHOR_TABLES_PER_PAGE;
		pool->total -= PANTHOR_TABLES_PER_PAGE;
		cond_resched_lock(&pool->lock);
	}
	spin_unlock(&pool->lock);

	if (list_empty(&idle))
		return;

	/* Lookups without a lock may still be reading what these pages were. */
	synchronize_rcu();

	list_for_each_entry_safe(tp, tmp, &idle, node) {
		table_page_free(pool, tp);
		cond_resched();
	}
}

static void pool_trim_work(struct work_struct *work)
{
	struct panthor_pool *pool = container_of(work, struct panthor_pool, trim_work);

	while (pool_wash(pool))
		cond_resched();
	pool_trim(pool);
}

static void trim_if_large(struct panthor_pool *pool)
{
	lockdep_assert_held(&pool->lock);

	if (pool->free + pool->dirty.count > 2 * PANTHOR_POOL_KEEP)
		queue_work(system_unbound_wq, &pool->trim_work);
}

/* Make an empty pool. */
void panthor_pool_init(struct panthor_pool *pool, const struct panthor_pgtable_cfg *cfg)
{
	*pool = (struct panthor_pool){
		.dev = cfg->dev,
		.ops = cfg->page_ops ?: &page_source_default,
		.cookie = cfg->page_ops ? cfg->page_cookie : cfg->dev,
		.coherent = cfg->coherent_walk,
	};
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->pages);
	INIT_WORK(&pool->trim_work, pool_trim_work);
}

/*
 * Give all pages back, and check the books. All tables should be free or dirty;
 * returns false, after a warning, if some are elsewhere, and their owner may come
 * back. May sleep.
 */
bool panthor_pool_fini(struct panthor_pool *pool)
{
	struct panthor_table_page *tp, *tmp;
	struct panthor_table *table;
	unsigned long found = 0;

	cancel_work_sync(&pool->trim_work);

	spin_lock(&pool->lock);
	while ((table = panthor_table_pop(&pool->dirty))) {
		put_free(pool, table);
		cond_resched_lock(&pool->lock);
	}
	spin_unlock(&pool->lock);

	/* Nobody looks up anything any more: no grace period is needed. */
	list_for_each_entry_safe(tp, tmp, &pool->pages, node) {
		if (tp->free != PANTHOR_TABLES_ALL_FREE)
			continue;
		list_del(&tp->node);
		table_page_free(pool, tp);
		found += PANTHOR_TABLES_PER_PAGE;
		cond_resched();
	}

	return !WARN(found != pool->total || pool->reserved || pool->tree || pool->gathered,
		     "panthor_pgtable: books do not balance: %lu tables, %lu in the pool, %lu reserved, %lu gathered, %lu in the tree\n",
		     pool->total, pool->free, pool->reserved, pool->gathered, pool->tree);
}

/*
 * Take @count free tables, and make them if need be. May sleep, allocates.
 * Returns 0, or -ENOMEM or -EFAULT with @rsv as it was.
 */
int panthor_pool_reserve(struct panthor_pool *pool, struct panthor_table_stack *rsv,
			 unsigned long count)
{
	struct panthor_table_stack got = {};
	struct panthor_table *table;
	int err = 0;

	might_alloc(GFP_KERNEL);

	spin_lock(&pool->lock);
	while (got.count < count) {
		table = get_free(pool);
		if (table) {
			pool->reserved++;
			panthor_table_push(&got, table);
			cond_resched_lock(&pool->lock);
			continue;
		}

		spin_unlock(&pool->lock);
		if (!pool_wash(pool))
			err = pool_fill(pool);
		spin_lock(&pool->lock);
		if (err)
			break;
	}
	spin_unlock(&pool->lock);

	if (err)
		panthor_pool_unreserve(pool, &got);
	else
		panthor_table_splice(rsv, &got);
	return err;
}

/* Give back tables that were not used. May sleep. */
void panthor_pool_unreserve(struct panthor_pool *pool, struct panthor_table_stack *rsv)
{
	struct panthor_table *table;

	if (!rsv->first)
		return;

	/* Jobs of this VM may be waiting for the lock: not all at once. */
	spin_lock(&pool->lock);
	while ((table = panthor_table_pop(rsv))) {
		put_free(pool, table);
		pool->reserved--;
		cond_resched_lock(&pool->lock);
	}
	trim_if_large(pool);
	spin_unlock(&pool->lock);
}

/*
 * Keep the books of an operation: @installed tables went from a reservation to
 * the tree, @detached ones from the tree to the gather. Never allocates.
 */
void panthor_pool_note(struct panthor_pool *pool, unsigned int installed, unsigned int detached)
{
	if (!installed && !detached)
		return;

	spin_lock(&pool->lock);
	pool->reserved -= installed;
	pool->tree += installed;
	pool->tree -= detached;
	pool->gathered += detached;
	spin_unlock(&pool->lock);
}

/* Take the gathered tables back. Never allocates, nor frees to the system. */
void panthor_pool_release(struct panthor_pool *pool, struct panthor_gather *gather)
{
	struct panthor_table *table;

	spin_lock(&pool->lock);
	pool->gathered -= panthor_gather_count(gather);
	while ((table = panthor_table_pop(&gather->clean)))
		put_free(pool, table);
	panthor_table_splice(&pool->dirty, &gather->dirty);
	trim_if_large(pool);
	spin_unlock(&pool->lock);
}

/* Write @count entries of one table back to where the device reads them. */
void panthor_pool_clean(struct panthor_pool *pool, const u64 *entries, unsigned int count)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_pool_clean, pool, entries, count);

	if (!pool->coherent)
		dma_sync_single_for_device(pool->dev, virt_to_phys((void *)entries),
					   count * sizeof(*entries), DMA_TO_DEVICE);
}
