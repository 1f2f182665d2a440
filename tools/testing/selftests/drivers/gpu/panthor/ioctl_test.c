// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Nonsense to the ioctls of the device, VMs, buffers and VM_BIND: each mistake has
 * its errno, changes nothing, and a good call afterwards works. Groups are in
 * ioctl_group_test.c.
 *
 * Not here is what the driver of 6.12 does not survive, or complains about: to signal
 * a sync object that does not exist (it follows a NULL pointer), and counts of objects
 * whose array would have more than 2 GiB (a warning, and -ENOMEM).
 */
#include "panthor_test.h"

#define VA		0x10000000ull
#define MAP		DRM_PANTHOR_VM_BIND_OP_TYPE_MAP
#define UNMAP		DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP
#define SYNC_ONLY	DRM_PANTHOR_VM_BIND_OP_TYPE_SYNC_ONLY
#define ASYNC		DRM_PANTHOR_VM_BIND_ASYNC

/* An address that no process has. */
#define BAD_POINTER	0xffff8000deadb000ull
#define BAD_HANDLE	0x7fffffffu

FIXTURE(ioctl)
{
	struct pc_env env;
	struct pc_bo bo;
};

FIXTURE_SETUP(ioctl)
{
	pc_env_setup(_metadata, &self->env);
	if (self->env.fd < 0)
		return;

	ASSERT_EQ(0, pc_bo_create(self->env.fd, PC_1M, &self->bo));
	pc_fill(self->bo.map, self->bo.size, 1);
	ASSERT_EQ(0, pc_space_map(&self->env.space, &self->bo, 0, VA, PC_64K, 0));
}

FIXTURE_TEARDOWN(ioctl)
{
	struct pc_space *space = &self->env.space;

	EXPECT_EQ(0, pc_space_map(space, &self->bo, PC_64K, VA + PC_1M, PC_64K, 0));
	pc_env_teardown(_metadata, &self->env);
}

TEST_F(ioctl, unknown_numbers)
{
	struct drm_panthor_vm_get_state args = {};
	int fd = self->env.fd;

	EXPECT_EQ(-EINVAL, pc_ioctl(fd, DRM_IOWR(DRM_COMMAND_BASE + 0x50,
						 struct drm_panthor_vm_get_state), &args));
	EXPECT_EQ(-ENOTTY, pc_ioctl(fd, _IOWR('p', DRM_COMMAND_BASE,
					      struct drm_panthor_vm_get_state), &args));
	EXPECT_EQ(-EFAULT, pc_ioctl(fd, DRM_IOCTL_PANTHOR_VM_GET_STATE, NULL));
	EXPECT_EQ(-EFAULT, pc_ioctl(fd, DRM_IOCTL_PANTHOR_VM_BIND, (void *)BAD_POINTER));
}

TEST_F(ioctl, older_and_newer_structures)
{
	struct {
		struct drm_panthor_vm_get_state args;
		__u64 more[4];
	} big = { .args.vm_id = self->env.space.gpu.vm, .more = { 1, 2, 3, 4 } };
	int fd = self->env.fd;

	/* Only the VM's id: the state has no room to come back to. */
	big.args.state = 77;
	EXPECT_EQ(0, pc_ioctl(fd, DRM_IOWR(DRM_COMMAND_BASE + DRM_PANTHOR_VM_GET_STATE, __u32),
			      &big));
	EXPECT_EQ(77, big.args.state);
	EXPECT_EQ(0, pc_ioctl(fd, DRM_IOWR(DRM_COMMAND_BASE + DRM_PANTHOR_VM_GET_STATE,
					   typeof(big)), &big));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, big.args.state);
}

