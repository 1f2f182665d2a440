// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * KUnit suite of the pool and the reservations: how many tables are held, that
 * they are enough whatever runs in between, and that every page comes back.
 */

#include <linux/dma-fence.h>
#include <linux/fault-inject.h>
#include <linux/iommu.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>

#include "../panthor_pgtable_tree.h"
#include "panthor_kunit.h"

static unsigned int reserved(struct pk *pk, u64 iova, u64 paddr, u64 size)
{
	struct panthor_pgtable_rsv rsv = {};
	unsigned int count;

	KUNIT_EXPECT_EQ(pk->test, panthor_pgtable_reserve_map(pk->pt, &rsv, iova, paddr, size), 0);
	count = pk_held(pk);
	panthor_pgtable_unreserve(pk->pt, &rsv);
	KUNIT_EXPECT_EQ(pk->test, rsv.count, 0);
	KUNIT_EXPECT_EQ(pk->test, pk_held(pk), 0);
	return count;
}

static unsigned int reserved_unmap(struct pk *pk, u64 iova, u64 size)
{
	struct panthor_pgtable_rsv rsv = {};
	unsigned int count;

	KUNIT_EXPECT_EQ(pk->test, panthor_pgtable_reserve_unmap(pk->pt, &rsv, iova, size), 0);
	count = pk_held(pk);
	panthor_pgtable_unreserve(pk->pt, &rsv);
	return count;
}

static void map_counts(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct panthor_pgtable_rsv rsv = {};
	struct sg_table *sgt = pk_sgt(test, 1024);
	unsigned int i;

	pk_needs_fork(test, "reserves for an empty tree");
	KUNIT_EXPECT_EQ(test, reserved(pk, 0, 0, SZ_4K), 3);
	KUNIT_EXPECT_EQ(test, reserved(pk, 0, 0, SZ_2M), 2);
	KUNIT_EXPECT_EQ(test, reserved(pk, 0, 0, SZ_1G), 1);
	KUNIT_EXPECT_EQ(test, reserved(pk, 0, SZ_4K, SZ_2M), 3);
	KUNIT_EXPECT_EQ(test, reserved(pk, SZ_2M - SZ_4K, 0, SZ_8K), 4);
	KUNIT_EXPECT_EQ(test, reserved(pk, SZ_1G - SZ_4K, 0, SZ_8K), 5);
	KUNIT_EXPECT_EQ(test, reserved(pk, 512ull * SZ_1G - SZ_4K, 0, SZ_8K), 6);
	KUNIT_EXPECT_EQ(test, reserved(pk, 0, SZ_4K, SZ_1G), 514);
	KUNIT_EXPECT_EQ(test, reserved(pk, 0, SZ_2M, SZ_1G), 2);
	KUNIT_EXPECT_EQ(test, reserved(pk, SZ_1G - SZ_2M - SZ_4K, SZ_2G - SZ_2M - SZ_4K,
				       SZ_1G + SZ_4M + SZ_8K), 5);

	/* Scattered, then with one stretch of 2 MiB in two entries. */
	for (i = 0; i < 1024; i++)
		pk_sgt_set(sgt, i, SZ_1G + i * SZ_8K, SZ_4K);
	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map_sgt(pk->pt, &rsv, SZ_2M, sgt, 0, SZ_4M),
			0);
	KUNIT_EXPECT_EQ(test, pk_held(pk), 4);
	panthor_pgtable_unreserve(pk->pt, &rsv);
	pk_sgt_set(sgt, 1, SZ_2G, SZ_1M);
	pk_sgt_set(sgt, 2, SZ_2G + SZ_1M, SZ_1M);
	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map_sgt(pk->pt, &rsv, SZ_2M - SZ_4K, sgt, 0,
							      SZ_2M + SZ_64K), 0);
	KUNIT_EXPECT_EQ(test, pk_held(pk), 4);
	panthor_pgtable_unreserve(pk->pt, &rsv);

	/* A cut needs the tables on the way to it as well, where there are none. */
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, 0, SZ_4K), 3);
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, 0, SZ_2M), 2);
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, 0, SZ_1G), 0);
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, SZ_4K, SZ_1G), 5);
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, 0, 1ull << 48), 0);

	/* Of blocks that are there, it needs what they have to become. */
	KUNIT_ASSERT_EQ(test, pk_map(pk, 0, 0, SZ_1G), 0);
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_1G, SZ_2M, SZ_1G), 0);
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, SZ_4K, SZ_4K), 2);
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, SZ_2M, SZ_4M), 1);
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, SZ_1G, SZ_4K), 1);
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, SZ_1G + SZ_4K, SZ_2M), 2);
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, SZ_1G, SZ_2M), 0);

	/* A neighbour has all the tables that a page needs. */
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_2G, SZ_4K, SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, reserved(pk, SZ_2G + SZ_4K, SZ_8K, SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, reserved(pk, SZ_2G + SZ_2M, SZ_8K, SZ_4K), 1);
	KUNIT_EXPECT_EQ(test, reserved_unmap(pk, SZ_2G, SZ_4K), 0);
}

