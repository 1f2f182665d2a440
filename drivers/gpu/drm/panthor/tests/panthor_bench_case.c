// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The cases of the benchmark: which sizes, buffers and tables, and where in the
 * address space the operations of a sample are.
 */

#include <linux/array_size.h>
#include <linux/hash.h>
#include <linux/math64.h>
#include <linux/prandom.h>

#include "panthor_bench.h"

/* In the table of a 512 GiB entry, after a page that keeps that table there. */
#define BASE_DEFAULT	(SZ_1T + 4ull * SZ_1G)

/* Kinds of places. */
#define TABLES_THERE	.window = SZ_64M, .anchors = SZ_2M
#define LEVEL_3_MISSING	.window = SZ_1G, .anchors = SZ_1G
#define BLOCKS_IN(size)	.layout = BENCH_BLOCKS, .window = (size), .anchors = SZ_1G
#define ALL_MISSING	.base = SZ_512G, .window = 64 * SZ_512G, .step = SZ_512G

const struct bench_case bench_cases[] = {
	{ .name = "4k-random", .title = "4 KiB, random, tables there", .rows = "map unmap job",
	  .size = SZ_4K, .step = SZ_4K, TABLES_THERE, .batch = 64 },
	{ .name = "4k-missing", .title = "4 KiB, three tables missing", .rows = "map",
	  .size = SZ_4K, ALL_MISSING, .fresh = true, .batch = 16 },
	{ .name = "64k", .title = "64 KiB, one piece, tables there", .rows = "map unmap job",
	  .layout = BENCH_PAGES, .size = SZ_64K, .step = SZ_64K, TABLES_THERE, .batch = 64 },
	{ .name = "2m-scattered", .title = "2 MiB scattered", .rows = "map unmap job plot",
	  .size = SZ_2M, .step = SZ_2M, LEVEL_3_MISSING, .batch = 4 },
	{ .name = "2m-pages", .title = "2 MiB, one piece, as 4K", .rows = "map unmap job plot",
	  .layout = BENCH_PAGES, .size = SZ_2M, .step = SZ_2M, LEVEL_3_MISSING, .batch = 8 },
	{ .name = "2m-cross-scattered", .title = "2 MiB scattered, at +1 MiB, tables there",
	  .rows = "map unmap", .size = SZ_2M, .step = SZ_4M, .first = SZ_1M, .window = SZ_64M,
	  .anchors = SZ_4M, .tails = true, .batch = 4 },
	{ .name = "2m-cross", .title = "2 MiB as 4K, at +1 MiB, tables there",
	  .rows = "map unmap job", .layout = BENCH_PAGES, .size = SZ_2M, .step = SZ_4M,
	  .first = SZ_1M, .window = SZ_64M, .anchors = SZ_4M, .tails = true, .batch = 8 },
	{ .name = "2m-block", .title = "2 MiB, one block", .rows = "map unmap job",
	  .size = SZ_2M, .step = SZ_2M, BLOCKS_IN(4ull * SZ_1G), .batch = 64 },
	{ .name = "64m-scattered", .title = "64 MiB scattered", .rows = "map unmap job plot",
	  .size = SZ_64M, .step = SZ_64M, LEVEL_3_MISSING, .batch = 1 },
	{ .name = "1g-scattered", .title = "1 GiB scattered", .rows = "map unmap job plot",
	  .size = SZ_1G, .step = SZ_1G, .window = SZ_1G, .batch = 1 },
	{ .name = "1g-pages", .title = "1 GiB, one piece, as 4K", .rows = "map unmap plot",
	  .layout = BENCH_PAGES, .size = SZ_1G, .step = SZ_1G, .window = SZ_1G, .batch = 1 },
	{ .name = "1g-blocks", .title = "1 GiB as blocks of 2 MiB", .rows = "map unmap job",
	  .layout = BENCH_BLOCKS, .size = SZ_1G, .step = SZ_1G, .window = SZ_1G, .batch = 1 },
	{ .name = "1t-sparse", .title = "1 TiB sparse, 2 MiB repeated", .rows = "map unmap sparse",
	  .layout = BENCH_REPEAT, .size = SZ_1T, .base = 2 * SZ_1T, .step = SZ_1T,
	  .window = SZ_1T, .batch = 1 },

	/* The other points of the plot. */
	{ .name = "4k-pages", .rows = "plot", .layout = BENCH_PAGES,
	  .size = SZ_4K, .step = SZ_4K, TABLES_THERE, .batch = 64 },
	{ .name = "4k-scattered", .rows = "plot",
	  .size = SZ_4K, .step = SZ_4K, TABLES_THERE, .batch = 64 },
	{ .name = "16k-pages", .rows = "plot", .layout = BENCH_PAGES,
	  .size = SZ_16K, .step = SZ_16K, TABLES_THERE, .batch = 64 },
	{ .name = "16k-scattered", .rows = "plot",
	  .size = SZ_16K, .step = SZ_16K, TABLES_THERE, .batch = 64 },
	{ .name = "64k-pages", .rows = "plot", .layout = BENCH_PAGES,
	  .size = SZ_64K, .step = SZ_64K, TABLES_THERE, .batch = 64 },
	{ .name = "64k-scattered", .rows = "plot",
	  .size = SZ_64K, .step = SZ_64K, TABLES_THERE, .batch = 32 },
	{ .name = "256k-pages", .rows = "plot", .layout = BENCH_PAGES,
	  .size = SZ_256K, .step = SZ_256K, TABLES_THERE, .batch = 32 },
	{ .name = "256k-scattered", .rows = "plot",
	  .size = SZ_256K, .step = SZ_256K, TABLES_THERE, .batch = 8 },
	{ .name = "1m-pages", .rows = "plot", .layout = BENCH_PAGES,
	  .size = SZ_1M, .step = SZ_1M, TABLES_THERE, .batch = 16 },
	{ .name = "1m-scattered", .rows = "plot",
	  .size = SZ_1M, .step = SZ_1M, TABLES_THERE, .batch = 4 },
	{ .name = "8m-pages", .rows = "plot", .layout = BENCH_PAGES,
	  .size = SZ_8M, .step = SZ_8M, LEVEL_3_MISSING, .batch = 2 },
	{ .name = "8m-scattered", .rows = "plot",
	  .size = SZ_8M, .step = SZ_8M, LEVEL_3_MISSING, .batch = 1 },
	{ .name = "64m-pages", .rows = "plot", .layout = BENCH_PAGES,
	  .size = SZ_64M, .step = SZ_64M, LEVEL_3_MISSING, .batch = 1 },
	{ .name = "256m-pages", .rows = "plot", .layout = BENCH_PAGES,
	  .size = SZ_256M, .step = SZ_256M, LEVEL_3_MISSING, .batch = 1 },
	{ .name = "256m-scattered", .rows = "plot",
	  .size = SZ_256M, .step = SZ_256M, LEVEL_3_MISSING, .batch = 1 },

	/* Reservations: nothing is mapped. */
	{ .name = "rsv-4k", .title = "4 KiB, tables there", .rows = "reserve",
	  .size = SZ_4K, .step = SZ_4K, TABLES_THERE, .batch = 64 },
	{ .name = "rsv-4k-missing", .title = "4 KiB, three tables missing", .rows = "reserve",
	  .size = SZ_4K, ALL_MISSING, .batch = 64 },
	{ .name = "rsv-64k", .title = "64 KiB, tables there", .rows = "reserve",
	  .layout = BENCH_PAGES, .size = SZ_64K, .step = SZ_64K, TABLES_THERE, .batch = 64 },
	{ .name = "rsv-2m-block", .title = "2 MiB, one block", .rows = "reserve",
	  .size = SZ_2M, .step = SZ_2M, BLOCKS_IN(4ull * SZ_1G), .batch = 64 },
	{ .name = "rsv-64m-pages", .title = "64 MiB, one piece, as 4K", .rows = "reserve",
	  .layout = BENCH_PAGES, .size = SZ_64M, .step = SZ_64M, .window = 8ull * SZ_1G,
	  .anchors = SZ_1G, .batch = 64 },
	{ .name = "rsv-64m-scattered", .title = "64 MiB scattered", .rows = "reserve",
	  .size = SZ_64M, .step = SZ_64M, .window = 8ull * SZ_1G, .anchors = SZ_1G, .batch = 64 },
	{ .name = "rsv-64m-blocks", .title = "64 MiB as blocks of 2 MiB", .rows = "reserve",
	  .size = SZ_64M, .step = SZ_64M, BLOCKS_IN(8ull * SZ_1G), .batch = 64 },
	{ .name = "rsv-1g-blocks", .title = "1 GiB as blocks of 2 MiB", .rows = "reserve",
	  .layout = BENCH_BLOCKS, .size = SZ_1G, .step = SZ_1G, .window = 64ull * SZ_1G,
	  .batch = 64 },
};

