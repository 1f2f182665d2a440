// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * VMs, and synchronous VM_BIND: what is mapped is seen, what is not faults, and a
 * call that fails says how far it came. Partial unmaps are a subject of their own:
 * vm_bind_partial_test.c.
 */
#include "panthor_test.h"

#define VA		0x10000000ull
#define VMS_PER_FILE	32

FIXTURE(vm_bind)
{
	struct pc_env env;
	struct pc_bo bo;
};

FIXTURE_SETUP(vm_bind)
{
	pc_env_setup(_metadata, &self->env);
	if (self->env.fd < 0)
		return;

	ASSERT_EQ(0, pc_bo_create(self->env.fd, 4 * PC_1M, &self->bo));
	pc_fill(self->bo.map, self->bo.size, 1);
}

FIXTURE_TEARDOWN(vm_bind)
{
	pc_env_teardown(_metadata, &self->env);
}

TEST_F(vm_bind, vm_create_destroy)
{
	int fd = self->env.fd;
	__u32 vm, state = ~0;

	ASSERT_EQ(0, pc_vm_create(fd, NULL, &vm));
	EXPECT_EQ(0, pc_vm_state(fd, vm, &state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, state);
	EXPECT_EQ(0, pc_vm_destroy(fd, vm));
	EXPECT_EQ(-EINVAL, pc_vm_state(fd, vm, &state));
	EXPECT_EQ(-EINVAL, pc_vm_destroy(fd, vm));
	EXPECT_EQ(-EINVAL, pc_map(fd, vm, &self->bo, 0, VA, PC_4K, 0));
}

TEST_F(vm_bind, vm_limit)
{
	int fd = self->env.fd, other;
	__u32 vm[VMS_PER_FILE], last, i;

	/* The fixture has one. */
	for (i = 1; i < VMS_PER_FILE; i++)
		ASSERT_EQ(0, pc_vm_create(fd, NULL, &vm[i]));
	EXPECT_EQ(-EBUSY, pc_vm_create(fd, NULL, &last));

	other = pc_open();
	ASSERT_LE(0, other);
	EXPECT_EQ(0, pc_vm_create(other, NULL, &last));
	close(other);

	EXPECT_EQ(0, pc_vm_destroy(fd, vm[1]));
	EXPECT_EQ(0, pc_vm_create(fd, NULL, &vm[1]));
	for (i = 1; i < VMS_PER_FILE; i++)
		EXPECT_EQ(0, pc_vm_destroy(fd, vm[i]));
}

TEST_F(vm_bind, user_va_range)
{
	struct drm_panthor_gpu_info info;
	int fd = self->env.fd;
	__u64 full, range;
	__u32 vm, i;

	ASSERT_EQ(0, pc_gpu_info(fd, &info));
	full = 1ull << DRM_PANTHOR_MMU_VA_BITS(info.mmu_features);

	const struct {
		__u64 wish, got;
		int err;
	} cases[] = {
		{ 1, full / 2, 0 },
		{ full / 4, full / 2, 0 },
		{ full / 2, full / 2, 0 },
		{ full / 2 + 1, full / 4 * 3, 0 },
		{ full - 512 * PC_1M, full - 512 * PC_1M, 0 },
		{ full - 256 * PC_1M, full - 256 * PC_1M, 0 },
		{ full - 256 * PC_1M + 1, 0, -EINVAL },
		{ full, 0, -EINVAL },
		{ ~0ull, 0, -EINVAL },
	};

	for (i = 0; i < PC_COUNT(cases); i++) {
		range = cases[i].wish;
		ASSERT_EQ(cases[i].err, pc_vm_create(fd, &range, &vm)) {
			TH_LOG("case %u", i);
		}
		if (cases[i].err)
			continue;
		EXPECT_EQ(cases[i].got, range);
		EXPECT_EQ(0, pc_vm_destroy(fd, vm));
	}

	/* The driver's own choice leaves the kernel at least as much. */
	range = 0;
	ASSERT_EQ(0, pc_vm_create(fd, &range, &vm));
	EXPECT_LT(0, range);
	EXPECT_GE(full - 256 * PC_1M, range);
	EXPECT_EQ(0, pc_vm_destroy(fd, vm));
}

TEST_F(vm_bind, read_and_write)
{
	struct pc_space *space = &self->env.space;
	__u64 in[64], out[64];
	__u32 i;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, PC_64K, VA, PC_64K, 0));
	ASSERT_EQ(0, pc_gpu_read(&space->gpu, VA + PC_4K, in, sizeof(in)));
	EXPECT_EQ(0, memcmp(in, (char *)self->bo.map + PC_64K + PC_4K, sizeof(in)));

	for (i = 0; i < PC_COUNT(out); i++)
		out[i] = pc_pattern(99, i);
	ASSERT_EQ(0, pc_gpu_write(&space->gpu, VA + 2 * PC_4K, out, sizeof(out)));
	EXPECT_EQ(0, memcmp(out, (char *)self->bo.map + PC_64K + 2 * PC_4K, sizeof(out)));
}