/* Jobs share what they need: the union of their slots, not the sum. */
static void queue_shares_tables(struct kunit *test)
{
	enum { JOBS = 10000 };
	struct panthor_pgtable_rsv *rsv = kvcalloc(JOBS, sizeof(*rsv), GFP_KERNEL);
	struct pk *pk = pk_create_default(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, rsv);
	if (!PK_FORK) {
		kvfree(rsv);
		pk_needs_fork(test, "jobs do not share what they reserve");
	}
	for (i = 0; i < JOBS; i++)
		KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv[i],
								  SZ_1G + i % 512 * SZ_4K, SZ_4K,
								  SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, pk_held(pk), 3);

	/* One after the other, and what the first one installed stays for the last. */
	for (i = 0; i < JOBS; i++) {
		KUNIT_ASSERT_EQ(test, panthor_pgtable_map(pk->pt, &rsv[i],
							  SZ_1G + i % 512 * SZ_4K, SZ_4K, SZ_4K,
							  PK_RW), 0);
		KUNIT_EXPECT_EQ(test, pk_held(pk), 0);
		KUNIT_ASSERT_EQ(test, panthor_pgtable_unmap(pk->pt, NULL,
							    SZ_1G + i % 512 * SZ_4K, SZ_4K),
				SZ_4K);
		pk_flush(pk);
		panthor_pgtable_unreserve(pk->pt, &rsv[i]);
		if (i % 64 == 0)
			cond_resched();
	}
	pk_flush(pk);
	pk_expect_sane(pk);
	kvfree(rsv);
}

/* A table that other jobs need is not displaced by a block, which would fit. */
static void block_over_pinned_table(struct kunit *test)
{
	struct panthor_pgtable_rsv page = {}, block = {};
	struct pk *pk = pk_create_default(test);
	struct pk_tree tree;

	pk_needs_fork(test, "no table is pinned");
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_2M, SZ_4K, SZ_4K), 0);
	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &page, SZ_2M + SZ_8K, SZ_4K,
							  SZ_4K), 0);
	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &block, SZ_2M, SZ_2M, SZ_4M), 0);
	KUNIT_EXPECT_EQ(test, pk_held(pk), 0);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_unmap(pk->pt, &block, SZ_2M, SZ_4M), SZ_4K);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map(pk->pt, &block, SZ_2M, SZ_2M, SZ_4M, PK_RW), 0);
	pk_look(pk, &tree);
	KUNIT_EXPECT_EQ(test, tree.leaves[3], 512);
	KUNIT_EXPECT_EQ(test, tree.leaves[2], 1);

	KUNIT_EXPECT_EQ(test, panthor_pgtable_unmap(pk->pt, &page, SZ_2M + SZ_8K, SZ_4K), SZ_4K);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_map(pk->pt, &page, SZ_2M + SZ_8K, SZ_4K, SZ_4K,
						  PK_RW), 0);
	pk_flush(pk);
	panthor_pgtable_unreserve(pk->pt, &block);
	panthor_pgtable_unreserve(pk->pt, &page);
	pk_expect_mapped(pk, SZ_4M, SZ_4M, SZ_2M);
	pk_expect_sane(pk);
}

