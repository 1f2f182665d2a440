// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * KUnit suite of the walker: descriptors, leaves, errors, splits, the gather,
 * scatter lists, repeated ranges, non-coherent walkers, lookups beside updates.
 */

#include <kunit/static_stub.h>
#include <linux/dma-direct.h> /* struct bus_dma_region */
#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "../panthor_pgtable_pool.h"
#include "panthor_kunit.h"

#define TOP	BIT_ULL(48)

static void format_examples(struct kunit *test)
{
	static const struct {
		u64 iova, paddr, size;
		int prot, level;
		u64 desc;
	} examples[] = {
		{ SZ_4K, 0x12345000, SZ_4K, PK_RW, 3, 0x12345f47 },
		{ SZ_8K, 0x12345000, SZ_4K, IOMMU_READ | IOMMU_WRITE, 3, 0x12345e43 },
		{ SZ_4M, 0x40200000, SZ_2M, IOMMU_READ | IOMMU_NOEXEC, 2, 0x0060000040200ec1 },
		{ SZ_2G, 0xfec0000000, SZ_1G, PK_RW | IOMMU_NOEXEC, 1, 0x006000fec0000f45 },
		{ TOP - SZ_4K, 0xfffffff000, SZ_4K, IOMMU_WRITE, 3, 0x000000fffffffe43 },
	};
	struct pk *pk = pk_create_default(test);
	struct panthor_pgtable_walk walk;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		u64 iova = examples[i].iova, paddr = examples[i].paddr, size = examples[i].size;
		struct panthor_pgtable_rsv rsv = {};
		int level;

		KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, iova, paddr, size),
				0);
		KUNIT_EXPECT_EQ(test, panthor_pgtable_map(pk->pt, &rsv, iova, paddr, size,
							  examples[i].prot), 0);
		panthor_pgtable_unreserve(pk->pt, &rsv);

		KUNIT_ASSERT_EQ(test, panthor_pgtable_walk(pk->pt, iova, &walk), 0);
		KUNIT_EXPECT_EQ(test, walk.start_level, 0);
		KUNIT_ASSERT_EQ(test, walk.level, examples[i].level);
		KUNIT_EXPECT_EQ_MSG(test, walk.desc[walk.level], examples[i].desc,
				    "example %u: %#llx", i, walk.desc[walk.level]);

		/* Above the leaf: tables, with no bit but type and address. */
		for (level = 0; level < walk.level; level++)
			KUNIT_EXPECT_EQ(test, walk.desc[level] & ~GENMASK_ULL(47, 12), 3);
	}

	KUNIT_EXPECT_EQ(test, panthor_pgtable_mair(pk->pt), 0xf404ff44);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_ttbr(pk->pt) & (SZ_4K - 1), 0);
}

static void create_arguments(struct kunit *test)
{
	struct device *dev = pk_device(test);
	static const struct {
		u8 va_bits, pa_bits;
		u64 pgsizes;
	} bad[] = {
		{ 24, 40, SZ_4K }, { 49, 40, SZ_4K }, { 0, 40, SZ_4K }, { 48, 31, SZ_4K },
		{ 48, 49, SZ_4K }, { 48, 40, 0 }, { 48, 40, SZ_2M }, { 48, 40, SZ_4K | SZ_16K },
		{ 48, 40, SZ_4K | BIT_ULL(39) }, { 48, 40, SZ_4K | SZ_1G },
	};
	struct panthor_pgtable *pt;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct panthor_pgtable_cfg cfg = {
			.dev = dev,
			.va_bits = bad[i].va_bits,
			.pa_bits = bad[i].pa_bits,
			.pgsize_bitmap = bad[i].pgsizes,
		};

		pt = panthor_pgtable_create(&cfg);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(pt), -EINVAL, "case %u", i);
	}

	pt = panthor_pgtable_create(&(struct panthor_pgtable_cfg){
		.va_bits = 48, .pa_bits = 40, .pgsize_bitmap = SZ_4K });
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(pt), -EINVAL);
}

/* A bus on which the device meets memory elsewhere: it would walk what is no table. */
static void create_behind_bus(struct kunit *test)
{
	static const struct bus_dma_region moved[] = {
		{ .dma_start = SZ_64K, .size = BIT_ULL(40) }, {}
	};
	struct panthor_pgtable_cfg cfg = {
		.dev = pk_device(test), .va_bits = 48, .pa_bits = 40, .pgsize_bitmap = SZ_4K };
	struct panthor_pgtable *pt;

	/* Goes with the device. */
	cfg.dev->dma_range_map = kmemdup(moved, sizeof(moved), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cfg.dev->dma_range_map);
	pt = panthor_pgtable_create(&cfg);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(pt), -EFAULT);
}

/* Start level, first and last page, for each width of the space. */
static void va_widths(struct kunit *test)
{
	struct device *dev = pk_device(test);
	int bits;

	for (bits = 25; bits <= 48; bits++) {
		struct panthor_pgtable_cfg cfg = {
			.dev = dev,
			.va_bits = bits,
			.pa_bits = 32 + (bits - 25) * 16 / 23,
			.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G,
			.coherent_walk = true,
		};
		struct pk *pk = pk_create(test, &cfg);
		u64 end = 1ull << bits;
		u64 pa_end = 1ull << cfg.pa_bits;
		struct panthor_pgtable_walk walk;
		struct pk_tree tree;
		u64 paddr;

		KUNIT_EXPECT_EQ(test, panthor_pgtable_walk(pk->pt, end - 1, &walk), 0);
		KUNIT_EXPECT_EQ(test, walk.start_level, 4 - DIV_ROUND_UP(bits - 12, 9));
		KUNIT_EXPECT_EQ(test, panthor_pgtable_walk(pk->pt, end, &walk), -ERANGE);
		KUNIT_EXPECT_EQ(test, panthor_pgtable_iova_to_phys(pk->pt, end, &paddr), -ERANGE);

		KUNIT_EXPECT_EQ(test, pk_map(pk, 0, 0, SZ_4K), 0);
		KUNIT_EXPECT_EQ(test, pk_map(pk, end - SZ_4K, pa_end - SZ_4K, SZ_4K), 0);
		KUNIT_EXPECT_EQ(test, pk_map(pk, end - SZ_4K, 0, SZ_8K), -ERANGE);
		KUNIT_EXPECT_EQ(test, pk_map(pk, end, 0, SZ_4K), -ERANGE);
		KUNIT_EXPECT_EQ(test, pk_map(pk, SZ_4K, pa_end, SZ_4K), -ERANGE);
		KUNIT_EXPECT_EQ(test, pk_map(pk, SZ_4K, pa_end - SZ_4K, SZ_8K), -ERANGE);
		pk_expect_mapped(pk, 0, 0, SZ_4K);
		pk_expect_hole(pk, SZ_4K, SZ_4K);
		pk_expect_mapped(pk, end - SZ_4K, pa_end - SZ_4K, SZ_4K);
		pk_expect_hole(pk, end - SZ_8K, SZ_4K);
		pk_expect_sane(pk);

		/* All of the space at once, as the caller of a teardown does. */
		KUNIT_EXPECT_EQ(test, pk_unmap(pk, 0, end), SZ_8K);
		pk_look(pk, &tree);
		KUNIT_EXPECT_EQ(test, tree.tables, 1);
		pk_destroy(pk);
	}
}