TEST_F(ioctl, dev_query)
{
	struct drm_panthor_gpu_info info;
	struct drm_panthor_csif_info csif;
	__u32 min = offsetof(struct drm_panthor_gpu_info, tiler_present) + 8, size;
	char big[sizeof(info) + 64];
	int fd = self->env.fd;

	size = 0;
	EXPECT_EQ(0, pc_dev_query(fd, DRM_PANTHOR_DEV_QUERY_GPU_INFO, NULL, &size));
	EXPECT_LE(min, size);
	size = ~0;
	EXPECT_EQ(0, pc_dev_query(fd, DRM_PANTHOR_DEV_QUERY_CSIF_INFO, NULL, &size));
	EXPECT_EQ(sizeof(csif), size);

	size = sizeof(big);
	EXPECT_EQ(-EINVAL, pc_dev_query(fd, 0xffff, NULL, &size));
	EXPECT_EQ(-EINVAL, pc_dev_query(fd, 0xffff, big, &size));
	size = 0;
	EXPECT_EQ(-EINVAL, pc_dev_query(fd, DRM_PANTHOR_DEV_QUERY_GPU_INFO, big, &size));
	size = min - 1;
	EXPECT_EQ(-EINVAL, pc_dev_query(fd, DRM_PANTHOR_DEV_QUERY_GPU_INFO, big, &size));
	size = sizeof(info);
	EXPECT_EQ(-EFAULT, pc_dev_query(fd, DRM_PANTHOR_DEV_QUERY_GPU_INFO, (void *)BAD_POINTER,
					&size));

	/* What is too short is cut, what is too long is filled with zeroes. */
	memset(big, 0x55, sizeof(big));
	size = min;
	EXPECT_EQ(0, pc_dev_query(fd, DRM_PANTHOR_DEV_QUERY_GPU_INFO, big, &size));
	EXPECT_EQ(0x55, big[min]);
	memset(big, 0x55, sizeof(big));
	size = sizeof(big);
	EXPECT_EQ(0, pc_dev_query(fd, DRM_PANTHOR_DEV_QUERY_GPU_INFO, big, &size));
	EXPECT_EQ(0, big[sizeof(big) - 1]);

	ASSERT_EQ(0, pc_gpu_info(fd, &info));
	EXPECT_EQ(0, memcmp(&info, big, sizeof(info)));
	EXPECT_NE(0, info.gpu_id);
	EXPECT_NE(0, info.shader_present);
	ASSERT_EQ(0, pc_csif_info(fd, &csif));
	EXPECT_LT(0, csif.csg_slot_count);
	EXPECT_LT(0, csif.cs_slot_count);
	EXPECT_EQ(0, csif.pad);
}

TEST_F(ioctl, timestamp)
{
	/* What the first kernels that have it fill; DRM_PANTHOR_DEV_QUERY_TIMESTAMP_INFO. */
	struct {
		__u64 frequency, current, offset;
	} info[2] = {};
	__u32 size = sizeof(info[0]);
	int fd = self->env.fd;

	if (pc_dev_query(fd, 2, NULL, &size) == -EINVAL)
		SKIP(return, "the driver does not tell the time");

	size = sizeof(info[0]);
	ASSERT_EQ(0, pc_dev_query(fd, 2, &info[0], &size));
	ASSERT_EQ(0, pc_dev_query(fd, 2, &info[1], &size));
	EXPECT_LT(info[0].current, info[1].current);
	EXPECT_EQ(info[0].offset, info[1].offset);
}

TEST_F(ioctl, vm)
{
	struct drm_panthor_vm_create create = { .flags = 1 };
	struct drm_panthor_vm_destroy destroy = { .id = self->env.space.gpu.vm, .pad = 1 };
	struct drm_panthor_vm_get_state state = { .vm_id = BAD_HANDLE };
	int fd = self->env.fd;

	EXPECT_EQ(-EINVAL, pc_ioctl(fd, DRM_IOCTL_PANTHOR_VM_CREATE, &create));
	create.flags = 1u << 31;
	EXPECT_EQ(-EINVAL, pc_ioctl(fd, DRM_IOCTL_PANTHOR_VM_CREATE, &create));
	EXPECT_EQ(-EINVAL, pc_ioctl(fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &destroy));
	EXPECT_EQ(-EINVAL, pc_vm_destroy(fd, 0));
	EXPECT_EQ(-EINVAL, pc_vm_destroy(fd, BAD_HANDLE));
	EXPECT_EQ(-EINVAL, pc_vm_destroy(fd, ~0u));
	EXPECT_EQ(-EINVAL, pc_ioctl(fd, DRM_IOCTL_PANTHOR_VM_GET_STATE, &state));
}

