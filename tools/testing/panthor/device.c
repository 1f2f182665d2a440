// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The model of the device: a strict walker of its own, and the walk cache that
 * a device keeps until it is flushed.
 */

#include <linux/kernel.h>
#include <string.h>

#include "device.h"

#define NR_TABLES	(SHIM_ARENA_SIZE / 4096)
#define ENTRIES		512

/* What is known about each 4 KiB of the arena. */
struct table_info {
	/* In the tree, at the last check or the one under way. */
	bool in_tree;
	u32 seen;

	/* Number of the last check before it became reachable. */
	u32 published;

	/* May be in the walk cache. */
	bool cached;
	u8 level;
	u64 iova;

	/* Content at the last check. */
	u64 *content;

	/* Barriers and grace periods that had passed at the last store and removal. */
	unsigned long stored;
	unsigned long removed;
	bool was_removed;
};

static struct test_cfg cfg;
static u64 root;
static u64 mair;
static bool started;
static u32 walk_nr;

/* The range whose translation may change now. */
static u64 op_iova;
static u64 op_size;

static struct table_info infos[NR_TABLES];
static u64 contents[NR_TABLES][ENTRIES];

/* Tables that are cached or in the tree, without order. */
static u32 known[NR_TABLES];
static size_t nr_known;

static u32 table_index(u64 paddr)
{
	return (paddr - shim.arena) / 4096;
}

static u64 table_paddr(u32 index)
{
	return shim.arena + index * 4096ull;
}

/* What the device reads from table memory. */
static u64 *device_view(u64 paddr)
{
	return cfg.coherent ? shim_cpu_memory(paddr) : shim_device_memory(paddr);
}

/*
 * Arm ARM D8.3: what must be 0 or 1 in a descriptor of this configuration.
 * Stricter than the architecture, in that ignored bits must be 0.
 */
static void check_leaf(u64 desc, u64 iova, int level)
{
	u64 paddr = desc & 0xfffffffff000ull;
	u64 bytes = ENTRY_BYTES(level);
	int attr = desc >> 2 & 7;
	int sh = desc >> 8 & 3;

	check((desc & 3) == (level == 3 ? 3 : 1), "format", "type of %#llx at level %d, iova %#llx",
	      desc, level, iova);
	check(level >= 1, "format", "block %#llx at level 0", desc);
	check(cfg.pgsizes & bytes, "format", "leaf %#llx of %#llx bytes", desc, bytes);
	check(!(paddr % bytes), "format", "leaf %#llx is not aligned at level %d", desc, level);
	check(!((paddr + bytes - 1) >> cfg.pa_bits), "format", "leaf %#llx exceeds %u bits",
	      desc, cfg.pa_bits);
	check(desc & 1ull << 10, "format", "no access flag in %#llx", desc);
	check(desc & 1ull << 11, "format", "global: %#llx", desc);
	check(desc & 1ull << 6, "format", "privileged: %#llx", desc);
	check(!(desc & 1ull << 5), "format", "NS set in %#llx", desc);
	check(!(desc & 0xff9f000000000000ull), "format", "reserved bits in %#llx", desc);
	check((desc >> 53 & 3) == 0 || (desc >> 53 & 3) == 3, "format", "PXN is not UXN: %#llx",
	      desc);
	check((attr == 1 && sh == 3 && (mair >> 8 & 0xff) == 0xff) ||
	      (attr == 0 && sh == 2 && (mair & 0xff) == 0x44),
	      "format", "attributes of %#llx with MAIR %#llx", desc, mair);
}

static void check_table(u64 desc, u64 iova, int level)
{
	u64 paddr = desc & 0xfffffffff000ull;

	check(desc == (paddr | 3), "format", "table descriptor %#llx at level %d, iova %#llx",
	      desc, level, iova);
	check(shim_in_arena(paddr), "walk", "table descriptor %#llx points nowhere", desc);
	check(shim_cpu_memory(paddr), "walk", "table descriptor %#llx points to a freed page",
	      desc);
}

