// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * KUnit suite that drives this library and the kernel's own io-pgtable with the
 * same random operations, and compares translations and raw descriptors after
 * each of them.
 */

#include <linux/io-pgtable.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sizes.h>

#include "../panthor_pgtable_fmt.h"
#include "panthor_kunit.h"

static uint diff_ops = 2000;
module_param(diff_ops, uint, 0);
MODULE_PARM_DESC(diff_ops, "Operations of each case of the panthor_diff KUnit suite");

static uint diff_seed;
module_param(diff_seed, uint, 0);
MODULE_PARM_DESC(diff_seed, "Seed of the panthor_diff KUnit suite, 0 for a random one");

/* Bit 55 is software's; io-pgtable keeps a note about cache maintenance there. */
#define SW_SYNC		BIT_ULL(55)
#define MAX_ENTRIES	64

struct diff {
	struct kunit *test;
	struct pk *pk;
	struct io_pgtable_ops *ops;
	struct sg_table *sgt;
	struct rnd_state rnd;
	u64 window;
	u64 block;
	unsigned long compared;
};

static void tlb_flush_all(void *cookie)
{
}

static void tlb_flush_walk(unsigned long iova, size_t size, size_t granule, void *cookie)
{
}

static const struct iommu_flush_ops tlb_ops = {
	.tlb_flush_all = tlb_flush_all,
	.tlb_flush_walk = tlb_flush_walk,
};

static const u64 *table_at(u64 pte)
{
	return phys_to_virt(pte & GENMASK_ULL(47, 12));
}

static bool all_empty(const u64 *table, int level)
{
	unsigned int i;

	for (i = 0; i < 512; i++)
		if (table[i] && (level == 3 || (table[i] & 3) != 3 ||
				 !all_empty(table_at(table[i]), level + 1)))
			return false;
	return true;
}

/*
 * The same descriptors in the same places. Two differences are meant: the
 * addresses of tables, and that io-pgtable leaves tables empty where we let
 * them go.
 */
static bool same_tables(const u64 *ours, const u64 *theirs, int level)
{
	unsigned int i;

	for (i = 0; i < 512; i++) {
		u64 a = ours[i], b = theirs[i] & ~SW_SYNC;

		if (level == 3 || (b & 3) != 3) {
			if (a != b)
				return false;
		} else if (!a) {
			if (!all_empty(table_at(b), level + 1))
				return false;
		} else if ((a ^ b) & ~GENMASK_ULL(47, 12) ||
			   !same_tables(table_at(a), table_at(b), level + 1)) {
			return false;
		}
	}
	return true;
}

static u32 below(struct diff *diff, u32 limit)
{
	return prandom_u32_state(&diff->rnd) % limit;
}

static size_t leaf_size(struct diff *diff, u64 addr, u64 len)
{
	if (diff->block >= SZ_1G && !(addr % SZ_1G) && len >= SZ_1G)
		return SZ_1G;
	if (diff->block >= SZ_2M && !(addr % SZ_2M) && len >= SZ_2M)
		return SZ_2M;
	return SZ_4K;
}

static void their_map(struct diff *diff, u64 iova, u64 paddr, u64 len, int prot)
{
	while (len) {
		size_t leaf = leaf_size(diff, iova | paddr, len), mapped = 0;

		KUNIT_ASSERT_EQ(diff->test, diff->ops->map_pages(diff->ops, iova, paddr, leaf, 1,
								 prot, GFP_KERNEL, &mapped), 0);
		iova += leaf;
		paddr += leaf;
		len -= leaf;
	}
}

static int their_prot(u64 pte)
{
	return IOMMU_READ | (pte & PANTHOR_PTE_AP_RDONLY ? 0 : IOMMU_WRITE) |
	       (pte & PANTHOR_PTE_ATTRINDX(1) ? IOMMU_CACHE : 0) |
	       (pte & PANTHOR_PTE_XN ? IOMMU_NOEXEC : 0);
}

