// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The workloads: what is set up, what is counted, and whether it did what it should.
 * Runs under callgrind, which writes the counts; stdout says what they are counts of.
 */

#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

#include "machine.h"
#include "subject.h"
#include <linux/kernel.h>

/* The physical memory that is mapped. Nobody looks at it. */
#define DATA		0x100000000ull

/* Of what is mapped before, to keep tables or to be a neighbour. */
#define NEIGHBOUR_DATA	0x4000000000ull

enum kind { MAP, UNMAP, RESERVE };

/* Scattered: one entry of the scatter list for each page, no two of them adjacent. */
enum layout { CONTIGUOUS, SCATTERED };

struct workload {
	const char *id;
	const char *title;
	enum kind kind;
	enum layout layout;

	/* Where, from BENCH_IOVA, and how much. */
	u64 offset;
	u64 size;
	u64 leaf;

	/* Leaves of the same size that are mapped before, from BENCH_IOVA. */
	s64 neighbours[2];
	unsigned int nr_neighbours;

	/* Reservations that are outstanding. */
	unsigned int jobs;

	/*
	 * The page table knows no other leaves. Then one call of io-pgtable's fills a
	 * table of memory that is contiguous and aligned.
	 */
	bool only_4k;

	/*
	 * Instructions, for a call or for a descriptor. 0: no goal. Of a reservation: a
	 * third of what the slab path takes.
	 */
	unsigned int goal_call;
	unsigned int goal_descriptor;

	/* What the report shows. */
	bool per_call;
	bool per_descriptor;
};

