// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Groups and their queues: they run, wait for each other in and out of the GPU, and
 * take turns where there are more of them than slots or address spaces.
 */
#include "panthor_test.h"

#define VA		0x10000000ull
#define QUEUES		8
#define RING		0x1000
#define GROUPS_PER_FILE	128

/* Each stream has a page of its own in a buffer at VA; the last page has counters. */
#define STREAMS		64
#define COUNTERS	(VA + STREAMS * PC_4K)

FIXTURE(group)
{
	struct pc_env env;
	struct pc_bo bo;
	__u32 *counter;
	__u32 done;
};

FIXTURE_SETUP(group)
{
	int fd;

	pc_env_setup(_metadata, &self->env);
	fd = self->env.fd;
	if (fd < 0)
		return;

	ASSERT_EQ(0, pc_bo_create(fd, (STREAMS + 1) * PC_4K, &self->bo));
	ASSERT_EQ(0, pc_space_map(&self->env.space, &self->bo, 0, VA, self->bo.size, 0));
	ASSERT_EQ(0, pc_syncobj_create(fd, false, &self->done));
	self->counter = self->bo.map + STREAMS * PC_4K;
}

FIXTURE_TEARDOWN(group)
{
	pc_env_teardown(_metadata, &self->env);
}

static struct pc_cs stream(const struct pc_bo *bo, __u32 number)
{
	return (struct pc_cs){
		.words = bo->map + number * PC_4K,
		.size = PC_4K / 8,
	};
}

static struct drm_panthor_queue_submit job(__u32 queue, __u32 number, const struct pc_cs *cs,
					   struct drm_panthor_sync_op *syncs, __u32 count)
{
	return pc_job(queue, VA + number * PC_4K, cs->count * 8, syncs, count);
}

/* Add to, or wait for, a counter of 4 bytes (two registers are used). */
static void emit_add(struct pc_cs *cs, __u32 counter)
{
	pc_cs_move48(cs, 80, COUNTERS + counter * 16);
	pc_cs_move32(cs, 82, 1);
	pc_cs_sync(cs, PC_CS_SYNC_ADD32, 80, 82);
}

static void emit_wait_above(struct pc_cs *cs, __u32 counter, __u32 value)
{
	pc_cs_move48(cs, 80, COUNTERS + counter * 16);
	pc_cs_move32(cs, 82, value);
	pc_cs_sync_wait(cs, PC_CS_SYNC_WAIT32, PC_CS_GREATER, 80, 82);
}

static __u32 counter(const __u32 *counters, __u32 number)
{
	return __atomic_load_n(&counters[number * 4], __ATOMIC_ACQUIRE);
}

static void emit_spin(struct pc_cs *cs, __u32 rounds)
{
	__u32 loop;

	pc_cs_move32(cs, 84, rounds);
	loop = cs->count;
	pc_cs_add_imm32(cs, 84, 84, -1);
	pc_cs_branch(cs, loop, PC_CS_NEQUAL, 84);
}

TEST_F(group, create_destroy)
{
	int fd = self->env.fd;
	__u32 vm = self->env.space.gpu.vm, group, state = ~0, queues = ~0, i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pc_group_create(fd, vm, 1 + i % QUEUES, RING << i % 5, &group));
		EXPECT_EQ(0, pc_group_state(fd, group, &state, &queues));
		EXPECT_EQ(0, state);
		EXPECT_EQ(0, queues);
		ASSERT_EQ(0, pc_group_destroy(fd, group));
		EXPECT_EQ(-EINVAL, pc_group_destroy(fd, group));
		EXPECT_EQ(-EINVAL, pc_group_state(fd, group, &state, &queues));
	}
}

TEST_F(group, limit)
{
	int fd = self->env.fd;
	__u32 vm = self->env.space.gpu.vm, group[GROUPS_PER_FILE], last, i;

	/* The fixture has one. */
	for (i = 1; i < GROUPS_PER_FILE; i++)
		ASSERT_EQ(0, pc_group_create(fd, vm, 1, RING, &group[i]));
	EXPECT_EQ(-EBUSY, pc_group_create(fd, vm, 1, RING, &last));
	ASSERT_EQ(0, pc_group_destroy(fd, group[1]));
	EXPECT_EQ(0, pc_group_create(fd, vm, 1, RING, &group[1]));
	for (i = 1; i < GROUPS_PER_FILE; i++)
		EXPECT_EQ(0, pc_group_destroy(fd, group[i]));
}