/* Newer kernels do not split: if @iova cuts a block, map that again, as smaller leaves. */
static void their_split(struct diff *diff, u64 iova)
{
	const u64 *table = phys_to_virt(io_pgtable_ops_to_pgtable(diff->ops)->cfg
					.arm_lpae_s1_cfg.ttbr);
	struct panthor_pgtable_walk walk;
	u64 span, piece, start, pte;
	size_t mapped = 0;
	int level;

	if (iova >= diff->window)
		return;
	KUNIT_ASSERT_EQ(diff->test, panthor_pgtable_walk(diff->pk->pt, iova, &walk), 0);
	for (level = walk.start_level; ; level++) {
		span = (u64)SZ_4K << 9 * (3 - level);
		pte = table[iova / span % 512];
		if (!(iova % span) || !pte)
			return;
		if ((pte & PANTHOR_PTE_TYPE) == PANTHOR_PTE_BLOCK)
			break;
		table = table_at(pte);
	}

	piece = span / 512;
	start = ALIGN_DOWN(iova, span);
	KUNIT_ASSERT_EQ(diff->test, diff->ops->unmap_pages(diff->ops, start, span, 1, NULL), span);
	KUNIT_ASSERT_EQ(diff->test,
			diff->ops->map_pages(diff->ops, start, pte & PANTHOR_PTE_ADDR, piece, 512,
					     their_prot(pte), GFP_KERNEL, &mapped), 0);
	KUNIT_ASSERT_EQ(diff->test, mapped, span);
	their_split(diff, iova);
}

/* It takes no holes: from one mapped stretch to the next. */
static u64 their_unmap(struct diff *diff, u64 iova, u64 size)
{
	u64 end = iova + size, start, unmapped = 0;

	their_split(diff, iova);
	their_split(diff, end);
	while (iova < end) {
		if (!diff->ops->iova_to_phys(diff->ops, iova + 1)) {
			iova += SZ_4K;
			continue;
		}
		start = iova;
		while (iova < end && diff->ops->iova_to_phys(diff->ops, iova + 1))
			iova += SZ_4K;
		while (start < iova) {
			size_t leaf = leaf_size(diff, start, iova - start);

			KUNIT_ASSERT_EQ(diff->test,
					diff->ops->unmap_pages(diff->ops, start, leaf, 1, NULL),
					leaf);
			start += leaf;
			unmapped += leaf;
		}
	}
	return unmapped;
}

/* A random scatter list: single pages, stretches, and entries that continue. */
static unsigned int random_sgt(struct diff *diff, u64 *total)
{
	unsigned int nents = 1 + below(diff, MAX_ENTRIES), i;
	u64 next = SZ_4K;

	*total = 0;
	for (i = 0; i < nents; i++) {
		u64 len = (u64)SZ_4K << (below(diff, 4) ? below(diff, 4) : below(diff, 12));

		if (below(diff, 3))
			next = (u64)(1 + below(diff, BIT(17))) * (below(diff, 2) ? SZ_4K : SZ_2M);
		pk_sgt_set(diff->sgt, i, next, len);
		next += len;
		*total += len;
	}
	diff->sgt->nents = nents;
	return nents;
}

static u64 page_below(struct diff *diff, u64 limit)
{
	return (u64)below(diff, limit / SZ_4K) * SZ_4K;
}

static void diff_map_sgt(struct diff *diff, int prot)
{
	struct panthor_pgtable *pt = diff->pk->pt;
	struct panthor_pgtable_rsv rsv = {};
	u64 total, offset, size, iova, done;
	struct scatterlist *sg;
	unsigned int i, nents = random_sgt(diff, &total);
	u64 run_paddr = 0, run_len = 0;
	int err;

	offset = page_below(diff, total);
	size = min(total - offset, diff->window - SZ_4K) - (below(diff, 2) ? 0 :
	       page_below(diff, min(total - offset, diff->window - SZ_4K)));
	iova = page_below(diff, diff->window - size);
	if (below(diff, 2) && iova + size + SZ_2M < diff->window)
		iova = ALIGN_DOWN(iova, SZ_2M);

	KUNIT_ASSERT_EQ(diff->test, panthor_pgtable_reserve_map_sgt(pt, &rsv, iova, diff->sgt,
								    offset, size), 0);
	err = panthor_pgtable_map_sgt(pt, &rsv, iova, diff->sgt, offset, size, prot);
	if (err == -EEXIST) {
		/* Right only if something is there; rolled back, so make room. */
		KUNIT_ASSERT_GT(diff->test, their_unmap(diff, iova, size), 0);
		KUNIT_ASSERT_GT(diff->test, pk_unmap(diff->pk, iova, size), 0);
		panthor_pgtable_unreserve(pt, &rsv);
		KUNIT_ASSERT_EQ(diff->test,
				panthor_pgtable_reserve_map_sgt(pt, &rsv, iova, diff->sgt, offset,
								size), 0);
		err = panthor_pgtable_map_sgt(pt, &rsv, iova, diff->sgt, offset, size, prot);
	}
	KUNIT_ASSERT_EQ(diff->test, err, 0);
	pk_flush(diff->pk);
	panthor_pgtable_unreserve(pt, &rsv);

	/* Merge what continues: leaves span entries of the list with us. */
	done = 0;
	for_each_sg(diff->sgt->sgl, sg, nents, i) {
		u64 paddr = sg_dma_address(sg), len = sg_dma_len(sg);

		if (offset >= len) {
			offset -= len;
			continue;
		}
		paddr += offset;
		len = min(len - offset, size - done - run_len);
		offset = 0;
		if (run_len && run_paddr + run_len == paddr) {
			run_len += len;
		} else {
			their_map(diff, iova + done, run_paddr, run_len, prot);
			done += run_len;
			run_paddr = paddr;
			run_len = len;
		}
		if (done + run_len == size)
			break;
	}
	their_map(diff, iova + done, run_paddr, run_len, prot);
}