static const struct workload workloads[] = {
	{
		.id = "map_contiguous_1g", .title = "map 1 GiB contiguous, as 4 KiB pages",
		.kind = MAP, .size = SZ_1G, .leaf = SZ_4K,
		.neighbours = { SZ_1G }, .nr_neighbours = 1,
		.only_4k = true, .goal_descriptor = 8, .per_descriptor = true,
	}, {
		.id = "map_scattered_2m", .title = "map 2 MiB scattered",
		.kind = MAP, .layout = SCATTERED, .offset = SZ_1M, .size = SZ_2M, .leaf = SZ_4K,
		.neighbours = { SZ_1M - SZ_4K, 3 * SZ_1M }, .nr_neighbours = 2,
		.goal_descriptor = 30, .per_descriptor = true,
	}, {
		.id = "map_scattered_64m", .title = "map 64 MiB scattered",
		.kind = MAP, .layout = SCATTERED, .offset = SZ_1M, .size = SZ_64M, .leaf = SZ_4K,
		.neighbours = { SZ_1M - SZ_4K, SZ_64M + SZ_1M }, .nr_neighbours = 2,
		.goal_descriptor = 30, .per_descriptor = true,
	}, {
		.id = "map_4k", .title = "map one 4 KiB page",
		.kind = MAP, .offset = SZ_1M, .size = SZ_4K, .leaf = SZ_4K,
		.neighbours = { SZ_1M + SZ_4K }, .nr_neighbours = 1,
		.goal_call = 140, .per_call = true,
	}, {
		.id = "map_2m_block", .title = "map one 2 MiB block",
		.kind = MAP, .offset = SZ_64M, .size = SZ_2M, .leaf = SZ_2M,
		.neighbours = { SZ_64M + SZ_2M }, .nr_neighbours = 1,
		.goal_call = 120, .per_call = true,
	}, {
		.id = "map_1g_blocks", .title = "map 1 GiB as 2 MiB blocks",
		.kind = MAP, .size = SZ_1G, .leaf = SZ_2M,
		.neighbours = { SZ_1G }, .nr_neighbours = 1,
		.goal_descriptor = 9, .per_descriptor = true,
	}, {
		.id = "unmap_2m_across", .title = "unmap 2 MiB at +1 MiB, tables stay",
		.kind = UNMAP, .layout = SCATTERED, .offset = SZ_1M, .size = SZ_2M, .leaf = SZ_4K,
		.neighbours = { SZ_1M - SZ_4K, 3 * SZ_1M }, .nr_neighbours = 2,
		.goal_descriptor = 6, .per_descriptor = true, .per_call = true,
	}, {
		.id = "unmap_2m_table", .title = "unmap 2 MiB aligned, table goes",
		.kind = UNMAP, .layout = SCATTERED, .size = SZ_2M, .leaf = SZ_4K,
		.neighbours = { SZ_2M }, .nr_neighbours = 1,
		.per_call = true,
	}, {
		.id = "unmap_4k", .title = "unmap one 4 KiB page",
		.kind = UNMAP, .offset = SZ_1M, .size = SZ_4K, .leaf = SZ_4K,
		.neighbours = { SZ_1M + SZ_4K }, .nr_neighbours = 1,
		.per_call = true,
	}, {
		.id = "unmap_1g_blocks", .title = "unmap 1 GiB as 2 MiB blocks",
		.kind = UNMAP, .size = SZ_1G, .leaf = SZ_2M,
		.neighbours = { SZ_1G }, .nr_neighbours = 1,
		.per_descriptor = true,
	}, {
		.id = "reserve_4k", .title = "reserve 4 KiB, neighbour mapped",
		.kind = RESERVE, .offset = SZ_1M, .size = SZ_4K, .leaf = SZ_4K,
		.neighbours = { SZ_1M + SZ_4K }, .nr_neighbours = 1,
		.goal_call = 52, .per_call = true,
	}, {
		.id = "reserve_4k_empty", .title = "reserve 4 KiB, empty VM",
		.kind = RESERVE, .offset = SZ_1M, .size = SZ_4K, .leaf = SZ_4K,
		.goal_call = 52, .per_call = true,
	}, {
		.id = "reserve_4k_queue", .title = "reserve 4 KiB, 64 outstanding",
		.kind = RESERVE, .offset = SZ_1M, .size = SZ_4K, .leaf = SZ_4K, .jobs = 64,
		.goal_call = 52, .per_call = true,
	}, {
		.id = "reserve_2m_block", .title = "reserve 2 MiB block",
		.kind = RESERVE, .size = SZ_2M, .leaf = SZ_2M,
		.goal_call = 52, .per_call = true,
	}, {
		.id = "reserve_64m_scattered", .title = "reserve 64 MiB scattered",
		.kind = RESERVE, .layout = SCATTERED, .size = SZ_64M, .leaf = SZ_4K,
		.goal_call = 226, .per_call = true,
	}, {
		.id = "reserve_64m_blocks", .title = "reserve 64 MiB as blocks",
		.kind = RESERVE, .size = SZ_64M, .leaf = SZ_2M,
		.goal_call = 226, .per_call = true,
	}, {
		.id = "reserve_1g_blocks", .title = "reserve 1 GiB as blocks",
		.kind = RESERVE, .size = SZ_1G, .leaf = SZ_2M,
		.goal_call = 4150, .per_call = true,
	},
};

static const struct bench_subject *const subjects[] = {
	&bench_limit, &bench_limit_checked, &bench_iopgt, &bench_ours,
};

/* One workload for one subject. */
struct run {
	const struct workload *w;
	const struct bench_subject *s;
	struct bench_op op;
	bool coherent;
	void *vm;
};

static void __noreturn fail(const struct run *r, const char *what)
{
	bench_die("%s, %s, %scoherent: %s", r->w->id, r->s->name, r->coherent ? "" : "not ", what);
}

static u64 stride(const struct workload *w)
{
	return w->layout == SCATTERED ? 2 * SZ_4K : SZ_4K;
}

static struct sg_table make_sgt(u64 paddr, u64 size, enum layout layout)
{
	unsigned int i, nents = layout == SCATTERED ? size / SZ_4K : 1;
	struct scatterlist *sgl = calloc(nents, sizeof(*sgl));

	if (!sgl)
		bench_die("no memory");
	for (i = 0; i < nents; i++) {
		sgl[i].dma_address = paddr + i * 2ull * SZ_4K;
		sgl[i].dma_length = size / nents;
	}
	sg_mark_end(&sgl[nents - 1]);
	return (struct sg_table){ .sgl = sgl, .nents = nents, .orig_nents = nents };
}

