// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The benchmark's variant "io-pgtable": io-pgtable-arm, driven as the driver of
 * Linux 6.12 to 7.3 does it, with tables reserved in bulk from a slab cache.
 */

#include <linux/gfp.h>
#include <linux/io-pgtable.h>
#include <linux/kmemleak.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "panthor_bench.h"

struct slab_rsv {
	void **tables;
	size_t count;
	size_t used;
};

struct iopgt {
	struct bench_vm base;
	struct io_pgtable_ops *ops;
	void *root;
	unsigned long tables;
	struct slab_rsv *current_rsv;
	struct slab_rsv rsv[BENCH_BATCH_MAX];
};

static struct kmem_cache *table_cache;

static struct iopgt *to_iopgt(struct bench_vm *vm)
{
	return container_of(vm, struct iopgt, base);
}

static void *table_alloc(void *cookie, size_t size, gfp_t gfp)
{
	struct iopgt *iopgt = cookie;
	struct slab_rsv *rsv = iopgt->current_rsv;
	void *table;

	if (!iopgt->root) {
		iopgt->root = (void *)get_zeroed_page(gfp);
		iopgt->tables += !!iopgt->root;
		return iopgt->root;
	}
	if (WARN_ON(!rsv || rsv->used == rsv->count || size != SZ_4K))
		return NULL;

	iopgt->tables++;
	table = rsv->tables[rsv->used++];
	memset(table, 0, SZ_4K);
	kmemleak_ignore(table);
	return table;
}

static void table_free(void *cookie, void *table, size_t size)
{
	struct iopgt *iopgt = cookie;

	iopgt->tables--;
	if (table == iopgt->root)
		free_page((unsigned long)table);
	else
		kmem_cache_free(table_cache, table);
}

/* The device is not there: nothing to flush. */
static void flush_all(void *cookie)
{
}

static void flush_walk(unsigned long iova, size_t size, size_t granule, void *cookie)
{
}

static const struct iommu_flush_ops flush_ops = {
	.tlb_flush_all = flush_all,
	.tlb_flush_walk = flush_walk,
};

static struct bench_vm *iopgt_create(struct device *dev, bool coherent,
				     const struct bench_case *c)
{
	struct io_pgtable_cfg cfg = {
		.pgsize_bitmap = BENCH_SIZES,
		.ias = BENCH_VA_BITS,
		.oas = BENCH_PA_BITS,
		.coherent_walk = coherent,
		.tlb = &flush_ops,
		.iommu_dev = dev,
		.alloc = table_alloc,
		.free = table_free,
	};
	struct iopgt *iopgt = kzalloc(sizeof(*iopgt), GFP_KERNEL);

	if (!iopgt)
		return NULL;

	iopgt->ops = alloc_io_pgtable_ops(ARM_64_LPAE_S1, &cfg, iopgt);
	if (!iopgt->ops) {
		kfree(iopgt);
		return NULL;
	}

	return &iopgt->base;
}

static void iopgt_destroy(struct bench_vm *vm)
{
	struct iopgt *iopgt = to_iopgt(vm);

	free_io_pgtable_ops(iopgt->ops);
	WARN_ON(iopgt->tables);
	kfree(iopgt);
}

/* Tables below an entry of 1 << @shift bytes that a range touches. */
static u64 spanned(u64 iova, u64 size, unsigned int shift)
{
	return ((iova + size - 1) >> shift) - (iova >> shift) + 1;
}

/**
 * bench_iopgt_worst() - how many tables the driver reserves for a map
 * @iova: First byte.
 * @size: Bytes.
 *
 * Return: the number, blocks or not.
 */
u64 bench_iopgt_worst(u64 iova, u64 size)
{
	return spanned(iova, size, 39) + spanned(iova, size, 30) + spanned(iova, size, 21);
}

static int slab_reserve(struct slab_rsv *rsv, size_t count)
{
	*rsv = (struct slab_rsv){};
	if (!count)
		return 0;

	rsv->tables = kcalloc(count, sizeof(*rsv->tables), GFP_KERNEL);
	if (!rsv->tables)
		return -ENOMEM;

	if (!kmem_cache_alloc_bulk(table_cache, GFP_KERNEL, count, rsv->tables)) {
		kfree(rsv->tables);
		rsv->tables = NULL;
		return -ENOMEM;
	}

	rsv->count = count;
	return 0;
}

static void slab_unreserve(struct slab_rsv *rsv)
{
	if (rsv->count > rsv->used)
		kmem_cache_free_bulk(table_cache, rsv->count - rsv->used,
				     rsv->tables + rsv->used);
	kfree(rsv->tables);
	*rsv = (struct slab_rsv){};
}

static int iopgt_reserve(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct iopgt *iopgt = to_iopgt(vm);
	int err = 0;

	for (unsigned int i = 0; i < n && !err; i++) {
		u64 count = bench_iopgt_worst(ops[i].iova, ops[i].size);

		/* What it would reserve for a large one is more than this machine has. */
		if (ops->c->layout == BENCH_REPEAT)
			count -= spanned(ops[i].iova, ops[i].size, 21);
		err = slab_reserve(&iopgt->rsv[i], count);
	}
	return err;
}