TEST_F(vm_bind, whole_buffer_byte_for_byte)
{
	struct pc_space *space = &self->env.space;
	char *copy = malloc(self->bo.size);

	ASSERT_TRUE(copy);
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, self->bo.size, 0));
	ASSERT_EQ(0, pc_gpu_read(&space->gpu, VA, copy, self->bo.size));
	EXPECT_EQ(0, memcmp(copy, self->bo.map, self->bo.size));
	free(copy);
}

TEST_F(vm_bind, pages_in_reverse)
{
	__u32 i;

	for (i = 0; i < 64; i++)
		ASSERT_EQ(0, pc_space_map(&self->env.space, &self->bo, (63 - i) * PC_4K,
					  VA + i * PC_4K, PC_4K, 0));
}

TEST_F(vm_bind, edges_fault)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_64K, 0));
	EXPECT_EQ(0, pc_space_faults(space, VA - 4));
	EXPECT_EQ(0, pc_space_faults(space, VA + PC_64K));
	ASSERT_EQ(0, pc_space_unmap(space, VA, PC_4K));
	EXPECT_EQ(0, pc_space_faults(space, VA));
	ASSERT_EQ(0, pc_space_unmap(space, VA + PC_64K - PC_4K, PC_4K));
	EXPECT_EQ(0, pc_space_faults(space, VA + PC_64K - PC_4K));
}

TEST_F(vm_bind, array)
{
	struct pc_space *space = &self->env.space;
	struct drm_panthor_vm_bind_op ops[] = {
		pc_op_map(&self->bo, 0, VA, PC_1M, 0),
		pc_op_map(&self->bo, PC_1M, VA + PC_1M, PC_1M, 0),
		pc_op_unmap(VA + PC_64K, PC_64K),
		pc_op_map(&self->bo, 3 * PC_1M, VA + PC_64K, PC_4K, 0),
	};

	ASSERT_EQ(0, pc_bind(space->gpu.fd, space->gpu.vm, ops, PC_COUNT(ops)));
	pc_space_expect(space, &self->bo, 0, VA, 2 * PC_1M);
	pc_space_expect_nothing(space, VA + PC_64K, PC_64K);
	pc_space_expect(space, &self->bo, 3 * PC_1M, VA + PC_64K, PC_4K);
	EXPECT_EQ(0, pc_space_faults(space, VA + PC_64K + PC_4K));
}