/* What a job that did not run leaves empty goes with the next flush. */
static void idle_tables_go(struct kunit *test)
{
	struct panthor_pgtable_rsv rsv = {};
	struct pk *pk = pk_create_default(test);
	struct panthor_pgtable_stats stats;

	pk_needs_fork(test, "no table is pinned");
	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_2M, SZ_4K, SZ_4K), 0);
	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, SZ_2M, SZ_4K, SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, panthor_pgtable_unmap(pk->pt, NULL, 0, SZ_1G), SZ_4K);
	pk_flush(pk);
	panthor_pgtable_stats(pk->pt, &stats);
	KUNIT_EXPECT_EQ(test, stats.tree, 4);

	panthor_pgtable_unreserve(pk->pt, &rsv);
	panthor_pgtable_stats(pk->pt, &stats);
	KUNIT_EXPECT_EQ(test, stats.tree, 4);
	pk_flush(pk);
	panthor_pgtable_stats(pk->pt, &stats);
	KUNIT_EXPECT_EQ(test, stats.tree, 1);
	pk_expect_sane(pk);
}

/* With an empty tree the bound is exact: all that is held is used. */
static void map_counts_exact(struct kunit *test)
{
	struct panthor_pgtable_cfg cfg = {
		.va_bits = 40, .pa_bits = 40, .pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G,
		.coherent_walk = true,
	};
	u32 seed = get_random_u32();
	struct rnd_state rnd;
	struct pk *pk = NULL;
	unsigned int i;

	pk_needs_fork(test, "tables of level 1 stay, and are reserved again");
	kunit_info(test, "seed %#x\n", seed);
	prandom_seed_state(&rnd, seed);
	for (i = 0; i < 3000; i++) {
		u64 grain = 1ull << (12 + prandom_u32_state(&rnd) % 10);
		u64 iova = (((u64)prandom_u32_state(&rnd) << 7) & ~(grain - 1)) +
			   (prandom_u32_state(&rnd) % 3 ? 0 : SZ_1G - SZ_2M);
		u64 size = ((1ull << (prandom_u32_state(&rnd) % 32)) & ~(grain - 1)) + grain;
		u64 paddr = prandom_u32_state(&rnd) % 2 ? iova : iova + grain;
		struct panthor_pgtable_rsv rsv = {};

		if (i % 100 == 0)
			pk = pk_create(test, &cfg);
		KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, iova, paddr, size),
				0);
		KUNIT_ASSERT_EQ(test, panthor_pgtable_map(pk->pt, &rsv, iova, paddr, size, PK_RW),
				0);
		KUNIT_ASSERT_EQ_MSG(test, pk_held(pk), 0, "%#llx -> %#llx + %#llx", iova,
				    paddr, size);
		panthor_pgtable_unreserve(pk->pt, &rsv);
		KUNIT_ASSERT_EQ(test, pk_unmap(pk, iova, size), size);
		if (i % 100 == 99)
			pk_destroy(pk);
	}
}

/*
 * I2 on a geometry small enough for all of it: three jobs of all kinds and
 * ranges, reserved together, run in all orders. None may lack a table.
 */
struct job {
	char kind;
	u64 iova, size;
	struct panthor_pgtable_rsv rsv;
};

static int job_reserve(struct pk *pk, struct job *job)
{
	switch (job->kind) {
	case 'u':
		return panthor_pgtable_reserve_unmap(pk->pt, &job->rsv, job->iova, job->size);
	case 'b':
		return panthor_pgtable_reserve_map(pk->pt, &job->rsv, job->iova, job->iova,
						   job->size);
	default:
		return panthor_pgtable_reserve_map(pk->pt, &job->rsv, job->iova,
						   job->iova + SZ_4K, job->size);
	}
}

/* As drivers do: what is in the way of a map is unmapped by the same job. */
static int job_run(struct pk *pk, struct job *job)
{
	s64 ret = panthor_pgtable_unmap(pk->pt, &job->rsv, job->iova, job->size);

	if (ret >= 0 && job->kind != 'u')
		ret = panthor_pgtable_map(pk->pt, &job->rsv, job->iova,
					  job->iova + (job->kind == 'b' ? 0 : SZ_4K), job->size,
					  PK_RW);
	pk_flush(pk);
	return ret < 0 ? ret : 0;
}

