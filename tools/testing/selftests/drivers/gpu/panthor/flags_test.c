// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Flags of mappings, each proved by a job that tries what they forbid, and what is
 * not mapped at all: the job fails, the group is dead, the memory is as it was, and
 * nobody else notices.
 */
#include "panthor_test.h"

#define VA		0x10000000ull
#define READONLY	DRM_PANTHOR_VM_BIND_OP_MAP_READONLY
#define NOEXEC		DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC
#define UNCACHED	DRM_PANTHOR_VM_BIND_OP_MAP_UNCACHED

/* Enough that nobody takes them for somebody else's. */
#define LINES		4096

FIXTURE(flags)
{
	struct pc_env env;
	struct pc_bo bo;
};

FIXTURE_SETUP(flags)
{
	pc_env_setup(_metadata, &self->env);
	if (self->env.fd < 0)
		return;

	ASSERT_EQ(0, pc_bo_create(self->env.fd, 4 * PC_1M, &self->bo));
	pc_fill(self->bo.map, self->bo.size, 1);
}

FIXTURE_TEARDOWN(flags)
{
	pc_env_teardown(_metadata, &self->env);
}

/* The last job has failed as it does after a fault of the MMU. Start again. */
static void expect_dead(struct __test_metadata *_metadata, struct pc_space *space, int err)
{
	struct pc_gpu *gpu = &space->gpu;
	__u32 state = 0, queues = 0;
	struct pc_cs cs = pc_gpu_cs(gpu);

	pc_provoke_fault();
	EXPECT_EQ(-EINVAL, err);
	EXPECT_EQ(0, pc_group_state(gpu->fd, gpu->group, &state, &queues));
	EXPECT_EQ(DRM_PANTHOR_GROUP_STATE_FATAL_FAULT, state);
	EXPECT_EQ(1, queues);
	EXPECT_EQ(-EINVAL, pc_gpu_submit(gpu, &cs));
	EXPECT_EQ(0, pc_vm_state(gpu->fd, gpu->vm, &state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, state);
	ASSERT_EQ(0, pc_gpu_restart(gpu));
}

static void expect_no_write(struct __test_metadata *_metadata, struct pc_space *space, __u64 va)
{
	__u64 word = ~0ull;

	expect_dead(_metadata, space, pc_gpu_write(&space->gpu, va, &word, sizeof(word)));
}

static void expect_no_read(struct __test_metadata *_metadata, struct pc_space *space, __u64 va)
{
	__u64 word;

	expect_dead(_metadata, space, pc_gpu_read(&space->gpu, va, &word, sizeof(word)));
}

/* Write at @va, and find it at @offset of the buffer. */
static void expect_write(struct __test_metadata *_metadata, struct pc_space *space,
			 const struct pc_bo *bo, __u64 va, __u64 offset)
{
	__u64 word = pc_pattern(77, va);

	EXPECT_EQ(0, pc_gpu_write(&space->gpu, va, &word, sizeof(word)));
	EXPECT_EQ(word, ((__u64 *)bo->map)[offset / 8]);
}

TEST_F(flags, readonly)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_64K, READONLY));
	pc_expect_space(_metadata, space);
	expect_no_write(_metadata, space, VA);
	expect_no_write(_metadata, space, VA + PC_64K - 8);
	EXPECT_EQ(pc_pattern(1, 0), *(__u64 *)self->bo.map);
}

TEST_F(flags, readonly_beside_writable)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_64K, 0));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA + PC_64K, PC_64K, READONLY));
	expect_write(_metadata, space, &self->bo, VA + PC_64K - 8, PC_64K - 8);
	expect_no_write(_metadata, space, VA + PC_64K);
	expect_write(_metadata, space, &self->bo, VA, 0);
}

TEST_F(flags, readonly_from_writable_and_back)
{
	struct pc_space *space = &self->env.space;
	__u32 i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_64K, 0));
		expect_write(_metadata, space, &self->bo, VA + i * 8, i * 8);
		ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_64K, READONLY));
		expect_no_write(_metadata, space, VA + i * 8);
		pc_expect_space(_metadata, space);
	}
}

TEST_F(flags, readonly_block_cut_to_pieces)
{
	struct pc_space *space = &self->env.space;
	struct pc_bo bo;
	int err = pc_bo_create_contig(self->env.fd, PC_2M, PC_2M, &bo);

	if (err == -ENOENT)
		SKIP(return, "no contiguous memory to be had");
	ASSERT_EQ(0, err);
	pc_fill(bo.map, PC_2M, 3);
	ASSERT_EQ(0, pc_space_map(space, &bo, 0, PC_1G, PC_2M, READONLY));
	expect_no_write(_metadata, space, PC_1G + PC_1M);

	/* The rest keeps what it had when the block is split. */
	ASSERT_EQ(0, pc_space_unmap(space, PC_1G + PC_64K, PC_4K));
	expect_no_write(_metadata, space, PC_1G);
	expect_no_write(_metadata, space, PC_1G + PC_1M);
	ASSERT_EQ(0, pc_space_map(space, &bo, PC_1M, PC_1G + PC_1M, PC_4K, 0));
	expect_write(_metadata, space, &bo, PC_1G + PC_1M, PC_1M);
	expect_no_write(_metadata, space, PC_1G + PC_1M + PC_4K);
	expect_no_write(_metadata, space, PC_1G + PC_1M - 8);
}

