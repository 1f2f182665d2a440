// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Pages of page tables: where they come from, how they are prepared outside the
 * fence signalling section, which slots they are held for, how they go back.
 */

#include <linux/dma-mapping.h>
#include <linux/fault-inject.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <kunit/static_stub.h>

#include "panthor_pgtable_pool.h"

#define PANTHOR_TABLES_ALL_FREE	GENMASK(PANTHOR_TABLES_PER_PAGE - 1, 0)

/*
 * The pools of all VMs, for one shrinker. Not one for each: the last reference to a VM
 * may be dropped in reclaim, where none can be freed.
 */
static LIST_HEAD(pools);
static DEFINE_SPINLOCK(pools_lock);
struct shrinker *panthor_pools_shrinker;

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
static int pool_add_page(struct panthor_pool *pool)
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
	unsigned int index = offset_in_page(table->entries) / PANTHOR_PT_SIZE;
	struct panthor_table_page *tp = container_of(table - index, struct panthor_table_page,
						     tables[0]);

	lockdep_assert_held(&pool->lock);

	if (!tp->free)
		list_add(&tp->node, &pool->pages);
	tp->free |= BIT(index);
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
	pool->washing += !!table;
	spin_unlock(&pool->lock);
	if (!table)
		return false;

	memset(table->entries, 0, PANTHOR_PT_SIZE);
	panthor_pool_clean(pool, table->entries, PANTHOR_PT_ENTRIES);

	spin_lock(&pool->lock);
	put_free(pool, table);
	pool->washing--;
	spin_unlock(&pool->lock);

	return true;
}

/*
 * Make at least one more table free. Called, and allocates, without the lock.
 * Returns 0, -ENOMEM or -EFAULT.
 */
int panthor_pool_fill(struct panthor_pool *pool)
{
	might_alloc(GFP_KERNEL);

	return pool_wash(pool) ? 0 : pool_add_page(pool);
}

/* Give free tables back to the system until @keep are left. */
static void pool_trim(struct panthor_pool *pool, unsigned long keep)
{
	struct panthor_table_page *tp, *tmp;
	LIST_HEAD(idle);

	spin_lock(&pool->lock);
	while (pool->free > keep) {
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
	struct panthor_pool *pool = container_of(work, struct panthor_pool, trim_work.work);
	unsigned long keep = PANTHOR_POOL_KEEP;

	while (pool_wash(pool))
		cond_resched();

	spin_lock(&pool->lock);
	keep = min(keep, pool->free - min(pool->free, pool->surplus));
	pool->surplus = 0;
	spin_unlock(&pool->lock);

	pool_trim(pool, keep);
}

static void trim_if_large(struct panthor_pool *pool)
{
	lockdep_assert_held(&pool->lock);

	/* Later: what was needed a moment ago is needed again, most of the time. */
	if (pool->free + pool->dirty.count > 2 * PANTHOR_POOL_KEEP)
		queue_delayed_work(system_long_wq, &pool->trim_work, PANTHOR_POOL_TRIM_DELAY);
}

/* Tables that nobody uses. */
static unsigned long pool_idle(const struct panthor_pool *pool)
{
	/* An estimate. */
	return data_race(pool->free) + data_race(pool->dirty.count);
}

/*
 * Let go of up to @count tables that nobody uses. Lookups may be reading them: the pages
 * go after a grace period, which is not waited for. Returns how many will go.
 */
unsigned long panthor_pool_shrink(struct panthor_pool *pool, unsigned long count)
{
	unsigned long idle;

	spin_lock(&pool->lock);
	idle = pool->free + pool->dirty.count;
	count = min(count, idle - min(idle, pool->surplus));
	pool->surplus += count;
	spin_unlock(&pool->lock);

	if (count)
		mod_delayed_work(system_long_wq, &pool->trim_work, 0);
	return count;
}

static unsigned long pools_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct panthor_pool *pool;
	unsigned long count = 0;

	spin_lock(&pools_lock);
	list_for_each_entry(pool, &pools, node)
		count += pool_idle(pool);
	spin_unlock(&pools_lock);
	return count;
}