TEST_F(vm_bind, array_stops_at_failure)
{
	struct pc_space *space = &self->env.space;
	struct drm_panthor_vm_bind_op ops[] = {
		pc_op_map(&self->bo, 0, VA, PC_64K, 0),
		pc_op_map(&self->bo, PC_64K, VA + PC_64K, PC_64K, 0),
		pc_op_map(&self->bo, 0, VA + 2 * PC_64K + 1, PC_64K, 0),
		pc_op_map(&self->bo, 0, VA + 3 * PC_64K, PC_64K, 0),
	};
	__u32 count = PC_COUNT(ops), state;

	EXPECT_EQ(-EINVAL, pc_vm_bind(space->gpu.fd, space->gpu.vm, 0, ops, &count));
	EXPECT_EQ(2, count);
	pc_space_expect(space, &self->bo, 0, VA, 2 * PC_64K);
	EXPECT_EQ(0, pc_space_faults(space, VA + 2 * PC_64K));
	EXPECT_EQ(0, pc_space_faults(space, VA + 3 * PC_64K));

	/* A synchronous failure leaves the VM usable. */
	EXPECT_EQ(0, pc_vm_state(space->gpu.fd, space->gpu.vm, &state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, state);
}

TEST_F(vm_bind, array_of_nothing)
{
	struct pc_space *space = &self->env.space;
	struct drm_panthor_vm_bind_op op = pc_op_map(&self->bo, 0, VA, 0, 0);
	__u32 count = 0;

	EXPECT_EQ(0, pc_vm_bind(space->gpu.fd, space->gpu.vm, 0, NULL, &count));
	EXPECT_EQ(0, pc_bind(space->gpu.fd, space->gpu.vm, &op, 1));
	EXPECT_EQ(0, pc_space_faults(space, VA));
}

TEST_F(vm_bind, top_of_user_space)
{
	struct pc_space *space = &self->env.space;
	__u64 end = space->user_va;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, end - PC_4K, PC_4K, 0));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, end - 4 * PC_1M, 2 * PC_1M, 0));
	EXPECT_EQ(0, pc_space_faults(space, end - PC_4K - 4));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, end - 4 * PC_1M, 4 * PC_1M, 0));
}

TEST_F(vm_bind, top_of_a_large_user_space)
{
	struct drm_panthor_gpu_info info;
	int fd = self->env.fd;
	struct pc_gpu gpu;
	__u64 range, word;
	__u32 vm;

	ASSERT_EQ(0, pc_gpu_info(fd, &info));
	range = (1ull << DRM_PANTHOR_MMU_VA_BITS(info.mmu_features)) - 256 * PC_1M;
	ASSERT_EQ(0, pc_vm_create(fd, &range, &vm));
	ASSERT_EQ(0, pc_gpu_init(&gpu, fd, vm, range - PC_GPU_SIZE));
	ASSERT_EQ(0, pc_map(fd, vm, &self->bo, PC_4K, 0, PC_4K, 0));
	EXPECT_EQ(0, pc_gpu_read(&gpu, 0, &word, sizeof(word)));
	EXPECT_EQ(pc_pattern(1, PC_4K), word);
	pc_gpu_fini(&gpu);
	EXPECT_EQ(0, pc_vm_destroy(fd, vm));
}

TEST_F(vm_bind, kernel_part_is_refused)
{
	struct pc_space *space = &self->env.space;
	__u64 end = space->user_va;

	EXPECT_EQ(-EINVAL, pc_space_map(space, &self->bo, 0, end, PC_4K, 0));
	EXPECT_EQ(-EINVAL, pc_space_map(space, &self->bo, 0, end - PC_4K, 2 * PC_4K, 0));
	EXPECT_EQ(-EINVAL, pc_space_unmap(space, end, PC_4K));
	EXPECT_EQ(-EINVAL, pc_space_unmap(space, 0, end + PC_4K));
	EXPECT_EQ(-EINVAL, pc_space_unmap(space, 0, ~0ull & ~(PC_4K - 1)));
	EXPECT_EQ(-EINVAL, pc_space_map(space, &self->bo, 0, -PC_4K, 2 * PC_4K, 0));
	EXPECT_EQ(0, pc_space_faults(space, end - PC_4K));
}

TEST_F(vm_bind, address_zero)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, PC_64K, 0, PC_64K, 0));
	pc_expect_space(_metadata, space);
	ASSERT_EQ(0, pc_space_unmap(space, 0, PC_64K));
	EXPECT_EQ(0, pc_space_faults(space, 0));
}

