// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * KUnit suite of the model's address spaces: each trap of the judge fires, on tables
 * that the test makes, and what the driver may do is silent. What the judge says here
 * has "test:" in it.
 */
#include <kunit/test.h>
#include <linux/bitfield.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "vmali_walk.h"

#define AS		1
#define VA		0x123456789000ull
#define MAX_PAGES	64
#define TEXT_SIZE	SZ_4K

/* As the driver sets them: indexes 0 and 2 not cached, 1 cached. */
#define MEMATTR		0x4c9f4cull
#define TRANSCFG(va_bits) \
	(AS_ADRMODE_AARCH64_4K | FIELD_PREP_CONST(AS_TRANSCFG_INA_BITS, 55 - (va_bits)) | \
	 FIELD_PREP_CONST(AS_TRANSCFG_PTW_MEMATTR, 2) | AS_TRANSCFG_PTW_RA)

#define ATTR(index)	FIELD_PREP_CONST(VMALI_DESC_ATTR, index)
#define SH(sh)		FIELD_PREP_CONST(VMALI_DESC_SH, sh)
#define XN		(VMALI_DESC_PXN | VMALI_DESC_UXN)
#define COMMON		(VMALI_DESC_UNPRIV | VMALI_DESC_AF | VMALI_DESC_NG)
#define UNCACHED	(COMMON | ATTR(VMALI_ATTR_NC) | SH(VMALI_SH_OUTER))
#define CACHED		(COMMON | ATTR(VMALI_ATTR_CACHED) | SH(VMALI_SH_INNER))
#define DEVICE		(COMMON | ATTR(VMALI_ATTR_DEVICE) | SH(VMALI_SH_OUTER))

/* An MMU, tables for it, and what it has called. */
struct env {
	struct kunit *test;
	struct vmali_mmu *mmu;
	struct page *pages[MAX_PAGES];
	unsigned int page_count;
	u64 root;
	unsigned int faults, unlocks;
};

static void count_fault(void *ctx, unsigned int as)
{
	((struct env *)ctx)->faults++;
}

static void count_unlock(void *ctx)
{
	((struct env *)ctx)->unlocks++;
}

static struct vmali_mmu *new_mmu(struct env *env)
{
	struct vmali_mmu *mmu = vmali_mmu_create(&(struct vmali_mmu_cfg){
		.name = "test", .seed = 1, .fault = count_fault, .unlocked = count_unlock,
		.ctx = env,
	});

	KUNIT_ASSERT_NOT_ERR_OR_NULL(env->test, mmu);
	return mmu;
}

static u64 new_pages(struct env *env, unsigned int order)
{
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | (order ? __GFP_COMP : 0);
	struct page *page = alloc_pages(gfp, order);

	KUNIT_ASSERT_NOT_NULL(env->test, page);
	KUNIT_ASSERT_LT(env->test, env->page_count, MAX_PAGES);
	env->pages[env->page_count++] = page;
	return page_to_phys(page);
}

static u64 new_page(struct env *env)
{
	return new_pages(env, 0);
}

/* Give @pa back to the system, from under whoever uses it. */
static void give_back(struct env *env, u64 pa)
{
	for (int i = 0; i < env->page_count; i++) {
		if (page_to_phys(env->pages[i]) != pa)
			continue;
		__free_page(env->pages[i]);
		env->pages[i] = env->pages[--env->page_count];
		return;
	}
}

static void write64(struct vmali_mmu *mmu, unsigned int as, u32 reg, u64 val)
{
	vmali_mmu_write_reg(mmu, as, reg, lower_32_bits(val));
	vmali_mmu_write_reg(mmu, as, reg + 4, upper_32_bits(val));
}

static u64 read64(struct env *env, u32 reg)
{
	return vmali_mmu_read_reg(env->mmu, AS, reg) |
	       (u64)vmali_mmu_read_reg(env->mmu, AS, reg + 4) << 32;
}

static void command(struct env *env, u32 cmd)
{
	vmali_mmu_write_reg(env->mmu, AS, AS_COMMAND, cmd);
}

static void update(struct vmali_mmu *mmu, unsigned int as, u64 root, u64 transcfg)
{
	write64(mmu, as, AS_TRANSTAB, root);
	write64(mmu, as, AS_MEMATTR, MEMATTR);
	write64(mmu, as, AS_TRANSCFG, transcfg);
	vmali_mmu_write_reg(mmu, as, AS_COMMAND, AS_COMMAND_UPDATE);
}

/* Lock the smallest region. */
static void lock(struct env *env, u64 va)
{
	write64(env->mmu, AS, AS_LOCKADDR, ALIGN_DOWN(va, SZ_32K) | (15 - 1));
	command(env, AS_COMMAND_LOCK);
}

static void flush(struct env *env, u64 va)
{
	lock(env, va);
	command(env, AS_COMMAND_FLUSH_PT);
}

static void flush_all(struct env *env)
{
	write64(env->mmu, AS, AS_LOCKADDR, 63);
	command(env, AS_COMMAND_LOCK);
	command(env, AS_COMMAND_FLUSH_MEM);
}

/* The descriptor of @va at @level, with new tables down to it. */
static u64 *desc_at(struct env *env, u64 va, unsigned int level)
{
	u64 table = env->root, *desc;

	for (unsigned int l = 0; l < level; l++) {
		desc = vmali_desc_at(table, va, l);
		if (!*desc)
			*desc = new_page(env) | VMALI_DESC_TABLE;
		table = *desc & VMALI_DESC_ADDR;
	}
	return vmali_desc_at(table, va, level);
}

static u64 table_of(struct env *env, u64 va)
{
	return *desc_at(env, va, 2) & VMALI_DESC_ADDR;
}

/* Map a page, without a flush. */
static u64 map(struct env *env, u64 va, u64 attrs)
{
	u64 pa = new_page(env);

	*desc_at(env, va, 3) = pa | attrs | VMALI_DESC_TABLE;
	return pa;
}

static int touch(struct env *env, u64 va, enum vmali_access access)
{
	u32 val = 0;

	return vmali_mmu_access(env->mmu, AS, va, &val, sizeof(val), access);
}

static int touch_read(struct env *env, u64 va)
{
	return touch(env, va, VMALI_READ);
}

