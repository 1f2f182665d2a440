// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Subject: the kernel's own io-pgtable, called as panthor does: once for each entry of
 * the scatter list and for each table.
 */

#include <linux/dev_printk.h>
#include <linux/io-pgtable.h>
#include <linux/slab.h>

#include "machine.h"
#include "slab.h"
#include "subject.h"

struct iopgt {
	struct io_pgtable_ops *ops;
	u64 pgsize_bitmap;
	struct slab_rsv jobs[BENCH_JOBS];
};

static struct device device;

static void *table_alloc(void *cookie, size_t size, gfp_t gfp)
{
	return slab_alloc();
}

static void table_free(void *cookie, void *table, size_t size)
{
	slab_free(table);
}

static void flush_nothing(void *cookie)
{
}

static void flush_walk_nothing(unsigned long iova, size_t size, size_t granule, void *cookie)
{
}

static const struct iommu_flush_ops flush_ops = {
	.tlb_flush_all = flush_nothing,
	.tlb_flush_walk = flush_walk_nothing,
};

static void *iopgt_create(const struct bench_cfg *cfg)
{
	struct iopgt *p = kzalloc(sizeof(*p), GFP_KERNEL);
	struct io_pgtable_cfg io_cfg = {
		.pgsize_bitmap = cfg->pgsize_bitmap,
		.ias = BENCH_VA_BITS,
		.oas = BENCH_PA_BITS,
		.coherent_walk = cfg->coherent,
		.tlb = &flush_ops,
		.iommu_dev = &device,
		.alloc = table_alloc,
		.free = table_free,
	};

	p->pgsize_bitmap = cfg->pgsize_bitmap;
	p->ops = alloc_io_pgtable_ops(ARM_64_LPAE_S1, &io_cfg, p);
	if (!p->ops)
		bench_die("alloc_io_pgtable_ops failed");
	return p;
}

static void iopgt_destroy(void *vm)
{
	struct iopgt *p = vm;

	free_io_pgtable_ops(p->ops);
	kfree(p);
}

/*
 * The largest leaf that fits at @addr, and how many of them until the table ends.
 * @addr is both addresses, or'ed, for a map.
 */
static size_t leaf_size(const struct iopgt *p, u64 addr, size_t size, size_t *count)
{
	size_t room = SZ_2M - addr % SZ_2M;

	if (room != SZ_2M || size < SZ_2M || !(p->pgsize_bitmap & SZ_2M)) {
		*count = min_t(size_t, room, size) / SZ_4K;
		return SZ_4K;
	}

	room = SZ_1G - addr % SZ_1G;
	*count = min_t(size_t, room, size) / SZ_2M;
	return SZ_2M;
}

static int map_run(struct iopgt *p, u64 iova, u64 paddr, size_t size)
{
	while (size) {
		size_t count, mapped = 0;
		size_t leaf = leaf_size(p, iova | paddr, size, &count);
		int err = p->ops->map_pages(p->ops, iova, paddr, leaf, count, BENCH_PROT,
					    GFP_KERNEL, &mapped);

		if (err || !mapped)
			return err ?: -ENOMEM;
		iova += mapped;
		paddr += mapped;
		size -= mapped;
	}
	return 0;
}

static int iopgt_map(void *vm, const struct bench_op *op)
{
	u64 iova = op->iova, left = op->size;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(op->sgt, sg, i) {
		size_t len = min_t(u64, sg_dma_len(sg), left);
		int err = map_run(vm, iova, sg_dma_address(sg), len);

		if (err)
			return err;
		iova += len;
		left -= len;
		if (!left)
			break;
	}
	return 0;
}

static u64 iopgt_unmap(void *vm, const struct bench_op *op)
{
	struct iopgt *p = vm;
	u64 done = 0;

	while (done < op->size) {
		size_t count;
		size_t leaf = leaf_size(p, op->iova + done, op->size - done, &count);
		size_t unmapped = p->ops->unmap_pages(p->ops, op->iova + done, leaf, count, NULL);

		if (unmapped != leaf * count)
			break;
		done += unmapped;
	}
	return done;
}

/* Tables go away only if a larger leaf's place is unmapped. */
static void iopgt_clear(void *vm, const struct bench_op *op)
{
	struct iopgt *p = vm;
	u64 done;

	for (done = 0; done < op->size; done += op->leaf) {
		if (p->ops->unmap_pages(p->ops, op->iova + done, op->leaf, 1, NULL) != op->leaf)
			bench_die("io-pgtable: clear failed");
	}
}

static u64 iopgt_translate(void *vm, u64 iova)
{
	struct iopgt *p = vm;

	return p->ops->iova_to_phys(p->ops, iova);
}

static int iopgt_reserve(void *vm, const struct bench_op *op, unsigned int job)
{
	struct iopgt *p = vm;

	return slab_reserve(&p->jobs[job], op->iova, op->size);
}

static void iopgt_unreserve(void *vm, unsigned int job)
{
	struct iopgt *p = vm;

	slab_unreserve(&p->jobs[job]);
}

const struct bench_subject bench_iopgt = {
	.name = "iopgt",
	.create = iopgt_create,
	.destroy = iopgt_destroy,
	.map = iopgt_map,
	.unmap = iopgt_unmap,
	.clear = iopgt_clear,
	.translate = iopgt_translate,
	.reserve = iopgt_reserve,
	.unreserve = iopgt_unreserve,
};