static unsigned long pools_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct panthor_pool *pool;
	unsigned long count = 0;

	spin_lock(&pools_lock);
	list_for_each_entry(pool, &pools, node) {
		count += panthor_pool_shrink(pool, sc->nr_to_scan - count);
		if (count == sc->nr_to_scan)
			break;
	}
	spin_unlock(&pools_lock);
	return count ?: SHRINK_STOP;
}

int panthor_pgtable_init(void)
{
	panthor_pools_shrinker = shrinker_alloc(0, "panthor-pgtable");
	if (!panthor_pools_shrinker)
		return -ENOMEM;

	panthor_pools_shrinker->count_objects = pools_count;
	panthor_pools_shrinker->scan_objects = pools_scan;
	shrinker_register(panthor_pools_shrinker);
	return 0;
}

void panthor_pgtable_exit(void)
{
	shrinker_free(panthor_pools_shrinker);
}

/* Make an empty pool. */
void panthor_pool_init(struct panthor_pool *pool, const struct panthor_pgtable_cfg *cfg)
{
	*pool = (struct panthor_pool){
		.dev = cfg->dev,
		.ops = cfg->page_ops ?: &page_source_default,
		.cookie = cfg->page_ops ? cfg->page_cookie : cfg->dev,
		.coherent = cfg->coherent_walk,
		.held = RB_ROOT,
	};
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->pages);
	INIT_LIST_HEAD(&pool->idle);
	INIT_DELAYED_WORK(&pool->trim_work, pool_trim_work);

	spin_lock(&pools_lock);
	list_add_tail(&pool->node, &pools);
	spin_unlock(&pools_lock);
}

/*
 * Give all pages back, and check the books. All tables should be free or dirty;
 * returns false, after a warning, if some are elsewhere, or pinned, and their owner
 * may come back. May sleep.
 */
bool panthor_pool_fini(struct panthor_pool *pool)
{
	struct panthor_table_page *tp, *tmp;
	struct panthor_table *table;
	unsigned long total, free;

	spin_lock(&pools_lock);
	list_del(&pool->node);
	spin_unlock(&pools_lock);
	cancel_delayed_work_sync(&pool->trim_work);

	spin_lock(&pool->lock);
	while ((table = panthor_table_pop(&pool->dirty))) {
		put_free(pool, table);
		cond_resched_lock(&pool->lock);
	}
	total = pool->total;
	free = pool->free;
	spin_unlock(&pool->lock);

	/* Nobody looks up anything any more: no grace period is needed. */
	list_for_each_entry_safe(tp, tmp, &pool->pages, node) {
		if (tp->free != PANTHOR_TABLES_ALL_FREE)
			continue;
		list_del(&tp->node);
		table_page_free(pool, tp);
		pool->total -= PANTHOR_TABLES_PER_PAGE;
		pool->free -= PANTHOR_TABLES_PER_PAGE;
		cond_resched();
	}

	return !WARN(pool->total || pool->reserved || pool->tree || pool->gathered || pool->pins,
		     "panthor_pgtable: books do not balance: %lu tables, %lu in the pool, %lu reserved, %lu gathered, %lu in the tree, %lu pins\n",
		     total, free, pool->reserved, pool->gathered, pool->tree, pool->pins);
}

/* Put up to @count free tables on @stack, held for a job and for no slot. Returns how many. */
unsigned int panthor_pool_take(struct panthor_pool *pool, struct panthor_table_stack *stack,
			       unsigned int count)
{
	unsigned int done;

	spin_lock(&pool->lock);
	for (done = 0; done < count && pool->free; done++)
		panthor_table_push(stack, get_free(pool));
	pool->reserved += done;
	spin_unlock(&pool->lock);
	return done;
}

/* The tables of @stack, which was filled so, are free again. May sleep. */
void panthor_pool_give_back(struct panthor_pool *pool, struct panthor_table_stack *stack)
{
	struct panthor_table *table;

	spin_lock(&pool->lock);
	while ((table = panthor_table_pop(stack))) {
		pool->reserved--;
		put_free(pool, table);
		/* Jobs of this VM may be waiting for the lock: not all at once. */
		if (stack->count % 32 == 0)
			cond_resched_lock(&pool->lock);
	}
	trim_if_large(pool);
	spin_unlock(&pool->lock);
}