TEST_F(vm_bind, two_vms_share)
{
	struct pc_space *space = &self->env.space, other;
	__u64 word = 0x1122334455667788ull, back;

	ASSERT_EQ(0, pc_space_init(&other, self->env.fd));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_1M, 0));
	ASSERT_EQ(0, pc_space_map(&other, &self->bo, 0, VA + PC_64K, PC_1M, 0));

	ASSERT_EQ(0, pc_gpu_write(&space->gpu, VA + PC_4K, &word, sizeof(word)));
	ASSERT_EQ(0, pc_gpu_read(&other.gpu, VA + PC_64K + PC_4K, &back, sizeof(back)));
	EXPECT_EQ(word, back);

	/* Gone from one, still in the other. */
	ASSERT_EQ(0, pc_space_unmap(&other, VA + PC_64K, PC_1M));
	EXPECT_EQ(0, pc_space_faults(&other, VA + PC_64K));
	pc_space_fini(&other);
}

TEST_F(vm_bind, twice_in_one_vm)
{
	struct pc_space *space = &self->env.space;
	__u64 word = 0x8877665544332211ull, back;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_1M, 0));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA + PC_1G, PC_1M, 0));
	ASSERT_EQ(0, pc_gpu_write(&space->gpu, VA + PC_4K, &word, sizeof(word)));
	ASSERT_EQ(0, pc_gpu_read(&space->gpu, VA + PC_1G + PC_4K, &back, sizeof(back)));
	EXPECT_EQ(word, back);
	ASSERT_EQ(0, pc_space_unmap(space, VA, PC_1M));
}

TEST_F(vm_bind, map_over_mapped)
{
	struct pc_space *space = &self->env.space;
	struct pc_bo bo;

	ASSERT_EQ(0, pc_bo_create(self->env.fd, PC_1M, &bo));
	pc_fill(bo.map, bo.size, 2);

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, 4 * PC_1M, 0));
	ASSERT_EQ(0, pc_space_map(space, &bo, 0, VA + PC_1M + PC_4K, PC_64K, 0));
	pc_expect_space(_metadata, space);
	ASSERT_EQ(0, pc_space_map(space, &bo, PC_64K, VA, PC_4K, 0));
	ASSERT_EQ(0, pc_space_map(space, &bo, PC_64K, VA + 4 * PC_1M - PC_4K, PC_4K, 0));
	pc_expect_space(_metadata, space);

	/* The same again, and over all of the above. */
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, 4 * PC_1M, 0));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, 4 * PC_1M, 0));
}

TEST_F(vm_bind, remap_is_seen_at_once)
{
	struct pc_space *space = &self->env.space;
	__u64 word;
	__u32 i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, pc_space_map(space, &self->bo, i * PC_4K, VA, PC_4K, 0));
		ASSERT_EQ(0, pc_gpu_read(&space->gpu, VA, &word, sizeof(word)));
		ASSERT_EQ(pc_pattern(1, i * PC_4K), word);
	}
}

TEST_F(vm_bind, unmap_of_holes)
{
	struct pc_space *space = &self->env.space;

	EXPECT_EQ(0, pc_space_unmap(space, VA, PC_1G));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_64K, 0));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA + PC_1M, PC_64K, 0));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA + 8 * PC_1M, PC_64K, 0));
	EXPECT_EQ(0, pc_space_unmap(space, VA + PC_4K, PC_1M));
	EXPECT_EQ(0, pc_space_unmap(space, VA + PC_4K, PC_1M));
	EXPECT_EQ(0, pc_space_faults(space, VA + PC_4K));
	EXPECT_EQ(0, pc_space_faults(space, VA + PC_1M));
}

TEST_F(vm_bind, unmap_everything)
{
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	__u32 vm = gpu->vm;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_1M, 0));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, space->user_va - PC_1M, PC_1M, 0));
	EXPECT_EQ(0, pc_space_unmap(space, 0, space->user_va));

	/* What belongs to the kernel stays: the group still runs. */
	ASSERT_EQ(0, pc_map(gpu->fd, vm, &gpu->bo, 0, gpu->va, PC_GPU_SIZE, 0));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_4K, 0));
	EXPECT_EQ(0, pc_space_faults(space, VA + PC_4K));
}

