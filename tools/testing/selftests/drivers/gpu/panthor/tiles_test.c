// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Sparse resources: a thousand tiles of 64 KiB, bound by one ioctl at rising offsets of one
 * large buffer, in an order that does not let neighbours become one mapping.
 */
#include "panthor_test.h"

#define VA		0x40000000ull
#define TILES		1000u
#define TILE		PC_64K

/* DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE, which is not in the headers of 6.12. */
#define SPARSE		(DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC | 0x8u)

FIXTURE(tiles)
{
	struct pc_env env;
	struct pc_bo bo;
};

FIXTURE_SETUP(tiles)
{
	pc_env_setup(_metadata, &self->env);
	if (self->env.fd < 0)
		return;
	ASSERT_EQ(0, pc_bo_create(self->env.fd, TILES * TILE, &self->bo));
	pc_fill(self->bo.map, self->bo.size, 1);
}

FIXTURE_TEARDOWN(tiles)
{
	pc_env_teardown(_metadata, &self->env);
}

/*
 * The tile of the buffer that place @nr of the resource has. Neighbours in
 * the resource are not neighbours in the buffer.
 */
static __u32 tile_at(__u32 nr)
{
	return (nr * 7 + 3) % TILES;
}

static int bind_tiles(struct pc_gpu *gpu, const struct pc_bo *bo, bool map)
{
	static struct drm_panthor_vm_bind_op ops[TILES];
	__u32 i;

	for (i = 0; i < TILES; i++)
		if (map)
			ops[tile_at(i)] = pc_op_map(bo, tile_at(i) * TILE, VA + i * TILE, TILE,
						    DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC);
		else
			ops[i] = pc_op_unmap(VA + i * TILE, TILE);
	return pc_bind(gpu->fd, gpu->vm, ops, TILES);
}

/* The first line of each tile, and the last page of some. */
static void expect_tiles(struct __test_metadata *_metadata, struct pc_gpu *gpu)
{
	static char lines[TILES * PC_GPU_LINE];
	__u64 word;
	__u32 i;

	ASSERT_EQ(0, pc_gpu_gather(gpu, VA, TILE, TILES, lines));
	for (i = 0; i < TILES; i++) {
		memcpy(&word, lines + i * PC_GPU_LINE, sizeof(word));
		ASSERT_EQ(pc_pattern(1, tile_at(i) * TILE), word);
	}
	for (i = 0; i < TILES; i += 37) {
		ASSERT_EQ(0, pc_gpu_read(gpu, VA + i * TILE + TILE - 8, &word, sizeof(word)));
		ASSERT_EQ(pc_pattern(1, tile_at(i) * TILE + TILE - 8), word);
	}
}

TEST_F(tiles, of_one_buffer)
{
	struct pc_space *space = &self->env.space;
	int round;

	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, bind_tiles(&space->gpu, &self->bo, true));
		expect_tiles(_metadata, &space->gpu);
		ASSERT_EQ(0, bind_tiles(&space->gpu, &self->bo, false));
		EXPECT_EQ(0, pc_space_faults(space, VA));
		EXPECT_EQ(0, pc_space_faults(space, VA + (TILES - 1) * TILE));
	}
}

/* The same over sparse memory, which is there again after them. */
TEST_F(tiles, over_sparse_memory)
{
	static const struct pc_bo none;
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	static char lines[TILES * PC_GPU_LINE];
	int err, round;
	__u32 i;

	err = pc_map(gpu->fd, gpu->vm, &none, 0, VA, TILES * TILE, SPARSE);
	if (err == -EINVAL)
		SKIP(return, "the driver has no sparse mappings");
	ASSERT_EQ(0, err);
	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, bind_tiles(gpu, &self->bo, true));
		expect_tiles(_metadata, gpu);
		ASSERT_EQ(0, pc_map(gpu->fd, gpu->vm, &none, 0, VA, TILES * TILE, SPARSE));
		ASSERT_EQ(0, pc_gpu_gather(gpu, VA, TILE, TILES, lines));
		for (i = 0; i < TILES; i++)
			ASSERT_NE(pc_pattern(1, tile_at(i) * TILE),
				  *(__u64 *)(lines + i * PC_GPU_LINE));
	}
	ASSERT_EQ(0, pc_unmap(gpu->fd, gpu->vm, VA, TILES * TILE));
	EXPECT_EQ(0, pc_space_faults(space, VA + TILES / 2 * TILE));
}

static void bind_forever(int fd, int ready)
{
	static struct pc_space space;
	struct pc_bo bo;

	if (pc_space_init(&space, fd) || pc_bo_create(fd, TILES * TILE, &bo))
		return;
	pc_ready(ready);
	while (!bind_tiles(&space.gpu, &bo, true) && !bind_tiles(&space.gpu, &bo, false))
		;
}

TEST_F(tiles, client_killed)
{
	struct pc_gpu *gpu = &self->env.space.gpu;

	ASSERT_EQ(0, bind_tiles(gpu, &self->bo, true));
	pc_kill_clients(_metadata, bind_forever);
	expect_tiles(_metadata, gpu);
	ASSERT_EQ(0, bind_tiles(gpu, &self->bo, false));
}

TEST_HARNESS_MAIN