static void walk_table(const struct device_visitor *visitor, u64 paddr, u64 iova, int level)
{
	struct table_info *info = &infos[table_index(paddr)];
	const u64 *entries = device_view(paddr);
	bool empty = true;
	int i;

	check(info->seen != walk_nr, "walk", "table %#llx is twice in the tree", paddr);
	info->seen = walk_nr;

	if (!cfg.coherent)
		check(!memcmp(entries, shim_cpu_memory(paddr), 4096), "I4",
		      "table %#llx of iova %#llx at level %d: the device sees it otherwise than the CPU",
		      paddr, iova, level);

	if (visitor->table)
		visitor->table(visitor->arg, paddr, iova, level);

	for (i = 0; i < ENTRIES; i++) {
		u64 desc = entries[i], at = iova + i * ENTRY_BYTES(level);

		if (!desc)
			continue;

		empty = false;
		check(desc & 1, "format", "invalid descriptor %#llx is not 0", desc);
		check(!(at >> cfg.va_bits), "format", "descriptor %#llx for iova %#llx", desc, at);
		if (level == 3 || !(desc & 2)) {
			check_leaf(desc, at, level);
			if (visitor->leaf)
				visitor->leaf(visitor->arg, desc, at, level);
		} else {
			check_table(desc, at, level);
			walk_table(visitor, desc & 0xfffffffff000ull, at, level + 1);
		}
	}

	if (empty && paddr != root && visitor->empty)
		visitor->empty(visitor->arg, iova, level);
}

void device_walk(const struct device_visitor *visitor)
{
	walk_nr++;
	walk_table(visitor, root, 0, start_level(cfg.va_bits));
}

int device_translate(u64 iova, u64 desc[4])
{
	int level = start_level(cfg.va_bits);
	u64 table = root;

	for (;; level++) {
		desc[level] = device_view(table)[iova / ENTRY_BYTES(level) % ENTRIES];
		if (level == 3 || (desc[level] & 3) != 3)
			return level;
		check_table(desc[level], iova, level);
		table = desc[level] & 0xfffffffff000ull;
	}
}

bool device_has_table(u64 iova, int level)
{
	u64 desc[4];

	return device_translate(iova, desc) >= level;
}

/*
 * All that becomes reachable with a table must be visible before: for a device
 * that does not snoop all bytes were written back; for the other ones a barrier
 * came after the last store.
 */
static void check_published(u64 paddr)
{
	struct table_info *info = &infos[table_index(paddr)];
	const u64 *entries = shim_cpu_memory(paddr);
	int i;

	info->published = walk_nr;
	check(entries, "walk", "a freed page at %#llx becomes a table", paddr);
	check(!info->cached, "I3",
	      "table %#llx, level %d at iova %#llx, is used again before the flush",
	      paddr, info->level, info->iova);
	if (cfg.coherent)
		check(info->stored < shim.barriers, "I4",
		      "no barrier between stores to table %#llx and its installation", paddr);
	else
		check(!memcmp(entries, shim_device_memory(paddr), 4096), "I4",
		      "table %#llx is installed before it was written back", paddr);

	for (i = 0; i < ENTRIES; i++) {
		if ((entries[i] & 3) == 3 && shim_in_arena(entries[i]))
			check_published(entries[i] & 0xfffffffff000ull);
	}
}

/* Data is never in the arena, so this tells tables from pages. */
static bool points_to_table(u64 value)
{
	return (value & 3) == 3 && shim_in_arena(value & 0xfffffffff000ull);
}

/* Entry @i of the table that @desc points at, or that a block is equal to. */
static u64 child(u64 desc, int i, int level)
{
	if (!desc)
		return 0;
	if ((desc & 3) == 3)
		return shim_cpu_memory(desc & 0xfffffffff000ull)[i];
	return (desc + i * ENTRY_BYTES(level + 1)) | (level + 1 == 3 ? 2 : 0);
}