static void leaf_sizes(struct kunit *test)
{
	static const struct {
		u64 iova, paddr, size;
		unsigned long leaves[4];
	} maps[] = {
		{ 0, 0, SZ_4K, { 0, 0, 0, 1 } },
		{ SZ_2M, SZ_2M, SZ_2M, { 0, 0, 1, 0 } },
		{ SZ_1G, SZ_1G, SZ_1G, { 0, 1, 0, 0 } },
		/* Aligned in iova but not in paddr, and the other way round. */
		{ SZ_2M, SZ_4K, SZ_2M, { 0, 0, 0, 512 } },
		{ SZ_4K, SZ_2M, SZ_2M, { 0, 0, 0, 512 } },
		{ SZ_1G, SZ_2M, SZ_1G, { 0, 0, 512, 0 } },
		/* Congruent: a head, a body, a tail. */
		{ SZ_2M - SZ_4K, SZ_4M - SZ_4K, SZ_2M + SZ_8K, { 0, 0, 1, 2 } },
		{ SZ_1G - SZ_2M - SZ_4K, SZ_2G - SZ_2M - SZ_4K, SZ_1G + SZ_4M + SZ_8K,
		  { 0, 1, 2, 2 } },
		/* The last bytes of the space. */
		{ TOP - SZ_1G - SZ_2M - SZ_4K, SZ_1G - SZ_2M - SZ_4K, SZ_1G + SZ_2M + SZ_4K,
		  { 0, 1, 1, 1 } },
		/* Across what the entries of the root cover. */
		{ (512ull << 30) - SZ_1G, 0, SZ_2G, { 0, 2, 0, 0 } },
	};
	unsigned int i, level;

	for (i = 0; i < ARRAY_SIZE(maps); i++) {
		struct pk *pk = pk_create_default(test);
		struct panthor_pgtable_stats stats;
		struct pk_tree tree;

		KUNIT_ASSERT_EQ(test, pk_map(pk, maps[i].iova, maps[i].paddr, maps[i].size), 0);
		pk_expect_mapped(pk, maps[i].iova, maps[i].paddr, maps[i].size);
		if (maps[i].iova)
			pk_expect_hole(pk, maps[i].iova - SZ_4K, SZ_4K);
		if (maps[i].iova + maps[i].size != TOP)
			pk_expect_hole(pk, maps[i].iova + maps[i].size, SZ_4K);

		pk_look(pk, &tree);
		panthor_pgtable_stats(pk->pt, &stats);
		for (level = 1; level < 4; level++) {
			KUNIT_EXPECT_EQ_MSG(test, tree.leaves[level], maps[i].leaves[level],
					    "map %u level %u", i, level);
			KUNIT_EXPECT_EQ(test, stats.leaves[level], maps[i].leaves[level]);
		}

		KUNIT_EXPECT_EQ(test, pk_unmap(pk, maps[i].iova, maps[i].size), maps[i].size);
		pk_look(pk, &tree);
		KUNIT_EXPECT_EQ(test, tree.tables, 1);
		pk_destroy(pk);
	}
}

/* A size that the bitmap lacks is not used. */
static void leaf_sizes_configured(struct kunit *test)
{
	static const struct {
		u64 pgsizes;
		unsigned long leaves[4];
	} cases[] = {
		{ SZ_4K, { 0, 0, 0, 262144 + 512 } },
		{ SZ_4K | SZ_2M, { 0, 0, 513, 0 } },
		{ SZ_4K | SZ_2M | SZ_1G, { 0, 1, 1, 0 } },
	};
	unsigned int i, level;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct panthor_pgtable_cfg cfg = {
			.va_bits = 39, .pa_bits = 40, .pgsize_bitmap = cases[i].pgsizes,
			.coherent_walk = true,
		};
		struct pk *pk = pk_create(test, &cfg);
		struct pk_tree tree;

		KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_1G, SZ_1G, SZ_1G + SZ_2M), 0);
		pk_expect_mapped(pk, SZ_1G, SZ_1G, SZ_1G + SZ_2M);
		pk_look(pk, &tree);
		for (level = 1; level < 4; level++)
			KUNIT_EXPECT_EQ_MSG(test, tree.leaves[level], cases[i].leaves[level],
					    "case %u level %u", i, level);
		KUNIT_EXPECT_EQ(test, pk_unmap(pk, SZ_1G, SZ_1G + SZ_2M), SZ_1G + SZ_2M);
		pk_destroy(pk);
	}
}

