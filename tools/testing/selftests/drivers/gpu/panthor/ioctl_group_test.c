// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Nonsense to the ioctls of groups and tiler heaps: each mistake has its errno, and
 * a group that was there before still works.
 */
#include "panthor_test.h"

#define VA		0x10000000ull
#define RING		0x1000

#define BAD_POINTER	0xffff8000deadb000ull
#define BAD_HANDLE	0x7fffu

struct group_case {
	struct pc_env env;
	struct drm_panthor_gpu_info info;
	struct drm_panthor_queue_create queue[33];
	struct pc_bo bo;
};

FIXTURE(ioctl_group)
{
	struct group_case g;
};

FIXTURE_SETUP(ioctl_group)
{
	__u32 i;

	pc_env_setup(_metadata, &self->g.env);
	if (self->g.env.fd < 0)
		return;

	ASSERT_EQ(0, pc_gpu_info(self->g.env.fd, &self->g.info));
	for (i = 0; i < PC_COUNT(self->g.queue); i++)
		self->g.queue[i].ringbuf_size = RING;
	ASSERT_EQ(0, pc_bo_create(self->g.env.fd, PC_1M, &self->g.bo));
	ASSERT_EQ(0, pc_space_map(&self->g.env.space, &self->g.bo, 0, VA, PC_1M, 0));
}

FIXTURE_TEARDOWN(ioctl_group)
{
	pc_env_teardown(_metadata, &self->g.env);
}

/* What would work. */
static struct drm_panthor_group_create good(struct group_case *g)
{
	return (struct drm_panthor_group_create){
		.queues = DRM_PANTHOR_OBJ_ARRAY(1, g->queue),
		.max_compute_cores = 1,
		.max_fragment_cores = 1,
		.max_tiler_cores = 1,
		.priority = PANTHOR_GROUP_PRIORITY_MEDIUM,
		.compute_core_mask = g->info.shader_present,
		.fragment_core_mask = g->info.shader_present,
		.tiler_core_mask = g->info.tiler_present,
		.vm_id = g->env.space.gpu.vm,
	};
}

static int create(struct group_case *g, struct drm_panthor_group_create args)
{
	int fd = g->env.fd;
	int err = pc_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args);

	return err ?: pc_group_destroy(fd, args.group_handle);
}

TEST_F(ioctl_group, create_queues)
{
	struct drm_panthor_csif_info csif;
	struct drm_panthor_group_create args = good(&self->g);

	ASSERT_EQ(0, pc_csif_info(self->g.env.fd, &csif));
	EXPECT_EQ(0, create(&self->g, args));
	args.queues.count = csif.cs_slot_count;
	EXPECT_EQ(0, create(&self->g, args));
	args.queues.count = csif.cs_slot_count + 1;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args.queues.count = 33;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args.queues.count = ~0u;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args.queues.count = 0;
	EXPECT_EQ(-EINVAL, create(&self->g, args));

	args = good(&self->g);
	args.queues.stride = 4;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args.queues.stride = 0;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args = good(&self->g);
	args.queues.array = 0;
	EXPECT_EQ(-EFAULT, create(&self->g, args));
	args.queues.array = BAD_POINTER;
	EXPECT_EQ(-EFAULT, create(&self->g, args));

	/* As an array of larger things. */
	args = good(&self->g);
	args.queues.stride = 2 * sizeof(self->g.queue[0]);
	EXPECT_EQ(-E2BIG, create(&self->g, args));
	memset(&self->g.queue[1], 0, sizeof(self->g.queue[1]));
	EXPECT_EQ(0, create(&self->g, args));
}

