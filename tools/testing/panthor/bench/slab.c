// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The model of the driver's slab path. A list of free tables stands for the slab: it
 * has no freelist encoding, no lookup of an object's slab and no statistics, so that
 * the real one costs more.
 */

#include <linux/mm.h>
#include <linux/slab.h>

#include "machine.h"
#include "slab.h"

struct free_table {
	struct free_table *next;
};

static struct free_table *free_tables;

/* Out of line, as the slab is for its users. */
static noinline void take_bulk(unsigned int count, void **tables)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct free_table *table = free_tables;

		if (unlikely(!table)) {
			struct page *page = alloc_pages_node(0, GFP_KERNEL, 0);

			table = page_address(page);
			table->next = NULL;
		}
		free_tables = table->next;
		tables[i] = table;
	}
}

static noinline void give_bulk(unsigned int count, void **tables)
{
	while (count) {
		struct free_table *table = tables[--count];

		table->next = free_tables;
		free_tables = table;
	}
}

/* Slots of one level that a range touches. */
static unsigned int slots(u64 iova, u64 last, unsigned int shift)
{
	return (last >> shift) - (iova >> shift) + 1;
}

/* The driver counts the tables of levels 1 to 3, whatever is behind the range. */
int slab_reserve(struct slab_rsv *rsv, u64 iova, u64 size)
{
	u64 last = iova + size - 1;

	rsv->count = slots(iova, last, 39) + slots(iova, last, 30) + slots(iova, last, 21);
	rsv->tables = kcalloc(rsv->count, sizeof(*rsv->tables), GFP_KERNEL);
	if (!rsv->tables)
		return -ENOMEM;
	take_bulk(rsv->count, rsv->tables);
	return 0;
}

void slab_unreserve(struct slab_rsv *rsv)
{
	give_bulk(rsv->count, rsv->tables);
	kfree(rsv->tables);
}

void *slab_alloc(void)
{
	void *table;

	take_bulk(1, &table);
	return memset(table, 0, PAGE_SIZE);
}

void slab_free(void *table)
{
	give_bulk(1, &table);
}
