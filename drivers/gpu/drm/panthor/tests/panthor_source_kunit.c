// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * KUnit suite of the page source: a firmware that has to be told about each page that
 * becomes a table, and when it is none any more. It keeps a list, and may refuse a page.
 */

#include <linux/fault-inject.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/xarray.h>

#include "../panthor_pgtable_tree.h"
#include "panthor_kunit.h"

/* Tables of the last level that take 16 pages, and the memory that they map. */
#define TABLES		(16 * PANTHOR_TABLES_PER_PAGE)
#define RESERVED	(TABLES * SZ_2M)

struct firmware_pages {
	struct xarray shared;		/* by frame number */
	struct rnd_state rnd;
	unsigned int refuse;		/* per cent */
	bool limited;			/* or all, after so many pages */
	unsigned int budget;

	unsigned long in;
	unsigned long out;
	unsigned long refused;
	unsigned long wrong;		/* shared twice, or given back and not shared */
};

static bool firmware_share(struct firmware_pages *fw, struct page *page)
{
	if ((fw->limited && !fw->budget) || prandom_u32_state(&fw->rnd) % 100 < fw->refuse) {
		fw->refused++;
		return false;
	}
	switch (xa_insert(&fw->shared, page_to_pfn(page), page, GFP_KERNEL)) {
	case 0:
		fw->in++;
		if (fw->limited)
			fw->budget--;
		return true;
	case -EBUSY:
		fw->wrong++;
		fallthrough;
	default:
		return false;
	}
}

static void firmware_unshare(struct firmware_pages *fw, struct page *page)
{
	if (xa_erase(&fw->shared, page_to_pfn(page)) != page)
		fw->wrong++;
	fw->out++;
}

static struct page *source_alloc(void *cookie, gfp_t gfp)
{
	struct page *page;

	/* Nor does a firmware answer at once. */
	might_sleep();
	page = alloc_page(gfp);
	if (page && !firmware_share(cookie, page)) {
		__free_page(page);
		page = NULL;
	}
	return page;
}

static void source_free(void *cookie, struct page *page)
{
	struct firmware_pages *fw = cookie;

	might_sleep();
	/* Whoever gets the page next must not find what the library left in it. */
	if (page_private(page))
		fw->wrong++;
	firmware_unshare(fw, page);
	__free_page(page);
}

static const struct panthor_pgtable_page_ops source_ops = {
	.alloc = source_alloc,
	.free = source_free,
};

static struct firmware_pages *firmware_create(struct kunit *test)
{
	struct firmware_pages *fw = kunit_kzalloc(test, sizeof(*fw), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fw);
	xa_init(&fw->shared);
	prandom_seed_state(&fw->rnd, 1);
	return fw;
}

static struct pk *create_on(struct kunit *test, struct firmware_pages *fw)
{
	return pk_create(test, &(struct panthor_pgtable_cfg){
		.pgsize_bitmap = SZ_4K | SZ_2M,
		.va_bits = 48,
		.pa_bits = 40,
		.coherent_walk = true,
		.page_ops = &source_ops,
		.page_cookie = fw,
	});
}

/* What the firmware has and what the books say are the same. */
static void expect_shared(struct pk *pk, struct firmware_pages *fw)
{
	struct panthor_pgtable_stats stats;

	panthor_pgtable_stats(pk->pt, &stats);
	KUNIT_EXPECT_EQ(pk->test, (fw->in - fw->out) * PANTHOR_TABLES_PER_PAGE, stats.total);
}

static void expect_all_back(struct kunit *test, struct firmware_pages *fw)
{
	KUNIT_EXPECT_TRUE(test, xa_empty(&fw->shared));
	KUNIT_EXPECT_EQ(test, fw->in, fw->out);
	KUNIT_EXPECT_EQ(test, fw->wrong, 0);
}

/* It sees what it is there to see. */
static void notices(struct kunit *test)
{
	struct firmware_pages *fw = firmware_create(test);
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, firmware_share(fw, page));
	KUNIT_EXPECT_FALSE(test, firmware_share(fw, page));
	KUNIT_EXPECT_EQ(test, fw->wrong, 1);
	firmware_unshare(fw, page);
	KUNIT_EXPECT_EQ(test, fw->wrong, 1);
	firmware_unshare(fw, page);
	KUNIT_EXPECT_EQ(test, fw->wrong, 2);
	fw->refuse = 100;
	KUNIT_EXPECT_FALSE(test, firmware_share(fw, page));
	KUNIT_EXPECT_EQ(test, fw->refused, 1);
	__free_page(page);
}

/* A page table of which each map may be refused, and is tried again. */
static void refuses_some(struct kunit *test)
{
	struct firmware_pages *fw = firmware_create(test);
	struct pk *pk = create_on(test, fw);
	unsigned int i, failed = 0, mapped = 0;

	fw->refuse = 30;
	for (i = 0; i < 1000; i++) {
		u64 iova = prandom_u32_state(&fw->rnd) % 4096 * (u64)SZ_64M;
		u64 size = (1 + prandom_u32_state(&fw->rnd) % 1500) * (u64)SZ_4K;
		struct panthor_pgtable_rsv rsv = {};
		unsigned long refused = fw->refused;
		int err;

		err = panthor_pgtable_reserve_map(pk->pt, &rsv, iova, SZ_4K, size);
		expect_shared(pk, fw);
		if (err) {
			failed++;
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, fw->refused, refused + 1);
			KUNIT_EXPECT_EQ(test, pk_held(pk), 0);
			continue;
		}
		KUNIT_EXPECT_EQ(test, fw->refused, refused);
		err = panthor_pgtable_map(pk->pt, &rsv, iova, SZ_4K, size, PK_RW);
		panthor_pgtable_unreserve(pk->pt, &rsv);
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -EEXIST);
			continue;
		}
		mapped++;
		/* Some leave tables in the tree, some give them back dirty. */
		if (i % 4)
			KUNIT_EXPECT_EQ(test, pk_unmap(pk, iova, size), (s64)size);
	}
	KUNIT_EXPECT_GT(test, failed, 20);
	KUNIT_EXPECT_GT(test, mapped, 100);
	pk_destroy(pk);
	expect_all_back(test, fw);
}

