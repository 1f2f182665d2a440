// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Cases with known answers: what the random test cannot ask for, and what is
 * worth a name of its own.
 */

#include <linux/iommu.h>
#include <linux/slab.h>
#include <linux/mm.h>
#include <string.h>

#include "unit.h"
#include "vm.h"

#define ALL_SIZES	((u64)(SZ_4K | SZ_2M | SZ_1G))
#define RW		(IOMMU_READ | IOMMU_WRITE)

static const struct test_cfg cfg48 = {
	.va_bits = 48, .pa_bits = 40, .coherent = false, .pgsizes = ALL_SIZES,
};

static struct vm vm;

static struct map_args range(u64 iova, u64 paddr, u64 size)
{
	return (struct map_args){
		.kind = MAP_RANGE, .iova = iova, .paddr = paddr, .size = size, .prot = RW,
	};
}

/* Reserve, map, flush, unreserve. Returns the tables that were held for it. */
static size_t map_now(const struct map_args *map, int expect)
{
	struct vm_rsv rsv = {};
	size_t count;
	int err;

	vm_reserve_map(&vm, &rsv, map);
	count = vm.stats.reserved;
	err = vm_map(&vm, &rsv, map);
	check(err == expect, "unit", "map of %#llx+%#llx returned %d; expected %d", map->iova,
	      map->size, err, expect);
	vm_flush(&vm, map->iova, map->size);
	vm_unreserve(&vm, &rsv);
	return count;
}

static size_t unmap_now(u64 iova, u64 size)
{
	struct vm_rsv rsv = {};
	size_t count;

	vm_reserve_unmap(&vm, &rsv, iova, size);
	count = vm.stats.reserved;
	vm_unmap(&vm, &rsv, iova, size);
	vm_flush(&vm, iova, size);
	vm_unreserve(&vm, &rsv);
	return count;
}

/* Expect what the tree holds: leaves of levels 1 to 3, tables without the root. */
static void expect_tree(size_t l1, size_t l2, size_t l3, size_t tables)
{
	size_t count[4] = {}, i;

	for (i = 0; i < vm.model.count; i++)
		count[vm.model.leaves[i].level]++;
	check(count[1] == l1 && count[2] == l2 && count[3] == l3 && vm.tree.tables == tables + 1,
	      "unit", "%zu, %zu, %zu leaves in %zu tables; expected %zu, %zu, %zu in %zu",
	      count[1], count[2], count[3], vm.tree.tables - 1, l1, l2, l3, tables);
}

static void test_create_refuses(void)
{
	static const struct panthor_pgtable_cfg good = {
		.dev = &vm.dev, .pgsize_bitmap = ALL_SIZES, .va_bits = 48, .pa_bits = 40,
	};
	struct panthor_pgtable_cfg bad[8];
	struct panthor_pgtable *pt;
	struct device far = { .dma_offset = true };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].va_bits = 24;
	bad[1].va_bits = 49;
	bad[2].pa_bits = 31;
	bad[3].pa_bits = 49;
	bad[4].pgsize_bitmap = SZ_2M;
	bad[5].pgsize_bitmap |= SZ_64K;
	bad[6].pgsize_bitmap |= 512ull * SZ_1G;
	bad[7].pgsize_bitmap = 0;

	shim_start(SZ_1G);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		pt = panthor_pgtable_create(&bad[i]);
		check(PTR_ERR(pt) == -EINVAL, "unit", "config %zu: %ld", i, PTR_ERR(pt));
	}

	bad[0] = good;
	bad[0].dev = &far;
	pt = panthor_pgtable_create(&bad[0]);
	check(PTR_ERR(pt) == -EFAULT, "unit", "DMA address is not physical: %ld", PTR_ERR(pt));

	for (i = 1; ; i++) {
		shim.refuse_nth = i;
		pt = panthor_pgtable_create(&good);
		if (!shim.refused)
			break;
		check(PTR_ERR(pt) == -ENOMEM, "unit", "request %zu refused: %ld", i, PTR_ERR(pt));
		check(!shim.pages && !shim.objects && !shim.mappings, "I5",
		      "create failed and kept something");
		shim.refused = 0;
	}
	check(i > 3, "unit", "create makes %zu requests", i - 1);
	shim.refuse_nth = 0;
	panthor_pgtable_destroy(pt);
	check(!shim.warnings && !shim.pages && !shim.objects && !shim.mappings, "I5",
	      "something is left: %s", shim_last_message());
}