TEST_F(ioctl_group, create_one_queue)
{
	const struct {
		struct drm_panthor_queue_create queue;
		int err;
	} cases[] = {
		{ { .ringbuf_size = 0x1000, .priority = 15 }, 0 },
		{ { .ringbuf_size = 0x10000 }, 0 },
		{ { .ringbuf_size = 0 }, -EINVAL },
		{ { .ringbuf_size = 1 }, -EINVAL },
		{ { .ringbuf_size = 0x800 }, -EINVAL },
		{ { .ringbuf_size = 0x1800 }, -EINVAL },
		{ { .ringbuf_size = 0x3000 }, -EINVAL },
		{ { .ringbuf_size = 0x20000 }, -EINVAL },
		{ { .ringbuf_size = 0x80000000 }, -EINVAL },
		{ { .ringbuf_size = ~0u }, -EINVAL },
		{ { .ringbuf_size = RING, .priority = 16 }, -EINVAL },
		{ { .ringbuf_size = RING, .priority = 255 }, -EINVAL },
		{ { .ringbuf_size = RING, .pad = { 1 } }, -EINVAL },
		{ { .ringbuf_size = RING, .pad = { 0, 0, 1 } }, -EINVAL },
	};
	__u32 i;

	for (i = 0; i < PC_COUNT(cases); i++) {
		self->g.queue[0] = cases[i].queue;
		EXPECT_EQ(cases[i].err, create(&self->g, good(&self->g))) {
			TH_LOG("case %u", i);
		}
	}

	/* The second of two. */
	struct drm_panthor_group_create args = good(&self->g);

	self->g.queue[0] = (struct drm_panthor_queue_create){ .ringbuf_size = RING };
	self->g.queue[1] = (struct drm_panthor_queue_create){ .ringbuf_size = 1 };
	args.queues.count = 2;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
}

TEST_F(ioctl_group, create_arguments)
{
	struct drm_panthor_group_create args;
	__u8 cores = __builtin_popcountll(self->g.info.shader_present);
	__u8 tilers = __builtin_popcountll(self->g.info.tiler_present);

	args = good(&self->g);
	args.pad = 1;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args = good(&self->g);
	args.priority = 4;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args.priority = 255;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args = good(&self->g);
	args.vm_id = 0;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args.vm_id = BAD_HANDLE;
	EXPECT_EQ(-EINVAL, create(&self->g, args));

	args = good(&self->g);
	args.compute_core_mask = ~0ull;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args = good(&self->g);
	args.fragment_core_mask = 1ull << 63;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args = good(&self->g);
	args.tiler_core_mask = 1ull << 63;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args = good(&self->g);
	args.max_compute_cores = cores + 1;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args = good(&self->g);
	args.max_fragment_cores = 255;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	args = good(&self->g);
	args.max_tiler_cores = tilers + 1;
	EXPECT_EQ(-EINVAL, create(&self->g, args));
	EXPECT_EQ(0, create(&self->g, good(&self->g)));
}

TEST_F(ioctl_group, handles)
{
	struct drm_panthor_group_destroy destroy = {
		.group_handle = self->g.env.space.gpu.group,
		.pad = 1,
	};
	struct drm_panthor_group_get_state get = {
		.group_handle = self->g.env.space.gpu.group,
		.pad = 1,
	};
	int fd = self->g.env.fd;
	__u32 state;

	EXPECT_EQ(-EINVAL, pc_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_DESTROY, &destroy));
	EXPECT_EQ(-EINVAL, pc_group_destroy(fd, 0));
	EXPECT_EQ(-EINVAL, pc_group_destroy(fd, BAD_HANDLE));
	EXPECT_EQ(-EINVAL, pc_group_destroy(fd, ~0u));
	EXPECT_EQ(-EINVAL, pc_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &get));
	EXPECT_EQ(-EINVAL, pc_group_state(fd, 0, &state, NULL));
	EXPECT_EQ(-EINVAL, pc_group_state(fd, BAD_HANDLE, &state, NULL));
}