/* Refusal of each page in turn, the root's, too. */
static void refuses_each(struct kunit *test)
{
	struct firmware_pages *fw = firmware_create(test);
	struct pk *pk = create_on(test, fw);
	struct panthor_pgtable_rsv rsv = {};
	struct panthor_pgtable *pt;
	unsigned int i;

	fw->refuse = 100;
	pt = panthor_pgtable_create(&pk->cfg);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(pt), -ENOMEM);
	fw->refuse = 0;

	/* One page more each time, which stays in the pool. */
	fw->limited = true;
	for (i = 0; i < 64; i++) {
		unsigned long in = fw->in;
		int err;

		fw->budget = 1;
		err = panthor_pgtable_reserve_map(pk->pt, &rsv, 0, SZ_4K, RESERVED);
		expect_shared(pk, fw);
		if (!err)
			break;
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
		KUNIT_EXPECT_EQ(test, fw->in, in + 1);
		KUNIT_EXPECT_EQ(test, rsv.count, 0);
		KUNIT_EXPECT_EQ(test, pk_held(pk), 0);
	}
	KUNIT_EXPECT_EQ(test, pk_held(pk), TABLES + 2);
	KUNIT_EXPECT_EQ(test, i + 1, DIV_ROUND_UP(TABLES + 2 + 1, PANTHOR_TABLES_PER_PAGE) - 1);
	panthor_pgtable_unreserve(pk->pt, &rsv);
	pk_destroy(pk);
	expect_all_back(test, fw);
}

/* An error in each step of taking a page gives it back to the firmware. */
static void each_error(struct kunit *test)
{
#ifdef CONFIG_FAULT_INJECTION
	unsigned long pages = 0, refused = 0, returned = 0;
	unsigned int nth, left = 0;

	/* Until there is no n-th step. Not each that fails is one of ours: detectors allocate. */
	for (nth = 1; nth < 500 && !left; nth++) {
		struct firmware_pages *fw = firmware_create(test);
		struct pk *pk = create_on(test, fw);
		struct panthor_pgtable_rsv before = {}, rsv = {};
		unsigned long out;
		int err;

		/* Something is held already, and stays so. */
		KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &before, SZ_1G, 0, SZ_4K),
				0);
		pages = fw->in;
		out = fw->out;
		current->fail_nth = nth;
		err = panthor_pgtable_reserve_map(pk->pt, &rsv, 0, SZ_4K, RESERVED);
		left = current->fail_nth;
		current->fail_nth = 0;
		pages = fw->in - pages;
		if (err) {
			refused += fw->out == out;
			returned += fw->out - out;
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, rsv.count, 0);
			KUNIT_EXPECT_EQ(test, pk_held(pk), 3);
		}
		expect_shared(pk, fw);
		panthor_pgtable_unreserve(pk->pt, &rsv);
		panthor_pgtable_unreserve(pk->pt, &before);
		pk_destroy(pk);
		expect_all_back(test, fw);
	}
	KUNIT_EXPECT_NE(test, left, 0);
	KUNIT_EXPECT_GE(test, pages, 16);
	/*
	 * Before the firmware had the page, and after. How often depends on the detectors:
	 * their allocations are steps, too.
	 */
	KUNIT_EXPECT_GT(test, refused, 0);
	KUNIT_EXPECT_GT(test, returned, 0);
#else
	kunit_skip(test, "needs CONFIG_FAULT_INJECTION");
#endif
}

/* What is trimmed, and what a shrinker wants, is given back while the VM lives. */
static void trims(struct kunit *test)
{
	struct firmware_pages *fw = firmware_create(test);
	struct pk *pk = create_on(test, fw);
	struct panthor_pool *pool = &pk->pt->pool;
	struct panthor_pgtable_rsv rsv = {};
	unsigned long out;

	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, 0, SZ_4K, 3ull * SZ_1G), 0);
	out = fw->out;
	panthor_pgtable_unreserve(pk->pt, &rsv);
	flush_delayed_work(&pool->trim_work);
	KUNIT_EXPECT_GT(test, fw->out, out);
	expect_shared(pk, fw);

	/* Memory may be short by itself. */
	out = fw->out;
	if (panthor_pool_shrink(pool, ULONG_MAX) >= PANTHOR_TABLES_PER_PAGE) {
		flush_delayed_work(&pool->trim_work);
		KUNIT_EXPECT_GT(test, fw->out, out);
	}
	KUNIT_EXPECT_LT(test, pool->free, PANTHOR_TABLES_PER_PAGE);
	expect_shared(pk, fw);
	pk_destroy(pk);
	expect_all_back(test, fw);
}

static struct kunit_case panthor_source_cases[] = {
	KUNIT_CASE(notices),
	KUNIT_CASE(refuses_some),
	KUNIT_CASE(refuses_each),
	KUNIT_CASE(each_error),
	KUNIT_CASE(trims),
	{}
};

static struct kunit_suite panthor_source_suite = {
	.name = "panthor_source",
	.test_cases = panthor_source_cases,
};

kunit_test_suite(panthor_source_suite);