/* Each request that a reserve makes to the system is refused once. */
static void test_reserve_refused(void)
{
	struct map_args map = range(SZ_1G - 5 * SZ_4K, SZ_4K, 20ull * SZ_2M);
	unsigned long nth, refused = 0;
	int err;

	for (nth = 1; ; nth++) {
		struct vm_rsv rsv = {};

		vm_open(&vm, &cfg48);
		shim.refuse_nth = nth;
		err = vm_reserve_map(&vm, &rsv, &map);
		check(!err || !rsv.rsv.count, "unit", "tables are held after an error");
		if (err) {
			refused++;

			/* What the failure left must do for a second try. */
			err = vm_reserve_map(&vm, &rsv, &map);
			check(!err, "unit", "the second try returned %d", err);
		}
		shim.refuse_nth = 0;
		vm_map(&vm, &rsv, &map);
		vm_flush(&vm, map.iova, map.size);
		vm_unreserve(&vm, &rsv);
		vm_close(&vm);
		if (refused < nth)
			break;
	}
	check(refused >= 3, "unit", "%lu requests", refused);
}

struct source {
	unsigned long taken;
	unsigned long given;
};

static struct page *source_alloc(void *cookie, gfp_t gfp)
{
	struct source *source = cookie;

	source->taken++;
	return alloc_pages_node(0, gfp | __GFP_ZERO, 0);
}

static void source_give(void *cookie, struct page *page)
{
	struct source *source = cookie;

	check(!page_private(page), "unit", "private data is left in a page");
	source->given++;
	__free_page(page);
}

static void test_page_ops(void)
{
	static const struct panthor_pgtable_page_ops ops = {
		.alloc = source_alloc, .free = source_give,
	};
	struct source source = {};
	struct panthor_pgtable_cfg cfg = {
		.dev = &vm.dev, .pgsize_bitmap = SZ_4K, .va_bits = 39, .pa_bits = 36,
		.page_ops = &ops, .page_cookie = &source,
	};
	struct vm_rsv rsv = {};
	struct panthor_pgtable *pt;
	int err;

	shim_start(SZ_1G);
	pt = panthor_pgtable_create(&cfg);
	check(!IS_ERR(pt), "unit", "create: %ld", PTR_ERR(pt));
	err = panthor_pgtable_reserve_map(pt, &rsv.rsv, 0, SZ_1G, 64ull * SZ_2M);
	check(!err && rsv.rsv.count == 64, "unit", "reserve: %d, %u slots", err, rsv.rsv.count);
	panthor_pgtable_unreserve(pt, &rsv.rsv);
	panthor_pgtable_destroy(pt);
	check(source.taken >= 66 / (PAGE_SIZE / SZ_4K) && source.taken == source.given, "unit",
	      "%lu pages taken, %lu given back", source.taken, source.given);
	check(!shim.warnings && !shim.pages, "I5", "something is left");
}

/* The pages that the default source takes are charged, and count as page tables. */
static void test_accounting(void)
{
	struct map_args map = range(0, 0, SZ_4K);
	struct page *page;

	vm_open(&vm, &cfg48);
	map_now(&map, 0);
	page = virt_to_page(shim_cpu_memory(panthor_pgtable_ttbr(vm.pt)));
	check(page->charged && page->accounted == 1, "unit", "charged %d, counted %d",
	      page->charged, page->accounted);
	vm_close(&vm);
}

static void test_ends_of_space(void)
{
	struct test_cfg cfg = cfg48;
	struct map_args map;
	u64 space;

	for (cfg.va_bits = 25; cfg.va_bits <= 48; cfg.va_bits++) {
		cfg.pa_bits = 32 + (cfg.va_bits - 25) % 17;
		cfg.coherent = cfg.va_bits & 1;
		space = 1ull << cfg.va_bits;

		vm_open(&vm, &cfg);
		map = range(0, (1ull << cfg.pa_bits) - SZ_4K, SZ_4K);
		map_now(&map, 0);
		map = range(space - SZ_4K, 0, SZ_4K);
		map_now(&map, 0);
		expect_tree(0, 0, 2, vm.tree.tables - 1);
		vm_lookup(&vm, space);
		vm_lookup(&vm, ~0ull);

		/* All at once, holes included. */
		unmap_now(0, space);
		expect_tree(0, 0, 0, 0);
		vm_close(&vm);
	}
}