/*
 * What is counted. Never inlined, so that what counting costs is the same for the
 * subject that does nothing.
 */

static noinline int count_map(struct run *r)
{
	int err;

	CALLGRIND_TOGGLE_COLLECT;
	err = r->s->map(r->vm, &r->op);
	CALLGRIND_TOGGLE_COLLECT;
	return err;
}

static noinline u64 count_unmap(struct run *r)
{
	u64 unmapped;

	CALLGRIND_TOGGLE_COLLECT;
	unmapped = r->s->unmap(r->vm, &r->op);
	CALLGRIND_TOGGLE_COLLECT;
	return unmapped;
}

static noinline int count_reserve(struct run *r, unsigned int job, unsigned int oldest)
{
	int err;

	CALLGRIND_TOGGLE_COLLECT;
	err = r->s->reserve(r->vm, &r->op, job);
	r->s->unreserve(r->vm, oldest);
	CALLGRIND_TOGGLE_COLLECT;
	return err;
}

/* Writes down what was counted since the last time, under a label. */
static void dump(const char *id, const struct run *r)
{
	char label[128];

	snprintf(label, sizeof(label), "%s:%s:%s", id, r->s->name,
		 r->coherent ? "coherent" : "noncoherent");
	CALLGRIND_DUMP_STATS_AT(label);
}

static void map_uncounted(struct run *r, const struct bench_op *op)
{
	if ((r->s->before_map && r->s->before_map(r->vm, op)) || r->s->map(r->vm, op))
		fail(r, "cannot map");
	if (r->s->after_map)
		r->s->after_map(r->vm);
}

static void unmap_uncounted(struct run *r, const struct bench_op *op)
{
	if ((r->s->before_unmap && r->s->before_unmap(r->vm, op)) ||
	    r->s->unmap(r->vm, op) != op->size)
		fail(r, "cannot unmap");
	if (r->s->after_unmap)
		r->s->after_unmap(r->vm);
}

static struct bench_op neighbour(const struct workload *w, unsigned int i, struct sg_table *sgt)
{
	*sgt = make_sgt(NEIGHBOUR_DATA + i * SZ_2M, w->leaf, CONTIGUOUS);
	return (struct bench_op){
		.iova = BENCH_IOVA + w->neighbours[i], .size = w->leaf, .leaf = w->leaf,
		.sgt = sgt,
	};
}

static void with_neighbours(struct run *r, void (*fn)(struct run *r, const struct bench_op *op))
{
	struct bench_op op;
	struct sg_table sgt;
	unsigned int i;

	for (i = 0; i < r->w->nr_neighbours; i++) {
		op = neighbour(r->w, i, &sgt);
		fn(r, &op);
		free(sgt.sgl);
	}
}

static void check_neighbour(struct run *r, const struct bench_op *op)
{
	if (r->s->translate(r->vm, op->iova) != sg_dma_address(op->sgt->sgl))
		fail(r, "a neighbour is not mapped any more");
}

/* Each page of the range is mapped as it should be, or none is; and the neighbours are. */
static void check(struct run *r, bool mapped)
{
	u64 i, paddr;

	for (i = 0; i < r->op.size / SZ_4K; i++) {
		paddr = r->s->translate(r->vm, r->op.iova + i * SZ_4K);
		if (paddr != (mapped ? DATA + i * stride(r->w) : 0))
			fail(r, "a translation is wrong");
	}
	with_neighbours(r, check_neighbour);
}

static void run_map(struct run *r)
{
	/* Once before, so that the tables are there, as far as they stay. */
	map_uncounted(r, &r->op);
	check(r, true);
	r->s->clear(r->vm, &r->op);
	check(r, false);

	if (r->s->before_map && r->s->before_map(r->vm, &r->op))
		fail(r, "cannot prepare");
	if (count_map(r))
		fail(r, "cannot map");
	dump(r->w->id, r);
	if (r->s->after_map)
		r->s->after_map(r->vm);

	check(r, true);
	unmap_uncounted(r, &r->op);
}

