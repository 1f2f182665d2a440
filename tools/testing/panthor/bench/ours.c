// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Subject: panthor's page tables, through their public calls alone, as the driver
 * makes them.
 */

#include <linux/dev_printk.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "machine.h"
#include "panthor_pgtable.h"
#include "subject.h"

struct ours {
	struct panthor_pgtable *pt;
	struct panthor_pgtable_rsv rsv;

	/* Of a job that never runs, so that its tables stay. */
	struct panthor_pgtable_rsv keep;
	struct panthor_pgtable_rsv jobs[BENCH_JOBS];
};

static struct device device;

static void *ours_create(const struct bench_cfg *cfg)
{
	struct ours *o = kzalloc(sizeof(*o), GFP_KERNEL);

	o->pt = panthor_pgtable_create(&(struct panthor_pgtable_cfg){
		.dev = &device,
		.pgsize_bitmap = cfg->pgsize_bitmap,
		.va_bits = BENCH_VA_BITS,
		.pa_bits = BENCH_PA_BITS,
		.coherent_walk = cfg->coherent,
	});
	if (IS_ERR(o->pt))
		bench_die("panthor_pgtable_create: %ld", PTR_ERR(o->pt));
	return o;
}

static void ours_destroy(void *vm)
{
	struct ours *o = vm;

	panthor_pgtable_destroy(o->pt);
	kfree(o);
}

static int ours_before_map(void *vm, const struct bench_op *op)
{
	struct ours *o = vm;

	return panthor_pgtable_reserve_map_sgt(o->pt, &o->rsv, op->iova, op->sgt, 0, op->size);
}

static int ours_map(void *vm, const struct bench_op *op)
{
	struct ours *o = vm;

	return panthor_pgtable_map_sgt(o->pt, &o->rsv, op->iova, op->sgt, 0, op->size, BENCH_PROT);
}

static int ours_before_unmap(void *vm, const struct bench_op *op)
{
	struct ours *o = vm;

	return panthor_pgtable_reserve_unmap(o->pt, &o->rsv, op->iova, op->size);
}

/* With what takes the tables back: io-pgtable's unmap also frees them. */
static u64 ours_unmap(void *vm, const struct bench_op *op)
{
	struct ours *o = vm;
	s64 unmapped = panthor_pgtable_unmap(o->pt, &o->rsv, op->iova, op->size);

	panthor_pgtable_flushed(o->pt);
	return unmapped;
}

static void ours_after(void *vm)
{
	struct ours *o = vm;

	panthor_pgtable_unreserve(o->pt, &o->rsv);
	panthor_pgtable_unreserve(o->pt, &o->keep);
}

static void ours_clear(void *vm, const struct bench_op *op)
{
	struct ours *o = vm;

	if (panthor_pgtable_reserve_map_sgt(o->pt, &o->keep, op->iova, op->sgt, 0, op->size) ||
	    ours_before_unmap(vm, op) || ours_unmap(vm, op) != op->size)
		bench_die("ours: clear failed");
	panthor_pgtable_unreserve(o->pt, &o->rsv);
}

static u64 ours_translate(void *vm, u64 iova)
{
	struct ours *o = vm;
	u64 paddr;

	return panthor_pgtable_iova_to_phys(o->pt, iova, &paddr) ? 0 : paddr;
}

static int ours_reserve(void *vm, const struct bench_op *op, unsigned int job)
{
	struct ours *o = vm;

	return panthor_pgtable_reserve_map_sgt(o->pt, &o->jobs[job], op->iova, op->sgt, 0,
					       op->size);
}

static void ours_unreserve(void *vm, unsigned int job)
{
	struct ours *o = vm;

	panthor_pgtable_unreserve(o->pt, &o->jobs[job]);
}

const struct bench_subject bench_ours = {
	.name = "ours",
	.create = ours_create,
	.destroy = ours_destroy,
	.before_map = ours_before_map,
	.map = ours_map,
	.after_map = ours_after,
	.before_unmap = ours_before_unmap,
	.unmap = ours_unmap,
	.after_unmap = ours_after,
	.clear = ours_clear,
	.translate = ours_translate,
	.reserve = ours_reserve,
	.unreserve = ours_unreserve,
};