TEST_F(ioctl, bo)
{
	const struct {
		struct drm_panthor_bo_create args;
		int err;
	} cases[] = {
		{ { .size = 0 }, -EINVAL },
		{ { .size = PC_4K, .flags = 1 << 20 }, -EINVAL },
		{ { .size = PC_4K, .flags = 1u << 31 }, -EINVAL },
		{ { .size = PC_4K, .pad = 1 }, -EINVAL },
		{ { .size = PC_4K, .exclusive_vm_id = BAD_HANDLE }, -EINVAL },
		{ { .size = 1ull << 63 }, -EINVAL },
		{ { .size = 1ull << 62 }, -ENOSPC },
		{ { .size = ~0ull }, -ENOSPC },
	};
	struct drm_panthor_bo_mmap_offset offset = { .handle = self->bo.handle, .pad = 1 };
	int fd = self->env.fd;
	__u64 size = 1, where;
	__u32 handle, i;

	for (i = 0; i < PC_COUNT(cases); i++) {
		struct drm_panthor_bo_create args = cases[i].args;

		EXPECT_EQ(cases[i].err, pc_ioctl(fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args)) {
			TH_LOG("case %u", i);
		}
	}

	EXPECT_EQ(-EINVAL, pc_ioctl(fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &offset));
	EXPECT_EQ(-ENOENT, pc_bo_mmap_offset(fd, BAD_HANDLE, &where));
	EXPECT_EQ(-ENOENT, pc_bo_mmap_offset(fd, 0, &where));
	EXPECT_EQ(-EINVAL, pc_gem_close(fd, BAD_HANDLE));

	/* Sizes are rounded up. */
	ASSERT_EQ(0, pc_bo_create_raw(fd, &size, 0, 0, &handle));
	EXPECT_EQ(getpagesize(), size);
	EXPECT_EQ(0, pc_gem_close(fd, handle));
	EXPECT_EQ(-EINVAL, pc_gem_close(fd, handle));
}

TEST_F(ioctl, mmap)
{
	int fd = self->env.fd, page = getpagesize();
	__u64 size = PC_4K, offset = 0;
	__u32 handle;
	int err;

	const struct {
		size_t size;
		int prot, flags;
		__u64 offset;
	} cases[] = {
		{ page, PROT_READ | PROT_WRITE, MAP_SHARED,
		  DRM_PANTHOR_USER_FLUSH_ID_MMIO_OFFSET },
		{ page, PROT_READ | PROT_EXEC, MAP_SHARED, DRM_PANTHOR_USER_FLUSH_ID_MMIO_OFFSET },
		{ page, PROT_READ, MAP_PRIVATE, DRM_PANTHOR_USER_FLUSH_ID_MMIO_OFFSET },
		{ 2 * page, PROT_READ, MAP_SHARED, DRM_PANTHOR_USER_FLUSH_ID_MMIO_OFFSET },
		{ page, PROT_READ, MAP_SHARED, DRM_PANTHOR_USER_MMIO_OFFSET + page },
		{ page, PROT_READ, MAP_SHARED, 0 },
	};
	size_t i;

	for (i = 0; i < PC_COUNT(cases); i++) {
		errno = 0;
		EXPECT_EQ(MAP_FAILED, mmap(NULL, cases[i].size, cases[i].prot, cases[i].flags, fd,
					   cases[i].offset));
		EXPECT_EQ(EINVAL, errno) {
			TH_LOG("case %zu", i);
		}
	}

	/* One that nobody may map, though Linux 6.12 gives it an offset; and too much of one. */
	ASSERT_EQ(0, pc_bo_create_raw(fd, &size, DRM_PANTHOR_BO_NO_MMAP, 0, &handle));
	err = pc_bo_mmap_offset(fd, handle, &offset);
	if (err) {
		EXPECT_EQ(-EPERM, err);
	} else {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ, MAP_SHARED, fd, offset));
		EXPECT_EQ(EINVAL, errno);
	}
	ASSERT_EQ(0, pc_bo_mmap_offset(fd, self->bo.handle, &offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, self->bo.size + page, PROT_READ, MAP_SHARED, fd, offset));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, pc_gem_close(fd, handle));
}

