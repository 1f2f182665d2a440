// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * One page table with all that watches it: the plain model, the device, the
 * books. Each call here makes one call of the API and checks all of it.
 */

#include <linux/iommu.h>
#include <string.h>

#include "vm.h"

static void signalling_begin(void)
{
	shim.signalling++;
}

static void signalling_end(void)
{
	shim.signalling--;
}

static void check_warnings(const struct vm *vm)
{
	check(shim.warnings == vm->warnings, "warning", "%lu; expected %lu; the last one is: %s",
	      shim.warnings, vm->warnings, shim_last_message());
}

/* Tables live where the width of physical addresses allows, but not at 0. */
static u64 arena_of(const struct test_cfg *cfg)
{
	return (1ull << (cfg->pa_bits - 1)) + 0x51230000;
}

void vm_open(struct vm *vm, const struct test_cfg *cfg)
{
	struct panthor_pgtable_cfg pgcfg = {
		.dev = &vm->dev,
		.pgsize_bitmap = cfg->pgsizes,
		.va_bits = cfg->va_bits,
		.pa_bits = cfg->pa_bits,
		.coherent_walk = cfg->coherent,
	};
	u64 random = vm->random;

	shim_start(arena_of(cfg));
	*vm = (struct vm){ .cfg = *cfg, .random = random ?: 1 };
	model_init(&vm->model, cfg);
	model_init(&vm->trial, cfg);

	vm->pt = panthor_pgtable_create(&pgcfg);
	check(!IS_ERR(vm->pt), "API", "create returned %ld", PTR_ERR(vm->pt));
	device_start(cfg, panthor_pgtable_ttbr(vm->pt), panthor_pgtable_mair(vm->pt));
	vm_check(vm);
}

void vm_close(struct vm *vm)
{
	device_stop();
	panthor_pgtable_destroy(vm->pt);
	check_warnings(vm);
	check(!shim_run_work(), "API", "work is left after destroy");
	check(!shim.pages && !shim.objects && !shim.mappings, "I5",
	      "destroy left %lu pages, %lu objects, %lu DMA mappings", shim.pages, shim.objects,
	      shim.mappings);
	model_free(&vm->model);
	model_free(&vm->trial);
}

struct compare {
	const struct model *model;
	size_t next;
};

static void compare_leaf(void *arg, u64 desc, u64 iova, int level)
{
	struct compare *c = arg;
	const struct model_leaf *leaf = &c->model->leaves[c->next];

	check(c->next < c->model->count, "model", "leaf %#llx at iova %#llx, level %d, is too many",
	      desc, iova, level);
	check(leaf->iova == iova && leaf->level == level && model_descriptor(leaf) == desc, "model",
	      "leaf %#llx at iova %#llx, level %d; expected %#llx at iova %#llx, level %d",
	      desc, iova, level, model_descriptor(leaf), leaf->iova, leaf->level);
	c->next++;
}

static void check_books(struct vm *vm)
{
	struct panthor_pgtable_stats *stats = &vm->stats;
	int level;

	panthor_pgtable_stats(vm->pt, stats);
	check(stats->total == stats->free + stats->dirty + stats->reserved + stats->tree +
	      stats->gathered, "I5",
	      "%lu tables, but %lu free + %lu dirty + %lu reserved + %lu tree + %lu gathered",
	      stats->total, stats->free, stats->dirty, stats->reserved, stats->tree,
	      stats->gathered);
	check(stats->total == shim.pages << (SHIM_PAGE_SHIFT - 12) ||
	      shim.broken == SHIM_BREAK_LEAK, "I5",
	      "%lu tables in %lu pages", stats->total, shim.pages);
	check(stats->tree == vm->tree.tables, "I5",
	      "%lu tables in the books, %zu in the tree", stats->tree, vm->tree.tables);
	check(stats->gathered >= vm->tree.stale || shim.broken == SHIM_BREAK_FLUSH, "I5",
	      "%lu tables gathered, %zu wait for a flush", stats->gathered, vm->tree.stale);
	check(stats->reserved == vm->held, "I5", "%lu tables reserved, %zu held", stats->reserved,
	      vm->held);
	check(stats->splits == vm->model.splits, "API", "%llu splits; expected %llu", stats->splits,
	      vm->model.splits);
	for (level = 1; level <= 3; level++)
		check(stats->leaves[level] >= vm->model.written[level], "API",
		      "%llu leaves of level %d written; expected %llu", stats->leaves[level], level,
		      vm->model.written[level]);
}

