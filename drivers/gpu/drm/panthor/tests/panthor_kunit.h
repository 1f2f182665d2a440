/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * What the KUnit suites of panthor's page tables share: a page table on a device
 * that does not exist, a page source that counts, and looks at the whole tree.
 */
#ifndef __PANTHOR_KUNIT_H__
#define __PANTHOR_KUNIT_H__

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/scatterlist.h>

#include "../panthor_pgtable.h"

/* Or io-pgtable-arm, behind the same API. */
#define PK_FORK	IS_ENABLED(CONFIG_DRM_PANTHOR_PGTABLE_FORK)

#define PK_RW	(IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)

/**
 * struct pk_pages - a page source that counts
 */
struct pk_pages {
	/** @taken: Pages taken and not given back. */
	atomic_long_t taken;

	/** @calls: Pages asked for. */
	unsigned long calls;

	/** @refuse: Refuse the page when @calls gets here; 0 is never. */
	unsigned long refuse;
};

/**
 * struct pk - fixture: one page table
 *
 * At the end of the test the page table is destroyed, and each page must be
 * back.
 */
struct pk {
	/** @test: The test it was made for. */
	struct kunit *test;

	/** @pt: The page table. */
	struct panthor_pgtable *pt;

	/** @cfg: What it was made with. */
	struct panthor_pgtable_cfg cfg;

	/** @pages: Where its pages come from, if the test has no source of its own. */
	struct pk_pages pages;
};

/**
 * struct pk_tree - what a look at the whole tree found
 */
struct pk_tree {
	/** @hash: Of all descriptors and their places. */
	u64 hash;

	/** @tables: Tables, the root included. */
	unsigned long tables;

	/** @empty: Tables without a valid entry, the root not counted. */
	unsigned long empty;

	/** @kept: The same, but those that the back end cannot let go of; not in @tables. */
	unsigned long kept;

	/** @leaves: Leaves, by level. */
	unsigned long leaves[4];
};

/* For a test of what io-pgtable cannot do. */
static inline void pk_needs_fork(struct kunit *test, const char *why)
{
	if (!PK_FORK)
		kunit_skip(test, "io-pgtable: %s", why);
}

struct device *pk_device(struct kunit *test);
struct pk *pk_create(struct kunit *test, const struct panthor_pgtable_cfg *cfg);
struct pk *pk_create_default(struct kunit *test);
void pk_destroy(struct pk *pk);

void pk_look(struct pk *pk, struct pk_tree *tree);
void pk_expect_sane(struct pk *pk);

void pk_flush(struct pk *pk);

/* Tables that are held for reservations. */
unsigned long pk_held(struct pk *pk);

/* One of the tables of a reservation. */
struct panthor_table *pk_rsv_table(const struct panthor_pgtable_rsv *rsv, unsigned int i);

int pk_map(struct pk *pk, u64 iova, u64 paddr, u64 size);
int pk_map_sgt(struct pk *pk, u64 iova, struct sg_table *sgt, u64 offset, u64 size);
s64 pk_unmap(struct pk *pk, u64 iova, u64 size);

void pk_expect_mapped(struct pk *pk, u64 iova, u64 paddr, u64 size);
void pk_expect_hole(struct pk *pk, u64 iova, u64 size);
void pk_expect_level(struct pk *pk, u64 iova, int level);

struct sg_table *pk_sgt(struct kunit *test, unsigned int nents);
void pk_sgt_set(struct sg_table *sgt, unsigned int i, u64 paddr, u64 len);

#endif