TEST_F(ioctl, flush_id)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	struct pc_cs cs, loop = { .words = self->bo.map, .size = PC_4K / 8 };
	struct drm_panthor_queue_submit job;
	__u32 before, after, group;
	void *page;

	/* While the GPU sleeps another page is there instead: keep it awake. */
	pc_cs_move32(&loop, 0, 1);
	pc_cs_branch(&loop, 1, PC_CS_NEQUAL, 0);
	job = pc_job(0, VA, loop.count * 8, NULL, 0);
	ASSERT_EQ(0, pc_group_create(gpu->fd, gpu->vm, 1, 0x1000, &group));
	ASSERT_EQ(0, pc_group_submit(gpu->fd, group, &job, 1));

	/* Each job flushes. */
	ASSERT_EQ(0, pc_flush_id_map(self->env.fd, &page));
	cs = pc_gpu_cs(gpu);
	ASSERT_EQ(0, pc_gpu_run(gpu, &cs));
	before = pc_flush_id(page);
	cs = pc_gpu_cs(gpu);
	ASSERT_EQ(0, pc_gpu_run(gpu, &cs));
	after = pc_flush_id(page);
	EXPECT_NE(before, after);
	EXPECT_EQ(0, after & 0xff000000);
	munmap(page, getpagesize());
	EXPECT_EQ(0, pc_group_destroy(gpu->fd, group));
}

/* Each with one thing wrong; the buffer is ours. */
static const struct drm_panthor_vm_bind_op bad_maps[] = {
	{ .flags = MAP | 1 << 20, .va = VA, .size = PC_4K },
	{ .flags = MAP | 1 << 27, .va = VA, .size = PC_4K },
	{ .flags = 4u << 28, .va = VA, .size = PC_4K },
	{ .flags = 15u << 28, .va = VA, .size = PC_4K },
	{ .flags = MAP, .va = VA + 1, .size = PC_4K },
	{ .flags = MAP, .va = VA + 0x800, .size = PC_4K },
	{ .flags = MAP, .va = VA, .size = PC_4K - 1 },
	{ .flags = MAP, .va = VA, .size = 1 },
	{ .flags = MAP, .va = VA, .size = PC_4K, .bo_offset = 0x10 },
	{ .flags = MAP, .va = VA, .size = PC_1M + PC_4K },
	{ .flags = MAP, .va = VA, .size = PC_4K, .bo_offset = PC_1M },
	{ .flags = MAP, .va = VA, .size = PC_64K, .bo_offset = PC_1M - PC_4K },
	{ .flags = MAP, .va = VA, .size = PC_64K, .bo_offset = -PC_4K },
	{ .flags = MAP, .va = VA, .size = -PC_4K },
	{ .flags = MAP, .va = -PC_4K, .size = PC_4K },
	{ .flags = MAP, .va = -PC_4K, .size = PC_64K },
	{ .flags = MAP, .va = 1ull << 48, .size = PC_4K },
	{ .flags = MAP, .va = (1ull << 48) - PC_4K, .size = PC_64K },
	{ .flags = MAP, .va = 1ull << 63, .size = PC_4K },
	{ .flags = UNMAP, .va = VA, .size = PC_4K },
	{ .flags = SYNC_ONLY, .size = PC_4K },
};

/* The same, as they are. */
static const struct drm_panthor_vm_bind_op bad_ops[] = {
	{ .flags = MAP, .va = VA, .size = PC_4K },
	{ .flags = MAP, .bo_handle = BAD_HANDLE, .va = VA, .size = PC_4K },
	{ .flags = UNMAP, .va = VA + 1, .size = PC_4K },
	{ .flags = UNMAP, .va = VA, .size = PC_4K + 4 },
	{ .flags = UNMAP, .va = VA, .size = PC_4K, .bo_offset = PC_4K },
	{ .flags = UNMAP | DRM_PANTHOR_VM_BIND_OP_MAP_READONLY, .va = VA, .size = PC_4K },
	{ .flags = UNMAP, .va = VA, .size = -PC_4K },
	{ .flags = UNMAP, .va = -PC_4K, .size = PC_64K },
	{ .flags = UNMAP, .va = 1ull << 48, .size = PC_4K },
	{ .flags = SYNC_ONLY, .va = VA, .size = PC_4K },
	{ .flags = SYNC_ONLY, .size = PC_4K },
};

static void expect_refused(struct __test_metadata *_metadata, struct pc_space *space,
			   struct drm_panthor_vm_bind_op op, __u32 number)
{
	__u32 count = 1;

	EXPECT_EQ(-EINVAL, pc_vm_bind(space->gpu.fd, space->gpu.vm, 0, &op, &count)) {
		TH_LOG("case %u", number);
	}
	EXPECT_EQ(0, count);
	EXPECT_EQ(-EINVAL, pc_bind_async(space->gpu.fd, space->gpu.vm, &op, 1)) {
		TH_LOG("case %u, asynchronous", number);
	}
	pc_expect_space(_metadata, space);
}