static u64 errors(struct env *env)
{
	return vmali_mmu_check(env->mmu);
}

/* The access fails with this exception. */
static void expect_fault(struct env *env, u64 va, enum vmali_access access, u32 exc)
{
	u32 status;

	KUNIT_EXPECT_EQ(env->test, touch(env, va, access), -EFAULT);
	status = vmali_mmu_read_reg(env->mmu, AS, AS_FAULTSTATUS);
	KUNIT_EXPECT_EQ(env->test, status & 0xff, exc);
	KUNIT_EXPECT_EQ(env->test, status >> 8 & 3, access);
	KUNIT_EXPECT_EQ(env->test, read64(env, AS_FAULTADDRESS), va);
	update(env->mmu, AS, env->root, TRANSCFG(48));
}

static int env_init(struct kunit *test)
{
	struct env *env = kunit_kzalloc(test, sizeof(*env), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, env);
	test->priv = env;
	env->test = test;
	env->root = new_page(env);
	env->mmu = new_mmu(env);
	update(env->mmu, AS, env->root, TRANSCFG(48));
	return 0;
}

static void env_exit(struct kunit *test)
{
	struct env *env = test->priv;

	if (!env)
		return;
	vmali_ignore_flush = false;
	if (!IS_ERR_OR_NULL(env->mmu))
		vmali_mmu_destroy(env->mmu);
	while (env->page_count) {
		struct page *page = env->pages[--env->page_count];

		__free_pages(page, compound_order(page));
	}
}

/* --- legal use --- */

