// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * All queues of some jobs out of a small alphabet, in all orders: does reserve hold what
 * they need, no table less, and no table more?
 *
 * A job is reserved, then it runs: as in the driver, a map first unmaps its range, and
 * a flush follows each change. It is given back at once, or when all are done.
 *
 * After each step, what is held is compared with |S \ T|: S are the slots of all
 * reservations that are not given back, T the slots that have a table. When all jobs of
 * a queue are reserved, it is compared with what they take if they run in the worst of
 * all orders from there. These differ for one thing only, which is counted: an unmap
 * that cuts no block in any order, since there is none, holds tables nevertheless.
 */

#include <linux/dev_printk.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "panthor_pgtable.h"
#include "report.h"

#define MAX_JOBS	4
#define MAX_SLOTS	64
#define MAX_CUTS	2

/* Physical address of what is mapped; those that fit no block are off by a page. */
#define MEMORY		0x4000000000ull

#define SPAN(level)	(1ull << (39 - 9 * (level)))
#define TABLE_SPAN(level) SPAN((level) - 1)

struct geometry {
	const char *name;
	u8 va_bits;
	u64 pgsizes;

	/* Two blocks that follow each other, and their size. */
	u64 a;
	u64 block;
};

static const struct geometry geometries[] = {
	{ "va 25, 4K", 25, SZ_4K, SZ_2M, SZ_2M },
	{ "va 25, 4K+2M", 25, SZ_4K | SZ_2M, SZ_2M, SZ_2M },
	{ "va 31, 4K+2M, one GiB", 31, SZ_4K | SZ_2M, SZ_1G, SZ_2M },
	{ "va 31, 4K+2M, two GiB", 31, SZ_4K | SZ_2M, SZ_1G - SZ_2M, SZ_2M },
	{ "va 40, 4K+2M+1G", 40, SZ_4K | SZ_2M | SZ_1G, 511ull * SZ_1G, SZ_1G },
};

/* A letter of the alphabet, relative to the two blocks. Sizes in bytes. */
struct letter {
	const char *name;
	bool map;
	u64 first;
	u64 size;
	u64 off;	/* of the physical address from one that fits blocks */
};

#define PAGE(n)		((n) * (u64)SZ_4K)

static const struct letter letters_2m[] = {
	{ "map page of a", true, PAGE(5), PAGE(1), 0 },
	{ "map page of b", true, PAGE(512 + 9), PAGE(1), 0 },
	{ "map block a", true, 0, SZ_2M, 0 },
	{ "map pages of all a", true, 0, SZ_2M, SZ_4K },
	{ "map across a|b", true, PAGE(510), PAGE(4), 0 },
	{ "map half a, block b", true, PAGE(256), PAGE(256 + 512), 0 },
	{ "unmap page of a", false, PAGE(5), PAGE(1), 0 },
	{ "unmap a", false, 0, SZ_2M, 0 },
	{ "unmap across a|b", false, PAGE(256), PAGE(512), 0 },
	{ "unmap all", false, 0, 0, 0 },
};

static const struct letter letters_1g[] = {
	{ "map page of a", true, PAGE(5), PAGE(1), 0 },
	{ "map page of b", true, SZ_1G + PAGE(9), PAGE(1), 0 },
	{ "map 1G block a", true, 0, SZ_1G, 0 },
	{ "map 2M block of a", true, 0, SZ_2M, 0 },
	{ "map across a|b", true, SZ_1G - PAGE(2), PAGE(4), 0 },
	{ "map 1G block b", true, SZ_1G, SZ_1G, 0 },
	{ "unmap page of a", false, PAGE(5), PAGE(1), 0 },
	{ "unmap 2M of a", false, SZ_2M, SZ_2M, 0 },
	{ "unmap a", false, 0, SZ_1G, 0 },
	{ "unmap across a|b", false, PAGE(256), SZ_1G, 0 },
	{ "unmap all", false, 0, 0, 0 },
};

#define MAX_LETTERS	ARRAY_SIZE(letters_1g)

/* What the tree has before the queue: bits, by letter, of maps that ran. */
static const struct {
	const char *name;
	u32 maps;
} starts[] = {
	{ "empty", 0 },
	{ "block in a", BIT(2) },
	{ "pages in a", BIT(0) },
	{ "block in a, page in b", BIT(2) | BIT(1) },
};