static void diff_map(struct diff *diff, int prot)
{
	struct panthor_pgtable *pt = diff->pk->pt;
	u64 grain = (u64)SZ_4K << 9 * below(diff, diff->block >= SZ_1G ? 3 : 2);
	u64 size = min(grain * (1 + below(diff, 4)), diff->window / 2);
	u64 iova = ALIGN_DOWN(page_below(diff, diff->window - size), grain);
	u64 paddr = iova + grain * below(diff, 8) + (below(diff, 4) ? 0 : SZ_4K);
	struct panthor_pgtable_rsv rsv = {};
	int err;

	/* A GiB of single pages takes the emulated machine too long. */
	if (size > SZ_128M)
		paddr = ALIGN_DOWN(paddr, SZ_2M);

	KUNIT_ASSERT_EQ(diff->test, panthor_pgtable_reserve_map(pt, &rsv, iova, paddr, size), 0);
	err = panthor_pgtable_map(pt, &rsv, iova, paddr, size, prot);
	if (err == -EEXIST) {
		KUNIT_ASSERT_GT(diff->test, their_unmap(diff, iova, size), 0);
		KUNIT_ASSERT_GT(diff->test, pk_unmap(diff->pk, iova, size), 0);
		panthor_pgtable_unreserve(pt, &rsv);
		KUNIT_ASSERT_EQ(diff->test,
				panthor_pgtable_reserve_map(pt, &rsv, iova, paddr, size), 0);
		err = panthor_pgtable_map(pt, &rsv, iova, paddr, size, prot);
	}
	KUNIT_ASSERT_EQ(diff->test, err, 0);
	pk_flush(diff->pk);
	panthor_pgtable_unreserve(pt, &rsv);

	their_map(diff, iova, paddr, size, prot);
}

static void diff_unmap(struct diff *diff)
{
	u64 size = SZ_4K + page_below(diff, min(diff->window / 2, (u64)SZ_4K << below(diff, 17)));
	u64 iova = page_below(diff, diff->window - size);
	s64 unmapped;

	unmapped = pk_unmap(diff->pk, iova, size);
	KUNIT_ASSERT_EQ_MSG(diff->test, unmapped, their_unmap(diff, iova, size), "%#llx + %#llx",
			    iova, size);
}

static void diff_compare(struct diff *diff)
{
	const u64 *theirs = phys_to_virt(io_pgtable_ops_to_pgtable(diff->ops)->cfg
					 .arm_lpae_s1_cfg.ttbr);
	struct panthor_pgtable_walk walk;
	unsigned int i;

	KUNIT_ASSERT_EQ(diff->test, panthor_pgtable_walk(diff->pk->pt, 0, &walk), 0);
	KUNIT_ASSERT_TRUE(diff->test, same_tables(phys_to_virt(panthor_pgtable_ttbr(diff->pk->pt)),
						  theirs, walk.start_level));

	for (i = 0; i < 32; i++) {
		u64 iova = page_below(diff, diff->window) + below(diff, SZ_4K), paddr;
		u64 expected = diff->ops->iova_to_phys(diff->ops, iova);
		int err = panthor_pgtable_iova_to_phys(diff->pk->pt, iova, &paddr);

		if (expected)
			KUNIT_ASSERT_EQ(diff->test, err ?: paddr, expected);
		else if (!err)
			/* io-pgtable cannot tell address 0 from a hole. */
			KUNIT_ASSERT_EQ(diff->test, paddr, 0);
	}
	diff->compared++;
}