/* Slots */

static int held_cmp(const void *slot, const struct rb_node *node)
{
	u64 a = *(const u64 *)slot, b = rb_entry(node, struct panthor_table, held)->slot;

	return a < b ? -1 : a > b;
}

static bool held_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct panthor_table, held)->slot <
	       rb_entry(b, struct panthor_table, held)->slot;
}

/* The table that is held for @slot, or NULL. With the lock. */
struct panthor_table *panthor_pool_find(struct panthor_pool *pool, u64 slot)
{
	lockdep_assert_held(&pool->lock);

	return rb_entry_safe(rb_find(&slot, &pool->held, held_cmp), struct panthor_table, held);
}

/*
 * Hold a free table for @slot, which has none. @parent has the slot above, and keeps
 * it as long. With the lock, since it was seen that a table is free.
 */
struct panthor_table *panthor_pool_hold(struct panthor_pool *pool, struct panthor_table *parent,
					u64 slot)
{
	struct panthor_table *table = get_free(pool);

	table->slot = slot;
	table->parent = parent;
	parent->pins++;
	rb_add(&table->held, &pool->held, held_less);
	pool->reserved++;
	return table;
}

/*
 * A held table that nobody needs is free again, and so may be the one above it. One
 * that is in the tree has to wait for a flush: it is taken out when there will be one.
 */
static void unpin(struct panthor_pool *pool, struct panthor_table *table)
{
	while (!--table->pins) {
		if (table->in_tree) {
			if (!READ_ONCE(table->live))
				panthor_table_set_idle(pool, table);
			return;
		}
		rb_erase(&table->held, &pool->held);
		pool->reserved--;
		put_free(pool, table);
		table = table->parent;
	}
}

/* Drop @count pins of reservations. May sleep. */
void panthor_pool_unpin(struct panthor_pool *pool, struct panthor_table * const *tables,
			unsigned int count)
{
	/* Jobs of this VM may be waiting for the lock: not all at once. */
	spin_lock(&pool->lock);
	pool->pins -= count;
	for (; count; count--, tables++) {
		unpin(pool, *tables);
		if (count % 32 == 0)
			cond_resched_lock(&pool->lock);
	}
	trim_if_large(pool);
	spin_unlock(&pool->lock);
}

/* Make a free table the root of a tree. It has no flush to wait for: it stays. */
struct panthor_table *panthor_pool_root(struct panthor_pool *pool, u64 slot)
{
	struct panthor_table *table;

	spin_lock(&pool->lock);
	table = get_free(pool);
	*table = (struct panthor_table){
		.entries = table->entries, .slot = slot, .pins = 1, .in_tree = true,
	};
	INIT_LIST_HEAD(&table->idle);
	pool->tree++;
	spin_unlock(&pool->lock);
	return table;
}

/* A held table is in the tree from now on. With the lock. */
void panthor_pool_install(struct panthor_pool *pool, struct panthor_table *table)
{
	lockdep_assert_held(&pool->lock);

	rb_erase(&table->held, &pool->held);
	INIT_LIST_HEAD(&table->idle);
	table->in_tree = true;
	table->parent->pins--;
	pool->reserved--;
	pool->tree++;
}

/* Nothing points to @table any more: it goes to a stack of the gather. With the lock. */
void panthor_pool_detach(struct panthor_pool *pool, struct panthor_table *table,
			 struct panthor_table_stack *stack)
{
	lockdep_assert_held(&pool->lock);

	panthor_table_set_busy(pool, table);
	table->in_tree = false;
	panthor_table_push(stack, table);
	pool->tree--;
	pool->gathered++;
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
	gather->first = ~0ull;
	gather->last = 0;
	trim_if_large(pool);
	spin_unlock(&pool->lock);
}

/* Write @count entries of one table back to where a device reads them that does not snoop. */
void panthor_pool_sync(struct panthor_pool *pool, const u64 *entries, unsigned int count)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_pool_sync, pool, entries, count);

	dma_sync_single_for_device(pool->dev, virt_to_phys((void *)entries),
				   count * sizeof(*entries), DMA_TO_DEVICE);
}