/*
 * What the model knows of a letter: ranges, and sets of slots as bit masks.
 *
 * The iovas between two that are the end of something are an atom: all of it is mapped,
 * or nothing.
 */
struct op {
	const char *name;
	bool map;
	u64 iova;
	u64 size;
	u64 paddr;
	u64 atoms;

	/* Slots that are reserved, with those above them; those that it puts a block over. */
	u64 slots;
	u64 blocks;

	/* An unmap: the slots that it may have to split a block into, and those above. */
	unsigned int nr_cuts;
	unsigned int cut[MAX_CUTS];
};

struct slot {
	u64 iova;
	int level;
	u64 path;
	u64 atoms;

	/* The slots under it. */
	u64 below;
};

static const struct geometry *geo;
static int top;
static struct op ops[MAX_LETTERS];
static unsigned int nr_ops;
static struct slot slots[MAX_SLOTS];
static unsigned int nr_slots;
static u64 atoms[65];
static unsigned int nr_atoms;

/* The page table under test, and the model of it. */
static struct device dev;
static struct panthor_pgtable *pt;
static u64 root;
static u64 mapped;
static struct panthor_pgtable_stats books;

enum { RESERVE, RUN };

/* A queue: what is done with which job, in which order. */
struct job {
	unsigned int op;
	struct panthor_pgtable_rsv rsv;

	/* Bit i: cut i of an unmap is still pinned. */
	unsigned int cuts;
	u64 pinned;
	bool reserved, ran;
};

static struct job jobs[MAX_JOBS];
static unsigned int nr_jobs;
static struct {
	u8 what;
	u8 job;
} steps[2 * MAX_JOBS];
static unsigned int nr_steps;
static bool keep;
static unsigned int start;

/* By number of steps done: tables installed so far, those held, and those in demand. */
static u64 installed[2 * MAX_JOBS + 1], installed_before;
static unsigned long held[2 * MAX_JOBS + 1];
static unsigned long demand[2 * MAX_JOBS + 1];

/* And those held that are neither in demand, nor of an unmap. */
static unsigned long no_use[2 * MAX_JOBS + 1];

static struct {
	u64 orders;
	u64 calls;
	u64 exact;
	u64 spare;
	u64 most_spare;
} count;

static void print_queue(void)
{
	unsigned int i;

	printf("%s; start: %s;%s", geo->name, starts[start].name, keep ? " late unreserve;" : "");
	for (i = 0; i < nr_steps; i++)
		printf(" %s %u (%s)%s", steps[i].what == RUN ? "run" : "reserve", steps[i].job,
		       ops[jobs[steps[i].job].op].name, i + 1 < nr_steps ? "," : "\n");
}

/*
 * Setup.
 */

static unsigned int get_slot(u64 iova, int level)
{
	unsigned int i;

	iova &= ~(TABLE_SPAN(level) - 1);
	for (i = 0; i < nr_slots; i++)
		if (slots[i].iova == iova && slots[i].level == level)
			return i;
	check(nr_slots < MAX_SLOTS, "setup", "too many slots");
	slots[nr_slots] = (struct slot){ .iova = iova, .level = level };
	return nr_slots++;
}

static u64 get_path(u64 iova, int level)
{
	u64 path = 0;

	for (; level > top; level--)
		path |= BIT_ULL(get_slot(iova, level));
	return path;
}

/* Level of the leaf that a map puts at @iova if nothing is in the way. */
static int leaf_level(u64 iova, u64 paddr, u64 left)
{
	int level;

	for (level = 1; level < 3; level++)
		if ((geo->pgsizes & SPAN(level)) && left >= SPAN(level) &&
		    !((iova | paddr) & (SPAN(level) - 1)))
			break;
	return level;
}

/* Visit each leaf of a map, all the pages of a table at once. */
static void add_leaves(struct op *op, bool blocks)
{
	u64 iova = op->iova, end = iova + op->size, size;
	unsigned int i;
	int level;

	for (; iova < end; iova += size) {
		level = leaf_level(iova, op->paddr + (iova - op->iova), end - iova);
		size = SPAN(level);
		if (level == 3)
			size = min(end, (iova | (SZ_2M - 1)) + 1) - iova;
		if (!blocks)
			op->slots |= get_path(iova, level);
		for (i = 0; blocks && level < 3 && i < nr_slots; i++)
			if (slots[i].level > level && slots[i].iova >= iova &&
			    slots[i].iova - iova < size)
				op->blocks |= BIT_ULL(i);
	}
}