static void legal_leaves(struct kunit *test)
{
	static const u64 attrs[] = {
		UNCACHED, CACHED, DEVICE, CACHED | XN, UNCACHED | VMALI_DESC_SW,
		CACHED | VMALI_DESC_RDONLY, UNCACHED | VMALI_DESC_RDONLY | XN,
	};
	struct env *env = test->priv;

	for (int i = 0; i < ARRAY_SIZE(attrs); i++) {
		u64 va = VA + i * SZ_4K;

		map(env, va, attrs[i]);
		flush(env, va);
		KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
		KUNIT_EXPECT_EQ(test, touch(env, va, VMALI_EXECUTE), attrs[i] & XN ? -EFAULT : 0);
		KUNIT_EXPECT_EQ(test, touch(env, va, VMALI_WRITE),
				attrs[i] & VMALI_DESC_RDONLY ? -EFAULT : 0);
	}
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

static void legal_blocks(struct kunit *test)
{
	struct env *env = test->priv;
	u64 pa = new_pages(env, get_order(SZ_2M)), va = SZ_2M * 3, giga = SZ_1G * 5ull;
	u32 val = 0;

	*(u32 *)phys_to_virt(pa + 0x5004) = 0xcafe;
	*desc_at(env, va, 2) = pa | CACHED | VMALI_DESC_BLOCK;
	*desc_at(env, giga, 1) = ALIGN_DOWN(pa, SZ_1G) | CACHED | VMALI_DESC_BLOCK;

	KUNIT_EXPECT_EQ(test, 0, vmali_mmu_access(env->mmu, AS, va + 0x5004, &val, 4, VMALI_READ));
	KUNIT_EXPECT_EQ(test, val, 0xcafe);
	giga += pa % SZ_1G + 0x5004;
	val = 0xbeef;
	KUNIT_EXPECT_EQ(test, 0, vmali_mmu_access(env->mmu, AS, giga, &val, 4, VMALI_WRITE));
	KUNIT_EXPECT_EQ(test, *(u32 *)phys_to_virt(pa + 0x5004), 0xbeef);
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

static void access_crosses_pages(struct kunit *test)
{
	struct env *env = test->priv;
	u64 pa[2] = { map(env, VA, CACHED), map(env, VA + SZ_4K, CACHED) };
	u8 buf[16];

	memset(buf, 0x5a, sizeof(buf));
	KUNIT_EXPECT_EQ(test, 0, vmali_mmu_access(env->mmu, AS, VA + SZ_4K - 5, buf, sizeof(buf),
						  VMALI_WRITE));
	KUNIT_EXPECT_MEMEQ(test, phys_to_virt(pa[0] + SZ_4K - 5), buf, 5);
	KUNIT_EXPECT_MEMEQ(test, phys_to_virt(pa[1]), buf, 11);
	memset(buf, 0, sizeof(buf));
	KUNIT_EXPECT_EQ(test, 0, vmali_mmu_access(env->mmu, AS, VA + SZ_4K - 5, buf, sizeof(buf),
						  VMALI_ATOMIC));
	KUNIT_EXPECT_EQ(test, buf[0], 0x5a);
	KUNIT_EXPECT_EQ(test, buf[15], 0x5a);
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

/* Tables come and go, and each operation is flushed: nothing to say. */
static void legal_life(struct kunit *test)
{
	struct env *env = test->priv;

	for (int i = 0; i < 200; i++) {
		u64 va = VA + (i % 7) * SZ_2M, table, old;

		touch_read(env, va);
		*desc_at(env, va, 3) = new_page(env) | CACHED | VMALI_DESC_TABLE;
		flush(env, va);
		KUNIT_ASSERT_EQ(test, touch_read(env, va), 0);
		KUNIT_ASSERT_EQ(test, touch_read(env, va), 0);

		table = table_of(env, va);
		old = *vmali_desc_at(table, va, 3) & VMALI_DESC_ADDR;
		lock(env, va);
		*desc_at(env, va, 2) = 0;
		command(env, i % 2 ? AS_COMMAND_UNLOCK : AS_COMMAND_FLUSH_PT);
		KUNIT_ASSERT_EQ(test, touch_read(env, va), -EFAULT);
		give_back(env, table);
		give_back(env, old);
	}
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

/* --- descriptors --- */

/* @set and @clear: in a legal descriptor of @level. @exc: 0 if accesses work. */
struct rule {
	const char *name;
	unsigned int level;
	u64 set, clear;
	u32 exc;
};

static const struct rule rules[] = {
	{ "attribute_3", 3, ATTR(3), 0, VMALI_EXC_MEM_ATTR(3) },
	{ "attribute_7", 3, ATTR(7), 0, VMALI_EXC_MEM_ATTR(3) },
	{ "access_flag", 3, 0, VMALI_DESC_AF, VMALI_EXC_ACCESS_FLAG(3) },
	{ "privileged", 3, 0, VMALI_DESC_UNPRIV, VMALI_EXC_PERMISSION(3) },
	{ "global", 3, 0, VMALI_DESC_NG },
	{ "non_secure", 3, BIT_ULL(5) },
	{ "shareability_reserved", 3, 0, SH(2) },
	{ "shareability_outer", 3, 0, SH(1) },
	{ "shareability_none", 3, 0, SH(3) },
	{ "uncached_but_inner", 3, 0, ATTR(1) },
	{ "pxn_alone", 3, VMALI_DESC_PXN, 0 },
	{ "uxn_alone", 3, VMALI_DESC_UXN, 0 },
	{ "address_bit_40", 3, BIT_ULL(40), 0, VMALI_EXC_ADDR_SIZE_OUT(3) },
	{ "address_bit_47", 3, BIT_ULL(47), 0, VMALI_EXC_ADDR_SIZE_OUT(3) },
	{ "bit_48", 3, BIT_ULL(48) },
	{ "guarded", 3, BIT_ULL(50) },
	{ "dirty", 3, BIT_ULL(51) },
	{ "contiguous", 3, BIT_ULL(52) },
	{ "bit_56", 3, BIT_ULL(56) },
	{ "bit_63", 3, BIT_ULL(63) },
	{ "block_at_level_3", 3, 0, BIT_ULL(1), VMALI_EXC_TRANSLATION(3) },
	{ "invalid_at_level_3", 3, 0, BIT_ULL(0), VMALI_EXC_TRANSLATION(3) },
	{ "invalid_at_level_2", 2, 0, BIT_ULL(0), VMALI_EXC_TRANSLATION(2) },
	{ "table_pxn", 2, BIT_ULL(59) },
	{ "table_ap", 2, BIT_ULL(61) },
	{ "table_ns", 1, BIT_ULL(63) },
	{ "table_af", 2, VMALI_DESC_AF },
	{ "table_bit_48", 0, BIT_ULL(48) },
	{ "table_address_bit_40", 1, BIT_ULL(40), 0, VMALI_EXC_ADDR_SIZE_OUT(1) },
	{ "table_no_memory", 2, BIT_ULL(39), 0, VMALI_EXC_TRANSLATION(3) },
	{ "memory_no_memory", 3, BIT_ULL(39), 0, VMALI_EXC_ADDR_SIZE_OUT(3) },
	{ "block_at_level_0", 0, 0, BIT_ULL(1), VMALI_EXC_TRANSLATION(0) },
};

KUNIT_ARRAY_PARAM_DESC(rule, rules, name);

static void bad_descriptor(struct kunit *test)
{
	const struct rule *rule = test->param_value;
	struct env *env = test->priv;
	u64 *desc;

	map(env, VA, CACHED);
	desc = desc_at(env, VA, rule->level);
	*desc = (*desc | rule->set) & ~rule->clear;
	if (rule->exc)
		expect_fault(env, VA, VMALI_READ, rule->exc);
	else
		KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	KUNIT_EXPECT_GE(test, errors(env), 1);
}

static void bad_blocks(struct kunit *test)
{
	struct env *env = test->priv;
	u64 pa = new_pages(env, get_order(SZ_2M));

	*desc_at(env, VA, 2) = (pa + SZ_4K) | CACHED | VMALI_DESC_BLOCK;
	KUNIT_EXPECT_EQ(test, touch_read(env, ALIGN_DOWN(VA, SZ_2M)), 0);
	KUNIT_EXPECT_GE(test, errors(env), 1);
}

static void bad_memattr(struct kunit *test)
{
	struct env *env = test->priv;

	map(env, VA, CACHED);
	write64(env->mmu, AS, AS_MEMATTR, 0x4c004c);
	command(env, AS_COMMAND_UPDATE);
	expect_fault(env, VA, VMALI_READ, VMALI_EXC_MEM_ATTR(3));
	write64(env->mmu, AS, AS_MEMATTR, 0x4ccc4c);
	command(env, AS_COMMAND_UPDATE);
	expect_fault(env, VA, VMALI_READ, VMALI_EXC_MEM_ATTR(3));
	KUNIT_EXPECT_GE(test, errors(env), 2);
}

/* --- faults --- */

static void permissions(struct kunit *test)
{
	struct env *env = test->priv;
	u64 ro = VA, nx = VA + SZ_4K;

	map(env, ro, CACHED | VMALI_DESC_RDONLY);
	map(env, nx, CACHED | XN);
	KUNIT_EXPECT_EQ(test, touch_read(env, ro), 0);
	expect_fault(env, ro, VMALI_WRITE, VMALI_EXC_PERMISSION(3));
	expect_fault(env, ro, VMALI_ATOMIC, VMALI_EXC_PERMISSION(3));
	KUNIT_EXPECT_EQ(test, touch(env, ro, VMALI_EXECUTE), 0);
	KUNIT_EXPECT_EQ(test, touch(env, nx, VMALI_WRITE), 0);
	expect_fault(env, nx, VMALI_EXECUTE, VMALI_EXC_PERMISSION(3));
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

static void fault_levels(struct kunit *test)
{
	struct env *env = test->priv;

	map(env, VA, CACHED);
	for (unsigned int level = 0; level <= VMALI_LAST_LEVEL; level++)
		expect_fault(env, VA ^ VMALI_SPAN(level), VMALI_READ, VMALI_EXC_TRANSLATION(level));
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

static void first_fault_wins(struct kunit *test)
{
	struct env *env = test->priv;

	map(env, VA, CACHED);
	KUNIT_EXPECT_EQ(test, touch(env, VA + SZ_4K, VMALI_WRITE), -EFAULT);
	KUNIT_EXPECT_EQ(test, touch(env, VA + SZ_1G, VMALI_READ), -EFAULT);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	KUNIT_EXPECT_EQ(test, env->faults, 1);
	KUNIT_EXPECT_EQ(test, read64(env, AS_FAULTADDRESS), VA + SZ_4K);
	KUNIT_EXPECT_EQ(test, vmali_mmu_read_reg(env->mmu, AS, AS_FAULTSTATUS) & 0x3ff,
			VMALI_EXC_TRANSLATION(3) | VMALI_WRITE << 8);

	command(env, AS_COMMAND_UPDATE);
	KUNIT_EXPECT_EQ(test, vmali_mmu_read_reg(env->mmu, AS, AS_FAULTSTATUS), 0);
	KUNIT_EXPECT_EQ(test, touch(env, VA + SZ_1G, VMALI_READ), -EFAULT);
	KUNIT_EXPECT_EQ(test, env->faults, 2);
	KUNIT_EXPECT_EQ(test, read64(env, AS_FAULTADDRESS), VA + SZ_1G);
}

static void top_of_space(struct kunit *test)
{
	struct env *env = test->priv;
	u64 top = BIT_ULL(48) - SZ_4K;

	map(env, top, CACHED);
	for (int i = 0; i < 100; i++) {
		flush(env, top);
		KUNIT_EXPECT_EQ(test, touch_read(env, top + SZ_4K - 4), 0);
	}
	expect_fault(env, BIT_ULL(48), VMALI_READ, VMALI_EXC_ADDR_SIZE_IN);
	expect_fault(env, U64_MAX - 3, VMALI_READ, VMALI_EXC_ADDR_SIZE_IN);
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

static void narrow_space(struct kunit *test)
{
	struct env *env = test->priv;
	u64 va = BIT_ULL(38) + SZ_4K;

	map(env, va, CACHED);
	update(env->mmu, AS, *desc_at(env, va, 0) & VMALI_DESC_ADDR, TRANSCFG(39));
	KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, BIT_ULL(39)), -EFAULT);
	KUNIT_EXPECT_EQ(test, vmali_mmu_read_reg(env->mmu, AS, AS_FAULTSTATUS) & 0xff,
			VMALI_EXC_ADDR_SIZE_IN);
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

static void space_off(struct kunit *test)
{
	struct env *env = test->priv;

	map(env, VA, CACHED);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	update(env->mmu, AS, 0, AS_ADRMODE_UNMAPPED);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), -EFAULT);
	KUNIT_EXPECT_EQ(test, vmali_mmu_access(env->mmu, VMALI_AS_COUNT, VA, NULL, 4, VMALI_READ),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, env->faults, 0);
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

/* --- regions --- */

static void lock_stalls(struct kunit *test)
{
	struct env *env = test->priv;
	u64 va = ALIGN_DOWN(VA, SZ_32K), outside = va + SZ_32K;
	u64 val;

	map(env, va, CACHED);
	map(env, outside, CACHED);
	KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);

	lock(env, va);
	KUNIT_EXPECT_TRUE(test, vmali_mmu_locked(env->mmu, AS));
	KUNIT_EXPECT_FALSE(test, vmali_mmu_locked(env->mmu, AS + 1));
	KUNIT_EXPECT_EQ(test, touch_read(env, va), -EAGAIN);
	KUNIT_EXPECT_EQ(test, touch_read(env, outside - 4), -EAGAIN);
	KUNIT_EXPECT_EQ(test, touch_read(env, outside), 0);
	KUNIT_EXPECT_EQ(test, -EAGAIN, vmali_mmu_access(env->mmu, AS, outside - 4, &val,
							sizeof(val), VMALI_READ));
	KUNIT_EXPECT_EQ(test, env->unlocks, 0);

	command(env, AS_COMMAND_UNLOCK);
	KUNIT_EXPECT_EQ(test, env->unlocks, 1);
	KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
	lock(env, va);
	command(env, AS_COMMAND_FLUSH_MEM);
	KUNIT_EXPECT_EQ(test, env->unlocks, 2);
	KUNIT_EXPECT_FALSE(test, vmali_mmu_locked(env->mmu, AS));
	KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

static void lockaddr_encodings(struct kunit *test)
{
	static const struct {
		u64 lockaddr, first, last;
	} cases[] = {
		{ 0x8000 | 14, 0x8000, 0xffff },
		/* The driver leaves the topmost bit that the size covers. */
		{ 0xc000 | 14, 0x8000, 0xffff },
		{ 0x200000 | 20, 0x200000, 0x3fffff },
		{ 0x800000000000 | 46, 0x800000000000, 0xffffffffffff },
	};
	struct env *env = test->priv;

	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		write64(env->mmu, AS, AS_LOCKADDR, cases[i].lockaddr);
		command(env, AS_COMMAND_LOCK);
		KUNIT_EXPECT_EQ(test, touch_read(env, cases[i].first), -EAGAIN);
		KUNIT_EXPECT_EQ(test, touch_read(env, cases[i].last - 3), -EAGAIN);
		KUNIT_EXPECT_EQ(test, touch_read(env, cases[i].first - 4), -EFAULT);
		KUNIT_EXPECT_EQ(test, touch_read(env, cases[i].last + 1), -EFAULT);
		command(env, AS_COMMAND_UNLOCK);
	}
	write64(env->mmu, AS, AS_LOCKADDR, 63);
	command(env, AS_COMMAND_LOCK);
	KUNIT_EXPECT_EQ(test, touch_read(env, 0), -EAGAIN);
	KUNIT_EXPECT_EQ(test, touch_read(env, BIT_ULL(48) - 4), -EAGAIN);
	command(env, AS_COMMAND_UNLOCK);
	KUNIT_EXPECT_EQ(test, errors(env), 0);

	write64(env->mmu, AS, AS_LOCKADDR, 0x4000 | 13);
	command(env, AS_COMMAND_LOCK);
	command(env, AS_COMMAND_UNLOCK);
	KUNIT_EXPECT_EQ(test, errors(env), 1);
}

static void bad_commands(struct kunit *test)
{
	static const u64 configs[] = {
		0, AS_ADRMODE_IDENTITY, 8, TRANSCFG(49), TRANSCFG(24),
		TRANSCFG(48) | FIELD_PREP_CONST(AS_TRANSCFG_OUTA_BITS, 3),
		TRANSCFG(48) & ~AS_TRANSCFG_PTW_MEMATTR,
		TRANSCFG(48) | FIELD_PREP_CONST(AS_TRANSCFG_PTW_SH, 1),
		TRANSCFG(48) | BIT_ULL(34),
	};
	struct env *env = test->priv;
	u64 count = 0;

	command(env, AS_COMMAND_UNLOCK);
	KUNIT_EXPECT_EQ(test, errors(env), ++count);
	command(env, AS_COMMAND_FLUSH_PT);
	KUNIT_EXPECT_EQ(test, errors(env), ++count);
	command(env, AS_COMMAND_FLUSH_MEM);
	KUNIT_EXPECT_EQ(test, errors(env), ++count);
	command(env, 6);
	KUNIT_EXPECT_EQ(test, errors(env), ++count);
	vmali_mmu_write_reg(env->mmu, AS, AS_FAULTSTATUS, 0);
	KUNIT_EXPECT_EQ(test, errors(env), ++count);
	vmali_mmu_complain(env->mmu, "what is about no address space counts, too");
	KUNIT_EXPECT_EQ(test, errors(env), ++count);
	for (int i = 0; i < ARRAY_SIZE(configs); i++) {
		update(env->mmu, AS, env->root, configs[i]);
		KUNIT_EXPECT_EQ(test, errors(env), ++count);
		KUNIT_EXPECT_EQ(test, touch_read(env, VA), -EFAULT);
	}
	update(env->mmu, AS, env->root + 8, TRANSCFG(48));
	KUNIT_EXPECT_EQ(test, errors(env), ++count);
	update(env->mmu, AS, BIT_ULL(39), TRANSCFG(48));
	KUNIT_EXPECT_EQ(test, errors(env), ++count);
	KUNIT_EXPECT_EQ(test, env->faults, 0);
	KUNIT_EXPECT_EQ(test, env->unlocks, 0);
}

/* --- caches --- */

/* A translation is what it was, until a flush of a region that it is in. */
static void flush_by_overlap(struct kunit *test)
{
	struct env *env = test->priv;
	u64 va = ALIGN_DOWN(VA, SZ_2M), old, new;
	u32 val = 0x11;

	old = map(env, va, CACHED);
	KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
	*desc_at(env, va, 3) = 0;
	KUNIT_EXPECT_EQ(test, vmali_mmu_access(env->mmu, AS, va, &val, 4, VMALI_WRITE), 0);
	KUNIT_EXPECT_EQ(test, *(u32 *)phys_to_virt(old), 0x11);
	lock(env, va + SZ_16K);
	new = map(env, va, CACHED);
	command(env, AS_COMMAND_FLUSH_PT);
	KUNIT_EXPECT_EQ(test, vmali_mmu_access(env->mmu, AS, va, &val, 4, VMALI_WRITE), 0);
	KUNIT_EXPECT_EQ(test, *(u32 *)phys_to_virt(new), 0x11);
	KUNIT_EXPECT_EQ(test, errors(env), 0);

	/* What leads to a table is covered by any region that the table is for. */
	*desc_at(env, va, 2) = 0;
	flush(env, va + SZ_1M);
	KUNIT_EXPECT_EQ(test, touch_read(env, va + SZ_1M), -EFAULT);
	/* But the page is not. */
	KUNIT_EXPECT_GE(test, errors(env), 1);
}

static void negative_caching(struct kunit *test)
{
	struct env *env = test->priv;

	for (unsigned int level = 0; level <= VMALI_LAST_LEVEL; level++) {
		u64 va = VA ^ VMALI_SPAN(level);

		KUNIT_EXPECT_EQ(test, touch_read(env, va), -EFAULT);
		map(env, va, CACHED);
		KUNIT_EXPECT_EQ(test, touch_read(env, va), -EFAULT);
		flush(env, va);
		KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
	}
	KUNIT_EXPECT_EQ(test, errors(env), 0);

	KUNIT_EXPECT_EQ(test, touch_read(env, VA + SZ_1M), -EFAULT);
	map(env, VA + SZ_1M, CACHED);
	KUNIT_EXPECT_EQ(test, errors(env), 1);
}

static void changed_without_flush(struct kunit *test)
{
	struct env *env = test->priv;
	u64 a = VA, b = VA + SZ_1M;

	map(env, a, CACHED);
	map(env, b, CACHED);
	KUNIT_EXPECT_EQ(test, touch_read(env, a), 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, b), 0);
	*desc_at(env, a, 3) = 0;
	KUNIT_EXPECT_EQ(test, touch_read(env, a), 0);
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 0);
	flush(env, b);
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 1);

	/* Once is enough. */
	KUNIT_EXPECT_EQ(test, errors(env), 1);
	flush_all(env);
	KUNIT_EXPECT_EQ(test, errors(env), 1);
	KUNIT_EXPECT_EQ(test, touch_read(env, a), -EFAULT);
}

/* A block becomes pages that map the same: the region has to be all of the block. */
static void split_without_flush(struct kunit *test)
{
	struct env *env = test->priv;
	u64 pa = new_pages(env, get_order(SZ_2M)), va = ALIGN_DOWN(VA, SZ_2M), table, *desc;

	desc = desc_at(env, va, 2);
	for (int full = 1; full >= 0; full--) {
		*desc = pa | CACHED | VMALI_DESC_BLOCK;
		flush_all(env);
		KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
		write64(env->mmu, AS, AS_LOCKADDR, full ? va | 20 : (va + SZ_1M) | 14);
		command(env, AS_COMMAND_LOCK);
		table = new_page(env);
		for (int i = 0; i < 512; i++)
			((u64 *)phys_to_virt(table))[i] =
				(pa + i * SZ_4K) | CACHED | VMALI_DESC_TABLE;
		*desc = table | VMALI_DESC_TABLE;
		command(env, AS_COMMAND_UNLOCK);
		KUNIT_EXPECT_EQ(test, !errors(env), full);
	}
}

static void table_reused(struct kunit *test)
{
	struct env *env = test->priv;
	u64 a = VA, b = VA + SZ_1G, table;

	map(env, a, CACHED);
	desc_at(env, b, 2);
	table = table_of(env, a);
	KUNIT_EXPECT_EQ(test, touch_read(env, a), 0);

	*desc_at(env, a, 2) = 0;
	*desc_at(env, b, 2) = table | VMALI_DESC_TABLE;
	touch_read(env, b);
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 1);
}