static void list_add_entry(struct map_args *map, u64 paddr, u64 len)
{
	struct scatterlist *sg = &map->sg[map->sgt.nents++];

	if (map->sgt.nents > 1)
		sg[-1].page_link = 0;
	*sg = (struct scatterlist){ .dma_address = paddr, .dma_length = len };
	sg_mark_end(sg);
	map->sgt.sgl = map->sg;
}

static void expect_refused(const struct map_args *map, int expect)
{
	struct vm_rsv rsv = {};
	int err;

	err = vm_call_reserve(&vm, &rsv, map);
	check(err == expect && !rsv.rsv.count, "unit", "reserve of %#llx bytes at %#llx: %d",
	      map->size, map->iova, err);
	err = vm_call_map(&vm, &rsv, map);
	check(err == expect, "unit", "map of %#llx bytes at %#llx: %d", map->size, map->iova, err);
}

/* What is wrong, where the tables for it are there: the shortest way is not taken. */
static void test_wrong_beside_mapped(void)
{
	struct test_cfg cfg = cfg48;
	struct map_args map = range(0, SZ_2M, SZ_4K);
	struct map_args wrap = range(5 * SZ_4K, 16 * SZ_4K, -2ull * SZ_4K);
	struct map_args list = { .kind = MAP_SGT, .prot = RW, .iova = SZ_2M / 2, .size = SZ_4K,
				 .offset = SZ_4K / 2 };

	list_add_entry(&list, SZ_2M + SZ_4K / 2, 4 * SZ_4K);

	/* Spaces that end within a table. */
	for (cfg.va_bits = 25; cfg.va_bits <= 29; cfg.va_bits++) {
		struct map_args beyond = range((1ull << cfg.va_bits) - SZ_2M, SZ_2M, 2ull * SZ_2M);

		vm_open(&vm, &cfg);
		map_now(&map, 0);
		device_expect_change(0, 0);
		expect_refused(&beyond, -ERANGE);
		expect_refused(&wrap, -ERANGE);
		expect_refused(&list, -EINVAL);
		list.iova = SZ_4K;
		expect_refused(&list, -EINVAL);
		device_check_unchanged();
		vm_close(&vm);
	}
}

static void test_leaf_sizes(void)
{
	static const u64 sizes[] = { SZ_4K, SZ_4K | SZ_2M, ALL_SIZES };
	struct test_cfg cfg = cfg48;
	struct map_args map;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cfg.pgsizes = sizes[i];
		vm_open(&vm, &cfg);
		map = range(4ull * SZ_1G, 8ull * SZ_1G, i ? 2ull * SZ_1G : 2 * SZ_2M);
		map_now(&map, 0);
		if (i == 0)
			expect_tree(0, 0, 1024, 4);
		if (i == 1)
			expect_tree(0, 1024, 0, 3);
		if (i == 2)
			expect_tree(2, 0, 0, 1);

		/* The last page before a block, and the first after it. */
		map = range(512ull * SZ_1G - SZ_4K, SZ_2M - SZ_4K, SZ_2M + 2 * SZ_4K);
		map_now(&map, 0);
		vm_close(&vm);
	}
}

static void test_split(void)
{
	struct map_args map = range(512ull * SZ_1G, 16ull * SZ_1G, SZ_1G);

	vm_open(&vm, &cfg48);
	map_now(&map, 0);
	expect_tree(1, 0, 0, 1);

	/* One page out of the middle of 1 GiB: two tables. */
	check(unmap_now(map.iova + SZ_1G / 2 + SZ_4K, SZ_4K) == 2, "unit", "reservation");
	expect_tree(0, 511, 511, 3);

	/* A range inside of one block needs one table, one over two blocks two. */
	check(unmap_now(map.iova + SZ_4K, SZ_4K) == 1, "unit", "reservation");
	expect_tree(0, 510, 511 + 511, 4);
	check(unmap_now(map.iova + 3 * SZ_2M - SZ_4K, 2 * SZ_4K) == 2, "unit", "reservation");
	expect_tree(0, 508, 4 * 511, 6);

	/* The rest of the blocks goes away without a split. */
	check(unmap_now(map.iova, SZ_1G) == 0, "unit", "reservation");
	expect_tree(0, 0, 0, 0);
	vm_close(&vm);
}