const unsigned int bench_case_count = ARRAY_SIZE(bench_cases);

/**
 * bench_base() - where the window of a case starts
 * @c: Case.
 *
 * Return: iova.
 */
u64 bench_base(const struct bench_case *c)
{
	return c->base ?: BASE_DEFAULT;
}

/* Buffers that are in one piece do not touch each other. */
static u64 piece_paddr(const struct bench_case *c, unsigned int i)
{
	u64 paddr = SZ_1G + i * (roundup_pow_of_two(c->size) + SZ_2M);

	switch (c->layout) {
	case BENCH_PAGES:
		return ALIGN(paddr, SZ_2M) + SZ_4K;
	case BENCH_BLOCKS:
		return ALIGN(paddr, max(SZ_2M, roundup_pow_of_two(c->size))) +
		       (c->size < SZ_1G ? 0 : SZ_2M);
	default:
		return SZ_1G;
	}
}

/**
 * bench_op_paddr() - physical address of a byte of an operation
 * @op: Operation.
 * @offset: Bytes from its start.
 *
 * Does not look at the scatter list, so that both can be held against each other.
 *
 * Return: the address.
 */
u64 bench_op_paddr(const struct bench_op *op, u64 offset)
{
	u64 page = offset / SZ_4K;

	switch (op->c->layout) {
	case BENCH_SCATTERED:
		/* Never 0, and no two neighbours that a walker could join. */
		return (u64)hash_64(op->seed + page, 26) << 13 | SZ_4K | offset % SZ_4K;
	case BENCH_REPEAT:
		return op->paddr + offset % SZ_2M;
	default:
		return op->paddr + offset;
	}
}