TEST_F(ioctl, bind_ops)
{
	struct pc_space *space = &self->env.space;
	__u32 i;

	for (i = 0; i < PC_COUNT(bad_maps); i++) {
		struct drm_panthor_vm_bind_op op = bad_maps[i];

		op.bo_handle = self->bo.handle;
		expect_refused(_metadata, space, op, i);
	}
	for (i = 0; i < PC_COUNT(bad_ops); i++)
		expect_refused(_metadata, space, bad_ops[i], i);
}

TEST_F(ioctl, bind_arrays)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	struct {
		struct drm_panthor_vm_bind_op op;
		__u64 more;
	} big[2] = {
		{ .op = pc_op_map(&self->bo, 0, VA + PC_1G, PC_4K, 0) },
		{ .op = pc_op_map(&self->bo, PC_4K, VA + PC_1G + PC_4K, PC_4K, 0) },
	};
	const __u32 size = sizeof(big[0].op);
	const struct {
		struct drm_panthor_obj_array ops;
		int err;
	} cases[] = {
		{ { .stride = size, .count = 0, .array = BAD_POINTER }, 0 },
		{ { .stride = size, .count = 1, .array = 0 }, -EFAULT },
		{ { .stride = size, .count = 1, .array = BAD_POINTER }, -EFAULT },
		{ { .stride = size, .count = 1 << 20, .array = BAD_POINTER }, -EFAULT },
		{ { .stride = 0, .count = 1, .array = (uintptr_t)big }, -EINVAL },
		{ { .stride = size - 1, .count = 1, .array = (uintptr_t)big }, -EINVAL },
		{ { .stride = sizeof(big[0]), .count = 2, .array = (uintptr_t)big }, 0 },
	};
	struct drm_panthor_vm_bind args;
	__u32 i, mode;

	for (i = 0; i < PC_COUNT(cases); i++) {
		for (mode = 0; mode < 2; mode++) {
			args = (struct drm_panthor_vm_bind){
				.vm_id = gpu->vm,
				.flags = mode ? ASYNC : 0,
				.ops = cases[i].ops,
			};
			EXPECT_EQ(cases[i].err, pc_ioctl(gpu->fd, DRM_IOCTL_PANTHOR_VM_BIND,
							 &args)) {
				TH_LOG("case %u, %s", i, mode ? "async" : "sync");
			}
		}
	}
	pc_space_expect(&self->env.space, &self->bo, 0, VA + PC_1G, 2 * PC_4K);

	/* A field that this kernel does not know must be zero. */
	big[1].more = 1;
	args.ops = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(2, big);
	EXPECT_EQ(-E2BIG, pc_ioctl(gpu->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args));

	args.ops.count = 1;
	args.vm_id = BAD_HANDLE;
	EXPECT_EQ(-EINVAL, pc_ioctl(gpu->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args));
}