static void run_unmap(struct run *r)
{
	map_uncounted(r, &r->op);
	check(r, true);

	if (r->s->before_unmap && r->s->before_unmap(r->vm, &r->op))
		fail(r, "cannot prepare");
	if (count_unmap(r) != r->op.size)
		fail(r, "cannot unmap");
	dump(r->w->id, r);
	if (r->s->after_unmap)
		r->s->after_unmap(r->vm);

	check(r, false);
}

static void reserve_uncounted(struct run *r, unsigned int job)
{
	if (r->s->reserve(r->vm, &r->op, job))
		fail(r, "cannot reserve");
}

/*
 * A queue of jobs, each for the page after the one before: each time, one comes and
 * the oldest goes. Counted once all was in the queue, and so in the pool or slab,
 * once before.
 */
static void run_reserve(struct run *r)
{
	unsigned int jobs = r->w->jobs, i;

	for (i = 0; i < jobs; i++) {
		reserve_uncounted(r, i);
		r->op.iova += r->op.size;
	}
	reserve_uncounted(r, jobs);
	r->s->unreserve(r->vm, jobs);

	if (count_reserve(r, jobs, 0))
		fail(r, "cannot reserve");
	dump(r->w->id, r);

	for (i = 1; i <= jobs; i++)
		r->s->unreserve(r->vm, i);
}

static void run(const struct workload *w, const struct bench_subject *s, bool coherent)
{
	struct sg_table sgt = make_sgt(DATA, w->size, w->layout);
	struct run r = {
		.w = w, .s = s, .coherent = coherent,
		.op = {
			.iova = BENCH_IOVA + w->offset, .size = w->size, .leaf = w->leaf,
			.sgt = &sgt,
		},
	};

	r.vm = s->create(&(struct bench_cfg){
		.coherent = coherent,
		.pgsize_bitmap = w->only_4k ? SZ_4K : SZ_4K | SZ_2M,
	});
	with_neighbours(&r, map_uncounted);

	if (w->kind == MAP)
		run_map(&r);
	else if (w->kind == UNMAP)
		run_unmap(&r);
	else
		run_reserve(&r);

	with_neighbours(&r, unmap_uncounted);
	s->destroy(r.vm);
	free(sgt.sgl);
	bench_check_warnings();
}

static int null_map(void *vm, const struct bench_op *op)
{
	return 0;
}

static u64 null_unmap(void *vm, const struct bench_op *op)
{
	return 0;
}

static int null_reserve(void *vm, const struct bench_op *op, unsigned int job)
{
	return 0;
}

static void null_unreserve(void *vm, unsigned int job)
{
}

/* What is counted for it is what counting costs. */
static const struct bench_subject null = {
	.name = "null",
	.map = null_map,
	.unmap = null_unmap,
	.reserve = null_reserve,
	.unreserve = null_unreserve,
};

static void run_null(void)
{
	struct run r = { .s = &null, .coherent = true };

	count_map(&r);
	dump("map", &r);
	count_unmap(&r);
	dump("unmap", &r);
	count_reserve(&r, 0, 0);
	dump("reserve", &r);
}

static void run_workload(const struct workload *w, bool coherent)
{
	static const char *const kinds[] = { "map", "unmap", "reserve" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(subjects); i++) {
		if (w->kind != RESERVE || subjects[i]->reserve)
			run(w, subjects[i], coherent);
	}

	printf("%s\t%s\t%s\t%s\t%llu\t%d\t%d\t%u\t%u\n", w->id, w->title, kinds[w->kind],
	       coherent ? "coherent" : "noncoherent", w->size / w->leaf,
	       w->per_call, w->per_descriptor, w->goal_call, w->goal_descriptor);
}

int main(void)
{
	unsigned int i;

	bench_start();
	run_null();
	for (i = 0; i < ARRAY_SIZE(workloads); i++)
		run_workload(&workloads[i], true);
	for (i = 0; i < ARRAY_SIZE(workloads); i++) {
		if (workloads[i].kind == MAP)
			run_workload(&workloads[i], false);
	}
	return 0;
}