static void bad_arguments(struct kunit *test)
{
	static const struct {
		u64 iova, paddr, size;
		int prot, err;
	} bad[] = {
		{ SZ_4K, SZ_4K, 0, PK_RW, -EINVAL },
		{ SZ_4K + 1, SZ_4K, SZ_4K, PK_RW, -EINVAL },
		{ SZ_4K, SZ_4K + 8, SZ_4K, PK_RW, -EINVAL },
		{ SZ_4K, SZ_4K, SZ_4K - 1, PK_RW, -EINVAL },
		{ SZ_4K, SZ_4K, SZ_4K, 0, -EINVAL },
		{ SZ_4K, SZ_4K, SZ_4K, IOMMU_CACHE | IOMMU_NOEXEC, -EINVAL },
		{ SZ_4K, SZ_4K, SZ_4K, PK_RW | IOMMU_MMIO, -EINVAL },
		{ SZ_4K, SZ_4K, SZ_4K, PK_RW | BIT(30), -EINVAL },
		{ TOP, SZ_4K, SZ_4K, PK_RW, -ERANGE },
		{ TOP - SZ_4K, SZ_4K, SZ_8K, PK_RW, -ERANGE },
		{ -(u64)SZ_4K, SZ_4K, SZ_4K, PK_RW, -ERANGE },
		{ -(u64)SZ_4K, SZ_4K, SZ_8K, PK_RW, -ERANGE },
		{ SZ_4K, SZ_4K, -(u64)SZ_4K, PK_RW, -ERANGE },
		/* The end is in the same table as the start, and before it. */
		{ SZ_16K, SZ_64K, -(u64)SZ_8K, PK_RW, -ERANGE },
		{ SZ_4K, 1ull << 40, SZ_4K, PK_RW, -ERANGE },
		{ SZ_4K, (1ull << 40) - SZ_4K, SZ_8K, PK_RW, -ERANGE },
		{ SZ_4K, -(u64)SZ_4K, SZ_8K, PK_RW, -ERANGE },
	};
	struct pk *pk = pk_create_default(test);
	struct sg_table *sgt = pk_sgt(test, 2);
	struct panthor_pgtable_rsv rsv = {}, more = {};
	struct pk_tree before, after;
	unsigned int i;

	/* Enough tables, so that no error comes from a lack of them. */
	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, 0, SZ_4K, SZ_1G), 0);
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_2M, SZ_2M, SZ_4M), 0);
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_1M, SZ_1M, SZ_4K), 0);
	pk_look(pk, &before);

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		u64 iova = bad[i].iova, paddr = bad[i].paddr, size = bad[i].size;

		KUNIT_EXPECT_EQ_MSG(test, panthor_pgtable_map(pk->pt, &rsv, iova, paddr, size,
							      bad[i].prot),
				    bad[i].err, "map %u", i);
		if (bad[i].prot == PK_RW)
			KUNIT_EXPECT_EQ_MSG(test, panthor_pgtable_reserve_map(pk->pt, &more, iova,
									      paddr, size),
					    bad[i].err, "reserve %u", i);

		/* The same, through the other two calls, where it means something. */
		if (!size || bad[i].prot != PK_RW)
			continue;
		if (!(paddr >> 48)) {
			pk_sgt_set(sgt, 0, paddr, size & GENMASK(31, 0));
			pk_sgt_set(sgt, 1, 0, 0);
			KUNIT_EXPECT_LT_MSG(test, panthor_pgtable_map_sgt(pk->pt, &rsv, iova, sgt,
									  0, size, PK_RW),
					    0, "map_sgt %u", i);
			KUNIT_EXPECT_LT_MSG(test, panthor_pgtable_reserve_map_sgt(pk->pt, &more,
										  iova, sgt, 0,
										  size),
					    0, "reserve_map_sgt %u", i);
		}
		if (paddr == SZ_4K) {
			KUNIT_EXPECT_EQ_MSG(test, panthor_pgtable_unmap(pk->pt, &rsv, iova, size),
					    bad[i].err, "unmap %u", i);
			KUNIT_EXPECT_EQ_MSG(test, panthor_pgtable_reserve_unmap(pk->pt, &more,
										iova, size),
					    bad[i].err, "reserve_unmap %u", i);
		}
	}

	/* Scatter list: offset not aligned; too short; an entry that is not aligned. */
	pk_sgt_set(sgt, 0, SZ_1M, SZ_8K);
	pk_sgt_set(sgt, 1, SZ_8M, SZ_8K);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_sgt(pk->pt, &rsv, 0, sgt, 1, SZ_4K, PK_RW),
			-EINVAL);
	pk_sgt_set(sgt, 0, SZ_1M + SZ_2K, SZ_8K);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_sgt(pk->pt, &rsv, 0, sgt, SZ_2K, SZ_4K, PK_RW),
			-EINVAL);
	pk_sgt_set(sgt, 0, SZ_1M, SZ_8K);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_sgt(pk->pt, &rsv, 0, sgt, 0, SZ_16K + SZ_4K,
						      PK_RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_sgt(pk->pt, &rsv, 0, sgt, SZ_16K, SZ_4K,
						      PK_RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_reserve_map_sgt(pk->pt, &more, 0, sgt, SZ_16K,
							      SZ_4K), -EINVAL);
	pk_sgt_set(sgt, 1, SZ_8M + 0x800, SZ_8K);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_sgt(pk->pt, &rsv, 0, sgt, 0, SZ_16K, PK_RW),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_reserve_map_sgt(pk->pt, &more, 0, sgt, 0, SZ_16K),
			-EINVAL);
	pk_sgt_set(sgt, 1, SZ_8M, 0x800);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_sgt(pk->pt, &rsv, 0, sgt, 0, SZ_16K, PK_RW),
			-EINVAL);
	pk_sgt_set(sgt, 1, 1ull << 40, SZ_8K);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_sgt(pk->pt, &rsv, 0, sgt, 0, SZ_16K, PK_RW),
			-ERANGE);

	/* Repeat: period 0, not a power of two, less than a page, out of range. */
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_repeat(pk->pt, &rsv, 0, SZ_4K, 0, SZ_4K, PK_RW),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_repeat(pk->pt, &rsv, 0, SZ_4K, SZ_8K + SZ_4K,
							 SZ_4K, PK_RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_repeat(pk->pt, &rsv, 0, SZ_4K, SZ_2K, SZ_4K,
							 PK_RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_repeat(pk->pt, &rsv, 0, (1ull << 40) - SZ_4K,
							 SZ_8K, SZ_4K, PK_RW), -ERANGE);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_repeat(pk->pt, &rsv, 0, 0, BIT_ULL(32) + SZ_4K,
							 SZ_4K, PK_RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_reserve_map_repeat(pk->pt, &more, 0, SZ_4K, 0,
								 SZ_4K), -EINVAL);

	KUNIT_EXPECT_EQ(test, more.count, 0);
	pk_look(pk, &after);
	KUNIT_EXPECT_EQ(test, after.hash, before.hash);
	KUNIT_EXPECT_EQ(test, after.tables, before.tables);
	pk_flush(pk);
	panthor_pgtable_unreserve(pk->pt, &rsv);
}

