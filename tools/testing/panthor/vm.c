// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * One page table with all that watches it: the plain model, the device, the
 * books. Each call here makes one call of the API and checks all of it.
 */

#include <linux/iommu.h>
#include <stdlib.h>
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
	*vm = (struct vm){ .cfg = *cfg, .random = random ?: 1, .flushed = ~0ull };
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
	free(vm->slots);
	vm->slots = NULL;
}

/*
 * Which slots are reserved.
 */

/* Index of a slot, or of where it would be. */
static size_t find_slot(const struct slot *slots, size_t count, u64 iova, int level)
{
	size_t first = 0, end = count;

	while (first < end) {
		size_t middle = (first + end) / 2;
		const struct slot *slot = &slots[middle];

		if (slot->iova < iova || (slot->iova == iova && slot->level < level))
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

static struct slot *get_slot(struct slot **slots, size_t *count, size_t *room, u64 iova, int level)
{
	size_t at = find_slot(*slots, *count, iova, level);

	if (at < *count && (*slots)[at].iova == iova && (*slots)[at].level == level)
		return &(*slots)[at];

	if (*count == *room) {
		*room = *room * 2 + 16;
		*slots = realloc(*slots, *room * sizeof(**slots));
		check(*slots, "setup", "no memory");
	}
	memmove(*slots + at + 1, *slots + at, (*count - at) * sizeof(**slots));
	++*count;
	(*slots)[at] = (struct slot){ .iova = iova, .level = level };
	return &(*slots)[at];
}

static void note_slot(void *arg, u64 iova, int level)
{
	struct vm_rsv *rsv = arg;

	get_slot(&rsv->slots, &rsv->nr_slots, &rsv->room, iova, level)->pins = 1;
}

static void pin_slots(struct vm *vm, const struct vm_rsv *rsv, int by)
{
	size_t i;

	for (i = 0; i < rsv->nr_slots; i++)
		get_slot(&vm->slots, &vm->nr_slots, &vm->room, rsv->slots[i].iova,
			 rsv->slots[i].level)->pins += by;
}

static bool is_pinned(const struct vm *vm, u64 iova, int level)
{
	size_t at = find_slot(vm->slots, vm->nr_slots, iova, level);

	return at < vm->nr_slots && vm->slots[at].iova == iova && vm->slots[at].level == level &&
	       vm->slots[at].pins;
}

size_t vm_lacking(const struct vm *vm)
{
	size_t count = 0, i;

	for (i = 0; i < vm->nr_slots; i++)
		count += vm->slots[i].pins &&
			 !device_has_table(vm->slots[i].iova, vm->slots[i].level);
	return count;
}

/*
 * Checks.
 */

struct compare {
	const struct vm *vm;
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

/* A table that has nothing in it is there for a reservation, or is about to go. */
static void compare_empty(void *arg, u64 iova, int level)
{
	struct compare *c = arg;

	check(is_pinned(c->vm, iova, level) ||
	      (c->vm->idle && (iova > c->vm->flushed_last ||
			       iova + TABLE_BYTES(level) - 1 < c->vm->flushed)), "walk",
	      "table of iova %#llx at level %d is empty", iova, level);
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
	check(stats->reserved == vm_lacking(vm), "I2", "%lu tables reserved; expected %zu",
	      stats->reserved, vm_lacking(vm));
	check(stats->splits == vm->model.splits, "API", "%llu splits; expected %llu", stats->splits,
	      vm->model.splits);
	for (level = 1; level <= 3; level++)
		check(stats->leaves[level] >= vm->model.written[level], "API",
		      "%llu leaves of level %d written; expected %llu", stats->leaves[level], level,
		      vm->model.written[level]);
}

void vm_check(struct vm *vm)
{
	struct compare compare = { .vm = vm, .model = &vm->model };
	struct device_visitor visitor = {
		.empty = compare_empty, .leaf = compare_leaf, .arg = &compare,
	};

	device_check(&vm->tree, &visitor);
	check(compare.next == vm->model.count, "model",
	      "leaf at iova %#llx, level %d, is missing",
	      vm->model.leaves[compare.next].iova, vm->model.leaves[compare.next].level);
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

int vm_call_reserve(struct vm *vm, struct vm_rsv *rsv, const struct map_args *map)
{
	switch (map->kind) {
	case MAP_SGT:
		return panthor_pgtable_reserve_map_sgt(vm->pt, &rsv->rsv, map->iova, &map->sgt,
						       map->offset, map->size);
	case MAP_REPEAT:
		return panthor_pgtable_reserve_map_repeat(vm->pt, &rsv->rsv, map->iova,
							  map->paddr, map->period, map->size);
	default:
		return panthor_pgtable_reserve_map(vm->pt, &rsv->rsv, map->iova, map->paddr,
						   map->size);
	}
}

int vm_call_map(struct vm *vm, struct vm_rsv *rsv, const struct map_args *map)
{
	int err;

	signalling_begin();
	switch (map->kind) {
	case MAP_SGT:
		err = panthor_pgtable_map_sgt(vm->pt, &rsv->rsv, map->iova, &map->sgt, map->offset,
					      map->size, map->prot);
		break;
	case MAP_REPEAT:
		err = panthor_pgtable_map_repeat(vm->pt, &rsv->rsv, map->iova, map->paddr,
						 map->period, map->size, map->prot);
		break;
	default:
		err = panthor_pgtable_map(vm->pt, &rsv->rsv, map->iova, map->paddr, map->size,
					  map->prot);
		break;
	}
	signalling_end();
	return err;
}

static void forget_slots(struct vm_rsv *rsv)
{
	free(rsv->slots);
	*rsv = (struct vm_rsv){};
}

/* Tables are held for the slots of @add as well, or, after an error, as before. */
static int check_reserved(struct vm *vm, struct vm_rsv *rsv, struct vm_rsv *add,
			  unsigned int count, unsigned long refused, int err)
{
	check(err == 0 || (err == -ENOMEM && shim.refused > refused), "API",
	      "reserve returned %d", err);
	check(!err || rsv->rsv.count == count, "API",
	      "reserve failed and changed the reservation");
	if (!err) {
		pin_slots(vm, add, 1);
		check(!rsv->nr_slots, "setup", "a reservation is used twice");
		rsv->slots = add->slots;
		rsv->nr_slots = add->nr_slots;
		rsv->room = add->room;
	} else {
		forget_slots(add);
	}
	device_check_unchanged();
	check_books(vm);
	vm->calls++;
	return err;
}

int vm_reserve_map(struct vm *vm, struct vm_rsv *rsv, const struct map_args *map)
{
	unsigned long refused = shim.refused;
	unsigned int count = rsv->rsv.count;
	struct model_source source;
	struct vm_rsv add = {};
	int err;

	source_of(&source, map);
	model_slots_map(&vm->model, map->iova, &source, note_slot, &add);
	source_free(&source);
	rsv->unmaps = false;
	err = vm_call_reserve(vm, rsv, map);
	check_warnings(vm);
	return check_reserved(vm, rsv, &add, count, refused, err);
}

int vm_reserve_unmap(struct vm *vm, struct vm_rsv *rsv, u64 iova, u64 size)
{
	unsigned long refused = shim.refused;
	unsigned int count = rsv->rsv.count;
	struct vm_rsv add = {};
	int err;

	model_slots_unmap(&vm->model, iova, size, note_slot, &add);
	rsv->unmaps = true;
	err = panthor_pgtable_reserve_unmap(vm->pt, &rsv->rsv, iova, size);
	check_warnings(vm);
	return check_reserved(vm, rsv, &add, count, refused, err);
}

void vm_unreserve(struct vm *vm, struct vm_rsv *rsv)
{
	pin_slots(vm, rsv, -1);
	vm->idle |= rsv->nr_slots;
	panthor_pgtable_unreserve(vm->pt, &rsv->rsv);
	check(!rsv->rsv.count && !rsv->rsv.room, "API",
	      "unreserve left something in the reservation");
	forget_slots(rsv);
	check_books(vm);
	vm->calls++;
}

/* Does a slot of the map have no table, neither in the tree nor held? */
struct missing {
	const struct vm *vm;
	u64 iova;
	int level;
};

static void find_missing(void *arg, u64 iova, int level)
{
	struct missing *missing = arg;

	if (!device_has_table(iova, level) && !is_pinned(missing->vm, iova, level)) {
		missing->iova = iova;
		missing->level = level;
	}
}

int vm_map(struct vm *vm, struct vm_rsv *rsv, const struct map_args *map)
{
	bool overlaps = model_overlaps(&vm->model, map->iova, map->size);
	struct missing missing = { .vm = vm };
	struct model_source source;
	int err;

	source_of(&source, map);
	model_slots_map(&vm->model, map->iova, &source, find_missing, &missing);
	if (!overlaps) {
		model_copy(&vm->trial, &vm->model);
		model_map(&vm->trial, map->iova, &source, map->prot, device_has_table);
	}
	source_free(&source);

	device_expect_change(map->iova, map->size);
	err = vm_call_map(vm, rsv, map);
	device_expect_change(0, 0);

	if (err == -ENOMEM) {
		check(vm->may_lack_tables && missing.level, "I2",
		      "map of %#llx+%#llx found no table: %s", map->iova, map->size,
		      shim_last_message());
		vm->warnings++;
	} else {
		check_warnings(vm);
		check(err == (overlaps ? -EEXIST : 0), "API", "map returned %d; expected %d", err,
		      overlaps ? -EEXIST : 0);
		check(err || !missing.level, "I2",
		      "map of %#llx+%#llx had no table of level %d for %#llx", map->iova,
		      map->size, missing.level, missing.iova);
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

/* Is no other slot of the reservation below this one? */
static bool is_deepest(const struct vm_rsv *rsv, const struct slot *slot)
{
	size_t i;

	for (i = 0; i < rsv->nr_slots; i++)
		if (rsv->slots[i].level > slot->level &&
		    rsv->slots[i].iova / TABLE_BYTES(slot->level) ==
		    slot->iova / TABLE_BYTES(slot->level))
			return false;
	return true;
}

static void keep_path(struct vm *vm, struct vm_rsv *rsv, u64 iova, int level)
{
	for (; level > start_level(vm->cfg.va_bits); level--)
		note_slot(rsv, iova - iova % TABLE_BYTES(level), level);
}

/*
 * An unmap does not keep the tables that it has emptied. @had: bit i is set if slot i
 * had a table before.
 */
static void drop_pins(struct vm *vm, struct vm_rsv *rsv, u32 had)
{
	struct vm_rsv kept = { .rsv = rsv->rsv, .unmaps = true };
	size_t i;

	for (i = 0; i < rsv->nr_slots; i++) {
		const struct slot *slot = &rsv->slots[i];

		if (is_deepest(rsv, slot) &&
		    (!(had & BIT(i)) || model_needs_table(&vm->model, slot->iova, slot->level)))
			keep_path(vm, &kept, slot->iova, slot->level);
	}
	pin_slots(vm, rsv, -1);
	pin_slots(vm, &kept, 1);
	free(rsv->slots);
	*rsv = kept;
}

static u32 slots_with_table(const struct vm_rsv *rsv)
{
	u32 had = 0;
	size_t i;

	for (i = 0; i < rsv->nr_slots; i++)
		had |= device_has_table(rsv->slots[i].iova, rsv->slots[i].level) << i;
	return had;
}

int vm_unmap(struct vm *vm, struct vm_rsv *rsv, u64 iova, u64 size)
{
	bool unmaps = rsv && rsv->unmaps;
	u32 had = unmaps ? slots_with_table(rsv) : 0;
	u64 unmapped;
	s64 ret;

	model_copy(&vm->trial, &vm->model);
	unmapped = model_unmap(&vm->trial, iova, size);

	signalling_begin();
	check_expand(vm, iova, size);
	device_expect_change(iova, size);
	ret = panthor_pgtable_unmap(vm->pt, rsv ? &rsv->rsv : NULL, iova, size);
	device_expect_change(0, 0);
	signalling_end();

	/* Tables that are held for other jobs only are not enough. */
	if (ret == -ENOMEM) {
		check(vm->may_lack_tables && vm->trial.splits != vm->model.splits, "I2",
		      "unmap of %#llx+%#llx found no table: %s", iova, size, shim_last_message());
		vm->warnings++;
		device_check_unchanged();
	} else {
		check_warnings(vm);
		check(ret == (s64)unmapped, "API", "unmap returned %lld; expected %llu", ret,
		      unmapped);
		model_copy(&vm->model, &vm->trial);
		if (unmaps)
			drop_pins(vm, rsv, had);
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
	vm_check(vm);
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

	vm->flushed = iova;
	vm->flushed_last = iova + size - 1;
	vm_check(vm);
	vm->flushed = ~0ull;
	vm->flushed_last = 0;
	check(!vm->stats.gathered, "API", "%lu tables gathered after the flush",
	      vm->stats.gathered);
}
