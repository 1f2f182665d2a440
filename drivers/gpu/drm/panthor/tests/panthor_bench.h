/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * What the files of the benchmark share: cases (which work), variants (who does it),
 * and the devices that do not exist.
 */
#ifndef __PANTHOR_BENCH_H__
#define __PANTHOR_BENCH_H__

#include <linux/iommu.h>
#include <linux/printk.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct device;

#define BENCH_PROT	(IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)
#define BENCH_VA_BITS	48
#define BENCH_PA_BITS	40
#define BENCH_SIZES	(SZ_4K | SZ_2M | SZ_1G)
#define BENCH_BATCH_MAX	64

/* What a lookup says where nothing is mapped. */
#define BENCH_HOLE	U64_MAX

/* scripts/bench reads the lines that start like this. */
#define bench_say(fmt, ...)	pr_info("panthor-bench: " fmt "\n", ##__VA_ARGS__)

/**
 * enum bench_layout - which physical addresses a buffer has
 */
enum bench_layout {
	/** @BENCH_SCATTERED: An entry of the scatter list for each 4 KiB. */
	BENCH_SCATTERED,

	/** @BENCH_PAGES: One entry, at an address that makes no block possible. */
	BENCH_PAGES,

	/** @BENCH_BLOCKS: One entry that blocks of 2 MiB, and no larger ones, can map. */
	BENCH_BLOCKS,

	/** @BENCH_REPEAT: The same 2 MiB again and again. */
	BENCH_REPEAT,
};

/**
 * struct bench_case - a piece of work to measure, many times
 *
 * A sample is a batch of operations at random places of a window, one in each of
 * its equal parts.
 */
struct bench_case {
	/** @name: For machines. */
	const char *name;

	/** @title: For people. */
	const char *title;

	/** @rows: Where scripts/bench shows it: map, unmap, job, reserve, plot, sparse. */
	const char *rows;

	/** @layout: Of the buffers. */
	enum bench_layout layout;

	/** @size: Bytes of an operation. */
	u64 size;

	/** @base: First byte of the window, 0 for a place in the middle. */
	u64 base;

	/** @window: Bytes. */
	u64 window;

	/** @step: An iova is a multiple of this... */
	u64 step;

	/** @first: ...and this. */
	u64 first;

	/**
	 * @anchors: A page is mapped at each multiple of this, so that the tables
	 * above and around it are there. 0 is for none.
	 */
	u64 anchors;

	/** @tails: A page is mapped before each multiple of @anchors as well. */
	bool tails;

	/** @fresh: Start each sample with a page table that was just made. */
	bool fresh;

	/** @batch: Operations of a sample. */
	unsigned int batch;
};

/**
 * struct bench_op - one operation, with a buffer of its own
 */
struct bench_op {
	/** @c: What it is for. */
	const struct bench_case *c;

	/** @iova: First byte. */
	u64 iova;

	/** @size: Bytes. */
	u64 size;

	/** @paddr: Start of the buffer, if it is in one piece. */
	u64 paddr;

	/** @seed: Tells buffers apart that are in many pieces. */
	u32 seed;

	/** @sgt: The buffer. */
	struct sg_table sgt;
};

/**
 * struct bench_vm - one page table; the start of each variant's own structure
 */
struct bench_vm {
	/** @ops: Whose. */
	const struct bench_ops *ops;

	/** @dev: The device. */
	struct device *dev;

	/** @coherent: The device's walker snoops. */
	bool coherent;
};

/**
 * struct bench_ops - a variant: somebody who makes page tables
 *
 * Calls take the operations of a whole batch, or one. What is not measured of a
 * variant is NULL.
 */
struct bench_ops {
	/** @name: For machines. */
	const char *name;

	/** @create: Make an empty page table for a case. Returns NULL if it cannot. */
	struct bench_vm *(*create)(struct device *dev, bool coherent,
				   const struct bench_case *c);

	/** @destroy: Free it. Nothing is reserved. */
	void (*destroy)(struct bench_vm *vm);

	/** @reserve: Get ready for @map. */
	int (*reserve)(struct bench_vm *vm, const struct bench_op *ops, unsigned int n);

	/** @map: Map the operations. Must not fail. */
	int (*map)(struct bench_vm *vm, const struct bench_op *ops, unsigned int n);

	/** @reserve_unmap: Get ready for @unmap. */
	int (*reserve_unmap)(struct bench_vm *vm, const struct bench_op *ops, unsigned int n);

	/** @expand: Find the ranges that the device has to be locked out of. */
	void (*expand)(struct bench_vm *vm, const struct bench_op *ops, unsigned int n);

	/** @unmap: Unmap the operations, as if the device were flushed after each. */
	int (*unmap)(struct bench_vm *vm, const struct bench_op *ops, unsigned int n);

	/** @unreserve: Give back what the last @n reservations have left. */
	void (*unreserve)(struct bench_vm *vm, unsigned int n);

	/** @lookup: Physical address behind @iova, or BENCH_HOLE. */
	u64 (*lookup)(struct bench_vm *vm, u64 iova);

	/** @tables: Tables in the tree. */
	unsigned long (*tables)(struct bench_vm *vm);

	/** @flat: Only the window is there, and all of its tables. */
	bool flat;
};

extern const struct bench_ops bench_limit;
extern const struct bench_ops bench_iopgt;
extern const struct bench_ops bench_genpt;
extern const struct bench_ops bench_ours;

extern const struct bench_case bench_cases[];
extern const unsigned int bench_case_count;

int bench_ops_init(struct bench_op *ops, const struct bench_case *c);
void bench_ops_fini(struct bench_op *ops, unsigned int n);
void bench_ops_place(struct bench_op *ops, u64 seed);
int bench_op_init_anchor(struct bench_op *op, const struct bench_case *c);
u64 bench_op_paddr(const struct bench_op *op, u64 offset);
u64 bench_base(const struct bench_case *c);

/* Bytes behind a leaf of the case. */
static inline u64 bench_leaf(const struct bench_case *c)
{
	return c->layout == BENCH_BLOCKS || c->layout == BENCH_REPEAT ? SZ_2M : SZ_4K;
}

int bench_iopgt_init(void);
void bench_iopgt_fini(void);
u64 bench_iopgt_worst(u64 iova, u64 size);

struct device *bench_dev_create(bool coherent);
void bench_dev_destroy(struct device *dev);
const char *bench_dev_clean_name(void);
u64 bench_clock(void);

#endif