TEST_F(vm_bind, spread_pages)
{
	struct pc_space *space = &self->env.space;
	__u64 va[40];
	__u32 i;

	for (i = 0; i < PC_COUNT(va); i++) {
		va[i] = i < 20 ? i * PC_1G : (i - 19) * 512 * PC_1G;
		va[i] += i * PC_2M + i * PC_4K;
		ASSERT_GT(space->user_va, va[i]);
		ASSERT_EQ(0, pc_space_map(space, &self->bo, i * PC_4K, va[i], PC_4K, 0));
	}
	pc_expect_space(_metadata, space);
	for (i = 0; i < PC_COUNT(va); i += 2)
		ASSERT_EQ(0, pc_space_unmap(space, va[i], PC_4K));
}

TEST_F(vm_bind, large_buffer)
{
	struct pc_space *space = &self->env.space;
	struct pc_bo bo;

	ASSERT_EQ(0, pc_bo_create(self->env.fd, 32 * PC_1M, &bo));
	pc_fill(bo.map, bo.size, 3);
	ASSERT_EQ(0, pc_space_map(space, &bo, 0, PC_1G - 16 * PC_1M, bo.size, 0));
	ASSERT_EQ(0, pc_space_unmap(space, PC_1G - PC_1M, 2 * PC_1M));
}

TEST_F(vm_bind, buffer_of_another_file)
{
	struct pc_space *space = &self->env.space;
	int other = pc_open(), dmabuf;
	struct pc_bo bo, import;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, pc_bo_create(other, PC_1M, &bo));
	pc_fill(bo.map, bo.size, 4);
	ASSERT_EQ(0, pc_bo_export(&bo, &dmabuf));
	ASSERT_EQ(0, pc_bo_import(self->env.fd, dmabuf, &import));
	close(dmabuf);
	pc_bo_destroy(&bo);
	close(other);

	EXPECT_EQ(PC_1M, import.size);
	EXPECT_EQ(pc_pattern(4, PC_4K), ((__u64 *)import.map)[PC_4K / 8]);
	ASSERT_EQ(0, pc_space_map(space, &import, 0, VA, PC_1M, 0));
}

TEST_F(vm_bind, exclusive_buffer)
{
	struct pc_space *space = &self->env.space, other;
	struct pc_bo bo;
	int dmabuf;

	ASSERT_EQ(0, pc_space_init(&other, self->env.fd));
	ASSERT_EQ(0, pc_bo_create_exclusive(self->env.fd, PC_1M, space->gpu.vm, &bo));
	pc_fill(bo.map, bo.size, 5);

	EXPECT_EQ(0, pc_space_map(space, &bo, 0, VA, PC_1M, 0));
	EXPECT_EQ(-EINVAL, pc_space_map(&other, &bo, 0, VA, PC_1M, 0));
	EXPECT_EQ(-EINVAL, pc_bo_export(&bo, &dmabuf));
	EXPECT_EQ(0, pc_space_faults(&other, VA));
	pc_space_fini(&other);
}

TEST_F(vm_bind, handle_closed_while_mapped)
{
	struct pc_space *space = &self->env.space;
	struct pc_bo bo;

	ASSERT_EQ(0, pc_bo_create(self->env.fd, PC_1M, &bo));
	pc_fill(bo.map, bo.size, 6);
	ASSERT_EQ(0, pc_space_map(space, &bo, 0, VA, PC_1M, 0));
	ASSERT_EQ(0, pc_gem_close(self->env.fd, bo.handle));
	EXPECT_EQ(-EINVAL, pc_space_map(space, &bo, 0, VA + PC_1M, PC_4K, 0));
	pc_expect_space(_metadata, space);
	ASSERT_EQ(0, pc_space_unmap(space, VA + PC_4K, PC_4K));
}

TEST_F(vm_bind, vm_destroyed_with_mappings)
{
	struct pc_space other;
	__u32 i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pc_space_init(&other, self->env.fd));
		ASSERT_EQ(0, pc_space_map(&other, &self->bo, 0, VA + i * PC_4K, 4 * PC_1M, 0));
		pc_expect_space(_metadata, &other);
		pc_space_fini(&other);
	}
}

TEST_HARNESS_MAIN