static void exhaustive(struct kunit *test)
{
	static const u64 ends[] = { 0, SZ_1M, SZ_2M, SZ_4M };
	static const u8 orders[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 }
	};
	struct panthor_pgtable_cfg cfg = {
		.va_bits = 32, .pa_bits = 40, .pgsize_bitmap = SZ_4K | SZ_2M,
		.coherent_walk = true,
	};
	struct pk *pk = pk_create(test, &cfg);
	const unsigned int nr_kinds = 18;
	struct job *kinds = kunit_kcalloc(test, nr_kinds, sizeof(*kinds), GFP_KERNEL), jobs[3];
	unsigned int count = 0, i, j, n;
	unsigned long runs = 0;

	KUNIT_ASSERT_NOT_NULL(test, kinds);
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		for (j = i + 1; j < ARRAY_SIZE(ends); j++)
			for (n = 0; n < 3; n++)
				kinds[count++] = (struct job){ "ubm"[n], ends[i],
							       ends[j] - ends[i] };
	KUNIT_ASSERT_EQ(test, count, nr_kinds);

	for (i = 0; i < count * count * count * 6; i++) {
		const u8 *order = orders[i % 6];

		for (j = 0, n = i / 6; j < 3; j++, n /= count) {
			jobs[j] = kinds[n % count];
			KUNIT_ASSERT_EQ(test, job_reserve(pk, &jobs[j]), 0);
		}
		for (j = 0; j < 3; j++)
			KUNIT_ASSERT_EQ_MSG(test, job_run(pk, &jobs[order[j]]), 0, "case %u", i);
		for (j = 0; j < 3; j++)
			panthor_pgtable_unreserve(pk->pt, &jobs[j].rsv);
		pk_unmap(pk, 0, SZ_4M);
		runs++;
		if (i % 64 == 0)
			cond_resched();
	}
	kunit_info(test, "%lu orders of jobs\n", runs);
}

/* I2 with random queues on the whole geometry; all in the signalling section. */
static void random_queues(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	u32 seed = get_random_u32();
	struct job *jobs = kunit_kcalloc(test, 64, sizeof(*jobs), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned long run = 0;
	unsigned int round, i;

	KUNIT_ASSERT_NOT_NULL(test, jobs);
	kunit_info(test, "seed %#x\n", seed);
	prandom_seed_state(&rnd, seed);

	for (round = 0; round < 300; round++) {
		unsigned int depth = 1 + prandom_u32_state(&rnd) % 64;
		unsigned long calls;
		int err;

		for (i = 0; i < depth; i++) {
			u64 grain = SZ_4K << (prandom_u32_state(&rnd) % 3 * 9);
			u64 size = grain * (1 + prandom_u32_state(&rnd) % 8);
			u64 iova = grain * (prandom_u32_state(&rnd) % 1024);

			if (grain == SZ_1G) {
				iova %= 8ull * SZ_1G;
				size = SZ_1G;
			}
			jobs[i] = (struct job){ "ubm"[prandom_u32_state(&rnd) % 3], iova, size };
			if (jobs[i].kind == 'm' && size > SZ_64M)
				jobs[i].kind = 'b';
			KUNIT_ASSERT_EQ(test, job_reserve(pk, &jobs[i]), 0);
		}

		/* Any order, and some are cancelled. */
		for (i = 0; i < depth; i++) {
			unsigned int other = prandom_u32_state(&rnd) % depth;

			swap(jobs[i], jobs[other]);
		}

		calls = pk->pages.calls;
		for (i = 0; i < depth; i++) {
			bool cookie;

			if (prandom_u32_state(&rnd) % 8 == 0)
				continue;
			cookie = dma_fence_begin_signalling();
			err = job_run(pk, &jobs[i]);
			dma_fence_end_signalling(cookie);
			KUNIT_ASSERT_EQ_MSG(test, err, 0, "round %u job %u %c %#llx + %#llx", round,
					    i, jobs[i].kind, jobs[i].iova, jobs[i].size);
			run++;
		}
		KUNIT_EXPECT_EQ_MSG(test, pk->pages.calls, calls, "a page was asked for");

		for (i = 0; i < depth; i++)
			panthor_pgtable_unreserve(pk->pt, &jobs[i].rsv);
		pk_flush(pk);
		pk_expect_sane(pk);
		cond_resched();
	}
	kunit_info(test, "%lu jobs\n", run);
}

/*
 * Each allocation of create fails once. Those of reservations: see panthor_source. Now and
 * then it is one of a detector that fails instead, which is no error.
 */
static void allocation_failures(struct kunit *test)
{
#ifdef CONFIG_FAULT_INJECTION
	struct pk *pk = pk_create_default(test);
	unsigned int round, nth, failed, most = 0;

	for (round = 0; round < 8 && most < 3; round++) {
		failed = 0;
		for (nth = 0; nth < 9; nth++) {
			struct panthor_pgtable *pt;

			current->fail_nth = nth;
			pt = panthor_pgtable_create(&pk->cfg);
			current->fail_nth = 0;
			if (!IS_ERR(pt)) {
				panthor_pgtable_destroy(pt);
				continue;
			}
			KUNIT_EXPECT_EQ(test, PTR_ERR(pt), -ENOMEM);
			KUNIT_EXPECT_NE(test, nth, 0);
			failed++;
		}
		most = max(most, failed);
	}
	KUNIT_EXPECT_GE(test, most, 3);
#else
	kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
#endif
}

/* A page source that refuses the n-th page. */
static void page_source_refuses(struct kunit *test)
{
	unsigned long n;

	for (n = 2; n < 40; n++) {
		struct pk *pk = pk_create_default(test);
		struct panthor_pgtable_rsv rsv = {};

		pk->pages.refuse = n;
		KUNIT_EXPECT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, 0, SZ_4K,
								  32 * SZ_2M),
				(n - 1) * PANTHOR_TABLES_PER_PAGE < 35 ? -ENOMEM : 0);
		pk_expect_sane(pk);
		panthor_pgtable_unreserve(pk->pt, &rsv);
		pk_destroy(pk);
	}
}