/* Maps that meet something at their start, middle or end, at each level. */
static void overlap(struct kunit *test)
{
	static const u64 sizes[] = { SZ_4K, SZ_2M, SZ_1G };
	unsigned int there, new;

	for (there = 0; there < ARRAY_SIZE(sizes); there++) {
		struct pk *pk = pk_create_default(test);
		struct pk_tree before, after;
		u64 at = 4ull * SZ_1G;

		KUNIT_ASSERT_EQ(test, pk_map(pk, at, at, sizes[there]), 0);
		pk_look(pk, &before);

		for (new = 0; new < ARRAY_SIZE(sizes); new++) {
			u64 size = sizes[new];

			KUNIT_EXPECT_EQ(test, pk_map(pk, at, 0, size), -EEXIST);
			KUNIT_EXPECT_EQ(test, pk_map(pk, at - size, 0, 2 * size), -EEXIST);
			KUNIT_EXPECT_EQ(test, pk_map(pk, at - 4 * size, 0, 9 * size), -EEXIST);
			KUNIT_EXPECT_EQ(test, pk_map(pk, at + sizes[there] - SZ_4K, SZ_4K, size),
					-EEXIST);
			pk_look(pk, &after);
			KUNIT_EXPECT_EQ_MSG(test, after.hash, before.hash, "%#llx over %#llx",
					    size, sizes[there]);
			KUNIT_EXPECT_EQ(test, after.tables, before.tables);
			pk_expect_sane(pk);
		}
		pk_destroy(pk);
	}
}

/* Failures late in a map that had made tables, leaves and blocks before. */
static void rollback(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct sg_table *sgt = pk_sgt(test, 64);
	struct panthor_pgtable_rsv rsv = {};
	struct pk_tree before, after;
	unsigned int i;

	/* A table that the map shares, and that must survive it. */
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_1G - SZ_4M, 0, SZ_4K), 0);
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_1G + SZ_64M, SZ_4K, SZ_4K), 0);
	pk_look(pk, &before);

	KUNIT_EXPECT_EQ(test, pk_map(pk, SZ_1G - SZ_4M + SZ_4K, SZ_4K, SZ_128M), -EEXIST);
	pk_look(pk, &after);
	KUNIT_EXPECT_EQ(test, after.hash, before.hash);
	KUNIT_EXPECT_EQ(test, after.tables, before.tables);

	/* Blocks and pages in turn, and an end that is out of reach. */
	for (i = 0; i < 64; i++)
		pk_sgt_set(sgt, i, i * SZ_4M, i % 2 ? SZ_2M : SZ_64K);
	pk_sgt_set(sgt, 63, 1ull << 41, SZ_2M);
	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, SZ_1G - SZ_4M + SZ_4K,
							  SZ_8K, SZ_128M), 0);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map_sgt(pk->pt, &rsv, SZ_1G - SZ_4M + SZ_4K, sgt, 0,
						      33 * SZ_2M, PK_RW), -ERANGE);
	pk_look(pk, &after);
	KUNIT_EXPECT_EQ(test, after.hash, before.hash);
	KUNIT_EXPECT_EQ(test, after.tables, before.tables);
	pk_expect_sane(pk);
	pk_flush(pk);
	panthor_pgtable_unreserve(pk->pt, &rsv);
	pk_expect_sane(pk);
}

/* A map or a split without its reservation warns, and changes nothing. */
static void no_reservation(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct panthor_pgtable_rsv rsv = {}, none = {};
	struct pk_tree before, after;
	unsigned long held;

	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_2M, SZ_2M, SZ_2M), 0);
	pk_look(pk, &before);

	kunit_info(test, "one warning about each of a map and an unmap is expected\n");
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map(pk->pt, &none, SZ_1G, SZ_2M, SZ_4K, PK_RW),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_unmap(pk->pt, &none, SZ_2M, SZ_4K), -ENOMEM);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_unmap(pk->pt, NULL, SZ_2M, SZ_4K), -ENOMEM);

	/* What is held for another slot does not help. */
	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_unmap(pk->pt, &rsv, SZ_2M, SZ_4K), 0);
	held = pk_held(pk);
	KUNIT_ASSERT_GT(test, held, 0);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map(pk->pt, &rsv, 512ull * SZ_1G, SZ_4K, SZ_4K,
						  PK_RW), -ENOMEM);
	KUNIT_EXPECT_EQ(test, pk_held(pk), held);

	pk_look(pk, &after);
	KUNIT_EXPECT_EQ(test, after.hash, before.hash);

	/* Whole blocks need none. */
	KUNIT_EXPECT_EQ(test, panthor_pgtable_unmap(pk->pt, NULL, SZ_2M, SZ_2M), SZ_2M);
	panthor_pgtable_unreserve(pk->pt, &rsv);
	pk_flush(pk);
}

static void holes(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct pk_tree tree;

	KUNIT_EXPECT_EQ(test, pk_unmap(pk, 0, TOP), 0);
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_4K, SZ_4K, SZ_4K), 0);
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_16K, SZ_16K, SZ_4K), 0);
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_4M, SZ_4M, SZ_2M), 0);
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_1G, SZ_1G, SZ_1G), 0);
	KUNIT_ASSERT_EQ(test, pk_map(pk, TOP - SZ_2M, SZ_4K, SZ_2M), 0);

	KUNIT_EXPECT_EQ(test, pk_unmap(pk, SZ_8K, SZ_8K), 0);
	KUNIT_EXPECT_EQ(test, pk_unmap(pk, 0, SZ_16K), SZ_4K);
	KUNIT_EXPECT_EQ(test, pk_unmap(pk, SZ_2M, SZ_1G), SZ_2M + SZ_2M);
	pk_expect_mapped(pk, SZ_1G + SZ_2M, SZ_1G + SZ_2M, SZ_1G - SZ_2M);
	KUNIT_EXPECT_EQ(test, pk_unmap(pk, 0, TOP), SZ_4K + SZ_1G - SZ_2M + SZ_2M);
	pk_look(pk, &tree);
	KUNIT_EXPECT_EQ(test, tree.tables, 1);
}