/* What is outside of the operation's range must be translated as before. */
static void check_kept(u64 old, u64 new, u64 iova, int level)
{
	int i;

	if (old == new || (iova >= op_iova && iova + ENTRY_BYTES(level) <= op_iova + op_size))
		return;

	check(level < 3 && ((old & 3) == 3 || (new & 3) == 3), "split",
	      "a store changes iova %#llx, outside of the operation, from %#llx to %#llx",
	      iova, old, new);
	for (i = 0; i < ENTRIES; i++)
		check_kept(child(old, i, level), child(new, i, level),
			   iova + i * ENTRY_BYTES(level + 1), level + 1);
}

static void on_store(u64 *entry, u64 value)
{
	struct table_info *info;
	u64 paddr;

	if (!started || !shim_is_table_memory(entry))
		return;

	paddr = shim_table_paddr(entry);
	info = &infos[table_index(paddr)];
	info->stored = shim.barriers;
	check(!info->cached || info->in_tree, "I3",
	      "store to table %#llx, which waits for a flush", paddr);
	/* In a table that nobody can reach yet, it is not published either. */
	if (points_to_table(value) && (info->in_tree || info->published == walk_nr))
		check_published(value & 0xfffffffff000ull);
	if (info->in_tree)
		check_kept(*entry, value,
			   info->iova + (entry - shim_cpu_memory(paddr)) * ENTRY_BYTES(info->level),
			   info->level);
}

static void on_page_free(u64 paddr)
{
	u32 first = table_index(paddr), i;

	if (!started)
		return;

	for (i = first; i < first + (1u << (SHIM_PAGE_SHIFT - 12)); i++) {
		struct table_info *info = &infos[i];

		check(!info->in_tree, "I3", "table %#llx is freed, but is in the tree",
		      table_paddr(i));
		check(!info->cached, "I3", "table %#llx is freed before the flush",
		      table_paddr(i));
		check(!info->was_removed || shim.grace_periods > info->removed, "RCU",
		      "table %#llx is freed without a grace period", table_paddr(i));
		info->was_removed = false;
	}
}

void device_start(const struct test_cfg *c, u64 root_paddr, u64 mair_value)
{
	cfg = *c;
	root = root_paddr;
	mair = mair_value;
	started = true;
	shim.on = (struct shim_events){ .store = on_store, .page_free = on_page_free };
}

void device_expect_change(u64 iova, u64 size)
{
	op_iova = iova;
	op_size = size;
}

void device_stop(void)
{
	started = false;
	shim.on = (struct shim_events){};
	memset(infos, 0, sizeof(infos));
	nr_known = 0;
	walk_nr = 0;
	op_size = 0;
}

struct check_walk {
	struct device_tree *tree;
	const struct device_visitor *visitor;
};

static void check_one_table(void *arg, u64 paddr, u64 iova, int level)
{
	struct check_walk *walk = arg;
	u32 index = table_index(paddr);
	struct table_info *info = &infos[index];

	check(!(paddr & 4095) && iova % TABLE_BYTES(level) == 0, "walk", "table %#llx", paddr);

	/* What the device has cached of it is what it still is. */
	if (info->cached)
		check(info->in_tree && info->level == level && info->iova == iova, "I3",
		      "table %#llx, level %d at iova %#llx, is level %d at iova %#llx before the flush",
		      paddr, info->level, info->iova, level, iova);
	else
		known[nr_known++] = index;

	walk->tree->tables++;
	walk->tree->added += !info->in_tree;
	info->in_tree = true;
	info->cached = true;
	info->level = level;
	info->iova = iova;
	info->content = contents[index];
	memcpy(info->content, device_view(paddr), 4096);
}

