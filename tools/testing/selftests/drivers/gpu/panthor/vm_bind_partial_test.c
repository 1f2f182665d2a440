// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Unmaps of part of a mapping, and maps into the middle of one: where the memory
 * is contiguous, 2 MiB blocks must be split, and the rest of each block stays
 * mapped. The same with scattered memory, where there are no blocks.
 */
#include "panthor_test.h"

#define VA	0x40000000ull
#define SIZE	(8 * PC_1M)

FIXTURE(partial)
{
	struct pc_env env;
	struct pc_bo bo;
	struct pc_bo patch;
	__u64 va;
};

enum blocks { BLOCKS_NONE, BLOCKS_ALL, BLOCKS_PERHAPS };

/*
 * @chunk: bytes of contiguous memory, 0: as it comes. @skew: of va against it.
 * @blocks: what it is mapped with. The driver makes blocks of neighbours, too: half
 * blocks may be some.
 */
FIXTURE_VARIANT(partial)
{
	__u32 chunk;
	__u32 skew;
	enum blocks blocks;
};

FIXTURE_VARIANT_ADD(partial, blocks_of_2m)
{
	.chunk = PC_2M,
	.blocks = BLOCKS_ALL,
};

FIXTURE_VARIANT_ADD(partial, blocks_of_4m)
{
	.chunk = 4 * PC_1M,
	.blocks = BLOCKS_ALL,
};

FIXTURE_VARIANT_ADD(partial, half_blocks)
{
	.chunk = PC_1M,
	.blocks = BLOCKS_PERHAPS,
};

FIXTURE_VARIANT_ADD(partial, scattered)
{
	.chunk = PC_4K,
};

FIXTURE_VARIANT_ADD(partial, as_it_comes)
{
	.chunk = 0,
	.blocks = BLOCKS_PERHAPS,
};

FIXTURE_VARIANT_ADD(partial, blocks_askew)
{
	.chunk = PC_2M,
	.skew = PC_4K,
};

FIXTURE_SETUP(partial)
{
	int fd, err;

	pc_env_setup(_metadata, &self->env);
	fd = self->env.fd;
	if (fd < 0)
		return;

	err = variant->chunk ? pc_bo_create_contig(fd, SIZE, variant->chunk, &self->bo) :
			       pc_bo_create(fd, SIZE, &self->bo);
	if (err == -ENOENT && variant->chunk)
		SKIP(return, "no contiguous memory to be had");

	ASSERT_EQ(0, err);
	ASSERT_EQ(0, pc_bo_create(fd, PC_2M, &self->patch));
	pc_fill(self->bo.map, SIZE, 1);
	pc_fill(self->patch.map, PC_2M, 2);

	self->va = VA + variant->skew;
	ASSERT_EQ(0, pc_space_map(&self->env.space, &self->bo, 0, self->va, SIZE, 0));
}

FIXTURE_TEARDOWN(partial)
{
	pc_env_teardown(_metadata, &self->env);
}

/* Take [@from, @to) away, and see that this and no more is gone. */
static void cut(struct __test_metadata *_metadata, struct pc_space *space, __u64 from, __u64 to)
{
	ASSERT_EQ(0, pc_space_unmap(space, from, to - from));
	pc_expect_space(_metadata, space);
	EXPECT_EQ(0, pc_space_faults(space, from));
	EXPECT_EQ(0, pc_space_faults(space, to - 4));
}

/* How many pages the GPU reads through blocks when it reads one line of each. */
static long long pages_in_blocks(struct __test_metadata *_metadata, struct pc_space *space)
{
	long long before = pc_model_accesses("block");

	pc_expect_space(_metadata, space);
	return pc_model_accesses("block") - before;
}

