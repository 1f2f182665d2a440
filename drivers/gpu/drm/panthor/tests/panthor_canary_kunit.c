// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Canaries: each case does something wrong on purpose, so that a detector that
 * the other suites trust has to fire. Who runs them looks for its message in the
 * log; a case that "passes" proves nothing. One boot each: lockdep, for one,
 * turns itself off after its first report. Never a part of an ordinary run.
 */

#include <linux/dma-fence.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../panthor_pgtable_pool.h"
#include "panthor_kunit.h"

static bool canaries;
module_param(canaries, bool, 0);
MODULE_PARM_DESC(canaries, "Run the KUnit canaries, which cause kernel warnings");

static int canary_init(struct kunit *test)
{
	if (!canaries)
		kunit_skip(test, "causes warnings on purpose; enable with panthor.canaries=1");
	return 0;
}

/* lockdep: an allocation that may wait on reclaim, in the signalling section. */
static void alloc_in_signalling(struct kunit *test)
{
	bool cookie = dma_fence_begin_signalling();

	kfree(kmalloc(SZ_64, GFP_KERNEL));
	dma_fence_end_signalling(cookie);
}

/* lockdep: reserve in the signalling section, though the pool has the tables. */
static void reserve_in_signalling(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	bool cookie;

	KUNIT_ASSERT_EQ(test, pk_map(pk, SZ_4K, SZ_4K, SZ_4K), 0);
	KUNIT_ASSERT_EQ(test, pk_unmap(pk, SZ_4K, SZ_4K), SZ_4K);

	cookie = dma_fence_begin_signalling();
	pk_map(pk, SZ_4K, SZ_4K, SZ_4K);
	dma_fence_end_signalling(cookie);
}

/* Books: a reservation that is never given back. */
static void leaked_reservation(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct panthor_pgtable_rsv rsv = {};

	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, 0, 0, SZ_4K), 0);
	pk_destroy(pk);
}

/*
 * kmemleak: objects that nothing points at. It takes any word with the address of an
 * object for a pointer, also what was left on a stack or happens to look like one: of one
 * object alone, it may not tell.
 */
static void lost_object(struct kunit *test)
{
	void *lost;
	int i;

	for (i = 0; i < 16; i++) {
		lost = kmalloc(1234, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, lost);
		OPTIMIZER_HIDE_VAR(lost);
	}
}

/* KASAN: a table that is read after its page went back to the system. */
static void use_after_free(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	u64 *root = phys_to_virt(panthor_pgtable_ttbr(pk->pt));

	pk_destroy(pk);
	OPTIMIZER_HIDE_VAR(root);
	kunit_info(test, "read %#llx\n", READ_ONCE(root[0]));
}

/* CONFIG_DRM_PANTHOR_PGTABLE_DEBUG: a table that is not zeroed is installed. */
static void dirty_table(struct kunit *test)
{
	struct pk *pk = pk_create_default(test);
	struct panthor_pgtable_rsv rsv = {};

	KUNIT_ASSERT_EQ(test, panthor_pgtable_reserve_map(pk->pt, &rsv, 0, SZ_4K, SZ_4K), 0);
	rsv.few[0]->entries[77] = BIT_ULL(60);
	panthor_pgtable_map(pk->pt, &rsv, 0, SZ_4K, SZ_4K, PK_RW);
	panthor_pgtable_unreserve(pk->pt, &rsv);
}

static struct kunit_case panthor_canary_cases[] = {
	KUNIT_CASE(alloc_in_signalling),
	KUNIT_CASE(reserve_in_signalling),
	KUNIT_CASE(leaked_reservation),
	KUNIT_CASE(lost_object),
	KUNIT_CASE(use_after_free),
	KUNIT_CASE(dirty_table),
	{}
};

static struct kunit_suite panthor_canary_suite = {
	.name = "panthor_canary",
	.init = canary_init,
	.test_cases = panthor_canary_cases,
};

kunit_test_suite(panthor_canary_suite);