TEST_F(group, many_jobs_wrap_the_ring)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	struct drm_panthor_sync_op done = pc_signal_op(self->done, 0);
	struct pc_cs cs = stream(&self->bo, 0);
	__u32 i;

	emit_add(&cs, 0);
	for (i = 0; i < 500; i++) {
		struct drm_panthor_queue_submit submit = job(0, 0, &cs, &done, 1);

		ASSERT_EQ(0, pc_group_submit(gpu->fd, gpu->group, &submit, 1));
	}
	ASSERT_EQ(0, pc_syncobj_finish(gpu->fd, self->done, PC_JOB_NS));
	EXPECT_EQ(500, counter(self->counter, 0));
}

TEST_F(group, empty_job)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	struct drm_panthor_sync_op done = pc_signal_op(self->done, 0);
	struct drm_panthor_queue_submit sync = pc_job(0, 0, 0, &done, 1), submit;
	struct pc_cs cs = stream(&self->bo, 0);

	/* Before any other, and behind one that takes a while. */
	ASSERT_EQ(0, pc_group_submit(gpu->fd, gpu->group, &sync, 1));
	ASSERT_EQ(0, pc_syncobj_finish(gpu->fd, self->done, PC_JOB_NS));

	emit_spin(&cs, 20000);
	emit_add(&cs, 0);
	submit = job(0, 0, &cs, NULL, 0);
	ASSERT_EQ(0, pc_group_submit(gpu->fd, gpu->group, &submit, 1));
	ASSERT_EQ(0, pc_group_submit(gpu->fd, gpu->group, &sync, 1));
	ASSERT_EQ(0, pc_syncobj_finish(gpu->fd, self->done, PC_JOB_NS));
	EXPECT_EQ(1, counter(self->counter, 0));
}

TEST_F(group, jump)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	struct drm_panthor_sync_op done = pc_signal_op(self->done, 0);
	struct pc_cs from = stream(&self->bo, 0), to = stream(&self->bo, 1);
	struct drm_panthor_queue_submit submit;

	/* There is no way back from there. */
	emit_add(&to, 0);
	pc_cs_move48(&from, 64, VA + PC_4K);
	pc_cs_move32(&from, 66, to.count * 8);
	pc_cs_jump(&from, 64, 66);
	emit_add(&from, 1);
	submit = job(0, 0, &from, &done, 1);
	ASSERT_EQ(0, pc_group_submit(gpu->fd, gpu->group, &submit, 1));
	ASSERT_EQ(0, pc_syncobj_finish(gpu->fd, self->done, PC_JOB_NS));
	EXPECT_EQ(1, counter(self->counter, 0));
	EXPECT_EQ(0, counter(self->counter, 1));
}

TEST_F(group, minimum)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	struct drm_panthor_sync_op done = pc_signal_op(self->done, 0);
	struct pc_cs cs = stream(&self->bo, 0);
	struct drm_panthor_queue_submit submit;

	pc_cs_move32(&cs, 0, 5);
	pc_cs_move32(&cs, 1, 0x80000000);
	pc_cs_umin32(&cs, 2, 0, 1);
	pc_cs_umin32(&cs, 3, 1, 0);
	pc_cs_umin32(&cs, 1, 1, 1);
	pc_cs_move48(&cs, 64, COUNTERS);
	pc_cs_store(&cs, 0, 0xf, 64, 0);
	submit = job(0, 0, &cs, &done, 1);
	ASSERT_EQ(0, pc_group_submit(gpu->fd, gpu->group, &submit, 1));
	ASSERT_EQ(0, pc_syncobj_finish(gpu->fd, self->done, PC_JOB_NS));
	EXPECT_EQ(0x80000000, self->counter[1]);
	EXPECT_EQ(5, self->counter[2]);
	EXPECT_EQ(5, self->counter[3]);
}