TEST_F(ioctl_group, submit_jobs)
{
	struct pc_gpu *gpu = &self->g.env.space.gpu;
	struct drm_panthor_sync_op done = pc_signal_op(gpu->syncobj, 0);
	const struct {
		struct drm_panthor_queue_submit job;
		int err;
	} cases[] = {
		{ { .stream_size = 64, .stream_addr = VA }, 0 },
		{ { .stream_size = 64, .stream_addr = VA, .latest_flush = 0xffffff }, 0 },
		{ { .stream_size = 64, .stream_addr = VA, .latest_flush = 1u << 31 }, 0 },
		{ { .stream_size = 64, .stream_addr = VA, .pad = 1 }, -EINVAL },
		{ { .stream_size = 64, .stream_addr = 0 }, -EINVAL },
		{ { .stream_size = 0, .stream_addr = VA }, -EINVAL },
		{ { .stream_size = 64, .stream_addr = VA + 8 }, -EINVAL },
		{ { .stream_size = 64, .stream_addr = VA + 1 }, -EINVAL },
		{ { .stream_size = 4, .stream_addr = VA }, -EINVAL },
		{ { .stream_size = 65, .stream_addr = VA }, -EINVAL },
		{ { .stream_size = 64, .stream_addr = VA, .latest_flush = 1u << 24 }, -EINVAL },
		{ { .stream_size = 64, .stream_addr = VA, .latest_flush = 1u << 30 }, -EINVAL },
		{ { .queue_index = 1, .stream_size = 64, .stream_addr = VA }, -EINVAL },
		{ { .queue_index = 31, .stream_size = 64, .stream_addr = VA }, -EINVAL },
		{ { .queue_index = 32, .stream_size = 64, .stream_addr = VA }, -EINVAL },
		{ { .queue_index = ~0u, .stream_size = 64, .stream_addr = VA }, -EINVAL },
	};
	__u32 i;

	for (i = 0; i < PC_COUNT(cases); i++) {
		struct drm_panthor_queue_submit job = cases[i].job;

		job.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &done);
		EXPECT_EQ(cases[i].err, pc_group_submit(gpu->fd, gpu->group, &job, 1)) {
			TH_LOG("case %u", i);
		}
		if (!cases[i].err)
			EXPECT_EQ(0, pc_gpu_wait(gpu));
	}
}

TEST_F(ioctl_group, submit_arrays)
{
	struct pc_gpu *gpu = &self->g.env.space.gpu;
	struct {
		struct drm_panthor_queue_submit job;
		__u64 more;
	} big[2] = {
		{ .job = pc_job(0, VA, 64, NULL, 0) },
		{ .job = pc_job(0, VA, 64, NULL, 0), .more = 1 },
	};
	const __u32 size = sizeof(big[0].job);
	const struct {
		struct drm_panthor_group_submit args;
		int err;
	} cases[] = {
		{ { .queue_submits = { size, 1, (uintptr_t)big } }, 0 },
		{ { .queue_submits = { size, 0, BAD_POINTER } }, 0 },
		{ { .queue_submits = { size, 1, (uintptr_t)big }, .pad = 1 }, -EINVAL },
		{ { .queue_submits = { size, 1, 0 } }, -EFAULT },
		{ { .queue_submits = { size, 1, BAD_POINTER } }, -EFAULT },
		{ { .queue_submits = { size, 1 << 20, BAD_POINTER } }, -EFAULT },
		{ { .queue_submits = { 0, 1, (uintptr_t)big } }, -EINVAL },
		{ { .queue_submits = { size - 8, 1, (uintptr_t)big } }, -EINVAL },
		{ { .queue_submits = { sizeof(big[0]), 1, (uintptr_t)big } }, 0 },
		{ { .queue_submits = { sizeof(big[0]), 2, (uintptr_t)big } }, -E2BIG },
	};
	struct drm_panthor_group_submit args;
	__u32 i;

	for (i = 0; i < PC_COUNT(cases); i++) {
		args = cases[i].args;
		args.group_handle = gpu->group;
		EXPECT_EQ(cases[i].err, pc_ioctl(gpu->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args)) {
			TH_LOG("case %u", i);
		}
	}

	EXPECT_EQ(-EINVAL, pc_group_submit(gpu->fd, 0, &big[0].job, 1));
	EXPECT_EQ(-EINVAL, pc_group_submit(gpu->fd, BAD_HANDLE, &big[0].job, 1));
}

