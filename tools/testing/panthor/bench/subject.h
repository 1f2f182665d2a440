/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * What is compared: subjects, each with the same calls, of which some are counted.
 * Each call is about one operation.
 */
#ifndef __BENCH_SUBJECT_H__
#define __BENCH_SUBJECT_H__

#include <linux/iommu.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#define BENCH_VA_BITS	48
#define BENCH_PA_BITS	40
#define BENCH_PROT	(IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE | IOMMU_NOEXEC)

/* Operations are in the middle one of three GiB that start here. */
#define BENCH_WINDOW	(255ull * SZ_1G)
#define BENCH_IOVA	(BENCH_WINDOW + SZ_1G)

/* Reservations that can be outstanding. */
#define BENCH_JOBS	65

struct bench_cfg {
	bool coherent;
	u64 pgsize_bitmap;
};

struct bench_op {
	u64 iova;
	u64 size;

	/* Bytes of each leaf that has to come out. */
	u64 leaf;

	/* What is mapped. */
	struct sg_table *sgt;
};

/* Calls with a 0 or a size as result have succeeded. NULL if a subject cannot do it. */
struct bench_subject {
	const char *name;

	void *(*create)(const struct bench_cfg *cfg);
	void (*destroy)(void *vm);

	/* Counted is the call in the middle. */
	int (*before_map)(void *vm, const struct bench_op *op);
	int (*map)(void *vm, const struct bench_op *op);
	void (*after_map)(void *vm);

	int (*before_unmap)(void *vm, const struct bench_op *op);
	u64 (*unmap)(void *vm, const struct bench_op *op);
	void (*after_unmap)(void *vm);

	/* Unmap, but leave the tables, if that can be done. */
	void (*clear)(void *vm, const struct bench_op *op);

	/* 0 if nothing is mapped there. */
	u64 (*translate)(void *vm, u64 iova);

	/* Both are counted. */
	int (*reserve)(void *vm, const struct bench_op *op, unsigned int job);
	void (*unreserve)(void *vm, unsigned int job);
};

extern const struct bench_subject bench_ours;
extern const struct bench_subject bench_iopgt;
extern const struct bench_subject bench_limit;
extern const struct bench_subject bench_limit_checked;

#endif