void vm_check(struct vm *vm)
{
	struct compare compare = { .model = &vm->model };
	struct device_visitor visitor = { .leaf = compare_leaf, .arg = &compare };

	device_check(&vm->tree, &visitor);
	check(compare.next == vm->model.count, "model",
	      "leaf at iova %#llx, level %d, is missing",
	      vm->model.leaves[compare.next].iova, vm->model.leaves[compare.next].level);
	check(vm->tree.tables == model_tables(&vm->model) + 1, "model",
	      "%zu tables; expected %zu", vm->tree.tables, model_tables(&vm->model) + 1);
	check(!vm->cfg.coherent || !shim.syncs, "API",
	      "cache maintenance for a device that snoops");
	check(!shim.atomic, "API", "a lock or an RCU reader is left");
	check_warnings(vm);
	check_books(vm);
	vm->compared += vm->model.count;
	vm->calls++;
}

void vm_lookup(struct vm *vm, u64 iova)
{
	const struct model_leaf *leaf = model_lookup(&vm->model, iova);
	bool inside = !(iova >> vm->cfg.va_bits);
	struct panthor_pgtable_walk walk;
	u64 paddr = 0x5ca1ab1e, desc[4];
	int err, level;

	signalling_begin();
	err = panthor_pgtable_iova_to_phys(vm->pt, iova, &paddr);
	check(err == (!inside ? -ERANGE : leaf ? 0 : -ENOENT), "API",
	      "iova_to_phys(%#llx) returned %d", iova, err);
	check(paddr == (inside && leaf ? leaf->paddr + (iova - leaf->iova) : 0x5ca1ab1e), "model",
	      "iova_to_phys(%#llx) found %#llx", iova, paddr);

	err = panthor_pgtable_walk(vm->pt, iova, &walk);
	check(err == (inside ? 0 : -ERANGE), "API", "walk(%#llx) returned %d", iova, err);
	signalling_end();
	if (err)
		return;

	level = device_translate(iova, desc);
	check(walk.start_level == start_level(vm->cfg.va_bits) && walk.level == level, "API",
	      "walk(%#llx) goes from level %u to %u; expected %d to %d", iova, walk.start_level,
	      walk.level, start_level(vm->cfg.va_bits), level);
	for (; level >= walk.start_level; level--)
		check(walk.desc[level] == desc[level], "API",
		      "walk(%#llx) found %#llx at level %d; expected %#llx", iova,
		      walk.desc[level], level, desc[level]);
}

/* Where an operation is most likely to have gone wrong. */
static void lookup_around(struct vm *vm, u64 iova, u64 size)
{
	vm_lookup(vm, iova);
	vm_lookup(vm, iova + size - 1);
	vm_lookup(vm, iova - 1);
	vm_lookup(vm, iova + size);
	vm_lookup(vm, iova + test_random(&vm->random) % size);
	vm_lookup(vm, test_random(&vm->random) >> (64 - vm->cfg.va_bits));
}

static void source_of(struct model_source *source, const struct map_args *map)
{
	*source = (struct model_source){};
	switch (map->kind) {
	case MAP_RANGE:
		source_add(source, map->paddr, map->size);
		break;
	case MAP_SGT:
		source_sgt(source, &map->sgt, map->offset, map->size);
		break;
	case MAP_REPEAT:
		source_repeat(source, map->iova, map->paddr, map->period, map->size);
		break;
	}
}

int vm_call_reserve(struct vm *vm, struct panthor_pgtable_rsv *rsv, const struct map_args *map)
{
	switch (map->kind) {
	case MAP_SGT:
		return panthor_pgtable_reserve_map_sgt(vm->pt, rsv, map->iova, &map->sgt,
						       map->offset, map->size);
	case MAP_REPEAT:
		return panthor_pgtable_reserve_map_repeat(vm->pt, rsv, map->iova, map->paddr,
							  map->period, map->size);
	default:
		return panthor_pgtable_reserve_map(vm->pt, rsv, map->iova, map->paddr, map->size);
	}
}