static void check_one_empty(void *arg, u64 iova, int level)
{
	struct check_walk *walk = arg;

	if (walk->visitor && walk->visitor->empty)
		walk->visitor->empty(walk->visitor->arg, iova, level);
}

static void check_one_leaf(void *arg, u64 desc, u64 iova, int level)
{
	struct check_walk *walk = arg;

	if (walk->visitor && walk->visitor->leaf)
		walk->visitor->leaf(walk->visitor->arg, desc, iova, level);
}

/* A table that the device may still walk holds what it held, or nothing. */
static void check_stale(struct table_info *info, u64 paddr)
{
	const u64 *entries;
	int i;

	check(shim_cpu_memory(paddr), "I3", "table %#llx was freed before the flush", paddr);
	entries = device_view(paddr);
	for (i = 0; i < ENTRIES; i++)
		check(!entries[i] || entries[i] == info->content[i], "I3",
		      "foreign descriptor %#llx in table %#llx of iova %#llx, level %d, before the flush",
		      entries[i], paddr, info->iova, info->level);
}

void device_check(struct device_tree *tree, const struct device_visitor *visitor)
{
	struct check_walk walk = { .tree = tree, .visitor = visitor };
	struct device_visitor checker = {
		.table = check_one_table, .empty = check_one_empty, .leaf = check_one_leaf,
		.arg = &walk,
	};
	size_t i;

	*tree = (struct device_tree){};
	device_walk(&checker);

	for (i = 0; i < nr_known; i++) {
		struct table_info *info = &infos[known[i]];

		if (info->seen == walk_nr)
			continue;

		if (info->in_tree) {
			info->in_tree = false;
			info->was_removed = true;
			info->removed = shim.grace_periods;
			tree->removed++;
		}
		check_stale(info, table_paddr(known[i]));
		tree->stale++;
	}
}

void device_check_ordered(void)
{
	size_t i;

	for (i = 0; i < nr_known; i++)
		check(!infos[known[i]].in_tree || infos[known[i]].stored < shim.barriers, "I4",
		      "no barrier after the last store to table %#llx", table_paddr(known[i]));
}

struct unchanged_walk {
	size_t tables;
};

static void unchanged_table(void *arg, u64 paddr, u64 iova, int level)
{
	struct table_info *info = &infos[table_index(paddr)];
	struct unchanged_walk *walk = arg;

	check(info->in_tree && info->iova == iova && info->level == level, "I6",
	      "a call that failed left table %#llx at iova %#llx", paddr, iova);
	check(!memcmp(info->content, device_view(paddr), 4096), "I6",
	      "a call that failed changed table %#llx at iova %#llx, level %d", paddr, iova,
	      level);
	walk->tables++;
}

static bool is_empty(const u64 *entries)
{
	int i;

	for (i = 0; i < ENTRIES && !entries[i]; i++)
		;
	return i == ENTRIES;
}

void device_check_unchanged(void)
{
	struct unchanged_walk walk = {};
	struct device_visitor visitor = { .table = unchanged_table, .arg = &walk };
	size_t before = 0, i;

	/* An empty table that nobody needs any more may be gone. */
	device_walk(&visitor);
	for (i = 0; i < nr_known; i++) {
		struct table_info *info = &infos[known[i]];

		before += info->in_tree && (info->seen == walk_nr || !is_empty(info->content));
	}
	check(walk.tables == before, "I6", "a call that failed removed %zd tables",
	      before - walk.tables);
}

size_t device_flush(u64 iova, u64 size)
{
	size_t stale = 0, i;

	/* Tables in the tree may be cached again at once. */
	for (i = 0; i < nr_known;) {
		struct table_info *info = &infos[known[i]];
		u64 last = info->iova + (TABLE_BYTES(info->level) - 1);

		if (info->in_tree) {
			i++;
		} else if (last < iova || info->iova > iova + size - 1) {
			stale++;
			i++;
		} else {
			info->cached = false;
			known[i] = known[--nr_known];
		}
	}
	return stale;
}