static void test_bounds(void)
{
	struct map_args map;

	vm_open(&vm, &cfg48);
	map = range(0, SZ_4K, SZ_4K);
	check(map_now(&map, 0) == 3, "unit", "4 KiB");
	map = range(SZ_4K, SZ_4K, SZ_4K);
	check(map_now(&map, 0) == 0, "unit", "4 KiB beside a neighbour");
	map = range(SZ_2M, SZ_2M, SZ_2M);
	check(map_now(&map, 0) == 0, "unit", "2 MiB, aligned");
	map = range(2 * SZ_2M, SZ_4K, SZ_2M);
	check(map_now(&map, 0) == 1, "unit", "2 MiB, not aligned");
	map = range(SZ_1G, SZ_1G, SZ_1G);
	check(map_now(&map, 0) == 0, "unit", "1 GiB, aligned");
	map = range(512ull * SZ_1G - SZ_4K, SZ_4K, 2 * SZ_4K);
	check(map_now(&map, 0) == 5, "unit", "8 KiB over a boundary of all levels");
	map = range(1024ull * SZ_1G, SZ_2M, 512 * SZ_2M);
	check(map_now(&map, 0) == 2, "unit", "1 GiB in blocks of 2 MiB");
	vm_close(&vm);
}

/* The last page of a map is in the way: all of it is undone. */
static void test_exists(void)
{
	struct map_args one = range(6ull * SZ_2M - SZ_4K, 0, SZ_4K);
	struct map_args all = range(SZ_2M / 2, SZ_2M / 2, 11 * (SZ_2M / 2));

	vm_open(&vm, &cfg48);
	map_now(&one, 0);
	map_now(&all, -EEXIST);
	expect_tree(0, 0, 1, 3);

	/* A page inside of a block, a block over a page. */
	all = range(8ull * SZ_2M, 0, SZ_2M);
	map_now(&all, 0);
	one = range(8ull * SZ_2M + SZ_4K, 0, SZ_4K);
	map_now(&one, -EEXIST);
	all = range(5ull * SZ_2M, 0, SZ_2M);
	map_now(&all, -EEXIST);
	all = range(0, 0, SZ_1G);
	map_now(&all, -EEXIST);
	expect_tree(0, 1, 1, 3);
	vm_close(&vm);
}

static void test_sgt_joined(void)
{
	struct map_args map = { .kind = MAP_SGT, .prot = IOMMU_READ };
	int i;

	/* A block out of 32 entries that follow each other, from the third page on. */
	for (i = 0; i < 33; i++)
		list_add_entry(&map, 4ull * SZ_2M - 2 * SZ_4K + i * SZ_64K, SZ_64K);
	map.iova = 16ull * SZ_2M;
	map.offset = 2 * SZ_4K;
	map.size = SZ_2M;

	vm_open(&vm, &cfg48);
	check(map_now(&map, 0) == 2, "unit", "a block over entries: reservation");
	expect_tree(0, 1, 0, 2);
	vm_close(&vm);
}

/* As before, with entries of no length in between. */
static void test_sgt_empty_entries(void)
{
	struct map_args map = { .kind = MAP_SGT, .prot = IOMMU_READ };

	list_add_entry(&map, SZ_64K, 0);
	list_add_entry(&map, 4ull * SZ_2M, SZ_2M / 2);
	list_add_entry(&map, 0, 0);
	list_add_entry(&map, 4ull * SZ_2M + SZ_2M / 2, SZ_2M / 2);
	list_add_entry(&map, SZ_64K, 0);
	map.iova = 16ull * SZ_2M;
	map.size = SZ_2M;

	vm_open(&vm, &cfg48);
	map_now(&map, 0);
	expect_tree(0, 1, 0, 2);
	vm_close(&vm);
}

static void test_repeat(void)
{
	struct map_args map = range(3ull * SZ_1G, 4ull * SZ_2M, SZ_1G);

	/* 2 MiB again and again: blocks. */
	map.kind = MAP_REPEAT;
	map.period = SZ_2M;
	vm_open(&vm, &cfg48);
	check(map_now(&map, 0) == 2, "unit", "blocks that repeat: reservation");
	expect_tree(0, 512, 0, 2);

	/* One page again and again, from the middle of a period on. */
	map.iova = SZ_64K - SZ_4K;
	map.size = SZ_2M;
	map.period = SZ_4K;
	map_now(&map, 0);
	expect_tree(0, 512, 512, 6 - 1);
	vm_close(&vm);
}

