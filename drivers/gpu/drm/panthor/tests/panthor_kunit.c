// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * What the KUnit suites of panthor's page tables share: see panthor_kunit.h.
 */

#include <kunit/device.h>
#include <linux/dma-mapping.h>
#include <linux/hash.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "../panthor_pgtable_pool.h"
#include "panthor_kunit.h"

static struct page *pk_page_alloc(void *cookie, gfp_t gfp)
{
	struct pk_pages *pages = cookie;
	struct page *page;

	if (++pages->calls == pages->refuse)
		return NULL;

	page = alloc_page(gfp);
	if (page)
		atomic_long_inc(&pages->taken);
	return page;
}

static void pk_page_free(void *cookie, struct page *page)
{
	struct pk_pages *pages = cookie;

	atomic_long_dec(&pages->taken);
	__free_page(page);
}

static const struct panthor_pgtable_page_ops pk_page_ops = {
	.alloc = pk_page_alloc,
	.free = pk_page_free,
};

struct device *pk_device(struct kunit *test)
{
	static atomic_t serial = ATOMIC_INIT(0);
	struct device *dev;
	char name[32];

	snprintf(name, sizeof(name), "panthor-pgtable%d", atomic_inc_return(&serial));
	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	return dev;
}

static void pk_exit(void *data)
{
	pk_destroy(data);
}

struct pk *pk_create(struct kunit *test, const struct panthor_pgtable_cfg *cfg)
{
	struct pk *pk = kunit_kzalloc(test, sizeof(*pk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pk);
	pk->test = test;
	pk->cfg = *cfg;
	pk->cfg.dev = cfg->dev ?: pk_device(test);
	if (!cfg->page_ops) {
		pk->cfg.page_ops = &pk_page_ops;
		pk->cfg.page_cookie = &pk->pages;
	}
	pk->pt = panthor_pgtable_create(&pk->cfg);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pk->pt);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, pk_exit, pk), 0);
	return pk;
}

struct pk *pk_create_default(struct kunit *test)
{
	return pk_create(test, &(struct panthor_pgtable_cfg){
		.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G,
		.va_bits = 48,
		.pa_bits = 40,
		.coherent_walk = true,
	});
}

/* Destroy now, rather than at the end of the test. */
void pk_destroy(struct pk *pk)
{
	if (!pk->pt)
		return;

	pk_expect_sane(pk);
	panthor_pgtable_destroy(pk->pt);
	pk->pt = NULL;
	KUNIT_EXPECT_EQ_MSG(pk->test, atomic_long_read(&pk->pages.taken), 0, "pages lost");
}

static unsigned int pk_look_table(struct pk *pk, struct pk_tree *tree, const u64 *entries,
				  int level, u64 place)
{
	unsigned int valid = 0, i;

	tree->tables++;
	for (i = 0; i < 512; i++) {
		u64 pte = entries[i];

		if (!pte)
			continue;

		valid++;
		tree->hash = hash_64(tree->hash ^ pte ^ hash_64(place * 512 + i, 64), 64);
		if (level < 3 && (pte & 3) == 3) {
			const u64 *next = phys_to_virt(pte & GENMASK_ULL(47, 12));

			if (pk_look_table(pk, tree, next, level + 1, place * 512 + i))
				continue;
			/* io-pgtable has no unmap that is as large as what it spans. */
			if (!PK_FORK && level == 0) {
				tree->tables--;
				tree->kept++;
			} else {
				tree->empty++;
			}
		} else {
			tree->leaves[level]++;
		}
	}

	/* What the walker goes by when it lets go of an empty table. */
	if (PK_FORK)
		KUNIT_EXPECT_EQ(pk->test, panthor_table_of(entries)->live, valid);
	return valid;
}

/* Read all tables, without the walker. */
void pk_look(struct pk *pk, struct pk_tree *tree)
{
	struct panthor_pgtable_walk walk;

	*tree = (struct pk_tree){};
	KUNIT_ASSERT_EQ(pk->test, panthor_pgtable_walk(pk->pt, 0, &walk), 0);
	pk_look_table(pk, tree, phys_to_virt(panthor_pgtable_ttbr(pk->pt)), walk.start_level, 1);
}

/* What holds between any two calls: no empty tables, and books that balance. */
void pk_expect_sane(struct pk *pk)
{
	struct panthor_pgtable_stats stats;
	struct pk_tree tree;

	pk_look(pk, &tree);
	panthor_pgtable_stats(pk->pt, &stats);

	KUNIT_EXPECT_EQ(pk->test, tree.empty, 0);
	KUNIT_EXPECT_EQ(pk->test, stats.tree, tree.tables + tree.kept);
	KUNIT_EXPECT_EQ(pk->test, stats.total,
			stats.free + stats.dirty + stats.reserved + stats.tree + stats.gathered);
	/* Pages on their way back to the system are in no book. */
	if (pk->cfg.page_cookie == &pk->pages)
		KUNIT_EXPECT_LE(pk->test, stats.total * SZ_4K,
				atomic_long_read(&pk->pages.taken) * PAGE_SIZE);
}