TEST_F(partial, blocks_where_they_can_be)
{
	struct pc_space *space = &self->env.space;
	bool all = variant->blocks == BLOCKS_ALL;
	long long blocks;

	if (pc_model_accesses("block") == -ENOENT)
		SKIP(return, "no way to see blocks");
	if (variant->blocks == BLOCKS_PERHAPS)
		SKIP(return, "nobody knows whether there are any");

	EXPECT_EQ(all ? SIZE / PC_4K : 0, pages_in_blocks(_metadata, space));

	/*
	 * One of them becomes pages, the others do not. The driver of 6.12 flushes no more
	 * than what it has unmapped: the rest of a cached block may be used on.
	 */
	ASSERT_EQ(0, pc_space_unmap(space, self->va + PC_2M + PC_64K, PC_4K));
	blocks = pages_in_blocks(_metadata, space);
	EXPECT_LE(all ? (SIZE - PC_2M) / PC_4K : 0, blocks);
	EXPECT_GE(all ? SIZE / PC_4K - 1 : 0, blocks);
}

TEST_F(partial, first_page)
{
	cut(_metadata, &self->env.space, self->va, self->va + PC_4K);
}

TEST_F(partial, last_page)
{
	cut(_metadata, &self->env.space, self->va + SIZE - PC_4K, self->va + SIZE);
}

TEST_F(partial, left_half)
{
	cut(_metadata, &self->env.space, self->va, self->va + PC_1M);
}

TEST_F(partial, right_half)
{
	cut(_metadata, &self->env.space, self->va + PC_1M, self->va + PC_2M);
}

TEST_F(partial, page_in_the_middle)
{
	cut(_metadata, &self->env.space, self->va + PC_1M, self->va + PC_1M + PC_4K);
}

TEST_F(partial, all_but_the_ends)
{
	cut(_metadata, &self->env.space, self->va + PC_4K, self->va + SIZE - PC_4K);
}

TEST_F(partial, across_two_blocks)
{
	cut(_metadata, &self->env.space, self->va + PC_1M, self->va + 3 * PC_1M);
}

TEST_F(partial, across_three_blocks)
{
	cut(_metadata, &self->env.space, self->va + PC_2M - PC_4K, self->va + 2 * PC_2M + PC_4K);
}

TEST_F(partial, one_block)
{
	cut(_metadata, &self->env.space, self->va + PC_2M, self->va + 2 * PC_2M);
}

TEST_F(partial, all)
{
	cut(_metadata, &self->env.space, self->va, self->va + SIZE);
}

TEST_F(partial, more_than_all)
{
	cut(_metadata, &self->env.space, self->va - PC_4K, self->va + SIZE + PC_4K);
}

TEST_F(partial, successive_from_the_left)
{
	struct pc_space *space = &self->env.space;
	__u32 i;

	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, pc_space_unmap(space, self->va + i * PC_4K, PC_4K));
	pc_expect_space(_metadata, space);
	cut(_metadata, space, self->va + 16 * PC_4K, self->va + 17 * PC_4K);
}

TEST_F(partial, successive_from_the_right)
{
	struct pc_space *space = &self->env.space;
	__u64 end = self->va + PC_2M;
	__u32 i;

	for (i = 1; i <= 16; i++)
		ASSERT_EQ(0, pc_space_unmap(space, end - i * PC_4K, PC_4K));
	cut(_metadata, space, end - 17 * PC_4K, end - 16 * PC_4K);
}

TEST_F(partial, every_other_page)
{
	struct pc_space *space = &self->env.space;
	__u32 i;

	for (i = 0; i < 512; i += 2)
		ASSERT_EQ(0, pc_space_unmap(space, self->va + i * PC_4K, PC_4K));
	pc_expect_space(_metadata, space);
	for (i = 1; i < 512; i += 2)
		ASSERT_EQ(0, pc_space_unmap(space, self->va + i * PC_4K, PC_4K));
	pc_expect_space(_metadata, space);
	EXPECT_EQ(0, pc_space_faults(space, self->va + PC_4K));
}

TEST_F(partial, halves_of_halves)
{
	struct pc_space *space = &self->env.space;
	__u64 size;

	for (size = PC_2M / 2; size >= PC_4K; size /= 2)
		cut(_metadata, space, self->va + size, self->va + 2 * size);
}