TEST_F(group, many_queues)
{
	int fd = self->env.fd;
	struct drm_panthor_queue_submit submits[QUEUES];
	struct drm_panthor_sync_op done[QUEUES];
	__u32 group, i, timeline;

	ASSERT_EQ(0, pc_group_create(fd, self->env.space.gpu.vm, QUEUES, RING, &group));
	ASSERT_EQ(0, pc_syncobj_create(fd, false, &timeline));
	for (i = 0; i < QUEUES; i++) {
		struct pc_cs cs = stream(&self->bo, i);

		emit_spin(&cs, 100 * (i + 1));
		emit_add(&cs, i);
		done[i] = pc_signal_op(timeline, i + 1);
		submits[i] = job(i, i, &cs, &done[i], 1);
	}
	ASSERT_EQ(0, pc_group_submit(fd, group, submits, QUEUES));
	ASSERT_EQ(0, pc_syncobj_wait(fd, timeline, QUEUES, PC_JOB_NS));
	for (i = 0; i < QUEUES; i++)
		EXPECT_EQ(1, counter(self->counter, i));
	EXPECT_EQ(0, pc_group_destroy(fd, group));
}

TEST_F(group, one_submit_with_dependencies)
{
	int fd = self->env.fd;
	struct drm_panthor_queue_submit submits[2];
	struct drm_panthor_sync_op first = pc_signal_op(self->done, 0);
	struct drm_panthor_sync_op second[] = {
		pc_wait_op(self->done, 0),
		pc_signal_op(self->done, 0),
	};
	struct pc_cs a = stream(&self->bo, 0), b = stream(&self->bo, 1);
	__u32 group;

	/* The second copies what the first has counted. */
	emit_spin(&a, 20000);
	emit_add(&a, 0);
	pc_cs_move48(&b, 64, COUNTERS);
	pc_cs_load(&b, 0, 1, 64, 0);
	pc_cs_store(&b, 0, 1, 64, 16);
	submits[0] = job(0, 0, &a, &first, 1);
	submits[1] = job(1, 1, &b, second, 2);

	ASSERT_EQ(0, pc_group_create(fd, self->env.space.gpu.vm, 2, RING, &group));
	ASSERT_EQ(0, pc_group_submit(fd, group, submits, 2));
	ASSERT_EQ(0, pc_syncobj_finish(fd, self->done, PC_JOB_NS));
	EXPECT_EQ(1, counter(self->counter, 1));
	EXPECT_EQ(0, pc_group_destroy(fd, group));
}

TEST_F(group, fence_of_another_group)
{
	int fd = self->env.fd;
	struct drm_panthor_sync_op out = pc_signal_op(self->done, 0), both[2];
	struct drm_panthor_queue_submit submit;
	struct pc_cs cs = stream(&self->bo, 0);
	__u32 group, i;

	ASSERT_EQ(0, pc_group_create(fd, self->env.space.gpu.vm, 1, RING, &group));
	emit_add(&cs, 0);
	submit = job(0, 0, &cs, &out, 1);
	ASSERT_EQ(0, pc_group_submit(fd, group, &submit, 1));

	for (i = 0; i < 50; i++) {
		both[0] = pc_wait_op(self->done, 0);
		both[1] = pc_signal_op(self->done, 0);
		submit = job(0, 0, &cs, both, 2);
		ASSERT_EQ(0, pc_group_submit(fd, i % 2 ? group : self->env.space.gpu.group,
					     &submit, 1));
	}
	ASSERT_EQ(0, pc_syncobj_finish(fd, self->done, PC_JOB_NS));
	EXPECT_EQ(51, counter(self->counter, 0));
	EXPECT_EQ(0, pc_group_destroy(fd, group));
}

/* Two queues that let each other go on, @rounds times. */
static int ping_pong(int fd, __u32 group, const struct pc_bo *bo, __u32 rounds, __u32 done)
{
	struct drm_panthor_sync_op out[] = { pc_signal_op(done, 1), pc_signal_op(done, 2) };
	struct pc_cs a = stream(bo, 0), b = stream(bo, 1);
	struct drm_panthor_queue_submit submits[2];
	__u32 i;

	for (i = 0; i < rounds; i++) {
		emit_add(&a, 0);
		emit_wait_above(&a, 1, i);
		emit_wait_above(&b, 0, i);
		emit_add(&b, 1);
	}
	submits[0] = job(0, 0, &a, &out[0], 1);
	submits[1] = job(1, 1, &b, &out[1], 1);
	return pc_group_submit(fd, group, submits, 2) ?: pc_syncobj_wait(fd, done, 2, PC_JOB_NS);
}

TEST_F(group, ping_pong_in_the_gpu)
{
	int fd = self->env.fd;
	__u32 group;

	ASSERT_EQ(0, pc_group_create(fd, self->env.space.gpu.vm, 2, RING, &group));
	EXPECT_EQ(0, ping_pong(fd, group, &self->bo, 40, self->done));
	EXPECT_EQ(40, counter(self->counter, 0));
	EXPECT_EQ(40, counter(self->counter, 1));
	EXPECT_EQ(0, pc_group_destroy(fd, group));
}