static void diff_exit(void *data)
{
	free_io_pgtable_ops(data);
}

static void diff_run(struct kunit *test, u8 va_bits, u64 pgsizes, u64 window)
{
	struct panthor_pgtable_cfg cfg = {
		.dev = pk_device(test),
		.va_bits = va_bits, .pa_bits = 40, .pgsize_bitmap = pgsizes,
		.coherent_walk = true,
	};
	struct io_pgtable_cfg their_cfg = {
		.pgsize_bitmap = pgsizes,
		.ias = va_bits,
		.oas = 40,
		.coherent_walk = true,
		.tlb = &tlb_ops,
		.iommu_dev = cfg.dev,
	};
	struct diff *diff = kunit_kzalloc(test, sizeof(*diff), GFP_KERNEL);
	u32 seed = diff_seed ?: get_random_u32();
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, diff);
	kunit_info(test, "seed %#x: repeat with panthor.diff_seed=%#x\n", seed, seed);
	diff->test = test;
	diff->pk = pk_create(test, &cfg);
	diff->sgt = pk_sgt(test, MAX_ENTRIES);
	diff->window = window;
	diff->block = 1ull << __fls(pgsizes);
	prandom_seed_state(&diff->rnd, seed);

	diff->ops = alloc_io_pgtable_ops(ARM_64_LPAE_S1, &their_cfg, NULL);
	KUNIT_ASSERT_NOT_NULL(test, diff->ops);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, diff_exit, diff->ops), 0);
	/* Indexes 0 to 3: theirs extends the sign of the last one into those that no leaf has. */
	KUNIT_EXPECT_EQ(test, panthor_pgtable_mair(diff->pk->pt),
			lower_32_bits(their_cfg.arm_lpae_s1_cfg.mair));

	for (i = 0; i < diff_ops; i++) {
		int prot = 1 + below(diff, 3) + (below(diff, 2) ? IOMMU_CACHE : 0) +
			   (below(diff, 2) ? IOMMU_NOEXEC : 0);

		switch (below(diff, 8)) {
		case 0:
		case 1:
			diff_map(diff, prot);
			break;
		case 2:
		case 3:
		case 4:
			diff_map_sgt(diff, prot);
			break;
		default:
			diff_unmap(diff);
			break;
		}
		diff_compare(diff);
		if (i % 32 == 0) {
			pk_expect_sane(diff->pk);
			cond_resched();
		}
	}

	KUNIT_EXPECT_EQ(test, diff->compared, diff_ops);
	kunit_info(test, "%lu operations compared\n", diff->compared);
}

static void va48_pages_2m(struct kunit *test)
{
	diff_run(test, 48, SZ_4K | SZ_2M, SZ_64M);
}

static void va39_pages(struct kunit *test)
{
	diff_run(test, 39, SZ_4K, SZ_32M);
}

static void va48_all_sizes(struct kunit *test)
{
	diff_run(test, 48, SZ_4K | SZ_2M | SZ_1G, 4ull * SZ_1G);
}

static void va31_all_sizes(struct kunit *test)
{
	diff_run(test, 31, SZ_4K | SZ_2M | SZ_1G, SZ_2G);
}

static void va27_2m(struct kunit *test)
{
	diff_run(test, 27, SZ_4K | SZ_2M, SZ_128M);
}

/* Canary: the comparison sees one changed bit, and one missing leaf. */
static void comparison_can_fail(struct kunit *test)
{
	u64 *a = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);
	u64 *b = kunit_kzalloc(test, SZ_4K, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	a[7] = 0x12345f47;
	KUNIT_EXPECT_FALSE(test, same_tables(a, b, 3));
	b[7] = a[7] | SW_SYNC;
	KUNIT_EXPECT_TRUE(test, same_tables(a, b, 3));
	b[7] ^= BIT_ULL(54);
	KUNIT_EXPECT_FALSE(test, same_tables(a, b, 3));
}

static struct kunit_case panthor_diff_cases[] = {
	KUNIT_CASE(comparison_can_fail),
	KUNIT_CASE(va48_pages_2m),
	KUNIT_CASE(va39_pages),
	KUNIT_CASE_SLOW(va48_all_sizes),
	KUNIT_CASE_SLOW(va31_all_sizes),
	KUNIT_CASE(va27_2m),
	{}
};

static struct kunit_suite panthor_diff_suite = {
	.name = "panthor_diff",
	.test_cases = panthor_diff_cases,
};

kunit_test_suite(panthor_diff_suite);
