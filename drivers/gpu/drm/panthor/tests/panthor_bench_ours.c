// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The benchmark's variant "ours": panthor_pgtable, used as the driver does, a
 * reservation and one call for an operation.
 */

#include <linux/err.h>
#include <linux/slab.h>

#include "../panthor_pgtable.h"
#include "panthor_bench.h"

struct ours {
	struct bench_vm base;
	struct panthor_pgtable *pt;
	struct panthor_pgtable_rsv rsv[BENCH_BATCH_MAX];
};

static struct ours *to_ours(struct bench_vm *vm)
{
	return container_of(vm, struct ours, base);
}

static struct bench_vm *ours_create(struct device *dev, bool coherent,
				    const struct bench_case *c)
{
	struct panthor_pgtable_cfg cfg = {
		.dev = dev,
		.pgsize_bitmap = BENCH_SIZES,
		.va_bits = BENCH_VA_BITS,
		.pa_bits = BENCH_PA_BITS,
		.coherent_walk = coherent,
	};
	struct ours *ours = kzalloc(sizeof(*ours), GFP_KERNEL);

	if (!ours)
		return NULL;

	ours->pt = panthor_pgtable_create(&cfg);
	if (IS_ERR(ours->pt)) {
		kfree(ours);
		return NULL;
	}

	return &ours->base;
}

static void ours_destroy(struct bench_vm *vm)
{
	struct ours *ours = to_ours(vm);

	panthor_pgtable_destroy(ours->pt);
	kfree(ours);
}

static int ours_reserve(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct ours *ours = to_ours(vm);
	int err = 0;

	for (unsigned int i = 0; i < n && !err; i++) {
		const struct bench_op *op = &ops[i];

		if (op->c->layout == BENCH_REPEAT)
			err = panthor_pgtable_reserve_map_repeat(ours->pt, &ours->rsv[i], op->iova,
								 op->paddr, SZ_2M, op->size);
		else
			err = panthor_pgtable_reserve_map_sgt(ours->pt, &ours->rsv[i], op->iova,
							      &op->sgt, 0, op->size);
	}
	return err;
}

/* Whoever maps flushes, too: the device may have cached that nothing was there. */
static int ours_map(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct ours *ours = to_ours(vm);
	int err = 0;

	for (unsigned int i = 0; i < n && !err; i++) {
		const struct bench_op *op = &ops[i];

		if (op->c->layout == BENCH_REPEAT)
			err = panthor_pgtable_map_repeat(ours->pt, &ours->rsv[i], op->iova,
							 op->paddr, SZ_2M, op->size, BENCH_PROT);
		else
			err = panthor_pgtable_map_sgt(ours->pt, &ours->rsv[i], op->iova, &op->sgt,
						      0, op->size, BENCH_PROT);
		panthor_pgtable_flushed(ours->pt);
	}
	return err;
}

static int ours_reserve_unmap(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct ours *ours = to_ours(vm);
	int err = 0;

	for (unsigned int i = 0; i < n && !err; i++)
		err = panthor_pgtable_reserve_unmap(ours->pt, &ours->rsv[i], ops[i].iova,
						    ops[i].size);
	return err;
}

static void ours_expand(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct ours *ours = to_ours(vm);

	for (unsigned int i = 0; i < n; i++) {
		u64 iova = ops[i].iova, size = ops[i].size;

		panthor_pgtable_expand(ours->pt, &iova, &size);
		panthor_pgtable_flush_range(ours->pt, &iova, &size);
	}
}

static int ours_unmap(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct ours *ours = to_ours(vm);
	int err = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (panthor_pgtable_unmap(ours->pt, &ours->rsv[i], ops[i].iova, ops[i].size) !=
		    ops[i].size)
			err = -EINVAL;
		panthor_pgtable_flushed(ours->pt);
	}
	return err;
}

static void ours_unreserve(struct bench_vm *vm, unsigned int n)
{
	struct ours *ours = to_ours(vm);

	for (unsigned int i = 0; i < n; i++)
		panthor_pgtable_unreserve(ours->pt, &ours->rsv[i]);
}

static u64 ours_lookup(struct bench_vm *vm, u64 iova)
{
	u64 paddr;

	return panthor_pgtable_iova_to_phys(to_ours(vm)->pt, iova, &paddr) ? BENCH_HOLE : paddr;
}

static unsigned long ours_tables(struct bench_vm *vm)
{
	struct panthor_pgtable_stats stats;

	panthor_pgtable_stats(to_ours(vm)->pt, &stats);
	return stats.tree;
}

const struct bench_ops bench_ours = {
	.name = "ours",
	.create = ours_create,
	.destroy = ours_destroy,
	.reserve = ours_reserve,
	.map = ours_map,
	.reserve_unmap = ours_reserve_unmap,
	.expand = ours_expand,
	.unmap = ours_unmap,
	.unreserve = ours_unreserve,
	.lookup = ours_lookup,
	.tables = ours_tables,
};