TEST_F(partial, hole_filled_again)
{
	struct pc_space *space = &self->env.space;

	cut(_metadata, space, self->va + PC_1M, self->va + PC_1M + PC_64K);
	ASSERT_EQ(0, pc_space_map(space, &self->bo, PC_1M, self->va + PC_1M, PC_64K, 0));
	pc_expect_space(_metadata, space);

	/* Two halves of a block that are one mapping for nobody but us. */
	ASSERT_EQ(0, pc_space_unmap(space, self->va, PC_2M));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, self->va, PC_2M, 0));
}

TEST_F(partial, patch_in_the_middle)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, pc_space_map(space, &self->patch, PC_4K, self->va + PC_1M, PC_4K, 0));
	pc_expect_space(_metadata, space);
	ASSERT_EQ(0, pc_space_map(space, &self->patch, 0, self->va + 3 * PC_1M, PC_2M, 0));
	pc_expect_space(_metadata, space);
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, self->va, SIZE, 0));
}

TEST_F(partial, block_over_pages)
{
	struct pc_space *space = &self->env.space;
	__u32 i;

	for (i = 0; i < 512; i += 64)
		ASSERT_EQ(0, pc_space_map(space, &self->patch, i * PC_4K, self->va + i * PC_4K,
					  PC_4K, 0));
	pc_expect_space(_metadata, space);
	ASSERT_EQ(0, pc_space_map(space, &self->bo, PC_2M, self->va, PC_2M, 0));
}

TEST_F(partial, pages_over_block)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, pc_space_map(space, &self->patch, 0, self->va, PC_2M, 0));
	pc_expect_space(_metadata, space);
	ASSERT_EQ(0, pc_space_unmap(space, self->va + PC_64K, PC_64K));
}

TEST_F(partial, cut_while_another_mapping_stays)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, self->va + PC_1G, SIZE, 0));
	cut(_metadata, space, self->va + PC_64K, self->va + PC_2M);
	cut(_metadata, space, self->va + PC_1G, self->va + PC_1G + PC_2M + PC_64K);
}

TEST_F(partial, writes_go_to_the_rest)
{
	struct pc_space *space = &self->env.space;
	__u64 word = 0x0123456789abcdefull;

	ASSERT_EQ(0, pc_space_unmap(space, self->va + PC_1M, PC_4K));
	ASSERT_EQ(0, pc_gpu_write(&space->gpu, self->va + PC_1M - 8, &word, 8));
	ASSERT_EQ(0, pc_gpu_write(&space->gpu, self->va + PC_1M + PC_4K, &word, 8));
	EXPECT_EQ(word, ((__u64 *)self->bo.map)[PC_1M / 8 - 1]);
	EXPECT_EQ(word, ((__u64 *)self->bo.map)[(PC_1M + PC_4K) / 8]);
}

TEST_F(partial, array_of_cuts)
{
	struct pc_space *space = &self->env.space;
	struct drm_panthor_vm_bind_op ops[] = {
		pc_op_unmap(self->va + PC_64K, PC_4K),
		pc_op_unmap(self->va + PC_2M + PC_64K, PC_4K),
		pc_op_unmap(self->va + PC_2M - PC_4K, 2 * PC_4K),
		pc_op_map(&self->patch, 0, self->va + 2 * PC_2M, PC_64K, 0),
		pc_op_unmap(self->va + 2 * PC_2M + PC_4K, PC_4K),
	};
	__u32 i;

	ASSERT_EQ(0, pc_bind(space->gpu.fd, space->gpu.vm, ops, PC_COUNT(ops)));
	pc_space_expect(space, &self->patch, 0, ops[3].va, ops[3].size);
	for (i = 0; i < PC_COUNT(ops); i++)
		if (ops[i].flags & DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP)
			pc_space_expect_nothing(space, ops[i].va, ops[i].size);
}

TEST_HARNESS_MAIN