/* A job reserved for an empty tree runs after others changed it, in any order. */
static void test_orders(void)
{
	struct map_args block = range(SZ_1G, SZ_1G, SZ_1G);
	struct map_args page = range(SZ_1G + 7 * SZ_4K, SZ_4K, SZ_4K);
	struct vm_rsv rsv[3];
	int order;

	for (order = 0; order < 6; order++) {
		int step, first = order / 2, second = (first + 1 + order % 2) % 3;

		memset(rsv, 0, sizeof(rsv));
		vm_open(&vm, &cfg48);
		vm_reserve_map(&vm, &rsv[0], &block);
		vm_reserve_map(&vm, &rsv[1], &page);
		vm_reserve_unmap(&vm, &rsv[2], SZ_1G + 6 * SZ_4K, SZ_4K);
		for (step = 0; step < 3; step++) {
			int job = step == 0 ? first : step == 1 ? second : 3 - first - second;

			if (job == 0) {
				vm_unmap(&vm, &rsv[0], block.iova, block.size);
				vm_map(&vm, &rsv[0], &block);
			} else if (job == 1) {
				vm_unmap(&vm, &rsv[1], page.iova, page.size);
				vm_map(&vm, &rsv[1], &page);
			} else {
				vm_unmap(&vm, &rsv[2], SZ_1G + 6 * SZ_4K, SZ_4K);
			}
		}
		vm_flush(&vm, SZ_1G, SZ_1G);
		for (step = 0; step < 3; step++)
			vm_unreserve(&vm, &rsv[step]);
		vm_close(&vm);
	}
}

/* A flush that failed: the next one covers what both left. */
static void test_late_flush(void)
{
	struct map_args low = range(0, 0, SZ_4K);
	struct map_args high = range(1ull << 47, 0, SZ_4K);
	u64 iova = SZ_1G, size = SZ_4K;

	vm_open(&vm, &cfg48);
	map_now(&low, 0);
	map_now(&high, 0);
	vm_unmap(&vm, NULL, low.iova, low.size);
	vm_unmap(&vm, NULL, high.iova, high.size);
	check(vm.stats.gathered == 6, "unit", "%lu tables gathered", vm.stats.gathered);
	panthor_pgtable_flush_range(vm.pt, &iova, &size);
	check(iova == 0 && iova + size > high.iova, "unit", "flush of %#llx+%#llx", iova, size);
	vm_flush(&vm, high.iova, high.size);

	/* Nothing is gathered: the range stays as it is. */
	iova = SZ_1G;
	size = SZ_4K;
	panthor_pgtable_flush_range(vm.pt, &iova, &size);
	check(iova == SZ_1G && size == SZ_4K, "unit", "flush of %#llx+%#llx", iova, size);
	vm_close(&vm);
}

/* Idle tables go back to the system, after a grace period, in a worker. */
static void test_trim(void)
{
	struct map_args map = range(0, SZ_4K, 4096ull * SZ_2M);
	struct vm_rsv rsv = {};

	vm_open(&vm, &cfg48);
	vm_reserve_map(&vm, &rsv, &map);
	check(vm.stats.reserved > 4096, "unit", "%lu tables", vm.stats.reserved);
	vm_unreserve(&vm, &rsv);
	check(shim_run_work(), "unit", "no work is queued");
	vm_check(&vm);
	check(vm.stats.total < 2048 && shim.grace_periods, "unit",
	      "%lu tables after the trim, %lu grace periods", vm.stats.total, shim.grace_periods);
	check(vm.stats.free, "unit", "no table is kept for the next job");
	vm_close(&vm);
}