/* The next leaves that one call can take: of one size, in one table. */
static size_t next_leaves(u64 iova, u64 paddr, u64 size, size_t *leaf)
{
	u64 table = SZ_1G;

	*leaf = SZ_2M;
	if ((iova | paddr) % SZ_2M || size < SZ_2M) {
		*leaf = SZ_4K;
		table = SZ_2M;
	}
	return min(size, table - iova % table) / *leaf;
}

static int map_piece(struct iopgt *iopgt, u64 iova, u64 paddr, u64 size)
{
	while (size) {
		size_t leaf, done = 0;
		size_t count = next_leaves(iova, paddr, size, &leaf);
		int err = iopgt->ops->map_pages(iopgt->ops, iova, paddr, leaf, count, BENCH_PROT,
						GFP_KERNEL, &done);

		if (err || !done)
			return err ?: -ENOMEM;
		iova += done;
		paddr += done;
		size -= done;
	}
	return 0;
}

static int map_sgt(struct iopgt *iopgt, u64 iova, const struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;
	int err;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		err = map_piece(iopgt, iova, sg_dma_address(sg), sg_dma_len(sg));
		if (err)
			return err;
		iova += sg_dma_len(sg);
	}
	return 0;
}

static int map_repeat(struct iopgt *iopgt, const struct bench_op *op)
{
	int err = 0;

	for (u64 done = 0; done < op->size && !err; done += SZ_2M)
		err = map_sgt(iopgt, op->iova + done, &op->sgt);
	return err;
}

static int iopgt_map(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct iopgt *iopgt = to_iopgt(vm);
	int err = 0;

	for (unsigned int i = 0; i < n && !err; i++) {
		iopgt->current_rsv = &iopgt->rsv[i];
		if (ops[i].c->layout == BENCH_REPEAT)
			err = map_repeat(iopgt, &ops[i]);
		else
			err = map_sgt(iopgt, ops[i].iova, &ops[i].sgt);
	}
	iopgt->current_rsv = NULL;
	return err;
}

/* A table for each end that may cut a block of 2 MiB. */
static int iopgt_reserve_unmap(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct iopgt *iopgt = to_iopgt(vm);
	int err = 0;

	for (unsigned int i = 0; i < n && !err; i++) {
		u64 first = ops[i].iova, end = first + ops[i].size;
		size_t count = !!(first % SZ_2M);

		if (end % SZ_2M && (!count || end / SZ_2M != first / SZ_2M))
			count++;
		err = slab_reserve(&iopgt->rsv[i], count);
	}
	return err;
}

static int unmap_range(struct iopgt *iopgt, u64 iova, u64 size)
{
	while (size) {
		size_t leaf;
		size_t count = next_leaves(iova, 0, size, &leaf);
		size_t done = iopgt->ops->unmap_pages(iopgt->ops, iova, leaf, count, NULL);

		if (done != count * leaf)
			return -EINVAL;
		iova += done;
		size -= done;
	}
	return 0;
}

static int iopgt_unmap(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct iopgt *iopgt = to_iopgt(vm);
	int err = 0;

	for (unsigned int i = 0; i < n; i++)
		err = unmap_range(iopgt, ops[i].iova, ops[i].size) ?: err;
	return err;
}

static void iopgt_unreserve(struct bench_vm *vm, unsigned int n)
{
	struct iopgt *iopgt = to_iopgt(vm);

	for (unsigned int i = 0; i < n; i++)
		slab_unreserve(&iopgt->rsv[i]);
}

static u64 iopgt_lookup(struct bench_vm *vm, u64 iova)
{
	struct iopgt *iopgt = to_iopgt(vm);

	/* No buffer is at address 0, which is a hole as well. */
	return iopgt->ops->iova_to_phys(iopgt->ops, iova) ?: BENCH_HOLE;
}

static unsigned long iopgt_tables(struct bench_vm *vm)
{
	return to_iopgt(vm)->tables;
}

/**
 * bench_iopgt_init() - make the cache that tables come from
 *
 * Return: 0 or -ENOMEM.
 */
int bench_iopgt_init(void)
{
	table_cache = kmem_cache_create("panthor-bench-table", SZ_4K, SZ_4K, 0, NULL);
	return table_cache ? 0 : -ENOMEM;
}

/**
 * bench_iopgt_fini() - undo bench_iopgt_init()
 */
void bench_iopgt_fini(void)
{
	kmem_cache_destroy(table_cache);
	table_cache = NULL;
}

const struct bench_ops bench_iopgt = {
	.name = "io-pgtable",
	.create = iopgt_create,
	.destroy = iopgt_destroy,
	.reserve = iopgt_reserve,
	.map = iopgt_map,
	.reserve_unmap = iopgt_reserve_unmap,
	.unmap = iopgt_unmap,
	.unreserve = iopgt_unreserve,
	.lookup = iopgt_lookup,
	.tables = iopgt_tables,
};