static void add_cut(struct op *op, u64 end, u64 byte)
{
	unsigned int slot, i;
	int level;

	for (level = 3; level > 1; level--)
		if ((geo->pgsizes & SPAN(level - 1)) && (end & (SPAN(level - 1) - 1)))
			break;
	if (level == 1)
		return;
	slot = get_slot(byte, level);
	for (i = 0; i < op->nr_cuts; i++)
		if (op->cut[i] == slot)
			return;
	op->cut[op->nr_cuts++] = slot;
	op->slots |= get_path(byte, level);
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void add_ends(u64 iova, u64 size)
{
	check(nr_atoms + 2 <= ARRAY_SIZE(atoms), "setup", "too many ranges");
	atoms[nr_atoms++] = iova;
	atoms[nr_atoms++] = iova + size;
}

static void make_atoms(void)
{
	unsigned int i, kept = 0;

	for (i = 0; i < nr_ops; i++)
		add_ends(ops[i].iova, ops[i].size);
	for (i = 0; i < nr_slots; i++)
		add_ends(slots[i].iova, TABLE_SPAN(slots[i].level));
	qsort(atoms, nr_atoms, sizeof(*atoms), compare);
	for (i = 0; i < nr_atoms; i++)
		if (!kept || atoms[kept - 1] != atoms[i])
			atoms[kept++] = atoms[i];
	nr_atoms = kept - 1;
}

static u64 atoms_of(u64 iova, u64 size)
{
	u64 set = 0;
	unsigned int i;

	for (i = 0; i < nr_atoms; i++)
		if (atoms[i] >= iova && atoms[i] - iova < size)
			set |= BIT_ULL(i);
	return set;
}

static u64 bytes_of(u64 set)
{
	u64 bytes = 0;
	int i;

	for (; set; set &= set - 1) {
		i = __builtin_ctzll(set);
		bytes += atoms[i + 1] - atoms[i];
	}
	return bytes;
}

static void make_op(const struct letter *letter)
{
	struct op *op = &ops[nr_ops++];

	*op = (struct op){
		.name = letter->name,
		.map = letter->map,
		.iova = letter->size ? geo->a + letter->first : 0,
		.size = letter->size ?: 1ull << geo->va_bits,
		.paddr = MEMORY + letter->first + letter->off,
	};
	if (op->map) {
		add_leaves(op, false);
		return;
	}
	add_cut(op, op->iova, op->iova);
	add_cut(op, op->iova + op->size, op->iova + op->size - 1);
}

static void setup(void)
{
	bool large = geo->pgsizes & SZ_1G;
	unsigned int i, j;

	top = geo->va_bits > 39 ? 0 : geo->va_bits > 30 ? 1 : 2;
	for (i = 0; i < (large ? ARRAY_SIZE(letters_1g) : ARRAY_SIZE(letters_2m)); i++)
		make_op(large ? &letters_1g[i] : &letters_2m[i]);
	make_atoms();
	for (i = 0; i < nr_ops; i++) {
		ops[i].atoms = atoms_of(ops[i].iova, ops[i].size);
		if (ops[i].map)
			add_leaves(&ops[i], true);
	}
	for (i = 0; i < nr_slots; i++) {
		slots[i].path = get_path(slots[i].iova, slots[i].level);
		slots[i].atoms = atoms_of(slots[i].iova, TABLE_SPAN(slots[i].level));
	}
	for (i = 0; i < nr_slots; i++)
		for (j = 0; j < nr_slots; j++)
			if (i != j && (slots[j].path & BIT_ULL(i)))
				slots[i].below |= BIT_ULL(j);
}

/*
 * The tree, seen without the library.
 */

static bool has_table(const struct slot *slot)
{
	return (machine_look(root, top, slot->level - 1, slot->iova) & 3) == 3;
}

/* The slots that have a table. */
static u64 tables(void)
{
	u64 set = 0;
	unsigned int i;

	for (i = 0; i < nr_slots; i++)
		if (has_table(&slots[i]))
			set |= BIT_ULL(i);
	return set;
}

static bool under_block(const struct slot *slot)
{
	int level;

	for (level = top; level < slot->level; level++)
		if ((machine_look(root, top, level, slot->iova) & 3) == 1)
			return true;
	return false;
}

/*
 * The model of reservations.
 */

static u64 cut_paths(const struct op *op, unsigned int cuts)
{
	u64 set = 0;
	unsigned int i;

	for (i = 0; i < op->nr_cuts; i++)
		if (cuts & BIT(i))
			set |= slots[op->cut[i]].path;
	return set;
}

static u64 all_pinned(void)
{
	u64 set = 0;
	unsigned int i;

	for (i = 0; i < nr_jobs; i++)
		set |= jobs[i].pinned;
	return set;
}

/* The slots that jobs which are still to run get a table for in some order. */
static u64 in_demand(u64 have)
{
	u64 blocks = 0, set = 0;
	unsigned int i, c;

	for (i = 0; i < nr_jobs; i++)
		if (jobs[i].reserved && !jobs[i].ran)
			blocks |= ops[jobs[i].op].blocks;

	for (i = 0; i < nr_jobs; i++) {
		const struct op *op = &ops[jobs[i].op];

		if (!jobs[i].reserved || jobs[i].ran)
			continue;
		if (op->map)
			set |= op->slots;
		for (c = 0; c < op->nr_cuts; c++)
			if (!(have & BIT_ULL(op->cut[c])) &&
			    ((blocks & BIT_ULL(op->cut[c])) || under_block(&slots[op->cut[c]])))
				set |= slots[op->cut[c]].path;
	}
	return set & ~have;
}

static u64 pinned_by_unmaps(void)
{
	u64 set = 0;
	unsigned int i;

	for (i = 0; i < nr_jobs; i++)
		if (!ops[jobs[i].op].map)
			set |= cut_paths(&ops[jobs[i].op], jobs[i].cuts);
	return set;
}

static void check_held(unsigned int done)
{
	u64 have = tables(), pinned = all_pinned(), used = in_demand(have);

	panthor_pgtable_stats(pt, &books);
	machine_check_warnings();
	check(books.reserved == (unsigned long)__builtin_popcountll(pinned & ~have), "I2",
	      "after step %u %lu tables are held; expected %d", done, books.reserved,
	      __builtin_popcountll(pinned & ~have));
	check(books.total == books.free + books.dirty + books.reserved + books.tree +
	      books.gathered, "I5", "the books do not add up after step %u", done);
	held[done] = books.reserved;
	installed[done] = books.installed - installed_before;
	demand[done] = __builtin_popcountll(used);
	no_use[done] = __builtin_popcountll(pinned & ~have & ~used & ~pinned_by_unmaps());
}

/*
 * After the flush of @op a table behind its range is there for what is mapped, or for a
 * reservation. A few that became idle elsewhere may stay: see PANTHOR_POOL_IDLE.
 */
static void check_tables(unsigned int done, const struct op *op)
{
	u64 idle = tables() & ~all_pinned();
	unsigned int i;

	for (; idle; idle &= idle - 1) {
		i = __builtin_ctzll(idle);
		check(mapped & slots[i].atoms || !(op->atoms & slots[i].atoms), "idle",
		      "after step %u an empty table stays that nobody needs", done);
	}
}

/*
 * Calls.
 */

static void flush(u64 iova, u64 size)
{
	panthor_pgtable_flush_range(pt, &iova, &size);
	panthor_pgtable_flushed(pt);
	count.calls += 2;
}

static void unmap(const struct op *op, struct panthor_pgtable_rsv *rsv)
{
	u64 bytes = bytes_of(mapped & op->atoms);
	s64 ret;

	machine_signalling++;
	ret = panthor_pgtable_unmap(pt, rsv, op->iova, op->size);
	check(ret == (s64)bytes, ret == -ENOMEM ? "I2: no table" : "API",
	      "%s returned %lld; expected %llu", op->name, ret, bytes);
	mapped &= ~op->atoms;
	count.calls++;
	flush(op->iova, op->size);
	machine_signalling--;
}

static void map(const struct op *op, struct panthor_pgtable_rsv *rsv)
{
	int err;

	machine_signalling++;
	err = panthor_pgtable_map(pt, rsv, op->iova, op->paddr, op->size,
				  IOMMU_READ | IOMMU_WRITE);
	check(!err, err == -ENOMEM ? "I2: no table" : "API", "%s returned %d", op->name, err);
	mapped |= op->atoms;
	count.calls++;
	flush(op->iova, op->size);
	machine_signalling--;
}

static void reserve(const struct op *op, struct panthor_pgtable_rsv *rsv)
{
	int err = op->map ?
		panthor_pgtable_reserve_map(pt, rsv, op->iova, op->paddr, op->size) :
		panthor_pgtable_reserve_unmap(pt, rsv, op->iova, op->size);

	check(!err, "API", "reserve for %s returned %d", op->name, err);
	count.calls++;
}

static void unreserve(struct job *job)
{
	panthor_pgtable_unreserve(pt, &job->rsv);
	job->pinned = 0;
	count.calls++;
}

static void reserve_job(struct job *job)
{
	const struct op *op = &ops[job->op];

	job->reserved = true;
	if (machine_plant == PLANT_NOT_RESERVED)
		return;
	reserve(op, &job->rsv);
	job->cuts = BIT(op->nr_cuts) - 1;
	job->pinned = op->slots;

	if (machine_plant == PLANT_TOO_FEW)
		panthor_pgtable_unreserve(pt, &job->rsv);
	if (machine_plant >= PLANT_TOO_MANY)
		reserve(&ops[1], &job->rsv);
	if (machine_plant == PLANT_NO_USE)
		job->pinned |= ops[1].slots;
}

/* An unmap does not keep the tables that it has emptied: not even of tables. */
static void forget_emptied(struct job *job, u64 had)
{
	const struct op *op = &ops[job->op];
	u64 have = tables();
	unsigned int i;

	for (i = 0; i < op->nr_cuts; i++)
		if ((had & BIT_ULL(op->cut[i])) && !(mapped & slots[op->cut[i]].atoms) &&
		    !(have & slots[op->cut[i]].below))
			job->cuts &= ~BIT(i);
	job->pinned = cut_paths(op, job->cuts);
}

static void run_job(struct job *job)
{
	const struct op *op = &ops[job->op];
	u64 had = tables();

	job->ran = true;
	unmap(op, &job->rsv);
	if (op->map)
		map(op, &job->rsv);
	else if (job->rsv.unmaps)
		forget_emptied(job, had);
}

static void prepare(void)
{
	struct panthor_pgtable_rsv rsv = {};
	unsigned int i;

	for (i = 0; i < nr_ops; i++) {
		if (!(starts[start].maps & BIT(i)))
			continue;
		reserve(&ops[i], &rsv);
		map(&ops[i], &rsv);
		panthor_pgtable_unreserve(pt, &rsv);
	}
}

/* The last letter of each alphabet unmaps all. */
static void clean_up(void)
{
	unsigned int i;

	for (i = 0; i < nr_jobs; i++) {
		unreserve(&jobs[i]);
		jobs[i].reserved = false;
		jobs[i].ran = false;
	}
	unmap(&ops[nr_ops - 1], NULL);
	panthor_pgtable_stats(pt, &books);
	check(!books.reserved && !books.gathered && books.tree == 1, "I5",
	      "%lu tables are held, %lu gathered, %lu in the tree when all is over",
	      books.reserved, books.gathered, books.tree);
}

/* Do all steps, and note what they took. */
static void play(void)
{
	unsigned int i;

	prepare();
	panthor_pgtable_stats(pt, &books);
	installed_before = books.installed;
	check_held(0);
	for (i = 0; i < nr_steps; i++) {
		struct job *job = &jobs[steps[i].job];

		if (steps[i].what == RESERVE) {
			reserve_job(job);
		} else {
			run_job(job);
			check_tables(i + 1, &ops[job->op]);
			check_held(i + 1);
			if (!keep)
				unreserve(job);
		}
		check_held(i + 1);
	}
	clean_up();
	count.orders++;
}

/*
 * All orders.
 */

/* All jobs are reserved, and these are all that can happen: @most tables are installed. */
static void check_exact(unsigned int done, u64 most)
{
	u64 taken = most - installed[done];

	check(taken == demand[done], "exact",
	      "after step %u %lu tables are held, %lu in demand, but %llu get used", done,
	      held[done], demand[done], taken);
	check(!no_use[done], "exact", "after step %u %lu tables are held that nobody uses", done,
	      no_use[done]);
	count.exact++;
	if (held[done] == taken)
		return;
	count.spare++;
	count.most_spare = max(count.most_spare, held[done] - taken);
}

/* May it come next? Jobs that are the same are reserved in one order only. */
static bool may_follow(unsigned int what, unsigned int job)
{
	const struct job *this = &jobs[job];

	if (what == RUN)
		return this->reserved && !this->ran;
	return !this->reserved &&
	       (!job || this[-1].op != this->op || this[-1].reserved);
}

/* Try all that may follow. Returns the most tables that any of it installs. */
static u64 explore(unsigned int done)
{
	bool all_reserved = true;
	unsigned int what, j;
	u64 most = 0;

	if (done == 2 * nr_jobs) {
		struct job before[MAX_JOBS];

		memcpy(before, jobs, sizeof(jobs));
		for (j = 0; j < nr_jobs; j++) {
			jobs[j].reserved = false;
			jobs[j].ran = false;
		}
		nr_steps = done;
		play();
		memcpy(jobs, before, sizeof(jobs));
		return installed[done];
	}

	for (j = 0; j < nr_jobs; j++)
		all_reserved &= jobs[j].reserved;
	for (what = RESERVE; what <= RUN; what++) {
		for (j = 0; j < nr_jobs; j++) {
			bool *flag = what == RUN ? &jobs[j].ran : &jobs[j].reserved;

			if (!may_follow(what, j))
				continue;
			steps[done].what = what;
			steps[done].job = j;
			*flag = true;
			most = max(most, explore(done + 1));
			*flag = false;
		}
	}
	if (all_reserved && keep)
		check_exact(done, most);
	return most;
}

/* All sets of up to @left more jobs, none of them before @first in the alphabet. */
static void choose(unsigned int left, unsigned int first)
{
	unsigned int i;

	if (nr_jobs) {
		keep = false;
		explore(0);
		keep = true;
		explore(0);
	}
	for (i = first; left && i < nr_ops; i++) {
		jobs[nr_jobs++] = (struct job){ .op = i };
		choose(left - 1, i);
		nr_jobs--;
	}
}

struct args {
	const struct geometry *geometry;
	u64 jobs;
	enum plant plant;
};

static void run(const void *arg)
{
	const struct args *args = arg;
	struct panthor_pgtable_cfg cfg = {
		.dev = &dev,
		.pgsize_bitmap = args->geometry->pgsizes,
		.va_bits = args->geometry->va_bits,
		.pa_bits = 40,
		.coherent_walk = true,
	};
	double begin = report_now();

	geo = args->geometry;
	machine_plant = args->plant;
	machine_start();
	setup();
	pt = panthor_pgtable_create(&cfg);
	check(!IS_ERR(pt), "API", "create returned %ld", PTR_ERR(pt));
	root = panthor_pgtable_ttbr(pt);

	report_context = print_queue;
	for (start = 0; start < ARRAY_SIZE(starts); start++)
		choose(args->jobs, 0);
	report_context = NULL;

	panthor_pgtable_destroy(pt);
	machine_check_idle();
	printf("%llu interleavings, %llu calls, %.1f s; ", count.orders, count.calls,
	       report_now() - begin);
	printf("held == taken in the worst order %llu of %llu times, ",
	       count.exact - count.spare, count.exact);
	printf("else for unmaps that cut nothing, up to %llu more\n", count.most_spare);
}

static const struct {
	const char *name;
	enum plant plant;
	const char *found_by;
} canaries[] = {
	{ "not-reserved", PLANT_NOT_RESERVED, "FAIL [I2: no table]" },
	{ "held-too-few", PLANT_TOO_FEW, "FAIL [I2]" },
	{ "held-too-many", PLANT_TOO_MANY, "FAIL [I2]" },
	{ "held-for-no-use", PLANT_NO_USE, "FAIL [exact]" },
};

int main(int argc, char **argv)
{
	struct args args = { .jobs = 3 };
	char name[64];
	size_t i;

	for (i = 1; i < argc; i++)
		if (!report_option(argv[i], "--jobs", 1, MAX_JOBS, &args.jobs))
			report_usage(argv[i], "--jobs=NUMBER");

	report_begin("exhaustive");
	for (i = 0; i < ARRAY_SIZE(geometries); i++) {
		args.geometry = &geometries[i];
		snprintf(name, sizeof(name), "queues of %llu, %s", args.jobs, geometries[i].name);
		report_case(name, run, &args);
	}
	args.jobs = 2;
	args.geometry = &geometries[2];
	for (i = 0; i < ARRAY_SIZE(canaries); i++) {
		args.plant = canaries[i].plant;
		snprintf(name, sizeof(name), "canary %s", canaries[i].name);
		report_canary(name, run, &args, canaries[i].found_by);
	}
	return report_end();
}