static void table_reused_by_another(struct kunit *test)
{
	struct env *env = test->priv;
	u64 other = new_page(env), count;
	u32 val;

	map(env, VA, CACHED);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	*vmali_desc_at(other, VA, 0) = *desc_at(env, VA, 0);
	update(env->mmu, AS + 1, other, TRANSCFG(48));
	KUNIT_EXPECT_EQ(test, vmali_mmu_access(env->mmu, AS + 1, VA, &val, 4, VMALI_READ), 0);
	count = vmali_mmu_errors(env->mmu);
	KUNIT_EXPECT_GE(test, count, 1);

	/* With the first off, all is well. */
	update(env->mmu, AS, 0, AS_ADRMODE_UNMAPPED);
	vmali_mmu_write_reg(env->mmu, AS + 1, AS_COMMAND, AS_COMMAND_UPDATE);
	KUNIT_EXPECT_EQ(test, vmali_mmu_access(env->mmu, AS + 1, VA, &val, 4, VMALI_READ), 0);
	KUNIT_EXPECT_EQ(test, errors(env), count);
}

static void table_given_back(struct kunit *test)
{
	struct env *env = test->priv;
	u64 table;

	map(env, VA, CACHED);
	table = table_of(env, VA);
	give_back(env, table);
	expect_fault(env, VA, VMALI_READ, VMALI_EXC_TRANSLATION(3));
	KUNIT_EXPECT_GE(test, vmali_mmu_errors(env->mmu), 1);
	*desc_at(env, VA, 2) = 0;
}

