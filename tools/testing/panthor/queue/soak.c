// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Random queues, for long: up to 64 jobs that are reserved, run, cancelled and given
 * back in any order, evictions, memory pressure, lookups, on few regions of 48 bits.
 *
 * The model is one array of page frames for each region. It is cheap, so that one core
 * makes more than a million calls a second.
 */

#include <linux/dev_printk.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "panthor_pgtable.h"
#include "random.h"
#include "report.h"

#define VA_BITS		48
#define PA_BITS		44
#define NR_JOBS		64
#define NR_REGIONS	12
#define PAGES		512
#define MAX_PINS	4

/* Steps from one comparison of what is held to the next, on average. */
#define STEPS_CHECK	64
#define STEPS_EVICT	64
#define STEPS_WORK	1024
#define STEPS_SHRINK	4096
#define STEPS_DEPTH	4096
#define STEPS_DRAIN	16384

/*
 * Regions of 2 MiB. Those with the same group follow each other, over the end of a
 * table of level 3, 2 and 1; the last two are at the end of all.
 */
static const struct {
	u64 iova;
	int group;
} regions[NR_REGIONS] = {
	{ 0, 0 },
	{ SZ_2M, 0 },
	{ SZ_1G - SZ_2M, 1 },
	{ SZ_1G, 1 },
	{ 512ull * SZ_1G - SZ_2M, 2 },
	{ 512ull * SZ_1G, 2 },
	{ 0x712340000000, 3 },
	{ 0x712340200000, 3 },
	{ 0x712340400000, 3 },
	{ 0x712340600000, 3 },
	{ 0xffffffc00000, 4 },
	{ 0xffffffe00000, 4 },
};

/* What stands behind each page: its frame, or 0. And how many do. */
static u32 frames[NR_REGIONS][PAGES];
static unsigned int mapped[NR_REGIONS];

/* Slots of tables, how many reservations are for each, and the way down to a region. */
static struct slot {
	u64 iova;
	int level;
	unsigned int pins;
} slots[3 * NR_REGIONS];
static unsigned int nr_slots;
static struct slot *paths[NR_REGIONS][4];

/* A range of pages, in one region or more. */
struct range {
	unsigned int region;
	unsigned int page;
	unsigned int count;
};

enum job_state { FREE, RESERVED, RAN };
enum job_kind { UNMAP, MAP, MAP_OVER };

/* What a job pins: the slots down to one of @level. */
struct pin {
	u8 region;
	u8 level;
};

static struct job {
	enum job_state state;
	enum job_kind kind;
	struct range range;
	u32 frame;
	struct panthor_pgtable_rsv rsv;
	struct pin pins[MAX_PINS];
	unsigned int nr_pins;
} jobs[NR_JOBS];

/* How many of them are in use: where many wait, tables stay, and there are few blocks. */
static unsigned int depth = NR_JOBS;

static struct device dev;
static struct panthor_pgtable *pt;
static u64 root;
static u64 rnd;
static u64 seed;
static u64 calls;
static struct panthor_pgtable_stats books;

static struct {
	u64 maps;
	u64 unmaps;
	u64 refused;
	u64 cancelled;
	u64 evicted;
	u64 checks;
	unsigned long most_held;
} count;

static void print_context(void)
{
	printf("seed %llu, after %llu calls:\n", seed, calls);
}

static u32 below(u32 n)
{
	return random_below(&rnd, n);
}

static bool one_in(u32 n)
{
	return !below(n);
}

/*
 * The model.
 */

static struct slot *get_slot(u64 iova, int level)
{
	unsigned int i;

	iova &= ~((1ull << (48 - 9 * level)) - 1);
	for (i = 0; i < nr_slots; i++)
		if (slots[i].iova == iova && slots[i].level == level)
			return &slots[i];
	slots[nr_slots] = (struct slot){ .iova = iova, .level = level };
	return &slots[nr_slots++];
}

static void setup_slots(void)
{
	unsigned int r;
	int level;

	for (r = 0; r < NR_REGIONS; r++)
		for (level = 1; level <= 3; level++)
			paths[r][level] = get_slot(regions[r].iova, level);
}

static bool has_table(const struct slot *slot)
{
	return (machine_look(root, 0, slot->level - 1, slot->iova) & 3) == 3;
}

static void count_pin(const struct pin *pin, int by)
{
	int level;

	for (level = 1; level <= pin->level; level++)
		paths[pin->region][level]->pins += by;
}

static void add_pin(struct job *job, unsigned int region, int level)
{
	struct pin pin = { region, level };

	count_pin(&pin, 1);
	job->pins[job->nr_pins++] = pin;
}

static u64 first_byte(const struct range *range)
{
	return regions[range->region].iova + (u64)range->page * SZ_4K;
}

