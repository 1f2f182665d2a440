// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Tables held over tables needed, for the shapes of queues that reservations are judged
 * by, beside what panthor of Linux 6.12 counts for the same jobs.
 */

#include <linux/dev_printk.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/kernel.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"
#include "panthor_pgtable.h"
#include "random.h"
#include "report.h"

#define MAX_JOBS	10000
#define VA		0x7f0040000000ull
#define MEMORY		0x4000000000ull
#define SG_PAGES	(64 * 256)

/* Memory in single pages, in no order. */
static struct scatterlist scattered[SG_PAGES];
static struct sg_table sgt = { .sgl = scattered, .nents = SG_PAGES };

enum kind { UNMAP, MAP, MAP_SGT };

struct job {
	enum kind kind;
	u64 iova;
	u64 paddr;
	u64 size;
	struct panthor_pgtable_rsv rsv;
};

static struct job jobs[MAX_JOBS];
static unsigned int nr_jobs;

static struct device dev;
static struct panthor_pgtable *pt;
static u64 rnd;

/*
 * Jobs.
 */

static void add_job(enum kind kind, u64 iova, u64 paddr, u64 size)
{
	check(nr_jobs < MAX_JOBS, "setup", "too many jobs");
	jobs[nr_jobs++] = (struct job){ kind, iova, paddr, size, {} };
}

static void reserve(struct job *job)
{
	int err;

	if (job->kind == UNMAP)
		err = panthor_pgtable_reserve_unmap(pt, &job->rsv, job->iova, job->size);
	else if (job->kind == MAP)
		err = panthor_pgtable_reserve_map(pt, &job->rsv, job->iova, job->paddr, job->size);
	else
		err = panthor_pgtable_reserve_map_sgt(pt, &job->rsv, job->iova, &sgt, 0, job->size);
	check(!err, "API", "reserve returned %d", err);
}

static void flush(u64 iova, u64 size)
{
	panthor_pgtable_flush_range(pt, &iova, &size);
	panthor_pgtable_flushed(pt);
}

/* As the driver does it: a map takes away first what is in its way. */
static void run(struct job *job)
{
	const int prot = IOMMU_READ | IOMMU_WRITE;
	s64 unmapped;
	int err = 0;

	machine_signalling++;
	unmapped = panthor_pgtable_unmap(pt, &job->rsv, job->iova, job->size);
	check(unmapped >= 0, "I2", "an unmap returned %lld", unmapped);
	flush(job->iova, job->size);
	if (job->kind == MAP)
		err = panthor_pgtable_map(pt, &job->rsv, job->iova, job->paddr, job->size, prot);
	else if (job->kind == MAP_SGT)
		err = panthor_pgtable_map_sgt(pt, &job->rsv, job->iova, &sgt, 0, job->size, prot);
	check(!err, "I2", "a map returned %d", err);
	flush(job->iova, job->size);
	machine_signalling--;
}

/* Before the queue: it is there, and its reservation is not. */
static void map_now(u64 iova, u64 paddr, u64 size)
{
	struct job job = { MAP, iova, paddr, size, {} };

	reserve(&job);
	run(&job);
	panthor_pgtable_unreserve(pt, &job.rsv);
}

/*
 * What the driver of Linux 6.12 takes out of its slab for a job. It does not look at what
 * is mapped, and not at other jobs.
 */

/* How many naturally aligned pieces of 1 << @shift bytes a job touches. */
static u64 pieces(const struct job *job, int shift)
{
	return ((job->iova + job->size - 1) >> shift) - (job->iova >> shift) + 1;
}

static u64 count_of_6_12(const struct job *job)
{
	bool head = job->iova % SZ_2M, tail = (job->iova + job->size) % SZ_2M;

	if (job->kind != UNMAP)
		return pieces(job, 39) + pieces(job, 30) + pieces(job, 21);
	return head + tail - (head && tail && pieces(job, 21) == 1);
}

/*
 * Shapes. Each makes jobs, in an order in which nothing is taken away before all was
 * used that can be.
 */

static void many_small(void)
{
	unsigned int i;

	for (i = 0; i < 10000; i++)
		add_job(MAP, VA + i % 512 * SZ_4K, MEMORY + (u64)i * SZ_4K, SZ_4K);
}

static void beside_neighbours(void)
{
	unsigned int i;

	for (i = 0; i < 64; i++) {
		u64 iova = VA + random_below(&rnd, SZ_1G / SZ_64K / 2) * 2ull * SZ_64K;

		map_now(iova + SZ_64K, MEMORY, SZ_64K);
		add_job(MAP, iova, MEMORY + SZ_64K, SZ_64K);
	}
}

static void blocks(void)
{
	add_job(MAP, VA, MEMORY, SZ_1G);
}