/* Unmap @size at @offset of a block of @block: the rest stays, in place. */
static void split_one(struct kunit *test, u64 block, u64 offset, u64 size, unsigned int splits,
		      u64 lock_first, u64 lock_size)
{
	struct pk *pk = pk_create_default(test);
	u64 iova = 8ull * SZ_1G, paddr = 2ull * SZ_1G;
	u64 first = iova + offset, length = size;
	struct panthor_pgtable_rsv rsv = {};
	struct panthor_pgtable_stats stats;

	/* Neighbours on both sides, which no lock has to cover. */
	KUNIT_ASSERT_EQ(test, pk_map(pk, iova - block, paddr - block, 3 * block), 0);

	panthor_pgtable_expand(pk->pt, &first, &length);
	KUNIT_EXPECT_EQ(test, first, iova + lock_first);
	KUNIT_EXPECT_EQ(test, length, lock_size);

	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_unmap(pk->pt, &rsv, iova + offset, size), 0);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_unmap(pk->pt, &rsv, iova + offset, size), size);
	panthor_pgtable_stats(pk->pt, &stats);
	KUNIT_EXPECT_EQ(test, stats.splits, splits);
	KUNIT_EXPECT_EQ(test, stats.gathered, 0);
	pk_flush(pk);
	panthor_pgtable_unreserve(pk->pt, &rsv);

	pk_expect_mapped(pk, iova - block, paddr - block, block + offset);
	pk_expect_hole(pk, iova + offset, size);
	pk_expect_mapped(pk, iova + offset + size, paddr + offset + size,
			 2 * block - offset - size);
	pk_expect_sane(pk);
	pk_destroy(pk);
}

static void split_2m(struct kunit *test)
{
	split_one(test, SZ_2M, 0, SZ_4K, 1, 0, SZ_2M);
	split_one(test, SZ_2M, SZ_1M, SZ_64K, 1, 0, SZ_2M);
	split_one(test, SZ_2M, SZ_2M - SZ_4K, SZ_4K, 1, 0, SZ_2M);
	split_one(test, SZ_2M, SZ_4K, SZ_2M - SZ_4K, 1, 0, SZ_2M);
	/* Across two blocks, and to the end of the second. */
	split_one(test, SZ_2M, SZ_1M, SZ_2M, 2, 0, SZ_4M);
	split_one(test, SZ_2M, SZ_1M, SZ_1M + SZ_2M, 1, 0, SZ_4M);
}

static void split_1g(struct kunit *test)
{
	/* Two levels at an end that is not aligned to 2 MiB, else one. */
	split_one(test, SZ_1G, 0, SZ_4K, 2, 0, SZ_1G);
	split_one(test, SZ_1G, 0, SZ_2M, 1, 0, SZ_1G);
	split_one(test, SZ_1G, SZ_512M, SZ_4K, 2, 0, SZ_1G);
	split_one(test, SZ_1G, SZ_512M + SZ_4K, SZ_2M, 3, 0, SZ_1G);
	split_one(test, SZ_1G, SZ_1G - SZ_4K, SZ_4K, 2, 0, SZ_1G);
	split_one(test, SZ_1G, SZ_1G - SZ_2M, SZ_2M, 1, 0, SZ_1G);
	split_one(test, SZ_1G, SZ_4K, SZ_1G - SZ_8K, 3, 0, SZ_1G);
	split_one(test, SZ_1G, SZ_512M + SZ_4K, SZ_1G, 4, 0, SZ_2G);
}

/* Piece by piece, until the remnants of a block are gone, and the tables too. */
static void split_successive(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct pk_tree tree;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_1G, SZ_1G, SZ_1G), 0);
	for (i = 0; i < 512; i++) {
		KUNIT_EXPECT_EQ(test, pk_unmap(pk, SZ_1G + i * (u64)SZ_2M + SZ_4K * i, SZ_4K),
				SZ_4K);
		pk_expect_hole(pk, SZ_1G + i * (u64)SZ_2M + SZ_4K * i, SZ_4K);
	}
	pk_expect_sane(pk);
	pk_look(pk, &tree);
	KUNIT_EXPECT_EQ(test, tree.leaves[3], 512 * 511);
	for (i = 0; i < 512; i++)
		KUNIT_EXPECT_EQ(test, pk_unmap(pk, SZ_1G + i * (u64)SZ_2M, SZ_2M), SZ_2M - SZ_4K);
	pk_look(pk, &tree);
	KUNIT_EXPECT_EQ(test, tree.tables, 1);
}

static void expand_arguments(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	u64 iova, size;

	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_2M, SZ_2M, SZ_2M), 0);

	/* What unmap refuses is left alone; so is what cuts no block. */
	iova = SZ_2M + 1;
	size = SZ_4K;
	panthor_pgtable_expand(pk->pt, &iova, &size);
	KUNIT_EXPECT_EQ(test, iova, SZ_2M + 1);
	iova = SZ_4K;
	size = 0;
	panthor_pgtable_expand(pk->pt, &iova, &size);
	KUNIT_EXPECT_EQ(test, size, 0);
	iova = SZ_2M;
	size = SZ_2M;
	panthor_pgtable_expand(pk->pt, &iova, &size);
	KUNIT_EXPECT_EQ(test, iova, SZ_2M);
	KUNIT_EXPECT_EQ(test, size, SZ_2M);
	iova = SZ_4K;
	size = SZ_2M;
	panthor_pgtable_expand(pk->pt, &iova, &size);
	KUNIT_EXPECT_EQ(test, iova, SZ_4K);
	KUNIT_EXPECT_EQ(test, size, SZ_4M - SZ_4K);
}

/* Tables that became empty are gathered, not used again before the flush, and
 * kept if a flush failed.
 */