TEST_F(group, sync_of_64_bits)
{
	int fd = self->env.fd;
	struct drm_panthor_sync_op out[] = {
		pc_signal_op(self->done, 1),
		pc_signal_op(self->done, 2),
	};
	struct pc_cs a = stream(&self->bo, 0), b = stream(&self->bo, 1);
	struct drm_panthor_queue_submit submits[2];
	__u64 *value = (__u64 *)self->counter;
	__u32 group;

	/* Beyond 32 bits; the other way of waiting as well. */
	*value = 0xffffffffull;
	pc_cs_move48(&a, 80, COUNTERS);
	pc_cs_move64(&a, 82, 0xffffffffull);
	pc_cs_sync_wait(&a, PC_CS_SYNC_WAIT64, PC_CS_GREATER, 80, 82);
	pc_cs_move64(&a, 82, 5);
	pc_cs_sync(&a, PC_CS_SYNC_SET64, 80, 82);

	pc_cs_move48(&b, 80, COUNTERS);
	emit_spin(&b, 10000);
	pc_cs_move64(&b, 82, 1);
	pc_cs_sync(&b, PC_CS_SYNC_ADD64, 80, 82);
	pc_cs_move64(&b, 82, 5);
	pc_cs_sync_wait(&b, PC_CS_SYNC_WAIT64, PC_CS_LEQUAL, 80, 82);
	emit_add(&b, 2);

	submits[0] = job(0, 0, &a, &out[0], 1);
	submits[1] = job(1, 1, &b, &out[1], 1);
	ASSERT_EQ(0, pc_group_create(fd, self->env.space.gpu.vm, 2, RING, &group));
	ASSERT_EQ(0, pc_group_submit(fd, group, submits, 2));
	ASSERT_EQ(0, pc_syncobj_wait(fd, self->done, 2, PC_JOB_NS));
	EXPECT_EQ(5, *value);
	EXPECT_EQ(1, counter(self->counter, 2));
	EXPECT_EQ(0, pc_group_destroy(fd, group));
}

TEST_F(group, more_groups_than_slots)
{
	int fd = self->env.fd;
	struct drm_panthor_csif_info info;
	__u32 group[32], count, i, round, vm = self->env.space.gpu.vm;
	struct drm_panthor_sync_op out;

	ASSERT_EQ(0, pc_csif_info(fd, &info));
	count = info.csg_slot_count * 2 < 32 ? info.csg_slot_count * 2 : 32;
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, pc_group_create(fd, vm, 1, RING, &group[i]));

	for (round = 0; round < 4; round++) {
		for (i = 0; i < count; i++) {
			struct drm_panthor_queue_submit submit;
			struct pc_cs cs = stream(&self->bo, i);

			emit_spin(&cs, 5000);
			emit_add(&cs, i);
			out = pc_signal_op(self->done, round * count + i + 1);
			submit = job(0, i, &cs, &out, 1);
			ASSERT_EQ(0, pc_group_submit(fd, group[i], &submit, 1));
		}
	}

	ASSERT_EQ(0, pc_syncobj_wait(fd, self->done, 4 * count, PC_JOB_NS));
	for (i = 0; i < count; i++) {
		EXPECT_EQ(4, counter(self->counter, i));
		EXPECT_EQ(0, pc_group_destroy(fd, group[i]));
	}
}

TEST_F(group, blocked_groups_make_room)
{
	int fd = self->env.fd;
	struct drm_panthor_csif_info info;
	struct drm_panthor_sync_op out;
	struct drm_panthor_queue_submit submit;
	__u32 group[32], count, i, vm = self->env.space.gpu.vm;
	struct pc_cs cs;

	/* Each waits for the next, and the last, which has no slot at first, for none. */
	ASSERT_EQ(0, pc_csif_info(fd, &info));
	count = info.csg_slot_count + 4 < 32 ? info.csg_slot_count + 4 : 32;
	for (i = 0; i < count; i++) {
		ASSERT_EQ(0, pc_group_create(fd, vm, 1, RING, &group[i]));
		cs = stream(&self->bo, i);
		if (i < count - 1)
			emit_wait_above(&cs, i + 1, 0);
		emit_add(&cs, i);
		out = pc_signal_op(self->done, i + 1);
		submit = job(0, i, &cs, &out, 1);
		ASSERT_EQ(0, pc_group_submit(fd, group[i], &submit, 1));
	}

	ASSERT_EQ(0, pc_syncobj_wait(fd, self->done, count, PC_JOB_NS));
	for (i = 0; i < count; i++) {
		EXPECT_EQ(1, counter(self->counter, i));
		EXPECT_EQ(0, pc_group_destroy(fd, group[i]));
	}
}