TEST_F(flags, noexec_holds_streams)
{
	struct pc_space *space = &self->env.space;
	struct pc_gpu gpu;

	/* For shaders only: that of a struct pc_gpu is mapped so as well. */
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_64K, NOEXEC));
	expect_write(_metadata, space, &self->bo, VA, 0);
	ASSERT_EQ(0, pc_gpu_init(&gpu, self->env.fd, space->gpu.vm, VA + PC_1G));
	ASSERT_EQ(0, pc_map(gpu.fd, gpu.vm, &gpu.bo, 0, gpu.va, PC_GPU_SIZE, 0));
	expect_write(_metadata, space, &self->bo, VA + 8, 8);
	pc_gpu_fini(&gpu);
}

TEST_F(flags, noexec_forbids_shaders)
{
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	__u64 *program = self->bo.map;
	__u32 flags;

	if (self->env.errors < 0)
		SKIP(return, "needs a shader that this GPU can run");

	/* The second word of a shader program descriptor says where the code is. */
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_4K, 0));
	program[1] = VA + PC_1M;
	for (flags = 0; flags < 8; flags++) {
		struct pc_cs cs = pc_gpu_cs(gpu);
		int err;

		ASSERT_EQ(0, pc_space_map(space, &self->bo, PC_4K, VA + PC_1M, PC_4K, flags));
		pc_cs_move48(&cs, PC_CS_SHADER_PROGRAM, VA);
		pc_cs_emit(&cs, PC_CS_RUN_COMPUTE, 0);
		err = pc_gpu_run(gpu, &cs);
		if (flags & NOEXEC)
			expect_dead(_metadata, space, err);
		else
			EXPECT_EQ(0, err);
	}
}

TEST_F(flags, uncached)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_64K, UNCACHED));
	expect_write(_metadata, space, &self->bo, VA + PC_4K, PC_4K);
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_64K, 0));
	expect_write(_metadata, space, &self->bo, VA + PC_4K, PC_4K);
}

/* More accesses to memory of this @kind than before, after a read of all @LINES at @va. */
static long long read_lines(struct __test_metadata *_metadata, struct pc_space *space, __u64 va,
			    const char *kind)
{
	long long before = pc_model_accesses(kind);
	static char line[LINES * PC_GPU_LINE];

	EXPECT_EQ(0, pc_gpu_gather(&space->gpu, va, PC_GPU_LINE, LINES, line));
	return pc_model_accesses(kind) - before;
}

TEST_F(flags, uncached_bypasses_caches)
{
	struct pc_space *space = &self->env.space;
	const __u64 cached = VA, uncached = VA + PC_1M;
	long long other;

	if (pc_model_accesses("uncached") == -ENOENT)
		SKIP(return, "no way to see whether an access is cached");

	/* The same memory twice. Fetches of instructions and the firmware are noise. */
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, cached, PC_1M, 0));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, uncached, PC_1M, UNCACHED));
	EXPECT_LE(LINES, read_lines(_metadata, space, uncached, "uncached"));
	EXPECT_GT(LINES / 2, read_lines(_metadata, space, cached, "uncached"));
	other = read_lines(_metadata, space, uncached, "cached");
	EXPECT_LE(other + LINES / 2, read_lines(_metadata, space, cached, "cached"));
}

TEST_F(flags, each_combination)
{
	struct pc_space *space = &self->env.space;
	__u32 flags;

	for (flags = 0; flags < 8; flags++) {
		__u64 va = VA + flags * PC_1M;

		ASSERT_EQ(0, pc_space_map(space, &self->bo, flags * PC_64K, va, PC_64K, flags));
		if (flags & READONLY)
			expect_no_write(_metadata, space, va);
		else
			expect_write(_metadata, space, &self->bo, va, flags * PC_64K);
	}
}

TEST_F(flags, read_of_nothing)
{
	struct pc_space *space = &self->env.space;

	expect_no_read(_metadata, space, VA);
	expect_no_read(_metadata, space, 0);
	expect_no_read(_metadata, space, space->user_va - 8);
}

TEST_F(flags, write_to_nothing)
{
	struct pc_space *space = &self->env.space;

	expect_no_write(_metadata, space, VA);
	expect_no_write(_metadata, space, space->user_va - 8);
}