static void gather(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct panthor_pgtable_rsv rsv = {};
	struct panthor_pgtable_stats stats;
	struct panthor_pgtable_walk walk;
	u64 iova = 0, size = SZ_4K, old;
	unsigned int table;

	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_1G, SZ_4K, SZ_4K), 0);
	KUNIT_ASSERT_EQ(test, panthor_pgtable_walk(pk->pt, SZ_1G, &walk), 0);
	old = walk.desc[2] & GENMASK_ULL(47, 12);

	panthor_pgtable_flush_range(pk->pt, &iova, &size);
	KUNIT_EXPECT_EQ(test, iova, 0);
	KUNIT_EXPECT_EQ(test, size, SZ_4K);

	KUNIT_EXPECT_EQ(test, panthor_pgtable_unmap(pk->pt, NULL, SZ_1G, SZ_4K), SZ_4K);
	panthor_pgtable_stats(pk->pt, &stats);
	/* The one below the root stays with io-pgtable. */
	KUNIT_EXPECT_EQ(test, stats.gathered, PK_FORK ? 3 : 2);
	KUNIT_EXPECT_EQ(test, stats.tree, PK_FORK ? 1 : 2);

	/* The range to flush now covers that unmap, whatever comes next. */
	panthor_pgtable_flush_range(pk->pt, &iova, &size);
	KUNIT_EXPECT_EQ(test, iova, 0);
	KUNIT_EXPECT_EQ(test, size, SZ_1G + SZ_4K);

	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, SZ_2G, SZ_4K, SZ_256M), 0);
	for (table = 0; table < rsv.count; table++)
		KUNIT_EXPECT_NE(test, virt_to_phys(pk_rsv_table(&rsv, table)->entries), old);
	panthor_pgtable_unreserve(pk->pt, &rsv);

	pk_flush(pk);
	panthor_pgtable_stats(pk->pt, &stats);
	KUNIT_EXPECT_EQ(test, stats.gathered, 0);
	iova = SZ_2G;
	size = SZ_4K;
	panthor_pgtable_flush_range(pk->pt, &iova, &size);
	KUNIT_EXPECT_EQ(test, iova, SZ_2G);
	KUNIT_EXPECT_EQ(test, size, SZ_4K);
}

static void scatter_lists(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct sg_table *sgt = pk_sgt(test, 9);
	struct pk_tree tree;

	/* Odd offsets and lengths, one empty entry. */
	pk_sgt_set(sgt, 0, 0x10000000, SZ_8K + SZ_4K);
	pk_sgt_set(sgt, 1, 0x20000000, SZ_4K);
	pk_sgt_set(sgt, 2, 0x30000000, 0);
	pk_sgt_set(sgt, 3, 0x40000000, SZ_2M + SZ_4K);
	/* Entries that continue each other: one block, with a head before it. */
	pk_sgt_set(sgt, 4, 0x50200000 - SZ_8K, SZ_16K);
	pk_sgt_set(sgt, 5, 0x50200000 + SZ_8K, SZ_1M);
	pk_sgt_set(sgt, 6, 0x70000000, 0);
	pk_sgt_set(sgt, 7, 0x50300000 + SZ_8K, SZ_512K);
	pk_sgt_set(sgt, 8, 0x50380000 + SZ_8K, SZ_512K);

	KUNIT_ASSERT_EQ(test, pk_map_sgt(pk, SZ_4K, sgt, SZ_4K, SZ_16K), 0);
	pk_expect_mapped(pk, SZ_4K, 0x10001000, SZ_8K);
	pk_expect_mapped(pk, SZ_4K + SZ_8K, 0x20000000, SZ_4K);
	pk_expect_mapped(pk, SZ_16K, 0x40000000, SZ_4K);
	pk_expect_hole(pk, SZ_16K + SZ_4K, SZ_4K);
	KUNIT_EXPECT_EQ(test, pk_unmap(pk, 0, SZ_2M), SZ_16K);

	/* Start in an entry, past two: offsets reach over entries. */
	KUNIT_ASSERT_EQ(test, pk_map_sgt(pk, SZ_2M, sgt, SZ_16K + SZ_4K, SZ_2M), 0);
	pk_expect_mapped(pk, SZ_2M, 0x40001000, SZ_2M);
	KUNIT_EXPECT_EQ(test, pk_unmap(pk, SZ_2M, SZ_2M), SZ_2M);

	KUNIT_ASSERT_EQ(test, pk_map_sgt(pk, SZ_4M - SZ_8K, sgt, SZ_16K + SZ_2M + SZ_4K,
					 SZ_2M + SZ_8K), 0);
	pk_expect_mapped(pk, SZ_4M - SZ_8K, 0x50200000 - SZ_8K, SZ_2M + SZ_8K);
	pk_look(pk, &tree);
	KUNIT_EXPECT_EQ(test, tree.leaves[2], 1);
	KUNIT_EXPECT_EQ(test, tree.leaves[3], 2);
	pk_expect_sane(pk);
}

static void repeat_one(struct kunit *test, u64 iova, u64 paddr, u64 period, u64 size,
		       unsigned long blocks)
{
	struct pk *pk = pk_create_default(test);
	struct panthor_pgtable_rsv rsv = {};
	struct pk_tree tree;
	u64 offset, found;

	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map_repeat(pk->pt, &rsv, iova, paddr, period,
								 size), 0);
	KUNIT_ASSERT_EQ(test, panthor_pgtable_map_repeat(pk->pt, &rsv, iova, paddr, period, size,
							 PK_RW), 0);
	KUNIT_EXPECT_EQ_MSG(test, pk_held(pk), 0, "reserved too much");
	panthor_pgtable_unreserve(pk->pt, &rsv);

	for (offset = 0; offset < size; offset += SZ_4K) {
		KUNIT_ASSERT_EQ(test, panthor_pgtable_iova_to_phys(pk->pt, iova + offset, &found),
				0);
		KUNIT_ASSERT_EQ(test, found, paddr + ((iova + offset) & (period - 1)));
	}
	pk_look(pk, &tree);
	KUNIT_EXPECT_EQ(test, tree.leaves[2], blocks);
	KUNIT_EXPECT_EQ(test, tree.leaves[3], (size - blocks * SZ_2M) / SZ_4K);
	pk_destroy(pk);
}

static void repeat(struct kunit *test)
{
	repeat_one(test, SZ_1G, SZ_4K, SZ_4K, SZ_64K, 0);
	repeat_one(test, SZ_1G + SZ_4K, SZ_64K, SZ_64K, SZ_1M, 0);
	repeat_one(test, SZ_1G, SZ_4M, SZ_2M, SZ_16M, 8);
	repeat_one(test, SZ_1G - SZ_4K, SZ_4M, SZ_2M, SZ_16M + SZ_8K, 8);
	repeat_one(test, SZ_1G, SZ_4M + SZ_4K, SZ_2M, SZ_8M, 0);
	repeat_one(test, SZ_1G, SZ_8M, SZ_4M, SZ_16M, 8);
}