/* A large page of the host stays as long as one table in it is in use. */
static void test_trim_shared_pages(void)
{
	static struct vm_rsv rsv[3000];
	unsigned long before;
	int i;

	vm_open(&vm, &cfg48);
	memset(rsv, 0, sizeof(rsv));
	for (i = 0; i < 3000; i++)
		panthor_pgtable_reserve_unmap(vm.pt, &rsv[i].rsv, i * (u64)SZ_2M + SZ_4K, SZ_4K);
	panthor_pgtable_stats(vm.pt, &vm.stats);
	check(vm.stats.reserved >= 3000, "unit", "%lu tables", vm.stats.reserved);

	/* Only the last page may have no table in use. */
	before = vm.stats.total;
	for (i = 0; i < 3000; i += 2)
		panthor_pgtable_unreserve(vm.pt, &rsv[i].rsv);
	check(shim_run_work(), "unit", "no work is queued");
	panthor_pgtable_stats(vm.pt, &vm.stats);
	check(PAGE_SIZE == SZ_4K || vm.stats.total + PAGE_SIZE / SZ_4K >= before, "unit",
	      "%lu tables before the trim, %lu after", before, vm.stats.total);
	for (i = 1; i < 3000; i += 2)
		panthor_pgtable_unreserve(vm.pt, &rsv[i].rsv);
	shim_run_work();
	vm_check(&vm);
	vm_close(&vm);
}

/* Idle tables go when memory is short, those that are reserved stay. */
static void test_shrink(void)
{
	struct map_args map = range(0, SZ_4K, 256ull * SZ_2M);
	struct vm_rsv rsv = {};

	vm_open(&vm, &cfg48);
	vm_reserve_map(&vm, &rsv, &map);
	shim_shrink(~0ul);
	shim_run_work();
	vm_check(&vm);
	check(vm.stats.reserved > 256, "unit", "%lu tables reserved", vm.stats.reserved);
	vm_unreserve(&vm, &rsv);
	check(vm.stats.free > 256, "unit", "%lu tables free", vm.stats.free);
	check(shim_shrink(100) == 100 && shim_run_work(), "unit", "nothing to be had");
	vm_check(&vm);
	check(vm.stats.free <= 257 - 100 + PAGE_SIZE / SZ_4K, "unit", "%lu tables free",
	      vm.stats.free);
	shim_shrink(~0ul);
	shim_run_work();
	vm_check(&vm);
	check(vm.stats.total < 1 + 2 * PAGE_SIZE / SZ_4K, "unit", "%lu tables left",
	      vm.stats.total);
	vm_close(&vm);
}

static void test_books_warn(void)
{
	struct map_args map = range(0, 0, SZ_4K);
	struct vm_rsv rsv = {};

	vm_open(&vm, &cfg48);
	vm_call_reserve(&vm, &rsv, &map);
	device_stop();
	panthor_pgtable_destroy(vm.pt);
	check(shim.warnings == 1, "unit", "destroy with a reservation: %lu warnings",
	      shim.warnings);
}

/* A map and an unmap without tables: a warning, an error, and nothing happened. */
static void test_no_tables(void)
{
	struct map_args block = range(SZ_1G, SZ_1G, SZ_1G);
	struct map_args page = range(0, 0, 2 * SZ_2M + SZ_4K);
	struct vm_rsv none = {}, other = {};
	int err;

	page.paddr = SZ_4K;
	vm_open(&vm, &cfg48);
	map_now(&block, 0);
	vm.may_lack_tables = true;
	err = vm_map(&vm, &none, &page);
	check(err == -ENOMEM, "unit", "map without tables returned %d", err);
	err = vm_unmap(&vm, NULL, SZ_1G + SZ_4K, SZ_4K);
	check(err == -ENOMEM, "unit", "unmap without tables returned %d", err);

	/* Enough for the first part, not for the rest. */
	vm_reserve_unmap(&vm, &none, SZ_1G + SZ_4K, SZ_4K);
	err = vm_unmap(&vm, &none, SZ_1G + SZ_4K, SZ_2M);
	check(err == -ENOMEM, "unit", "unmap with two tables returned %d", err);
	vm_unreserve(&vm, &none);
	page.size = SZ_4K;
	vm_reserve_map(&vm, &other, &page);
	page.size = 2 * SZ_2M + SZ_4K;
	err = vm_map(&vm, &other, &page);
	check(err == -ENOMEM, "unit", "map with three tables returned %d", err);
	vm_flush(&vm, page.iova, page.size);
	vm_unreserve(&vm, &other);
	vm.may_lack_tables = false;
	expect_tree(1, 0, 0, 1);

	check(shim.warnings == 4, "unit", "%lu warnings", shim.warnings);
	vm_close(&vm);
}