/* Tables are used again before the system is asked, and large pools shrink. */
static void reuse_and_trim(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct panthor_pgtable_rsv rsv = {};
	struct panthor_pgtable_stats stats;
	unsigned long calls;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, pk_map(pk, SZ_4K, SZ_4K, SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, pk_unmap(pk, 0, SZ_1G), SZ_4K);
	calls = pk->pages.calls;
	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_EQ(test, pk_map(pk, SZ_1G * (u64)i, SZ_4K, SZ_4K), 0);
		/* Whole tables are dropped dirty; others are emptied. */
		KUNIT_EXPECT_EQ(test, pk_unmap(pk, SZ_1G * (u64)i, i % 2 ? SZ_1G : SZ_4K), SZ_4K);
	}
	KUNIT_EXPECT_LE(test, pk->pages.calls, calls + 3);

	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, 0, SZ_4K, 3ull * SZ_1G), 0);
	KUNIT_EXPECT_GT(test, atomic_long_read(&pk->pages.taken) * PANTHOR_TABLES_PER_PAGE, 1536);
	panthor_pgtable_unreserve(pk->pt, &rsv);
	for (i = 0; i < 100; i++) {
		panthor_pgtable_stats(pk->pt, &stats);
		if (stats.free <= PANTHOR_POOL_KEEP &&
		    atomic_long_read(&pk->pages.taken) * PANTHOR_TABLES_PER_PAGE == stats.total)
			break;
		schedule_timeout_uninterruptible(HZ / 10);
	}
	KUNIT_EXPECT_LE(test, stats.free, PANTHOR_POOL_KEEP);
	KUNIT_EXPECT_GT(test, stats.free, PANTHOR_POOL_KEEP - PANTHOR_TABLES_PER_PAGE);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&pk->pages.taken) * PANTHOR_TABLES_PER_PAGE,
			stats.total);
	pk_expect_sane(pk);
}