static void table_as_memory(struct kunit *test)
{
	struct env *env = test->priv;
	u64 window = VA + SZ_1M;

	map(env, VA, CACHED);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	*desc_at(env, window, 3) = table_of(env, VA) | CACHED | VMALI_DESC_TABLE;
	KUNIT_EXPECT_EQ(test, touch_read(env, window), 0);
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 1);
	window += SZ_64K;
	*desc_at(env, window, 3) = env->root | CACHED | VMALI_DESC_TABLE;
	KUNIT_EXPECT_EQ(test, touch_read(env, window), 0);
	KUNIT_EXPECT_GE(test, vmali_mmu_errors(env->mmu), 2);
}

static void memory_as_table(struct kunit *test)
{
	struct env *env = test->priv;
	u64 pa = map(env, VA, CACHED);

	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	*desc_at(env, VA + SZ_1G, 2) = pa | VMALI_DESC_TABLE;
	KUNIT_EXPECT_EQ(test, touch_read(env, VA + SZ_1G), -EFAULT);
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 1);
}

static void memory_given_back(struct kunit *test)
{
	struct env *env = test->priv;
	u64 pa = map(env, VA, CACHED);

	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	give_back(env, pa);
	expect_fault(env, VA, VMALI_WRITE, VMALI_EXC_TRANSLATION(3));
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 1);
}