TEST_F(flags, no_memory_there)
{
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	struct drm_panthor_gpu_info info;
	struct pc_cs cs;
	__u64 bad[2];
	__u32 i;

	/* Just above what the MMU translates, and the top of all. */
	ASSERT_EQ(0, pc_gpu_info(self->env.fd, &info));
	bad[0] = 1ull << DRM_PANTHOR_MMU_VA_BITS(info.mmu_features);
	bad[1] = -64ull;
	for (i = 0; i < PC_COUNT(bad); i++) {
		cs = pc_gpu_cs(gpu);
		pc_cs_move64(&cs, 64, bad[i]);
		pc_cs_load(&cs, 0, 0x3, 64, 0);
		expect_dead(_metadata, space, pc_gpu_run(gpu, &cs));
	}
}

TEST_F(flags, stream_of_nothing)
{
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	struct drm_panthor_sync_op done = pc_signal_op(gpu->syncobj, 0);
	struct drm_panthor_queue_submit job = pc_job(0, VA, 64, &done, 1);

	ASSERT_EQ(0, pc_group_submit(gpu->fd, gpu->group, &job, 1));
	expect_dead(_metadata, space, pc_gpu_wait(gpu));
}

TEST_F(flags, part_of_an_access)
{
	struct pc_space *space = &self->env.space;
	char line[PC_GPU_LINE];

	/* The first half of the line is there, the second is not. */
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_4K, 0));
	expect_dead(_metadata, space,
		    pc_gpu_read(&space->gpu, VA + PC_4K - PC_GPU_LINE / 2, line, sizeof(line)));
}

TEST_F(flags, unmapped_is_gone_at_once)
{
	struct pc_space *space = &self->env.space;
	__u32 i;

	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_1M, 0));
		pc_expect_space(_metadata, space);
		ASSERT_EQ(0, pc_space_unmap(space, VA, PC_1M));
		expect_no_read(_metadata, space, VA + i * PC_64K);
	}
}

TEST_F(flags, mapped_after_a_fault)
{
	struct pc_space *space = &self->env.space;

	expect_no_read(_metadata, space, VA);
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_4K, 0));
	pc_expect_space(_metadata, space);
	expect_no_read(_metadata, space, VA + PC_4K);
	ASSERT_EQ(0, pc_space_map(space, &self->bo, PC_4K, VA + PC_4K, PC_4K, 0));
}

TEST_F(flags, others_go_on)
{
	struct pc_space *space = &self->env.space, other;
	__u64 word, i;

	ASSERT_EQ(0, pc_space_init(&other, self->env.fd));
	ASSERT_EQ(0, pc_space_map(&other, &self->bo, 0, VA, PC_64K, 0));

	for (i = 0; i < 8; i++) {
		struct pc_cs cs = pc_gpu_cs(&other.gpu);

		/* A job of the other VM is under way while ours fails. */
		pc_cs_move32(&cs, 0, 20000);
		pc_cs_add_imm32(&cs, 0, 0, -1);
		pc_cs_branch(&cs, 1, PC_CS_NEQUAL, 0);
		ASSERT_EQ(0, pc_gpu_submit(&other.gpu, &cs));
		expect_no_read(_metadata, space, VA);
		ASSERT_EQ(0, pc_gpu_wait(&other.gpu));
		ASSERT_EQ(0, pc_gpu_read(&other.gpu, VA + i * 8, &word, sizeof(word)));
		ASSERT_EQ(pc_pattern(1, i * 8), word);
	}

	pc_expect_space(_metadata, &other);
	pc_space_fini(&other);
}

TEST_F(flags, bind_after_a_fault_without_a_job)
{
	struct pc_space *space = &self->env.space;
	__u64 word;

	/* The address space is off when these come. */
	pc_provoke_fault();
	EXPECT_EQ(-EINVAL, pc_gpu_read(&space->gpu, VA, &word, sizeof(word)));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_1M, 0));
	ASSERT_EQ(0, pc_space_unmap(space, VA + PC_64K, PC_64K));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA + PC_64K, PC_4K, 0));
	ASSERT_EQ(0, pc_gpu_restart(&space->gpu));
}

TEST_F(flags, buffer_gone_from_both)
{
	struct pc_space *space = &self->env.space;
	struct pc_bo bo;

	ASSERT_EQ(0, pc_bo_create(self->env.fd, PC_1M, &bo));
	ASSERT_EQ(0, pc_space_map(space, &bo, 0, VA, PC_1M, 0));
	ASSERT_EQ(0, pc_space_unmap(space, VA, PC_1M));
	pc_bo_destroy(&bo);
	expect_no_write(_metadata, space, VA);
}

TEST_HARNESS_MAIN