/* Tables that were dropped unread come back cleared. */
static void dropped_tables_are_washed(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct panthor_pgtable_rsv rsv = {};
	struct panthor_pgtable_stats stats;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_1G, SZ_4K, SZ_1G), 0);
	KUNIT_EXPECT_EQ(test, pk_unmap(pk, SZ_1G, SZ_1G), SZ_1G);
	panthor_pgtable_stats(pk->pt, &stats);
	/* The one above goes as well, and the fork knows that it is empty. */
	KUNIT_EXPECT_EQ(test, stats.dirty, PK_FORK ? 512 : 513);

	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, 0, SZ_4K, SZ_1G), 0);
	for (i = 0; i < rsv.count; i++) {
		struct panthor_table *table = pk_rsv_table(&rsv, i);

		KUNIT_ASSERT_NULL(test, memchr_inv(table->entries, 0, SZ_4K));
		KUNIT_ASSERT_EQ(test, table->live, 0);
	}
	panthor_pgtable_unreserve(pk->pt, &rsv);
}

/* Under memory pressure idle tables go: as many as are wanted, and later. */
static void shrinks(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct panthor_pool *pool = kunit_kzalloc(test, sizeof(*pool), GFP_KERNEL);
	/* Fewer than a pool gives back by itself. */
	const unsigned long tables = 256;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, pool);
	panthor_pool_init(pool, &pk->cfg);
	KUNIT_EXPECT_EQ(test, panthor_pool_shrink(pool, 64), 0);
	for (i = 0; i < tables / PANTHOR_TABLES_PER_PAGE; i++)
		KUNIT_EXPECT_EQ(test, panthor_pool_fill(pool), 0);

	KUNIT_EXPECT_EQ(test, panthor_pool_shrink(pool, 64), 64);
	flush_delayed_work(&pool->trim_work);
	KUNIT_EXPECT_EQ(test, pool->free, tables - 64);
	KUNIT_EXPECT_EQ(test, panthor_pool_shrink(pool, ULONG_MAX), tables - 64);
	KUNIT_EXPECT_EQ(test, panthor_pool_shrink(pool, ULONG_MAX), 0);
	flush_delayed_work(&pool->trim_work);
	KUNIT_EXPECT_EQ(test, pool->free, 0);
	KUNIT_EXPECT_TRUE(test, panthor_pool_fini(pool));
}

/* One shrinker is for all pools, those of VMs included. */
static void shrinks_all(struct kunit *test)
{
	struct pk *pk[2] = { pk_create_default(test), pk_create_default(test) };
	struct shrink_control sc = { .nr_to_scan = ULONG_MAX };
	struct shrinker *shrinker = panthor_pools_shrinker;
	struct panthor_pgtable_rsv rsv = {};
	unsigned long before, idle = 0;
	struct panthor_pool *pool;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, shrinker);
	before = shrinker->count_objects(shrinker, &sc);
	for (i = 0; i < ARRAY_SIZE(pk); i++) {
		KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk[i]->pt, &rsv, 0, SZ_4K,
								  64 * SZ_2M), 0);
		panthor_pgtable_unreserve(pk[i]->pt, &rsv);
		idle += pk[i]->pt->pool.free;
	}
	/* Others may come and go. */
	KUNIT_EXPECT_GT(test, shrinker->count_objects(shrinker, &sc), before);

	KUNIT_EXPECT_GE(test, shrinker->scan_objects(shrinker, &sc), idle);
	for (i = 0; i < ARRAY_SIZE(pk); i++) {
		pool = &pk[i]->pt->pool;
		flush_delayed_work(&pool->trim_work);
		KUNIT_EXPECT_LT(test, pool->free, PANTHOR_TABLES_PER_PAGE);
		pk_expect_sane(pk[i]);
	}
}

static struct kunit_case panthor_pool_cases[] = {
	KUNIT_CASE(map_counts),
	KUNIT_CASE(map_counts_exact),
	KUNIT_CASE(queue_shares_tables),
	KUNIT_CASE(block_over_pinned_table),
	KUNIT_CASE(idle_tables_go),
	KUNIT_CASE_SLOW(exhaustive),
	KUNIT_CASE(random_queues),
	KUNIT_CASE(allocation_failures),
	KUNIT_CASE(page_source_refuses),
	KUNIT_CASE(reuse_and_trim),
	KUNIT_CASE(dropped_tables_are_washed),
	KUNIT_CASE(shrinks),
	KUNIT_CASE(shrinks_all),
	{}
};

static struct kunit_suite panthor_pool_suite = {
	.name = "panthor_pool",
	.test_cases = panthor_pool_cases,
};

kunit_test_suite(panthor_pool_suite);