/* The canary: flushes that drop nothing are found out. */
static void ignore_flush(struct kunit *test)
{
	struct env *env = test->priv;

	map(env, VA, CACHED);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	vmali_ignore_flush = true;
	*desc_at(env, VA, 3) = 0;
	flush(env, VA);
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 1);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	vmali_ignore_flush = false;
	flush(env, VA);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), -EFAULT);
}

/* Another VM in the same address space; a reset. */
static void update_forgets(struct kunit *test)
{
	struct env *env = test->priv;

	map(env, VA, CACHED);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	update(env->mmu, AS, new_page(env), TRANSCFG(48));
	KUNIT_EXPECT_EQ(test, errors(env), 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), -EFAULT);

	update(env->mmu, AS, env->root, TRANSCFG(48));
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	lock(env, VA);
	vmali_mmu_reset(env->mmu);
	KUNIT_EXPECT_FALSE(test, vmali_mmu_locked(env->mmu, AS));
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), -EFAULT);
	KUNIT_EXPECT_EQ(test, vmali_mmu_read_reg(env->mmu, AS, AS_FAULTSTATUS), 0);
	*desc_at(env, VA, 3) = 0;
	KUNIT_EXPECT_EQ(test, errors(env), 0);

	/* Who held the lock that the reset took unlocks once, and not another VM. */
	command(env, AS_COMMAND_UNLOCK);
	KUNIT_EXPECT_EQ(test, errors(env), 0);
	command(env, AS_COMMAND_UNLOCK);
	KUNIT_EXPECT_EQ(test, errors(env), 1);
	lock(env, VA);
	vmali_mmu_reset(env->mmu);
	update(env->mmu, AS, env->root, TRANSCFG(48));
	command(env, AS_COMMAND_UNLOCK);
	KUNIT_EXPECT_EQ(test, errors(env), 2);
}

/* Accesses in a pattern, and the state as text. */
static char *play(struct env *env, struct vmali_mmu *mmu)
{
	struct seq_file m = { .size = TEXT_SIZE };
	u32 val;

	m.buf = kunit_kzalloc(env->test, TEXT_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(env->test, m.buf);
	update(mmu, AS, env->root, TRANSCFG(48));
	for (u32 i = 0; i < 20000; i++)
		vmali_mmu_access(mmu, AS, VA + (i * i % 1021) * SZ_4K, &val, 4, VMALI_READ);
	vmali_mmu_show(mmu, &m);
	return m.buf;
}

static void same_seed_same_state(struct kunit *test)
{
	struct env *env = test->priv;
	struct vmali_mmu *first = new_mmu(env), *second = new_mmu(env);
	char *a, *b;

	for (int i = 0; i < 16; i++)
		map(env, VA + i * 51 * SZ_4K, CACHED);
	a = play(env, first);
	b = play(env, second);
	vmali_mmu_destroy(first);
	vmali_mmu_destroy(second);
	KUNIT_EXPECT_NOT_NULL(test, strstr(a, "errors: 0\n"));
	KUNIT_EXPECT_STREQ(test, b, a);
}

/* --- between a change and its flush --- */

/* Only the judge of regions looks at tables that nobody uses: the GPU does nothing here. */
static void given_back_before_flush(struct kunit *test)
{
	struct env *env = test->priv;
	u64 table;

	for (int locked = 0; locked <= 1; locked++) {
		u64 va = VA + locked * SZ_1G, count = vmali_mmu_errors(env->mmu);

		map(env, va, CACHED);
		KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
		table = table_of(env, va);
		if (locked)
			lock(env, va);
		*desc_at(env, va, 2) = 0;
		KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), count);
		give_back(env, table);
		if (!locked)
			lock(env, va);
		command(env, AS_COMMAND_FLUSH_PT);
		KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), count + 1);
	}
}

