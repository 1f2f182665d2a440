// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The benchmark's variant "limit": a plain loop that stores descriptors into tables
 * that are there. Nobody who looks at each page of a buffer can be faster.
 */

#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "panthor_bench.h"

#define ENTRIES		512
#define MISSING		3

/* What BENCH_PROT becomes in a stage 1 leaf. */
#define DESC_PAGE	0xf47ull
#define DESC_BLOCK	0xf45ull
#define DESC_TABLE	0x3ull
#define DESC_ADDR	GENMASK_ULL(47, 12)

struct limit {
	struct bench_vm base;
	const struct bench_case *c;
	u64 first;
	u64 attrs;
	unsigned int shift;
	unsigned long count;
	u64 *tables[];
};

static struct limit *to_limit(struct bench_vm *vm)
{
	return container_of(vm, struct limit, base);
}

static void limit_destroy(struct bench_vm *vm)
{
	struct limit *limit = to_limit(vm);

	for (unsigned long i = 0; i < limit->count; i++)
		free_page((unsigned long)limit->tables[i]);
	kvfree(limit);
}

static struct bench_vm *limit_create(struct device *dev, bool coherent,
				     const struct bench_case *c)
{
	unsigned int shift = bench_leaf(c) == SZ_2M ? 21 : 12;
	unsigned long count = c->fresh ? MISSING * c->batch :
			      DIV_ROUND_UP(c->window, (u64)ENTRIES << shift);
	struct limit *limit = kvzalloc(struct_size(limit, tables, count), GFP_KERNEL);

	if (!limit)
		return NULL;

	limit->c = c;
	limit->first = bench_base(c);
	limit->shift = shift;
	limit->attrs = shift == 21 ? DESC_BLOCK : DESC_PAGE;
	for (; limit->count < count; limit->count++) {
		limit->tables[limit->count] = (u64 *)get_zeroed_page(GFP_KERNEL);
		if (!limit->tables[limit->count]) {
			limit_destroy(&limit->base);
			return NULL;
		}
	}

	return &limit->base;
}

/* What was stored in one table, all at once. */
static void clean(const struct bench_vm *vm, const u64 *first, const u64 *end)
{
	if (!vm->coherent)
		dma_sync_single_for_device(vm->dev, virt_to_phys((void *)first),
					   (end - first) * sizeof(*first), DMA_TO_DEVICE);
}

/* Three tables are missing, which whoever has them has to clear and to link. */
static void map_fresh(struct limit *limit, const struct bench_op *op, u64 **tables)
{
	u64 paddr = sg_dma_address(op->sgt.sgl);

	for (unsigned int i = 0; i < MISSING; i++) {
		memset(tables[i], 0, SZ_4K);
		if (i + 1 < MISSING)
			tables[i][op->iova >> (30 - 9 * i) & (ENTRIES - 1)] =
				virt_to_phys(tables[i + 1]) | DESC_TABLE;
		else
			tables[i][op->iova >> 12 & (ENTRIES - 1)] = paddr | limit->attrs;
		clean(&limit->base, tables[i], tables[i] + ENTRIES);
	}
}

/* A piece that is contiguous, and in one table. */
static u64 *store(u64 *entry, u64 *end, u64 desc, u64 leaf)
{
	while (entry < end) {
		*entry++ = desc;
		desc += leaf;
	}
	return entry;
}

static void map_one(struct limit *limit, const struct bench_op *op)
{
	u64 index = (op->iova - limit->first) >> limit->shift, leaf = 1ull << limit->shift;
	u64 **table = &limit->tables[index / ENTRIES];
	u64 *first = *table + index % ENTRIES, *end = *table + ENTRIES, *entry = first;
	struct scatterlist *sg = op->sgt.sgl;
	u64 len = 0, paddr = 0, count;

	for (u64 left = op->size >> limit->shift; left; left -= count) {
		if (entry == end) {
			clean(&limit->base, first, end);
			first = *++table;
			end = first + ENTRIES;
			entry = first;
		}
		if (!len) {
			paddr = sg_dma_address(sg);
			len = sg_dma_len(sg) >> limit->shift;
			sg = sg_next(sg);
		}
		count = min3(left, len, (u64)(end - entry));
		entry = store(entry, entry + count, paddr | limit->attrs, leaf);
		paddr += count << limit->shift;
		len -= count;
	}
	clean(&limit->base, first, entry);
}

static void map_repeat(struct limit *limit, const struct bench_op *op)
{
	u64 index = (op->iova - limit->first) >> limit->shift;
	u64 **table = &limit->tables[index / ENTRIES];
	u64 desc = op->paddr | limit->attrs;

	for (u64 left = op->size >> limit->shift; left; left -= ENTRIES, table++) {
		store(*table, *table + ENTRIES, desc, 0);
		clean(&limit->base, *table, *table + ENTRIES);
	}
}

static int limit_map(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct limit *limit = to_limit(vm);

	for (unsigned int i = 0; i < n; i++) {
		if (ops->c->fresh)
			map_fresh(limit, &ops[i], &limit->tables[MISSING * i]);
		else if (ops->c->layout == BENCH_REPEAT)
			map_repeat(limit, &ops[i]);
		else
			map_one(limit, &ops[i]);
		/* Before the device is told. */
		wmb();
	}
	return 0;
}

/* Look whether something is there, and clear it. */
static u64 clear(const struct bench_vm *vm, u64 *entry, u64 *end)
{
	u64 *first = entry;
	u64 found = 0;

	for (; entry < end; entry++) {
		found += !!*entry;
		*entry = 0;
	}
	clean(vm, first, end);
	return found;
}

static int limit_unmap(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct limit *limit = to_limit(vm);
	int err = 0;

	for (unsigned int i = 0; i < n; i++) {
		u64 index = (ops[i].iova - limit->first) >> limit->shift, found = 0;
		u64 left = ops[i].size >> limit->shift, chunk;

		if (ops->c->fresh)
			index = (u64)ENTRIES * (MISSING * i + MISSING - 1) +
				(ops[i].iova >> 12 & (ENTRIES - 1));

		for (; left; left -= chunk, index += chunk) {
			u64 *entry = limit->tables[index / ENTRIES] + index % ENTRIES;

			chunk = min(left, ENTRIES - index % ENTRIES);
			found += clear(vm, entry, entry + chunk);
		}
		if (found != ops[i].size >> limit->shift)
			err = -EINVAL;
	}
	return err;
}

static u64 limit_lookup(struct bench_vm *vm, u64 iova)
{
	struct limit *limit = to_limit(vm);
	u64 index = (iova - limit->first) >> limit->shift, desc;

	if (limit->c->fresh) {
		/* The batch has one operation in each part of the window. */
		index = div64_u64(iova - limit->first, limit->c->window / limit->c->batch);
		desc = limit->tables[MISSING * index + MISSING - 1][iova >> 12 & (ENTRIES - 1)];
	} else {
		desc = limit->tables[index / ENTRIES][index % ENTRIES];
	}
	return desc ? (desc & DESC_ADDR) + (iova & ((1ull << limit->shift) - 1)) : BENCH_HOLE;
}

static unsigned long limit_tables(struct bench_vm *vm)
{
	return to_limit(vm)->count;
}

const struct bench_ops bench_limit = {
	.name = "limit",
	.create = limit_create,
	.destroy = limit_destroy,
	.map = limit_map,
	.unmap = limit_unmap,
	.lookup = limit_lookup,
	.tables = limit_tables,
	.flat = true,
};