TEST_F(ioctl, bind_syncs)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	struct drm_panthor_vm_bind_op op;
	struct drm_panthor_sync_op good, op_array[2];
	__u32 syncobj, empty, i;

	ASSERT_EQ(0, pc_syncobj_create(gpu->fd, true, &syncobj));
	ASSERT_EQ(0, pc_syncobj_create(gpu->fd, false, &empty));
	good = pc_wait_op(syncobj, 0);

	const struct {
		struct drm_panthor_sync_op op;
		int err;
	} cases[] = {
		{ { .flags = 2, .handle = syncobj }, -EINVAL },
		{ { .flags = 0xff, .handle = syncobj }, -EINVAL },
		{ { .flags = 0x100, .handle = syncobj }, -EINVAL },
		{ { .flags = 1 << 30, .handle = syncobj }, -EINVAL },
		{ { .flags = DRM_PANTHOR_SYNC_OP_SIGNAL | 2, .handle = syncobj }, -EINVAL },
		{ { .flags = DRM_PANTHOR_SYNC_OP_SIGNAL | 0x100, .handle = syncobj }, -EINVAL },
		{ { .handle = syncobj, .timeline_value = 1 }, -EINVAL },
		{ { .flags = DRM_PANTHOR_SYNC_OP_SIGNAL, .handle = syncobj, .timeline_value = 1 },
		  -EINVAL },
		{ { .handle = BAD_HANDLE }, -ENOENT },
		{ { .handle = 0 }, -ENOENT },
		{ { .handle = empty }, -EINVAL },
	};

	for (i = 0; i < PC_COUNT(cases); i++) {
		op = pc_op_map(&self->bo, 0, VA + PC_1G, PC_4K, 0);
		op_array[0] = good;
		op_array[1] = cases[i].op;
		pc_op_syncs(&op, op_array, 2);
		EXPECT_EQ(cases[i].err, pc_bind_async(gpu->fd, gpu->vm, &op, 1)) {
			TH_LOG("case %u", i);
		}
		/* None are allowed here at all. */
		EXPECT_EQ(-EINVAL, pc_bind(gpu->fd, gpu->vm, &op, 1));
	}

	op.syncs = (struct drm_panthor_obj_array){ .stride = 8, .count = 1,
						   .array = (uintptr_t)&good };
	EXPECT_EQ(-EINVAL, pc_bind_async(gpu->fd, gpu->vm, &op, 1));
	op.syncs = (struct drm_panthor_obj_array){ .stride = 16, .count = 1 };
	EXPECT_EQ(-EFAULT, pc_bind_async(gpu->fd, gpu->vm, &op, 1));
	op.syncs.array = BAD_POINTER;
	EXPECT_EQ(-EFAULT, pc_bind_async(gpu->fd, gpu->vm, &op, 1));

	/* A sync point without anything to signal or wait for. */
	op = pc_op_sync_only();
	EXPECT_EQ(-EINVAL, pc_bind_async(gpu->fd, gpu->vm, &op, 1));
	EXPECT_EQ(0, pc_space_faults(&self->env.space, VA + PC_1G));
}

TEST_F(ioctl, bind_array_with_a_bad_sync_at_its_end)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	struct drm_panthor_vm_bind_op ops[8];
	struct drm_panthor_sync_op signal, bad = pc_wait_op(BAD_HANDLE, 0);
	__u32 syncobj, i;

	/* The first are armed when the last one turns out to be wrong. */
	ASSERT_EQ(0, pc_syncobj_create(gpu->fd, false, &syncobj));
	signal = pc_signal_op(syncobj, 0);
	for (i = 0; i < PC_COUNT(ops); i++) {
		ops[i] = pc_op_map(&self->bo, i * PC_4K, VA + PC_1G + i * PC_4K, PC_4K, 0);
		pc_op_syncs(&ops[i], i < PC_COUNT(ops) - 1 ? &signal : &bad, 1);
	}
	EXPECT_EQ(-ENOENT, pc_bind_async(gpu->fd, gpu->vm, ops, PC_COUNT(ops)));
	EXPECT_EQ(-EINVAL, pc_syncobj_wait_submitted(gpu->fd, syncobj, 0, 0));
	EXPECT_EQ(0, pc_space_faults(&self->env.space, VA + PC_1G));

	/* The queue still works. */
	pc_op_syncs(&ops[0], &signal, 1);
	EXPECT_EQ(0, pc_bind_async(gpu->fd, gpu->vm, ops, 1));
	EXPECT_EQ(0, pc_syncobj_finish(gpu->fd, syncobj, PC_JOB_NS));
	pc_space_expect(&self->env.space, &self->bo, 0, VA + PC_1G, PC_4K);
}

TEST_F(ioctl, other_files_handles)
{
	int other = pc_open();
	struct pc_space space;

	/* The same numbers mean other things there, or nothing. */
	ASSERT_LE(0, other);
	EXPECT_EQ(-EINVAL, pc_map(other, self->env.space.gpu.vm, &self->bo, 0, VA, PC_4K, 0));
	ASSERT_EQ(0, pc_space_init(&space, other));
	EXPECT_EQ(self->env.space.gpu.vm, space.gpu.vm);
	EXPECT_EQ(-EINVAL, pc_unmap(other, space.gpu.vm + 1, VA, PC_4K));
	EXPECT_EQ(-EINVAL, pc_syncobj_destroy(other, BAD_HANDLE));
	EXPECT_EQ(0, pc_unmap(other, space.gpu.vm, VA, PC_64K));
	pc_space_fini(&space);
	close(other);
}

TEST_HARNESS_MAIN