/* A table of the region is another one of the region, or of another level. */
static void reused_before_flush(struct kunit *test)
{
	static const u64 places[] = { SZ_2M, SZ_1G };
	struct env *env = test->priv;

	for (int i = 0; i < ARRAY_SIZE(places); i++) {
		u64 va = ALIGN_DOWN(VA, SZ_2G) + i * SZ_4G, to = va + places[i];
		u64 count = vmali_mmu_errors(env->mmu), table;

		map(env, va, CACHED);
		desc_at(env, to, 2);
		KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
		table = table_of(env, va);
		write64(env->mmu, AS, AS_LOCKADDR, va | 30);
		command(env, AS_COMMAND_LOCK);
		*desc_at(env, va, 2) = 0;
		*desc_at(env, to, 2) = table | VMALI_DESC_TABLE;
		command(env, AS_COMMAND_FLUSH_PT);
		KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), count + 1);
		KUNIT_EXPECT_EQ(test, touch_read(env, to + va % SZ_2M), 0);
		KUNIT_EXPECT_EQ(test, errors(env), count + 1);
	}
}

/* What hardware could fetch through a table that is out of the tree is looked at. */
static void content_before_flush(struct kunit *test)
{
	struct env *env = test->priv;
	u64 table, count = 0;

	map(env, VA, CACHED);
	table = table_of(env, VA);
	for (int i = 0; i < 8; i++) {
		*desc_at(env, VA, 2) = table | VMALI_DESC_TABLE;
		flush_all(env);
		KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
		count = vmali_mmu_errors(env->mmu);
		lock(env, VA);
		*desc_at(env, VA, 2) = 0;
		memset64(phys_to_virt(table), 0x6b6b6b6b6b6b6b6bull, 512);
		command(env, AS_COMMAND_FLUSH_PT);
		if (vmali_mmu_errors(env->mmu) > count)
			break;
		memset64(phys_to_virt(table), 0, 512);
		map(env, VA, CACHED);
	}
	KUNIT_EXPECT_GT(test, vmali_mmu_errors(env->mmu), count);
}

/* From invalid and to invalid at any time; from valid to valid in a region only. */
static void replaced_without_lock(struct kunit *test)
{
	struct env *env = test->priv;
	u64 va = ALIGN_DOWN(VA, SZ_2M), block = new_pages(env, get_order(SZ_2M)), pa[2], *desc;
	u64 count = 0;

	for (int i = 0; i < 4; i++) {
		bool locked = i & 1, huge = i & 2;

		flush_all(env);
		desc = desc_at(env, va, 2);
		*desc = 0;
		flush(env, va);
		map(env, va, CACHED);
		flush(env, va);
		KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
		KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), count);
		if (locked)
			lock(env, va);
		if (huge)
			*desc = block | CACHED | VMALI_DESC_BLOCK;
		else
			map(env, va, CACHED);
		if (!locked)
			lock(env, va);
		command(env, AS_COMMAND_FLUSH_PT);
		KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu) > count, !locked);
		count = vmali_mmu_errors(env->mmu);
		KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
	}

	/* And the order of the driver's operations: map, lock, flush; lock, unmap, flush. */
	va += SZ_1G;
	for (int i = 0; i < 20; i++) {
		touch_read(env, va);
		pa[0] = map(env, va, CACHED);
		flush(env, va);
		KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
		lock(env, va);
		*desc_at(env, va, 3) = 0;
		command(env, AS_COMMAND_FLUSH_PT);
		give_back(env, pa[0]);
	}
	KUNIT_EXPECT_EQ(test, errors(env), count);
}

/* Whatever makes all be forgotten is a moment to look at it. */
static void forgotten_without_flush(struct kunit *test)
{
	struct env *env = test->priv;

	for (int i = 0; i < 3; i++) {
		u64 va = VA + i * SZ_1G;

		update(env->mmu, AS, env->root, TRANSCFG(48));
		map(env, va, CACHED);
		KUNIT_EXPECT_EQ(test, touch_read(env, va), 0);
		*desc_at(env, va, 3) = 0;
		KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), i);
		if (i == 0)
			update(env->mmu, AS, 0, AS_ADRMODE_UNMAPPED);
		else if (i == 1)
			vmali_mmu_reset(env->mmu);
		else
			flush_all(env);
		KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), i + 1);
	}
}

static void lock_over_lock(struct kunit *test)
{
	struct env *env = test->priv;
	u64 va = ALIGN_DOWN(VA, SZ_64K);

	/* What is larger takes over. */
	lock(env, va);
	write64(env->mmu, AS, AS_LOCKADDR, va | 15);
	command(env, AS_COMMAND_LOCK);
	KUNIT_EXPECT_EQ(test, touch_read(env, va + SZ_32K), -EAGAIN);
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 0);
	lock(env, va);
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 1);
	KUNIT_EXPECT_EQ(test, errors(env), 2);
	command(env, AS_COMMAND_UNLOCK);
	KUNIT_EXPECT_EQ(test, errors(env), 2);
}

static void root_in_use(struct kunit *test)
{
	struct env *env = test->priv;
	u64 pa = map(env, VA, CACHED);

	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	update(env->mmu, AS + 1, table_of(env, VA), TRANSCFG(48));
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 1);
	update(env->mmu, AS + 1, pa, TRANSCFG(48));
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(env->mmu), 2);
}

static void accesses(struct kunit *test)
{
	struct env *env = test->priv;
	u64 pa = new_pages(env, get_order(SZ_2M)), block = SZ_2M * 3;
	struct seq_file m = { .size = TEXT_SIZE };

	map(env, VA, UNCACHED);
	*desc_at(env, block, 2) = pa | CACHED | VMALI_DESC_BLOCK;
	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, touch_read(env, block + i * SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA + SZ_1M), -EFAULT);

	m.buf = kunit_kzalloc(test, TEXT_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m.buf);
	vmali_mmu_show_accesses(env->mmu, &m);
	KUNIT_EXPECT_STREQ(test, m.buf, "cached 3\nuncached 1\nblock 3\npage 1\n");
}