TEST_F(group, more_vms_than_address_spaces)
{
	enum { VMS = 12 };
	int fd = self->env.fd;
	struct pc_space *space = calloc(VMS, sizeof(*space));
	struct pc_bo bo[VMS];
	__u32 i, round;

	ASSERT_TRUE(space);
	for (i = 0; i < VMS; i++) {
		ASSERT_EQ(0, pc_space_init(&space[i], fd));
		ASSERT_EQ(0, pc_bo_create(fd, PC_1M, &bo[i]));
		pc_fill(bo[i].map, bo[i].size, 10 + i);
		ASSERT_EQ(0, pc_space_map(&space[i], &bo[i], 0, VA, PC_1M, 0));
	}
	for (round = 0; round < 4; round++) {
		for (i = 0; i < VMS; i++) {
			pc_expect_space(_metadata, &space[i]);
			/* Also where the VM has no address space at the moment. */
			ASSERT_EQ(0, pc_space_unmap(&space[(i + 5) % VMS], VA + round * PC_64K,
						    PC_4K));
		}
	}
	for (i = 0; i < VMS; i++) {
		pc_expect_space(_metadata, &space[i]);
		EXPECT_EQ(0, pc_space_faults(&space[i], VA));
		pc_space_fini(&space[i]);
	}
	free(space);
}

TEST_F(group, busy_vms_take_turns)
{
	enum { VMS = 10, JOBS = 10 };
	int fd = self->env.fd;
	struct pc_gpu *gpu = calloc(VMS, sizeof(*gpu));
	__u32 vm, i, round;

	ASSERT_TRUE(gpu);
	for (i = 0; i < VMS; i++) {
		ASSERT_EQ(0, pc_vm_create(fd, NULL, &vm));
		ASSERT_EQ(0, pc_gpu_init(&gpu[i], fd, vm, PC_GPU_VA + i * PC_1G));
	}
	for (i = 0; i < VMS; i++) {
		struct pc_cs cs = pc_gpu_cs(&gpu[i]);

		emit_spin(&cs, 2000);
		pc_cs_move48(&cs, 80, pc_gpu_bounce_va(&gpu[i]));
		pc_cs_move32(&cs, 82, 1);
		pc_cs_sync(&cs, PC_CS_SYNC_ADD32, 80, 82);
		for (round = 0; round < JOBS; round++) {
			struct pc_cs again = cs;

			ASSERT_EQ(0, pc_gpu_submit(&gpu[i], &again));
		}
	}
	for (i = 0; i < VMS; i++) {
		EXPECT_EQ(0, pc_gpu_wait(&gpu[i]));
		EXPECT_EQ(JOBS, *(__u32 *)pc_gpu_bounce(&gpu[i]));
		vm = gpu[i].vm;
		pc_gpu_fini(&gpu[i]);
		EXPECT_EQ(0, pc_vm_destroy(fd, vm));
	}
	free(gpu);
}

TEST_F(group, each_priority_runs)
{
	int fd = self->env.fd;
	struct drm_panthor_sync_op out;
	__u32 group[3], prio, vm = self->env.space.gpu.vm;

	for (prio = 0; prio < 3; prio++) {
		struct drm_panthor_queue_submit submit;
		struct pc_cs cs = stream(&self->bo, prio);

		ASSERT_EQ(0, pc_group_create_priority(fd, vm, 1, RING, prio, &group[prio]));
		emit_spin(&cs, 5000);
		emit_add(&cs, 0);
		out = pc_signal_op(self->done, prio + 1);
		submit = job(0, prio, &cs, &out, 1);
		ASSERT_EQ(0, pc_group_submit(fd, group[prio], &submit, 1));
	}
	ASSERT_EQ(0, pc_syncobj_wait(fd, self->done, 3, PC_JOB_NS));
	EXPECT_EQ(3, counter(self->counter, 0));
	for (prio = 0; prio < 3; prio++)
		EXPECT_EQ(0, pc_group_destroy(fd, group[prio]));
}

TEST_HARNESS_MAIN