/*
 * A walker that does not snoop sees what was cleaned, and nothing else. The stub
 * keeps what it sees of each table, and checks at each clean that a table that
 * becomes reachable was cleaned before.
 */
struct pk_shadow {
	struct kunit *test;
	struct xarray tables;
	unsigned long cleans;
	unsigned long published;
};

struct pk_shadow_table {
	int level;	/* -1: the walker cannot reach it. */
	u64 entries[512];
};

static struct pk_shadow_table *shadow_table(struct pk_shadow *shadow, u64 paddr)
{
	struct pk_shadow_table *table = xa_load(&shadow->tables, paddr >> 12);

	if (!table) {
		/* Pages are zeroed and cleaned when the pool gets them. */
		table = kunit_kzalloc(shadow->test, sizeof(*table), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(shadow->test, table);
		table->level = -1;
		KUNIT_ASSERT_EQ(shadow->test, xa_err(xa_store(&shadow->tables, paddr >> 12, table,
							      GFP_KERNEL)), 0);
	}
	return table;
}

static void shadow_publish(struct pk_shadow *shadow, u64 pte, int level)
{
	u64 paddr = pte & GENMASK_ULL(47, 12);
	struct pk_shadow_table *table = shadow_table(shadow, paddr);
	unsigned int i;

	shadow->published++;
	KUNIT_EXPECT_EQ_MSG(shadow->test, memcmp(table->entries, phys_to_virt(paddr), SZ_4K), 0,
			    "a table was installed before it was cleaned");
	table->level = level;
	for (i = 0; level < 3 && i < 512; i++)
		if ((table->entries[i] & 3) == 3)
			shadow_publish(shadow, table->entries[i], level + 1);
}

static void shadow_unpublish(struct pk_shadow *shadow, u64 pte)
{
	struct pk_shadow_table *table = shadow_table(shadow, pte & GENMASK_ULL(47, 12));
	unsigned int i;

	for (i = 0; table->level < 3 && i < 512; i++)
		if ((table->entries[i] & 3) == 3)
			shadow_unpublish(shadow, table->entries[i]);
	table->level = -1;
}

static void shadow_clean(struct panthor_pool *pool, const u64 *entries, unsigned int count)
{
	struct kunit *test = kunit_get_current_test();
	struct pk_shadow *shadow = test->priv;
	unsigned int first = offset_in_page(entries) % SZ_4K / 8, i;
	struct pk_shadow_table *table = shadow_table(shadow, virt_to_phys((void *)entries) &
							     ~(u64)(SZ_4K - 1));

	shadow->cleans++;
	KUNIT_EXPECT_GT(test, count, 0);
	KUNIT_EXPECT_LE(test, first + count, 512);
	for (i = 0; i < count; i++) {
		u64 old = table->entries[first + i];

		table->entries[first + i] = entries[i];
		if (table->level < 0 || table->level == 3 || old == entries[i])
			continue;
		if ((old & 3) == 3)
			shadow_unpublish(shadow, old);
		if ((entries[i] & 3) == 3)
			shadow_publish(shadow, entries[i], table->level + 1);
	}
}

/* All that the walker reaches is what the CPU wrote. */
static unsigned long shadow_check(struct pk_shadow *shadow, u64 paddr, int level)
{
	struct pk_shadow_table *table = shadow_table(shadow, paddr);
	unsigned long tables = 1;
	unsigned int i;

	KUNIT_EXPECT_EQ(shadow->test, memcmp(table->entries, phys_to_virt(paddr), SZ_4K), 0);
	for (i = 0; level < 3 && i < 512; i++)
		if ((table->entries[i] & 3) == 3)
			tables += shadow_check(shadow, table->entries[i] & GENMASK_ULL(47, 12),
					       level + 1);
	return tables;
}

static const struct panthor_pgtable_cfg noncoherent_cfg = {
	.va_bits = 48, .pa_bits = 40, .pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G,
};

static void noncoherent(struct kunit *test)
{
	struct pk *pk = pk_create(test, &noncoherent_cfg);
	u64 root = panthor_pgtable_ttbr(pk->pt);
	struct pk_shadow shadow = { .test = test };
	struct sg_table *sgt = pk_sgt(test, 300);
	static const struct {
		u64 iova, size;
		int kind;
	} steps[] = {
		{ 0, SZ_4K, 'm' }, { SZ_4K, SZ_4K, 'm' }, { SZ_1G, SZ_16M, 's' },
		{ SZ_64K, SZ_4M, 'm' }, { SZ_2G, SZ_1G, 'b' }, { SZ_2G + SZ_4K, SZ_2M, 'u' },
		{ 0, SZ_4K, 'u' }, { SZ_1G + SZ_4K, SZ_8M, 'u' },
		/* Not so much that the pool trims, in a thread that has no stub. */
		{ 1024ull * SZ_1G - SZ_64M, SZ_128M, 'm' },
		{ 0, SZ_1G, 'u' }, { SZ_1G + SZ_1M, SZ_4M, 'm' }, { 0, TOP, 'u' },
		{ SZ_1G, SZ_64M, 'm' }, { SZ_1G - SZ_4K, SZ_128M, 'o' }, { SZ_1G, SZ_64M, 'u' },
	};
	unsigned long cleans;
	unsigned int i;

	pk_needs_fork(test, "cleans on its own, where no stub can look");
	xa_init(&shadow.tables);
	test->priv = &shadow;
	shadow_table(&shadow, root)->level = 0;
	kunit_activate_static_stub(test, panthor_pool_sync, shadow_clean);
	for (i = 0; i < 300; i++)
		pk_sgt_set(sgt, i, SZ_1G + i * SZ_128K, SZ_64K);

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		u64 iova = steps[i].iova, size = steps[i].size;
		struct pk_tree tree;

		cleans = shadow.cleans;
		switch (steps[i].kind) {
		case 'm':
			KUNIT_ASSERT_EQ(test, pk_map(pk, iova, SZ_4K, size), 0);
			break;
		case 'b':
			KUNIT_ASSERT_EQ(test, pk_map(pk, iova, SZ_1G, size), 0);
			break;
		case 's':
			KUNIT_ASSERT_EQ(test, pk_map_sgt(pk, iova, sgt, SZ_4K, size), 0);
			break;
		case 'o':
			KUNIT_ASSERT_EQ(test, pk_map(pk, iova, SZ_4K, size), -EEXIST);
			break;
		case 'u':
			KUNIT_ASSERT_GT(test, pk_unmap(pk, iova, size), 0);
			break;
		}
		KUNIT_EXPECT_GT(test, shadow.cleans, cleans);
		pk_look(pk, &tree);
		KUNIT_EXPECT_EQ_MSG(test, shadow_check(&shadow, root, 0), tree.tables, "step %u",
				    i);
	}
	KUNIT_EXPECT_GT(test, shadow.published, 40);