/* --- vmali_inject.c --- */

static void inject(struct env *env, const char *what, u64 va1, u64 va2)
{
	char cmd[80];

	if (va2)
		snprintf(cmd, sizeof(cmd), "%s %d %#llx %llu", what, AS, va1, va2);
	else
		snprintf(cmd, sizeof(cmd), "%s %d %#llx", what, AS, va1);
	KUNIT_EXPECT_EQ(env->test, vmali_mmu_inject(env->mmu, cmd), 0);
}

static void injections(struct kunit *test)
{
	struct env *env = test->priv;
	u64 a = VA, b = VA + SZ_2M, count = 0;

	map(env, a, CACHED);
	map(env, b, CACHED);

	inject(env, "attr", a, 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, a), -EFAULT);
	KUNIT_EXPECT_GT(test, vmali_mmu_errors(env->mmu), count);
	count = vmali_mmu_errors(env->mmu);

	KUNIT_EXPECT_EQ(test, vmali_mmu_inject(env->mmu, "undo"), 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, a), 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, b), 0);
	KUNIT_EXPECT_EQ(test, errors(env), count);

	inject(env, "unflushed", a, 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, a), 0);
	KUNIT_EXPECT_GT(test, errors(env), count);
	flush_all(env);
	count = errors(env);

	KUNIT_EXPECT_EQ(test, vmali_mmu_inject(env->mmu, "undo"), 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, a), 0);
	inject(env, "reuse", a, b);
	KUNIT_EXPECT_EQ(test, touch_read(env, b), 0);
	KUNIT_EXPECT_GT(test, vmali_mmu_errors(env->mmu), count);
	KUNIT_EXPECT_EQ(test, vmali_mmu_inject(env->mmu, " undo\n"), 0);
	flush_all(env);
	count = errors(env);

	inject(env, "free", a, 0);
	KUNIT_EXPECT_EQ(test, touch_read(env, a), -EFAULT);
	KUNIT_EXPECT_GT(test, vmali_mmu_errors(env->mmu), count);
	flush_all(env);
	count = errors(env);

	/* The next one undoes it too. */
	inject(env, "attr", b, 0);
	flush_all(env);
	KUNIT_EXPECT_EQ(test, touch_read(env, a), 0);
}

/* The driver goes on: what it changes and frees is not to be written to. */
static void undo_after_free(struct kunit *test)
{
	struct env *env = test->priv;
	u64 table, *desc;

	map(env, VA, CACHED);
	desc = desc_at(env, VA, 3);
	table = table_of(env, VA);

	/* Somebody else has the page now, and looks the same. */
	inject(env, "unflushed", VA, 0);
	*desc_at(env, VA, 2) = 0;
	KUNIT_EXPECT_EQ(test, vmali_mmu_inject(env->mmu, "undo"), 0);
	KUNIT_EXPECT_EQ(test, *desc, 0);

	/* The VM is gone. */
	*desc_at(env, VA, 2) = table | VMALI_DESC_TABLE;
	map(env, VA, CACHED);
	inject(env, "unflushed", VA, 0);
	give_back(env, env->root);
	KUNIT_EXPECT_EQ(test, vmali_mmu_inject(env->mmu, "undo"), 0);
	KUNIT_EXPECT_EQ(test, *desc, 0);
}

static void bad_injections(struct kunit *test)
{
	static const char * const bad[] = {
		"", "what 1 0x123456789000", "attr", "attr 1", "attr 1 x", "attr 2 0x123456789000",
		"attr 9 0x123456789000", "attr 1 0x0", "attr 1 0x1000000000000",
		"attr 1 0x123456789000 0", "reuse 1 0x123456789000",
		"reuse 1 0x123456789000 0x123456789000", "reuse 1 0x123456789000 0",
		"free 1 0", "undo 1",
	};
	struct env *env = test->priv;

	map(env, VA, CACHED);
	for (int i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, vmali_mmu_inject(env->mmu, bad[i]), -EINVAL, "%s",
				    bad[i]);
	KUNIT_EXPECT_EQ(test, touch_read(env, VA), 0);
	KUNIT_EXPECT_EQ(test, errors(env), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(legal_leaves),
	KUNIT_CASE(legal_blocks),
	KUNIT_CASE(access_crosses_pages),
	KUNIT_CASE(legal_life),
	KUNIT_CASE_PARAM(bad_descriptor, rule_gen_params),
	KUNIT_CASE(bad_blocks),
	KUNIT_CASE(bad_memattr),
	KUNIT_CASE(permissions),
	KUNIT_CASE(fault_levels),
	KUNIT_CASE(first_fault_wins),
	KUNIT_CASE(top_of_space),
	KUNIT_CASE(narrow_space),
	KUNIT_CASE(space_off),
	KUNIT_CASE(lock_stalls),
	KUNIT_CASE(lockaddr_encodings),
	KUNIT_CASE(bad_commands),
	KUNIT_CASE(flush_by_overlap),
	KUNIT_CASE(negative_caching),
	KUNIT_CASE(changed_without_flush),
	KUNIT_CASE(split_without_flush),
	KUNIT_CASE(table_reused),
	KUNIT_CASE(table_reused_by_another),
	KUNIT_CASE(table_given_back),
	KUNIT_CASE(table_as_memory),
	KUNIT_CASE(memory_as_table),
	KUNIT_CASE(memory_given_back),
	KUNIT_CASE(ignore_flush),
	KUNIT_CASE(update_forgets),
	KUNIT_CASE(given_back_before_flush),
	KUNIT_CASE(reused_before_flush),
	KUNIT_CASE(content_before_flush),
	KUNIT_CASE(replaced_without_lock),
	KUNIT_CASE(forgotten_without_flush),
	KUNIT_CASE(lock_over_lock),
	KUNIT_CASE(root_in_use),
	KUNIT_CASE(accesses),
	KUNIT_CASE(same_seed_same_state),
	KUNIT_CASE(injections),
	KUNIT_CASE(undo_after_free),
	KUNIT_CASE(bad_injections),
	{}
};

static struct kunit_suite suite = {
	.name = "vmali_mmu",
	.init = env_init,
	.exit = env_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit tests of the model of a Mali GPU: address spaces");
MODULE_LICENSE("Dual MIT/GPL");