static u64 nr_bytes(const struct range *range)
{
	return (u64)range->count * SZ_4K;
}

/* The part of a range that is in its first region; the rest stays in *@range. */
static struct range next_part(struct range *range)
{
	struct range part = *range;

	part.count = min(part.count, PAGES - part.page);
	range->region++;
	range->page = 0;
	range->count -= part.count;
	return part;
}

static unsigned int count_mapped(struct range range)
{
	unsigned int sum = 0, i;

	while (range.count) {
		struct range part = next_part(&range);
		const u32 *frame = &frames[part.region][part.page];

		if (mapped[part.region] == PAGES) {
			sum += part.count;
			continue;
		}
		for (i = 0; i < part.count; i++)
			sum += !!frame[i];
	}
	return sum;
}

/* Forget what is mapped in a range. Returns how many pages were. */
static unsigned int model_unmap(struct range range)
{
	unsigned int sum = 0;

	while (range.count) {
		struct range part = next_part(&range);
		unsigned int found = mapped[part.region] ? count_mapped(part) : 0;

		if (found)
			memset(&frames[part.region][part.page], 0, part.count * sizeof(u32));
		mapped[part.region] -= found;
		sum += found;
	}
	return sum;
}

static void model_map(struct range range, u32 frame)
{
	unsigned int i;

	if (machine_plant == PLANT_MODEL && one_in(1000))
		frame++;
	while (range.count) {
		struct range part = next_part(&range);

		for (i = 0; i < part.count; i++)
			frames[part.region][part.page + i] = frame++;
		mapped[part.region] += part.count;
	}
}

/* A map has a table for each region that it does not cover with a block. */
static void pin_map(struct job *job)
{
	struct range rest = job->range;
	u32 frame = job->frame;

	while (rest.count) {
		struct range part = next_part(&rest);

		add_pin(job, part.region, part.count == PAGES && !(frame % PAGES) ? 2 : 3);
		frame += part.count;
	}
}

/* An unmap has one for each end at which it may cut a block. */
static void pin_unmap(struct job *job)
{
	unsigned int end = job->range.page + job->range.count;
	unsigned int last = job->range.region + (end - 1) / PAGES;
	bool head = job->range.page % PAGES, tail = end % PAGES;

	if (head)
		add_pin(job, job->range.region, 3);
	if (tail && (!head || last != job->range.region))
		add_pin(job, last, 3);
}

static void unpin(struct job *job)
{
	while (job->nr_pins)
		count_pin(&job->pins[--job->nr_pins], -1);
}

/*
 * Checks.
 */

static void check_held(void)
{
	unsigned long expected = 0;
	unsigned int i;

	for (i = 0; i < nr_slots; i++)
		expected += slots[i].pins && !has_table(&slots[i]);
	panthor_pgtable_stats(pt, &books);
	calls++;
	check(books.reserved == expected, "I2", "%lu tables are held; expected %lu",
	      books.reserved, expected);
	check(books.total == books.free + books.dirty + books.reserved + books.tree +
	      books.gathered, "I5", "the books do not add up");
	machine_check_warnings();
	count.most_held = max(count.most_held, books.reserved);
	count.checks++;
}

static void look_up(unsigned int region, unsigned int page)
{
	u64 offset = below(SZ_4K), paddr = 0;
	u32 frame = frames[region][page];
	int err;

	err = panthor_pgtable_iova_to_phys(pt, regions[region].iova + page * (u64)SZ_4K + offset,
					   &paddr);
	calls++;
	check(err == (frame ? 0 : -ENOENT), "model", "lookup of page %u of region %u returned %d",
	      page, region, err);
	check(!frame || paddr == frame * (u64)SZ_4K + offset, "model",
	      "page %u of region %u is at %#llx; expected frame %#x", page, region, paddr, frame);
}

/* Inside of a range, and at its ends. */
static void look_around(const struct range *range)
{
	unsigned int at = range->page + below(range->count);
	unsigned int end = range->page + range->count - 1;

	look_up(range->region + at / PAGES, at % PAGES);
	look_up(range->region + end / PAGES, end % PAGES);
	if (range->page)
		look_up(range->region, range->page - 1);
	look_up(below(NR_REGIONS), below(PAGES));
}

/*
 * Calls.
 */

static void flush(const struct range *range)
{
	u64 iova = first_byte(range), size = nr_bytes(range), first = iova, end = iova + size;

	panthor_pgtable_flush_range(pt, &iova, &size);
	check(iova <= first && iova + size >= end, "API",
	      "range %#llx to %#llx became %#llx+%#llx", first, end, iova, size);
	panthor_pgtable_flushed(pt);
	calls += 2;
}