/* Entries that are joined for a block: one that leads out of reach, and half a page. */
static void test_sgt_joined_wrong(void)
{
	struct map_args map = { .kind = MAP_SGT, .prot = RW, .iova = 16ull * SZ_2M,
				.size = 2ull * SZ_2M };
	struct map_args half = map, plain = range(map.iova, SZ_4K, 2ull * SZ_2M);
	u64 top = 1ull << cfg48.pa_bits;
	struct vm_rsv rsv = {};

	list_add_entry(&map, top - SZ_2M, SZ_4K);
	list_add_entry(&map, top - SZ_2M + SZ_4K, 2 * SZ_2M - SZ_4K);
	list_add_entry(&half, 4ull * SZ_2M, SZ_4K);
	list_add_entry(&half, 4ull * SZ_2M + SZ_4K, SZ_4K + SZ_4K / 2);
	list_add_entry(&half, SZ_1G, 2 * SZ_2M);

	vm_open(&vm, &cfg48);
	check(vm_call_reserve(&vm, &rsv, &map) == -ERANGE, "unit", "reserve out of reach");
	check(vm_call_reserve(&vm, &rsv, &half) == -EINVAL, "unit", "reserve of half a page");
	vm_reserve_map(&vm, &rsv, &plain);
	device_expect_change(map.iova, map.size);
	check(vm_call_map(&vm, &rsv, &map) == -ERANGE, "unit", "map out of reach");
	check(vm_call_map(&vm, &rsv, &half) == -EINVAL, "unit", "map of half a page");
	device_expect_change(0, 0);
	device_check_unchanged();
	vm_flush(&vm, map.iova, map.size);
	vm_unreserve(&vm, &rsv);
	vm_close(&vm);
}

/* A list in two arrays, the second of which is found through the end of the first. */
static void test_sgt_chained(void)
{
	struct map_args map = { .kind = MAP_SGT, .prot = RW, .iova = SZ_2M - 4 * SZ_4K };
	struct scatterlist more[40] = {};
	int i;

	for (i = 0; i < 20; i++)
		list_add_entry(&map, SZ_1G + i * 2ull * SZ_4K, SZ_4K);
	for (i = 0; i < 40; i++)
		more[i] = (struct scatterlist){
			.dma_address = 2ull * SZ_1G + i * 2ull * SZ_4K, .dma_length = SZ_4K,
		};
	sg_chain_to(&map.sg[19], more);
	sg_mark_end(&more[39]);
	map.sgt.nents = 19 + 40;
	map.size = map.sgt.nents * SZ_4K;

	vm_open(&vm, &cfg48);
	map_now(&map, 0);
	expect_tree(0, 0, 59, 4);
	vm_close(&vm);
}

/* Who comes late with a reservation finds what it points at, and nothing else is there. */
static void test_late_unreserve(void)
{
	struct map_args map = range(0, 0, SZ_4K), many = range(SZ_1G, SZ_4K, 3ull * SZ_1G);
	struct vm_rsv rsv = {}, idle = {};

	vm_open(&vm, &cfg48);
	vm_call_reserve(&vm, &rsv, &map);
	vm_call_reserve(&vm, &idle, &many);
	panthor_pgtable_unreserve(vm.pt, &idle.rsv);
	device_stop();
	panthor_pgtable_destroy(vm.pt);
	panthor_pgtable_unreserve(vm.pt, &rsv.rsv);
	shim_run_work();
	panthor_pgtable_stats(vm.pt, &vm.stats);
	check(vm.stats.free <= vm.stats.total, "unit", "%lu of %lu tables are free",
	      vm.stats.free, vm.stats.total);
	check(shim.warnings == 1, "unit", "%lu warnings", shim.warnings);
}

/* Two unmaps of one reservation: the first one leaves the other one its table. */
static void test_two_unmaps(void)
{
	struct map_args page = range(SZ_2M, SZ_4K, SZ_4K), block = range(SZ_2M, SZ_2M, SZ_2M);
	struct panthor_pgtable_rsv rsv = {}, other = {};

	vm_open(&vm, &cfg48);
	map_now(&page, 0);
	device_stop();
	panthor_pgtable_reserve_unmap(vm.pt, &rsv, SZ_2M, SZ_4K);
	panthor_pgtable_reserve_unmap(vm.pt, &rsv, SZ_2M + 2 * SZ_4K, SZ_4K);
	panthor_pgtable_reserve_map(vm.pt, &other, block.iova, block.paddr, block.size);
	panthor_pgtable_unmap(vm.pt, &rsv, SZ_2M, SZ_4K);
	panthor_pgtable_flushed(vm.pt);
	check(!panthor_pgtable_map(vm.pt, &other, block.iova, block.paddr, block.size, RW), "unit",
	      "map of the block");
	check(panthor_pgtable_unmap(vm.pt, &rsv, SZ_2M + 2 * SZ_4K, SZ_4K) == SZ_4K, "unit",
	      "second unmap: %s", shim_last_message());
	panthor_pgtable_unreserve(vm.pt, &rsv);
	panthor_pgtable_unreserve(vm.pt, &other);
	panthor_pgtable_destroy(vm.pt);
	check(!shim.warnings, "unit", "%s", shim_last_message());
}