int vm_call_map(struct vm *vm, struct panthor_pgtable_rsv *rsv, const struct map_args *map)
{
	int err;

	signalling_begin();
	switch (map->kind) {
	case MAP_SGT:
		err = panthor_pgtable_map_sgt(vm->pt, rsv, map->iova, &map->sgt, map->offset,
					      map->size, map->prot);
		break;
	case MAP_REPEAT:
		err = panthor_pgtable_map_repeat(vm->pt, rsv, map->iova, map->paddr, map->period,
						 map->size, map->prot);
		break;
	default:
		err = panthor_pgtable_map(vm->pt, rsv, map->iova, map->paddr, map->size,
					  map->prot);
		break;
	}
	signalling_end();
	return err;
}

/* A reservation holds @count more tables now, or, after an error, is as it was. */
static int check_reserved(struct vm *vm, const struct panthor_pgtable_rsv *before,
			  const struct panthor_pgtable_rsv *rsv, size_t count,
			  unsigned long refused, int err)
{
	check(err == 0 || (err == -ENOMEM && shim.refused > refused), "API",
	      "reserve returned %d", err);
	check(!err || !memcmp(before, rsv, sizeof(*rsv)), "API",
	      "reserve failed and changed the reservation");
	if (!err)
		vm->held += count;
	panthor_pgtable_stats(vm->pt, &vm->stats);
	check(vm->stats.reserved == vm->held, "I2",
	      "reserve returned %d and took %ld tables; expected %zu", err,
	      (long)(vm->stats.reserved - vm->held + (err ? 0 : count)), count);
	device_check_unchanged();
	check_books(vm);
	vm->calls++;
	return err;
}

int vm_reserve_map(struct vm *vm, struct panthor_pgtable_rsv *rsv, const struct map_args *map)
{
	struct panthor_pgtable_rsv before = *rsv;
	unsigned long refused = shim.refused;
	struct model_source source;
	size_t count;
	int err;

	source_of(&source, map);
	count = model_bound_map(&vm->model, map->iova, &source);
	source_free(&source);
	err = vm_call_reserve(vm, rsv, map);
	check_warnings(vm);
	return check_reserved(vm, &before, rsv, count, refused, err);
}

int vm_reserve_unmap(struct vm *vm, struct panthor_pgtable_rsv *rsv, u64 iova, u64 size)
{
	struct panthor_pgtable_rsv before = *rsv;
	unsigned long refused = shim.refused;
	size_t count = model_bound_unmap(&vm->model, iova, size);
	int err = panthor_pgtable_reserve_unmap(vm->pt, rsv, iova, size);

	check_warnings(vm);
	return check_reserved(vm, &before, rsv, count, refused, err);
}

void vm_unreserve(struct vm *vm, struct panthor_pgtable_rsv *rsv)
{
	vm->held -= rsv->tables.count;
	panthor_pgtable_unreserve(vm->pt, rsv);
	check(!rsv->tables.first && !rsv->tables.count, "API",
	      "unreserve left something in the reservation");
	check_books(vm);
	vm->calls++;
}

/* What a call in the signalling section took out of its reservation. */
static void settle(struct vm *vm, const struct panthor_pgtable_rsv *rsv, size_t before)
{
	if (rsv)
		vm->held -= before - rsv->tables.count;
}