	/* Canary: the same check sees a store that was not cleaned. */
	((u64 *)phys_to_virt(root))[0] ^= BIT_ULL(55);
	KUNIT_EXPECT_NE(test, memcmp(shadow_table(&shadow, root)->entries, phys_to_virt(root),
				     SZ_4K), 0);
	((u64 *)phys_to_virt(root))[0] ^= BIT_ULL(55);

	pk_destroy(pk);
	kunit_deactivate_static_stub(test, panthor_pool_sync);
	xa_destroy(&shadow.tables);
}

/* Who cleans may mark what it has cleaned. */
static void noncoherent_lookups(struct kunit *test)
{
	struct pk *pk = pk_create(test, &noncoherent_cfg);

	KUNIT_ASSERT_EQ(test, pk_map(pk, 0, SZ_4K, SZ_4K), 0);
	pk_expect_mapped(pk, 0, SZ_4K, SZ_4K);
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_4K, SZ_1G, SZ_4K), 0);
	pk_expect_mapped(pk, SZ_4K, SZ_1G, SZ_4K);
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_2M, SZ_2M, SZ_4M), 0);
	pk_expect_level(pk, SZ_2M, 2);
	KUNIT_EXPECT_EQ(test, pk_unmap(pk, SZ_2M + SZ_4K, SZ_2M), SZ_2M);
	pk_expect_mapped(pk, SZ_2M, SZ_2M, SZ_4K);
	pk_expect_hole(pk, SZ_2M + SZ_4K, SZ_2M);
	pk_expect_mapped(pk, SZ_4M + SZ_4K, SZ_4M + SZ_4K, SZ_2M - SZ_4K);
	KUNIT_EXPECT_EQ(test, pk_unmap(pk, 0, SZ_1G), SZ_4K * 3 + SZ_2M - SZ_4K);
	pk_expect_hole(pk, 0, SZ_8M);
}

/* Lookups without a lock, while tables change their places and levels. */
struct lookup {
	struct pk *pk;
	unsigned long found, missing, wrong;
};

static int lookup_thread(void *data)
{
	struct lookup *lookup = data;
	u64 paddr;

	while (!kthread_should_stop()) {
		u64 iova = 5ull * SZ_1G + SZ_2M + SZ_4K;
		int err = panthor_pgtable_iova_to_phys(lookup->pk->pt, iova, &paddr);

		/* Whichever size it is mapped with, the address is the same. */
		if (err == -ENOENT)
			lookup->missing++;
		else if (!err && paddr == iova)
			lookup->found++;
		else
			lookup->wrong++;
		cond_resched();
	}
	return 0;
}

/* Where there is one CPU and no preemption, the other thread runs now. */
static void lookup_pause(unsigned int i)
{
	if (i % 128 == 0)
		schedule_timeout_uninterruptible(1);
	else
		schedule();
}

static void lookup_beside_updates(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct lookup lookup = { .pk = pk };
	struct task_struct *task;
	unsigned int i;

	task = kthread_run(lookup_thread, &lookup, "panthor-lookup");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);

	for (i = 0; i < 3000; i++) {
		u64 iova = 5ull * SZ_1G, size = i % 3 == 0 ? SZ_1G : i % 3 == 1 ? SZ_4M : SZ_8M;

		/* Elsewhere, so that gathered tables come back at another level. */
		if (i % 2)
			KUNIT_EXPECT_EQ(test, pk_map(pk, i * (u64)SZ_1G * 8, SZ_4K, SZ_4M), 0);
		KUNIT_ASSERT_EQ(test, pk_map(pk, iova, iova, size), 0);
		lookup_pause(i);
		KUNIT_ASSERT_EQ(test, pk_unmap(pk, iova + SZ_4M, SZ_4K),
				size > SZ_4M ? SZ_4K : 0);
		lookup_pause(i);
		KUNIT_EXPECT_GT(test, pk_unmap(pk, 0, TOP), SZ_2M);
		lookup_pause(i);
	}

	kthread_stop(task);
	kunit_info(test, "%lu found, %lu missing\n", lookup.found, lookup.missing);
	KUNIT_EXPECT_EQ(test, lookup.wrong, 0);
	KUNIT_EXPECT_GT(test, lookup.found, 0);
	KUNIT_EXPECT_GT(test, lookup.missing, 0);
}

static struct kunit_case panthor_pgtable_cases[] = {
	KUNIT_CASE(format_examples),
	KUNIT_CASE(create_arguments),
	KUNIT_CASE(create_behind_bus),
	KUNIT_CASE(va_widths),
	KUNIT_CASE(leaf_sizes),
	KUNIT_CASE(leaf_sizes_configured),
	KUNIT_CASE(bad_arguments),
	KUNIT_CASE(overlap),
	KUNIT_CASE(rollback),
	KUNIT_CASE(no_reservation),
	KUNIT_CASE(holes),
	KUNIT_CASE(split_2m),
	KUNIT_CASE(split_1g),
	KUNIT_CASE(split_successive),
	KUNIT_CASE(expand_arguments),
	KUNIT_CASE(gather),
	KUNIT_CASE(scatter_lists),
	KUNIT_CASE(repeat),
	KUNIT_CASE(noncoherent),
	KUNIT_CASE(noncoherent_lookups),
	KUNIT_CASE(lookup_beside_updates),
	{}
};

static struct kunit_suite panthor_pgtable_suite = {
	.name = "panthor_pgtable",
	.test_cases = panthor_pgtable_cases,
};

kunit_test_suite(panthor_pgtable_suite);