static void single_pages(void)
{
	unsigned int i;

	/* An odd factor: each page once, and none continues the one before. */
	for (i = 0; i < SG_PAGES; i++)
		scattered[i] = (struct scatterlist){
			.dma_address = MEMORY + (u64)(i * 5167 % SG_PAGES) * SZ_4K,
			.dma_length = SZ_4K,
		};
	sg_mark_end(&scattered[SG_PAGES - 1]);
	add_job(MAP_SGT, VA, 0, SG_PAGES * (u64)SZ_4K);
}

static u64 in_a_block(void)
{
	return VA + random_below(&rnd, 512) * (u64)SZ_2M + (1 + random_below(&rnd, 30)) * SZ_64K;
}

/* Cuts first, in the order of the queue; then what puts blocks in the place of blocks. */
static void mixed(void)
{
	unsigned int i;

	map_now(VA, MEMORY, SZ_1G);
	for (i = 0; i < 128; i++)
		add_job(UNMAP, in_a_block(), 0, SZ_64K);
	for (i = 0; i < 64; i++)
		add_job(MAP, in_a_block(), MEMORY, SZ_4K);
	for (i = 0; i < 64; i++)
		add_job(MAP, VA + random_below(&rnd, 512) * (u64)SZ_2M, MEMORY, SZ_2M);
}

static const struct shape {
	const char *name;
	void (*make)(void);
} shapes[] = {
	{ "10,000 maps of 4 KiB in 2 MiB, VM empty", many_small },
	{ "64 maps of 64 KiB beside neighbours", beside_neighbours },
	{ "1 GiB as blocks, VM empty", blocks },
	{ "64 MiB of scattered pages, VM empty", single_pages },
	{ "128 unmaps, 128 maps in 1 GiB of blocks", mixed },
};

/*
 * The report.
 */

struct result {
	unsigned long held;
	u64 needed;
	u64 today;
};

static void open_table(void)
{
	static const struct panthor_pgtable_cfg cfg = {
		.dev = &dev,
		.pgsize_bitmap = SZ_4K | SZ_2M,
		.va_bits = 48,
		.pa_bits = 40,
		.coherent_walk = true,
	};

	pt = panthor_pgtable_create(&cfg);
	check(!IS_ERR(pt), "API", "create returned %ld", PTR_ERR(pt));
	nr_jobs = 0;
	rnd = random_start(1);
}

static struct result measure(const struct shape *shape)
{
	struct panthor_pgtable_stats before, after;
	struct job spare = { MAP, 0, MEMORY, SZ_4K, {} };
	struct result result = {};
	unsigned int i;

	open_table();
	shape->make();
	for (i = 0; i < nr_jobs; i++) {
		reserve(&jobs[i]);
		result.today += count_of_6_12(&jobs[i]);
	}
	if (machine_plant == PLANT_TOO_MANY)
		reserve(&spare);
	panthor_pgtable_stats(pt, &before);
	for (i = 0; i < nr_jobs; i++)
		run(&jobs[i]);
	panthor_pgtable_stats(pt, &after);
	panthor_pgtable_unreserve(pt, &spare.rsv);
	for (i = 0; i < nr_jobs; i++)
		panthor_pgtable_unreserve(pt, &jobs[i].rsv);
	panthor_pgtable_destroy(pt);
	machine_check_idle();

	result.held = before.reserved;
	result.needed = after.installed - before.installed;
	return result;
}

static bool print_shape(const struct shape *shape)
{
	struct result result = measure(shape);

	printf("# %-40s %5u %6lu %7llu", shape->name, nr_jobs, result.held, result.needed);
	if (result.needed)
		printf(" %7.2f", (double)result.held / result.needed);
	else
		printf(" %7s", result.held ? "inf" : "-");
	printf(" %7llu\n", result.today);
	return result.held == result.needed;
}

int main(int argc, char **argv)
{
	unsigned int exact = 0, i;
	struct result result;
	char text[64];

	if (argc > 1)
		report_usage(argv[1], "no option");

	report_begin("shapes");
	machine_start();
	printf("# %-40s %5s %6s %7s %7s %7s\n", "queue", "jobs", "held", "needed", "ratio", "6.12");
	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		exact += print_shape(&shapes[i]);
	snprintf(text, sizeof(text), "%u of %zu shapes", exact, ARRAY_SIZE(shapes));
	report_result(exact == ARRAY_SIZE(shapes), "what is held is needed", text);

	machine_plant = PLANT_TOO_MANY;
	result = measure(&shapes[0]);
	snprintf(text, sizeof(text), "%lu held, %llu needed", result.held, result.needed);
	report_result(result.held != result.needed, "canary held-too-many", text);
	return report_end();
}