static int op_init(struct bench_op *op, u64 size)
{
	bool scattered = op->c->layout == BENCH_SCATTERED;
	u64 len = op->c->layout == BENCH_REPEAT ? SZ_2M : scattered ? SZ_4K : size;
	unsigned int nents = scattered ? size / SZ_4K : 1, i;
	struct scatterlist *sg;
	int err;

	err = sg_alloc_table(&op->sgt, nents, GFP_KERNEL);
	if (err)
		return err;

	op->size = size;
	for_each_sgtable_dma_sg(&op->sgt, sg, i) {
		sg_dma_address(sg) = bench_op_paddr(op, len * i);
		sg_dma_len(sg) = len;
	}
	return 0;
}

/**
 * bench_ops_fini() - free the buffers of a batch
 * @ops: Operations.
 * @n: How many.
 */
void bench_ops_fini(struct bench_op *ops, unsigned int n)
{
	while (n--)
		sg_free_table(&ops[n].sgt);
}

/**
 * bench_ops_init() - make the operations of a batch, with their buffers
 * @ops: @c->batch of them.
 * @c: Case.
 *
 * Return: 0 or -ENOMEM, with nothing made.
 */
int bench_ops_init(struct bench_op *ops, const struct bench_case *c)
{
	for (unsigned int i = 0; i < c->batch; i++) {
		int err;

		ops[i] = (struct bench_op){
			.c = c,
			.paddr = piece_paddr(c, i),
			.seed = i << 20,
		};
		err = op_init(&ops[i], c->size);
		if (err) {
			bench_ops_fini(ops, i);
			return err;
		}
	}
	return 0;
}

/**
 * bench_op_init_anchor() - make an operation that maps a page to keep tables there
 * @op: Operation.
 * @c: Case.
 *
 * Return: 0 or -ENOMEM.
 */
int bench_op_init_anchor(struct bench_op *op, const struct bench_case *c)
{
	static const struct bench_case anchor = { .layout = BENCH_PAGES };

	*op = (struct bench_op){ .c = &anchor, .paddr = SZ_1M };
	return op_init(op, SZ_4K);
}

static bool clashes(const struct bench_case *c, u64 iova)
{
	u64 into, base = bench_base(c);

	if (!c->anchors)
		return false;

	/* The window starts at a multiple, too. */
	div64_u64_rem(iova - base, c->anchors, &into);
	return !into || into + c->size > c->anchors - (c->tails ? SZ_4K : 0);
}

/**
 * bench_ops_place() - move the operations of a batch to other places
 * @ops: Operations; nothing of them is mapped.
 * @seed: The same seed gives the same places.
 */
void bench_ops_place(struct bench_op *ops, u64 seed)
{
	const struct bench_case *c = ops->c;
	u64 part = div64_u64(c->window, c->batch);
	u64 slots = div64_u64(part, c->step);
	struct rnd_state rnd;

	prandom_seed_state(&rnd, seed);
	for (unsigned int i = 0; i < c->batch; i++) {
		u64 start = roundup(bench_base(c) + i * part, c->step);

		do {
			ops[i].iova = start + prandom_u32_state(&rnd) % slots * c->step + c->first;
		} while (clashes(c, ops[i].iova));
	}
}