static void unmap(const struct range *range, struct panthor_pgtable_rsv *rsv)
{
	u64 bytes = (u64)model_unmap(*range) * SZ_4K;
	s64 ret;

	machine_signalling++;
	ret = panthor_pgtable_unmap(pt, rsv, first_byte(range), nr_bytes(range));
	check(ret == (s64)bytes, ret == -ENOMEM ? "I2: no table" : "API",
	      "%#llx+%#llx: %lld unmapped; expected %llu", first_byte(range), nr_bytes(range),
	      ret, bytes);
	calls++;
	count.unmaps++;
	flush(range);
	machine_signalling--;
}

static void map(struct job *job)
{
	bool in_the_way = job->kind == MAP_OVER && count_mapped(job->range);
	int err;

	machine_signalling++;
	err = panthor_pgtable_map(pt, &job->rsv, first_byte(&job->range),
				  (u64)job->frame * SZ_4K, nr_bytes(&job->range),
				  IOMMU_READ | IOMMU_WRITE);
	check(err == (in_the_way ? -EEXIST : 0), err == -ENOMEM ? "I2: no table" : "API",
	      "%#llx+%#llx: error %d; expected %d", first_byte(&job->range),
	      nr_bytes(&job->range), err, in_the_way ? -EEXIST : 0);
	if (!in_the_way)
		model_map(job->range, job->frame);
	calls++;
	count.maps++;
	count.refused += in_the_way;
	flush(&job->range);
	machine_signalling--;
}

static void unreserve(struct job *job)
{
	if (machine_plant == PLANT_LEAK && one_in(1000))
		job->rsv = (struct panthor_pgtable_rsv){};
	panthor_pgtable_unreserve(pt, &job->rsv);
	calls++;
	unpin(job);
	job->state = FREE;
}

/*
 * Jobs.
 */

static void choose_range(struct range *range)
{
	unsigned int kind = below(32);

	range->region = below(NR_REGIONS);
	range->page = below(PAGES);
	if (kind < 20)
		range->count = 1 + below(8);
	else if (kind < 26)
		range->count = 1 + below(PAGES - 1);
	else
		range->count = PAGES * (kind < 30 ? 1 : 2);
	if (range->count >= PAGES)
		range->page = 0;

	/* Not over the end of what follows without a gap. */
	while (range->page + range->count > PAGES &&
	       (range->region + 1 == NR_REGIONS ||
		regions[range->region + 1].group != regions[range->region].group))
		range->count = PAGES - range->page;
}

static void reserve(struct job *job)
{
	u64 iova, size;
	int err;

	choose_range(&job->range);
	iova = first_byte(&job->range);
	size = nr_bytes(&job->range);
	job->kind = one_in(3) ? UNMAP : one_in(8) ? MAP_OVER : MAP;
	job->frame = (1 + below(1 << 20)) * PAGES + job->range.page;
	if (one_in(2))
		job->frame += 1 + below(PAGES - 1);
	job->state = RESERVED;
	if (machine_plant == PLANT_NOT_RESERVED && one_in(100))
		return;

	if (job->kind == UNMAP) {
		err = panthor_pgtable_reserve_unmap(pt, &job->rsv, iova, size);
		pin_unmap(job);
	} else {
		err = panthor_pgtable_reserve_map(pt, &job->rsv, iova,
						  (u64)job->frame * SZ_4K, size);
		pin_map(job);
	}
	check(!err, "API", "reserve of %#llx+%#llx returned %d", iova, size, err);
	calls++;
	if (machine_plant == PLANT_TOO_FEW && one_in(1000))
		panthor_pgtable_unreserve(pt, &job->rsv);
}

/* An unmap does not keep the tables that it has emptied. @had: by pin. */
static void forget_emptied(struct job *job, const bool *had)
{
	unsigned int i;

	for (i = job->nr_pins; i--; ) {
		if (!had[i] || mapped[job->pins[i].region])
			continue;
		count_pin(&job->pins[i], -1);
		job->pins[i] = job->pins[--job->nr_pins];
	}
}

static void run(struct job *job)
{
	bool had[MAX_PINS];
	unsigned int i;

	for (i = 0; i < job->nr_pins; i++)
		had[i] = has_table(paths[job->pins[i].region][3]);
	if (job->kind != MAP_OVER)
		unmap(&job->range, &job->rsv);
	if (job->kind == UNMAP)
		forget_emptied(job, had);
	else
		map(job);
	job->state = RAN;
	look_around(&job->range);
}

/* What the driver does under memory pressure: unmap all of a buffer, without a job. */
static void evict(unsigned int region)
{
	struct range range = { .region = region, .count = PAGES };

	unmap(&range, NULL);
	count.evicted++;
}

static void set_depth(unsigned int to)
{
	unsigned int i;

	for (i = to; i < NR_JOBS; i++)
		if (jobs[i].state != FREE)
			unreserve(&jobs[i]);
	depth = to;
}