/* The table for the end of an unmap is somebody else's: nothing is done. */
static void test_tail_of_another(void)
{
	struct map_args block = range(SZ_2M, SZ_2M, 2 * SZ_2M);
	struct vm_rsv rsv = {};

	vm_open(&vm, &cfg48);
	map_now(&block, 0);
	vm_reserve_unmap(&vm, &rsv, 2 * SZ_2M + SZ_4K, SZ_4K);
	vm.may_lack_tables = true;
	check(vm_unmap(&vm, NULL, SZ_2M, SZ_2M + SZ_4K) == -ENOMEM, "unit", "unmap");
	vm.may_lack_tables = false;
	vm_unreserve(&vm, &rsv);
	vm_close(&vm);
}

/* What is left empty far away does not make the next flush larger, unless it gets much. */
static void test_idle_far_away(void)
{
	struct map_args page;
	struct vm_rsv rsv[40];
	u64 iova, size;
	int i;

	memset(rsv, 0, sizeof(rsv));
	vm_open(&vm, &cfg48);
	for (i = 0; i < 40; i++) {
		page = range(512ull * SZ_1G + i * (u64)SZ_2M, SZ_4K, SZ_4K);
		map_now(&page, 0);
		vm_reserve_map(&vm, &rsv[i], &page);
		vm_unmap(&vm, NULL, page.iova, SZ_4K);
		vm_flush(&vm, page.iova, SZ_4K);
	}
	for (i = 0; i < 40; i++) {
		vm_unreserve(&vm, &rsv[i]);
		iova = SZ_1G;
		size = SZ_4K;
		panthor_pgtable_flush_range(vm.pt, &iova, &size);
		check((size == SZ_4K) == (i < 32), "unit", "flush of %#llx bytes after %d", size,
		      i + 1);
		if (size > SZ_4K)
			break;
	}
	vm_flush(&vm, 0, 1ull << 48);
	check(i < 40, "unit", "nothing was taken out");
	for (i = 0; i < 40; i++)
		vm_unreserve(&vm, &rsv[i]);
	vm_close(&vm);
}

const struct unit_case unit_cases[] = {
	{ "create refuses bad configurations and lack of memory", test_create_refuses },
	{ "reserve with each request refused", test_reserve_refused },
	{ "pages come from the page ops", test_page_ops },
	{ "pages are charged and counted", test_accounting },
	{ "first and last page of all spaces", test_ends_of_space },
	{ "ranges that are wrong beside a mapping", test_wrong_beside_mapped },
	{ "leaf sizes", test_leaf_sizes },
	{ "splits of 1 GiB and 2 MiB", test_split },
	{ "bounds of reservations", test_bounds },
	{ "map over a mapping is undone", test_exists },
	{ "scatter list: block over entries", test_sgt_joined },
	{ "scatter list: empty entries", test_sgt_empty_entries },
	{ "scatter list: joined entries that are wrong", test_sgt_joined_wrong },
	{ "scatter list: chained arrays", test_sgt_chained },
	{ "repeat of pages and blocks", test_repeat },
	{ "jobs in all orders", test_orders },
	{ "flush after one that failed", test_late_flush },
	{ "trim after a grace period", test_trim },
	{ "trim of pages that are shared", test_trim_shared_pages },
	{ "memory is short", test_shrink },
	{ "lack of tables warns and changes nothing", test_no_tables },
	{ "destroy warns about a reservation", test_books_warn },
	{ "unreserve after destroy", test_late_unreserve },
	{ "two unmaps of one reservation", test_two_unmaps },
	{ "table of another job", test_tail_of_another },
	{ "empty tables far away", test_idle_far_away },
	{}
};