int vm_map(struct vm *vm, struct panthor_pgtable_rsv *rsv, const struct map_args *map)
{
	bool overlaps = model_overlaps(&vm->model, map->iova, map->size);
	size_t held = rsv->tables.count, need;
	struct model_source source;
	int err;

	/* What the map needs, if nothing is in its way. */
	need = 0;
	if (!overlaps) {
		source_of(&source, map);
		model_copy(&vm->trial, &vm->model);
		model_map(&vm->trial, map->iova, &source, map->prot);
		source_free(&source);
		need = model_tables(&vm->trial) - model_tables(&vm->model);
	}

	device_expect_change(map->iova, map->size);
	err = vm_call_map(vm, rsv, map);
	device_expect_change(0, 0);
	settle(vm, rsv, held);

	if (err == -ENOMEM) {
		check(vm->may_lack_tables && (overlaps || need > held), "I2",
		      "map found %zu tables reserved, needed %zu: %s", held, need,
		      shim_last_message());
		vm->warnings++;
	} else {
		check_warnings(vm);
		check(err == (overlaps ? -EEXIST : 0), "API", "map returned %d; expected %d", err,
		      overlaps ? -EEXIST : 0);
		check(err || need <= held, "I2", "map needed %zu tables and had %zu", need, held);
		check(err || held - rsv->tables.count == need, "I2",
		      "map took %zu tables; expected %zu", held - rsv->tables.count, need);
	}

	if (err && shim.broken == SHIM_BREAK_ROLLBACK)
		shim_cpu_memory(panthor_pgtable_ttbr(vm->pt))[0] ^= BIT_ULL(58);
	if (err)
		device_check_unchanged();
	else
		model_copy(&vm->model, &vm->trial);
	vm_check(vm);
	if (!err)
		device_check_ordered();
	lookup_around(vm, map->iova, map->size);
	return err;
}

static void check_expand(struct vm *vm, u64 iova, u64 size)
{
	u64 first = iova, bytes = size, expect_first = iova, expect_bytes = size;

	model_expand(&vm->model, &expect_first, &expect_bytes);
	panthor_pgtable_expand(vm->pt, &first, &bytes);
	check(first == expect_first && bytes == expect_bytes, "API",
	      "%#llx+%#llx expands to %#llx+%#llx; expected %#llx+%#llx", iova, size, first, bytes,
	      expect_first, expect_bytes);
}

int vm_unmap(struct vm *vm, struct panthor_pgtable_rsv *rsv, u64 iova, u64 size)
{
	size_t held = rsv ? rsv->tables.count : 0, need;
	u64 unmapped;
	s64 ret;

	model_copy(&vm->trial, &vm->model);
	unmapped = model_unmap(&vm->trial, iova, size);
	need = vm->trial.splits - vm->model.splits;

	signalling_begin();
	check_expand(vm, iova, size);
	device_expect_change(iova, size);
	ret = panthor_pgtable_unmap(vm->pt, rsv, iova, size);
	device_expect_change(0, 0);
	signalling_end();
	settle(vm, rsv, held);

	if (ret == -ENOMEM) {
		check(vm->may_lack_tables && need > held, "I2",
		      "unmap found %zu tables reserved, needed %zu: %s", held, need,
		      shim_last_message());
		vm->warnings++;
		device_check_unchanged();
	} else {
		check_warnings(vm);
		check(ret == (s64)unmapped, "API", "unmap returned %lld; expected %llu", ret,
		      unmapped);
		check(need == held - (rsv ? rsv->tables.count : 0), "I2",
		      "unmap took %zu tables; expected %zu", held - rsv->tables.count, need);
		model_copy(&vm->model, &vm->trial);
	}
	vm_check(vm);
	lookup_around(vm, iova, size);
	return ret < 0 ? ret : 0;
}

void vm_flush(struct vm *vm, u64 iova, u64 size)
{
	u64 first = iova, bytes = size;
	size_t stale;

	signalling_begin();
	panthor_pgtable_flush_range(vm->pt, &first, &bytes);
	check(first <= iova && first + bytes - 1 >= iova + size - 1, "API",
	      "flush of %#llx+%#llx became %#llx+%#llx", iova, size, first, bytes);
	if (shim.broken != SHIM_BREAK_FLUSH) {
		stale = device_flush(first, bytes);
		check(!stale, "I3",
		      "flush of %#llx+%#llx, for %#llx+%#llx, leaves %zu tables cached",
		      first, bytes, iova, size, stale);
	}
	panthor_pgtable_flushed(vm->pt);
	signalling_end();

	vm_check(vm);
	check(!vm->stats.gathered, "API", "%lu tables gathered after the flush",
	      vm->stats.gathered);
}