/* All is given back: nothing may be left. */
static void drain(void)
{
	unsigned int i;

	set_depth(0);
	check_held();
	for (i = 0; i < NR_REGIONS; i++)
		evict(i);
	check_held();
	check(books.tree == 1 && !books.gathered, "I5",
	      "%lu tables in the tree and %lu gathered when all is unmapped", books.tree,
	      books.gathered);
	set_depth(NR_JOBS);
}

static void now_and_then(void)
{
	if (one_in(STEPS_CHECK))
		check_held();
	if (one_in(STEPS_EVICT))
		evict(below(NR_REGIONS));
	if (one_in(STEPS_WORK))
		machine_run_work();
	if (one_in(STEPS_SHRINK))
		machine_shrink(1 + below(64));
	if (one_in(STEPS_DEPTH))
		set_depth(1u << below(7));
	if (one_in(STEPS_DRAIN))
		drain();
}

static void step(void)
{
	struct job *job = &jobs[below(depth)];

	if (job->state == FREE) {
		reserve(job);
	} else if (job->state == RESERVED && one_in(16)) {
		count.cancelled++;
		unreserve(job);
	} else if (job->state == RESERVED) {
		run(job);
	} else {
		unreserve(job);
	}
	now_and_then();
}

/*
 * The program.
 */

struct args {
	u64 ops;
	u64 seconds;
	u64 seed;
	enum plant plant;
};

/* Either so many calls, or so long. */
static bool goes_on(const struct args *args, double begin)
{
	static unsigned int steps;

	if (args->ops)
		return calls < args->ops;
	return ++steps % 1024 || report_now() - begin < args->seconds;
}

static void soak(const void *arg)
{
	static const struct panthor_pgtable_cfg cfg = {
		.dev = &dev,
		.pgsize_bitmap = SZ_4K | SZ_2M,
		.va_bits = VA_BITS,
		.pa_bits = PA_BITS,
		.coherent_walk = true,
	};
	const struct args *args = arg;
	double begin = report_now(), seconds;

	seed = args->seed;
	rnd = random_start(seed);
	machine_plant = args->plant;
	report_context = print_context;
	machine_start();
	setup_slots();
	check(!panthor_pgtable_init(), "API", "init failed");
	pt = panthor_pgtable_create(&cfg);
	check(!IS_ERR(pt), "API", "create returned %ld", PTR_ERR(pt));
	root = panthor_pgtable_ttbr(pt);

	while (goes_on(args, begin))
		step();
	drain();
	seconds = report_now() - begin;
	panthor_pgtable_destroy(pt);
	panthor_pgtable_exit();
	machine_check_idle();
	printf("%llu calls, %.2f million/s: %llu maps (%llu refused), %llu unmaps, %llu splits, ",
	       calls, calls / seconds / 1e6, count.maps, count.refused, count.unmaps,
	       books.splits);
	printf("%llu tables installed, up to %lu held, %llu jobs cancelled, %llu comparisons\n",
	       books.installed, count.most_held, count.cancelled, count.checks);
}

static const struct {
	const char *name;
	enum plant plant;
	const char *found_by;
} canaries[] = {
	{ "not-reserved", PLANT_NOT_RESERVED, "FAIL [I2: no table]" },
	{ "held-too-few", PLANT_TOO_FEW, "FAIL [I2" },
	{ "reservation-leaked", PLANT_LEAK, "FAIL [I" },
	{ "frame-wrong", PLANT_MODEL, "FAIL [model]" },
};

int main(int argc, char **argv)
{
	struct args args = { .seconds = 5 };
	char name[64];
	size_t i;

	args.seed = (time(NULL) * 1000003ull ^ getpid()) % 1000000007;
	for (i = 1; i < argc; i++)
		if (!report_option(argv[i], "--ops", 1, ~0ull, &args.ops) &&
		    !report_option(argv[i], "--time", 1, 1000000, &args.seconds) &&
		    !report_option(argv[i], "--seed", 0, ~0ull, &args.seed))
			report_usage(argv[i], "--ops=NUMBER, --time=SECONDS and --seed=NUMBER");

	report_begin("soak");
	snprintf(name, sizeof(name), "random queues, --seed=%llu", args.seed);
	report_case(name, soak, &args);

	/* Always the same calls: whether it is found must not depend on luck. */
	args.seed = 1;
	args.ops = 10000000;
	for (i = 0; i < ARRAY_SIZE(canaries); i++) {
		args.plant = canaries[i].plant;
		snprintf(name, sizeof(name), "canary %s", canaries[i].name);
		report_canary(name, soak, &args, canaries[i].found_by);
	}
	return report_end();
}