/* As after a flush of all there is that went well. */
void pk_flush(struct pk *pk)
{
	u64 iova = 0, size = BIT_ULL(pk->cfg.va_bits);

	panthor_pgtable_flush_range(pk->pt, &iova, &size);
	panthor_pgtable_flushed(pk->pt);
}

unsigned long pk_held(struct pk *pk)
{
	struct panthor_pgtable_stats stats;

	panthor_pgtable_stats(pk->pt, &stats);
	return stats.reserved;
}

struct panthor_table *pk_rsv_table(const struct panthor_pgtable_rsv *rsv, unsigned int i)
{
	struct panthor_table *table = rsv->few[0];

	if (PK_FORK)
		return rsv->room ? rsv->many[i] : rsv->few[i];
	while (i--)
		table = table->next;
	return table;
}

/* Reserve, map, flush, unreserve. */
int pk_map(struct pk *pk, u64 iova, u64 paddr, u64 size)
{
	struct panthor_pgtable_rsv rsv = {};
	int err;

	err = panthor_pgtable_reserve_map(pk->pt, &rsv, iova, paddr, size);
	if (err)
		return err;

	err = panthor_pgtable_map(pk->pt, &rsv, iova, paddr, size, PK_RW);
	pk_flush(pk);
	panthor_pgtable_unreserve(pk->pt, &rsv);
	return err;
}

int pk_map_sgt(struct pk *pk, u64 iova, struct sg_table *sgt, u64 offset, u64 size)
{
	struct panthor_pgtable_rsv rsv = {};
	int err;

	err = panthor_pgtable_reserve_map_sgt(pk->pt, &rsv, iova, sgt, offset, size);
	if (err)
		return err;

	err = panthor_pgtable_map_sgt(pk->pt, &rsv, iova, sgt, offset, size, PK_RW);
	pk_flush(pk);
	panthor_pgtable_unreserve(pk->pt, &rsv);
	return err;
}

s64 pk_unmap(struct pk *pk, u64 iova, u64 size)
{
	struct panthor_pgtable_rsv rsv = {};
	s64 ret;

	ret = panthor_pgtable_reserve_unmap(pk->pt, &rsv, iova, size);
	if (ret)
		return ret;

	ret = panthor_pgtable_unmap(pk->pt, &rsv, iova, size);
	pk_flush(pk);
	panthor_pgtable_unreserve(pk->pt, &rsv);
	return ret;
}

/* Each page of the range; of a large range, the ones around 2 MiB boundaries. */
static u64 pk_next_probe(u64 offset, u64 size)
{
	u64 next = size <= SZ_4M ? offset + SZ_4K : offset + SZ_2M - SZ_4K;

	return offset < size - SZ_4K && next >= size ? size - SZ_4K : next;
}

void pk_expect_mapped(struct pk *pk, u64 iova, u64 paddr, u64 size)
{
	u64 offset, found = 0;

	for (offset = 0; offset < size; offset = pk_next_probe(offset, size)) {
		int err = panthor_pgtable_iova_to_phys(pk->pt, iova + offset + 0x123, &found);

		KUNIT_ASSERT_EQ_MSG(pk->test, err, 0, "iova %#llx", iova + offset);
		KUNIT_ASSERT_EQ_MSG(pk->test, found, paddr + offset + 0x123,
				    "iova %#llx", iova + offset);
	}
}

void pk_expect_hole(struct pk *pk, u64 iova, u64 size)
{
	u64 offset, found;

	for (offset = 0; offset < size; offset = pk_next_probe(offset, size))
		KUNIT_ASSERT_EQ_MSG(pk->test,
				    panthor_pgtable_iova_to_phys(pk->pt, iova + offset, &found),
				    -ENOENT, "iova %#llx", iova + offset);
}

/* The level of the leaf behind @iova. */
void pk_expect_level(struct pk *pk, u64 iova, int level)
{
	struct panthor_pgtable_walk walk;

	KUNIT_ASSERT_EQ(pk->test, panthor_pgtable_walk(pk->pt, iova, &walk), 0);
	KUNIT_EXPECT_NE_MSG(pk->test, walk.desc[walk.level], 0, "iova %#llx", iova);
	KUNIT_EXPECT_EQ_MSG(pk->test, walk.level, level, "iova %#llx", iova);
}

static void pk_sgt_free(void *data)
{
	sg_free_table(data);
}

/* A scatter list as dma_map_sgtable() leaves it, to be filled in. */
struct sg_table *pk_sgt(struct kunit *test, unsigned int nents)
{
	struct sg_table *sgt = kunit_kzalloc(test, sizeof(*sgt), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sgt);
	KUNIT_ASSERT_EQ(test, sg_alloc_table(sgt, nents, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, pk_sgt_free, sgt), 0);
	return sgt;
}

void pk_sgt_set(struct sg_table *sgt, unsigned int i, u64 paddr, u64 len)
{
	struct scatterlist *sg = sgt->sgl;

	while (i--)
		sg = sg_next(sg);
	sg_dma_address(sg) = paddr;
	sg_dma_len(sg) = len;
}