TEST_F(ioctl_group, submit_syncs)
{
	struct pc_gpu *gpu = &self->g.env.space.gpu;
	struct drm_panthor_queue_submit job;
	struct drm_panthor_sync_op good;
	__u32 empty, i;

	ASSERT_EQ(0, pc_syncobj_create(gpu->fd, false, &empty));
	good = pc_signal_op(empty, 0);

	const struct {
		struct drm_panthor_sync_op op;
		int err;
	} cases[] = {
		{ { .flags = 2, .handle = empty }, -EINVAL },
		{ { .flags = 0x100, .handle = empty }, -EINVAL },
		{ { .flags = DRM_PANTHOR_SYNC_OP_SIGNAL | 0x100, .handle = empty }, -EINVAL },
		{ { .handle = empty, .timeline_value = 1 }, -EINVAL },
		{ { .handle = empty }, -EINVAL },
		{ { .handle = 0xffffff }, -ENOENT },
	};

	for (i = 0; i < PC_COUNT(cases); i++) {
		struct drm_panthor_sync_op op = cases[i].op;

		job = pc_job(0, VA, 64, &op, 1);
		EXPECT_EQ(cases[i].err, pc_group_submit(gpu->fd, gpu->group, &job, 1)) {
			TH_LOG("case %u", i);
		}
	}

	job.syncs = (struct drm_panthor_obj_array){ 8, 1, (uintptr_t)&good };
	EXPECT_EQ(-EINVAL, pc_group_submit(gpu->fd, gpu->group, &job, 1));
	job.syncs = (struct drm_panthor_obj_array){ 16, 1, BAD_POINTER };
	EXPECT_EQ(-EFAULT, pc_group_submit(gpu->fd, gpu->group, &job, 1));
	job.syncs = (struct drm_panthor_obj_array){ 16, 1, (uintptr_t)&good };
	EXPECT_EQ(0, pc_group_submit(gpu->fd, gpu->group, &job, 1));
	EXPECT_EQ(0, pc_syncobj_finish(gpu->fd, empty, PC_JOB_NS));
}

TEST_F(ioctl_group, submit_with_one_bad_job)
{
	struct pc_gpu *gpu = &self->g.env.space.gpu;
	struct drm_panthor_queue_submit jobs[8];
	struct pc_cs cs = { .words = self->g.bo.map, .size = 64 };
	__u32 *counter = self->g.bo.map + PC_4K, i;

	/* None of the others runs. */
	pc_cs_move48(&cs, 0, VA + PC_4K);
	pc_cs_move32(&cs, 2, 1);
	pc_cs_sync(&cs, PC_CS_SYNC_ADD32, 0, 2);
	for (i = 0; i < PC_COUNT(jobs); i++)
		jobs[i] = pc_job(i == 5 ? 1 : 0, VA, cs.count * 8, NULL, 0);
	EXPECT_EQ(-EINVAL, pc_group_submit(gpu->fd, gpu->group, jobs, PC_COUNT(jobs)));
	pc_expect_space(_metadata, &self->g.env.space);
	EXPECT_EQ(0, *counter);

	jobs[5].queue_index = 0;
	EXPECT_EQ(0, pc_group_submit(gpu->fd, gpu->group, jobs, PC_COUNT(jobs)));
	pc_expect_space(_metadata, &self->g.env.space);
	EXPECT_EQ(PC_COUNT(jobs), *counter);
}

TEST_F(ioctl_group, heap_padding)
{
	struct drm_panthor_tiler_heap_destroy args = { .pad = 1 };
	struct pc_heap heap;

	ASSERT_EQ(0, pc_heap_create(self->g.env.fd, self->g.env.space.gpu.vm, 1, 0x20000, 1, 1,
				    &heap));
	args.handle = heap.handle;
	EXPECT_EQ(-EINVAL, pc_ioctl(self->g.env.fd, DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY, &args));
	EXPECT_EQ(0, pc_heap_destroy(self->g.env.fd, heap.handle));
	EXPECT_EQ(-EINVAL, pc_heap_destroy(self->g.env.fd, ~0u));
}

TEST_HARNESS_MAIN
