// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Streams that go wrong: instructions that do not exist, loops without end, waits
 * for what never comes, groups destroyed while they run, and a firmware that no
 * longer answers. The driver must end each job, and others must not notice.
 */
#include "panthor_pages.h"
#include "panthor_test.h"

#define VA		0x10000000ull
#define RING		0x1000

/* pc_version() of the driver that looks at all address spaces all the time. */
#define DRIVER_OF_6_12	0x10000

/* The driver's limit for a job is 5 s; a case may have two of them. */
#define SLOW		60

struct fault_case {
	struct pc_env env;
	struct pc_bo bo;
	__u32 done;
};

FIXTURE(fault)
{
	struct fault_case f;
};

FIXTURE_SETUP(fault)
{
	int fd;

	pc_env_setup(_metadata, &self->f.env);
	fd = self->f.env.fd;
	if (fd < 0)
		return;

	ASSERT_EQ(0, pc_bo_create(fd, PC_64K, &self->f.bo));
	ASSERT_EQ(0, pc_space_map(&self->f.env.space, &self->f.bo, 0, VA, self->f.bo.size, 0));
	ASSERT_EQ(0, pc_syncobj_create(fd, false, &self->f.done));
}

FIXTURE_TEARDOWN(fault)
{
	pc_env_teardown(_metadata, &self->f.env);
}

/* The page of the buffer with this number, as a stream. */
static struct pc_cs stream(const struct pc_bo *bo, __u32 number)
{
	return (struct pc_cs){
		.words = bo->map + number * PC_4K,
		.size = PC_4K / 8,
	};
}

static int submit(int fd, __u32 group, __u32 queue, __u32 number, const struct pc_cs *cs,
		  __u32 syncobj)
{
	struct drm_panthor_sync_op done = pc_signal_op(syncobj, 0);
	struct drm_panthor_queue_submit job = pc_job(queue, VA + number * PC_4K, cs->count * 8,
						     &done, 1);

	return pc_group_submit(fd, group, &job, 1);
}

static void emit_loop_forever(struct pc_cs *cs)
{
	pc_cs_move32(cs, 0, 1);
	pc_cs_branch(cs, 1, PC_CS_NEQUAL, 0);
}

static void emit_wait_forever(struct pc_cs *cs)
{
	pc_cs_move48(cs, 0, VA + 15 * PC_4K);
	pc_cs_move32(cs, 2, 0);
	pc_cs_sync_wait(cs, PC_CS_SYNC_WAIT32, PC_CS_GREATER, 0, 2);
}

static void expect_state(struct __test_metadata *_metadata, int fd, __u32 group, __u32 state,
			 __u32 queues)
{
	__u32 seen = ~0, seen_queues = ~0;

	EXPECT_EQ(0, pc_group_state(fd, group, &seen, &seen_queues));
	EXPECT_EQ(state, seen);
	EXPECT_EQ(queues, seen_queues);
}

/* A stream that must break its queue, in a group of its own. */
static void expect_fatal(struct __test_metadata *_metadata, struct fault_case *f,
			 const struct pc_cs *cs)
{
	int fd = f->env.fd;
	__u32 group;

	ASSERT_EQ(0, pc_group_create(fd, f->env.space.gpu.vm, 1, RING, &group));
	ASSERT_EQ(0, submit(fd, group, 0, 0, cs, f->done));
	EXPECT_EQ(-EINVAL, pc_syncobj_finish(fd, f->done, PC_JOB_NS));
	expect_state(_metadata, fd, group, DRM_PANTHOR_GROUP_STATE_FATAL_FAULT, 1);
	EXPECT_EQ(-EINVAL, submit(fd, group, 0, 0, cs, f->done));
	EXPECT_EQ(0, pc_group_destroy(fd, group));

	/* A fault of the MMU has taken the other groups of the VM with it. */
	ASSERT_EQ(0, pc_gpu_restart(&f->env.space.gpu));
	pc_expect_space(_metadata, &f->env.space);
}

TEST_F(fault, unknown_instruction)
{
	struct pc_cs cs = stream(&self->f.bo, 0);

	pc_cs_emit(&cs, PC_CS_UNKNOWN, 0);
	expect_fatal(_metadata, &self->f, &cs);
}

/* The stress tells a group that works from one that does not by a check of memory. */
TEST_F(fault, check_of_nothing)
{
	struct pc_gpu *gpu = &self->f.env.space.gpu;
	struct pc_cs cs = pc_gpu_cs(gpu);
	struct pc_pages *pages = calloc(1, sizeof(*pages));
	__u64 va;

	ASSERT_NE(NULL, pages);
	pc_pages_init(pages, gpu, &self->f.bo, 1, 1);
	EXPECT_EQ(0, pc_pages_check(pages, PC_GPU_LINES, &va, NULL));
	pc_cs_emit(&cs, PC_CS_UNKNOWN, 0);
	EXPECT_EQ(-EINVAL, pc_gpu_run(gpu, &cs));
	EXPECT_EQ(-EINVAL, pc_pages_check(pages, PC_GPU_LINES, &va, NULL));
	free(pages);
	ASSERT_EQ(0, pc_gpu_restart(gpu));
}

TEST_F(fault, unknown_instruction_after_good_ones)
{
	struct pc_cs cs = stream(&self->f.bo, 0);
	__u32 i;

	pc_cs_move48(&cs, 64, VA + PC_4K);
	pc_cs_move32(&cs, 0, 0x600d);
	pc_cs_store(&cs, 0, 1, 64, 0);
	for (i = 0; i < 100; i++)
		pc_cs_nop(&cs);
	pc_cs_emit(&cs, PC_CS_UNKNOWN, 0);
	expect_fatal(_metadata, &self->f, &cs);
	EXPECT_EQ(0x600d, *(__u32 *)(self->f.bo.map + PC_4K));
}

TEST_F(fault, protected_mode)
{
	struct pc_cs cs = stream(&self->f.bo, 0);

	/* Of one instruction. */
	pc_cs_emit(&cs, PC_CS_PROT_REGION, 1);
	pc_cs_nop(&cs);
	expect_fatal(_metadata, &self->f, &cs);
}

TEST_F(fault, no_such_register)
{
	struct pc_cs cs = stream(&self->f.bo, 0);

	pc_cs_move32(&cs, 255, 1);
	expect_fatal(_metadata, &self->f, &cs);
}

TEST_F(fault, call_without_end)
{
	struct pc_cs cs = stream(&self->f.bo, 0);

	pc_cs_move48(&cs, 0, VA);
	pc_cs_move32(&cs, 2, 24);
	pc_cs_call(&cs, 0, 2);
	expect_fatal(_metadata, &self->f, &cs);
}

TEST_F(fault, call_into_nothing)
{
	struct pc_cs cs = stream(&self->f.bo, 0);

	pc_cs_move48(&cs, 0, VA + PC_1G);
	pc_cs_move32(&cs, 2, 64);
	pc_cs_call(&cs, 0, 2);
	pc_provoke_fault();
	expect_fatal(_metadata, &self->f, &cs);
}

TEST_F(fault, one_queue_of_two)
{
	int fd = self->f.env.fd;
	struct pc_cs bad = stream(&self->f.bo, 0), blocked = stream(&self->f.bo, 1);
	__u32 group, other;

	ASSERT_EQ(0, pc_syncobj_create(fd, false, &other));
	ASSERT_EQ(0, pc_group_create(fd, self->f.env.space.gpu.vm, 2, RING, &group));
	emit_wait_forever(&blocked);
	pc_cs_emit(&bad, PC_CS_UNKNOWN, 0);
	ASSERT_EQ(0, submit(fd, group, 0, 1, &blocked, other));
	ASSERT_EQ(0, submit(fd, group, 1, 0, &bad, self->f.done));
	EXPECT_EQ(-EINVAL, pc_syncobj_finish(fd, self->f.done, PC_JOB_NS));
	EXPECT_EQ(-ECANCELED, pc_syncobj_finish(fd, other, PC_JOB_NS));
	expect_state(_metadata, fd, group, DRM_PANTHOR_GROUP_STATE_FATAL_FAULT, 2);
	EXPECT_EQ(0, pc_group_destroy(fd, group));
}

TEST_F(fault, jobs_behind_a_bad_one)
{
	int fd = self->f.env.fd;
	struct pc_cs bad = stream(&self->f.bo, 0), good = stream(&self->f.bo, 1);
	__u32 group, i;

	/* More than the ring holds: some have not even been handed to the GPU. */
	ASSERT_EQ(0, pc_group_create(fd, self->f.env.space.gpu.vm, 1, RING, &group));
	pc_cs_move32(&bad, 0, 50000);
	pc_cs_add_imm32(&bad, 0, 0, -1);
	pc_cs_branch(&bad, 1, PC_CS_NEQUAL, 0);
	pc_cs_emit(&bad, PC_CS_UNKNOWN, 0);
	pc_cs_nop(&good);
	ASSERT_EQ(0, submit(fd, group, 0, 0, &bad, self->f.done));
	for (i = 0; i < 100; i++)
		if (submit(fd, group, 0, 1, &good, self->f.done))
			break;
	EXPECT_LT(0, i);
	EXPECT_GT(0, pc_syncobj_finish(fd, self->f.done, PC_JOB_NS));
	expect_state(_metadata, fd, group, DRM_PANTHOR_GROUP_STATE_FATAL_FAULT, 1);
	EXPECT_EQ(0, pc_group_destroy(fd, group));
}

TEST_F_TIMEOUT(fault, loop_without_end, SLOW)
{
	int fd = self->f.env.fd;
	struct pc_cs cs = stream(&self->f.bo, 0);
	__u32 group;

	ASSERT_EQ(0, pc_group_create(fd, self->f.env.space.gpu.vm, 1, RING, &group));
	emit_loop_forever(&cs);
	ASSERT_EQ(0, submit(fd, group, 0, 0, &cs, self->f.done));

	/* Others have their turns meanwhile. */
	pc_expect_space(_metadata, &self->f.env.space);
	pc_provoke_timeout();
	EXPECT_EQ(-ETIMEDOUT, pc_syncobj_finish(fd, self->f.done, PC_JOB_NS));
	expect_state(_metadata, fd, group, DRM_PANTHOR_GROUP_STATE_TIMEDOUT, 0);
	EXPECT_EQ(-EINVAL, submit(fd, group, 0, 0, &cs, self->f.done));
	EXPECT_EQ(0, pc_group_destroy(fd, group));
}

TEST_F_TIMEOUT(fault, wait_without_end, SLOW)
{
	int fd = self->f.env.fd;
	struct pc_cs cs = stream(&self->f.bo, 0);
	__u32 group;

	ASSERT_EQ(0, pc_group_create(fd, self->f.env.space.gpu.vm, 1, RING, &group));
	emit_wait_forever(&cs);
	ASSERT_EQ(0, submit(fd, group, 0, 0, &cs, self->f.done));
	pc_provoke_timeout();
	EXPECT_EQ(-ETIMEDOUT, pc_syncobj_finish(fd, self->f.done, PC_JOB_NS));
	expect_state(_metadata, fd, group, DRM_PANTHOR_GROUP_STATE_TIMEDOUT, 0);
	EXPECT_EQ(0, pc_group_destroy(fd, group));
}

TEST_F(fault, destroyed_while_it_runs)
{
	int fd = self->f.env.fd;
	struct pc_cs loop = stream(&self->f.bo, 0), wait = stream(&self->f.bo, 1);
	int held = -1;
	__u32 group, i;

	emit_loop_forever(&loop);
	emit_wait_forever(&wait);
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(0, pc_group_create(fd, self->f.env.space.gpu.vm, 1, RING, &group));
		ASSERT_EQ(0, submit(fd, group, 0, i % 2, i % 2 ? &wait : &loop, self->f.done));
		ASSERT_EQ(0, pc_sync_file_hold(fd, self->f.done, &held));
		/* In time, before it has a slot, and while it has one. */
		usleep(i / 2 * 20000);
		EXPECT_EQ(0, pc_group_destroy(fd, group));
		EXPECT_EQ(-ECANCELED, pc_sync_file_finish(held, PC_JOB_NS));
		close(held);
	}
}

TEST_F(fault, vm_destroyed_while_it_runs)
{
	int fd = self->f.env.fd, err;
	struct pc_space other;
	struct pc_cs cs = stream(&self->f.bo, 0);

	emit_loop_forever(&cs);
	ASSERT_EQ(0, pc_space_init(&other, fd));
	ASSERT_EQ(0, pc_space_map(&other, &self->f.bo, 0, VA, self->f.bo.size, 0));
	ASSERT_EQ(0, submit(fd, other.gpu.group, 0, 0, &cs, self->f.done));
	usleep(20000);
	ASSERT_EQ(0, pc_vm_destroy(fd, other.gpu.vm));

	/* The stream is no longer there. */
	pc_provoke_fault();
	err = pc_syncobj_finish(fd, self->f.done, PC_JOB_NS);
	EXPECT_EQ(-EINVAL, err);
	pc_space_fini(&other);
}

/*
 * Nothing else runs. What is expected comes long before the driver gives up a loop for
 * its own reasons, after 5 s.
 */
static void expect_running(struct __test_metadata *_metadata, int streams)
{
	int tries;

	if (pc_model_running() == -ENOENT)
		return;
	for (tries = 0; tries < 250 && pc_model_running() != streams; tries++)
		usleep(10000);
	EXPECT_EQ(streams, pc_model_running());
}

TEST_F(fault, file_closed_while_it_runs)
{
	struct pc_space other;
	struct pc_bo bo;
	struct pc_cs cs;
	__u32 done;
	int fd, i;

	for (i = 0; i < 3; i++) {
		fd = pc_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, pc_space_init(&other, fd));
		ASSERT_EQ(0, pc_bo_create(fd, PC_64K, &bo));
		ASSERT_EQ(0, pc_space_map(&other, &bo, 0, VA, bo.size, 0));
		ASSERT_EQ(0, pc_syncobj_create(fd, false, &done));
		cs = stream(&bo, 0);
		emit_loop_forever(&cs);
		ASSERT_EQ(0, submit(fd, other.gpu.group, 0, 0, &cs, done));
		/* At first it has hardly begun. */
		if (i)
			expect_running(_metadata, 1);
		munmap(bo.map, bo.size);
		munmap(other.gpu.bo.map, other.gpu.bo.size);
		close(fd);
		expect_running(_metadata, 0);
		pc_expect_space(_metadata, &self->f.env.space);
	}
}

/*
 * The driver has seen that the firmware hangs. Until then what it ends is not all it
 * will end: jobs that start meanwhile may be lost, too.
 */
static void expect_reset(struct __test_metadata *_metadata, long long resets)
{
	int tries;

	for (tries = 0; tries < 3000 && pc_model_hang_resets() == resets; tries++)
		usleep(10000);
	EXPECT_LT(resets, pc_model_hang_resets());
}

/*
 * The driver may not be done with the reset: while that of 6.12 loads the firmware again, it
 * reads a size of 0 for the suspend buffers of groups, and finds no space for that.
 */
static int restart_after_reset(struct pc_gpu *gpu)
{
	int err = pc_gpu_restart(gpu), tries;

	for (tries = 0; tries < 100 && err == -ENOSPC; tries++) {
		usleep(10000);
		err = pc_gpu_restart(gpu);
	}
	return err;
}

/* A job on a hung firmware: lost or not, the driver ends it and goes on. */
static void survive_a_hang(struct __test_metadata *_metadata, struct fault_case *f,
			   const struct pc_cs *cs)
{
	struct pc_gpu *gpu = &f->env.space.gpu;
	long long resets = pc_model_hang_resets();
	int fd = f->env.fd;

	if (resets < 0)
		SKIP(return, "no way to hang the firmware");

	ASSERT_EQ(0, submit(fd, gpu->group, 0, 0, cs, f->done));
	usleep(20000);
	ASSERT_EQ(0, pc_model_hang());

	EXPECT_NE(-ETIME, pc_syncobj_finish(fd, f->done, PC_JOB_NS));
	expect_reset(_metadata, resets);
	EXPECT_EQ(0, pc_model_hung());
	pc_provoked_timeouts();
	ASSERT_EQ(0, restart_after_reset(gpu));
	pc_expect_space(_metadata, &f->env.space);
}

TEST_F_TIMEOUT(fault, reset_with_a_loop, SLOW)
{
	struct pc_cs cs = stream(&self->f.bo, 0);

	emit_loop_forever(&cs);
	survive_a_hang(_metadata, &self->f, &cs);
}

TEST_F_TIMEOUT(fault, reset_with_a_blocked_queue, SLOW)
{
	struct pc_cs cs = stream(&self->f.bo, 0);

	emit_wait_forever(&cs);
	survive_a_hang(_metadata, &self->f, &cs);
}

TEST_F_TIMEOUT(fault, reset_and_bind, SLOW)
{
	struct pc_space *space = &self->f.env.space;
	struct pc_cs cs = stream(&self->f.bo, 0);
	long long resets = pc_model_hang_resets();
	__u32 i;

	if (resets < 0)
		SKIP(return, "no way to hang the firmware");

	emit_loop_forever(&cs);
	ASSERT_EQ(0, submit(self->f.env.fd, space->gpu.group, 0, 0, &cs, self->f.done));
	ASSERT_EQ(0, pc_model_hang());

	/* Before, while and after the GPU is reset. */
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, pc_space_map(space, &self->f.bo, 0, VA + PC_1G + i % 7 * PC_64K,
					  PC_64K, 0));
		ASSERT_EQ(0, pc_space_unmap(space, VA + PC_1G + i % 5 * PC_64K, PC_4K));
		usleep(2000);
	}
	EXPECT_NE(-ETIME, pc_syncobj_finish(self->f.env.fd, self->f.done, PC_JOB_NS));
	expect_reset(_metadata, resets);
	pc_provoked_timeouts();
	ASSERT_EQ(0, restart_after_reset(&space->gpu));
}

/*
 * A fault that comes while the driver takes an address space away stays raised. It must not
 * hit the VM that gets the address space next.
 */
TEST_F(fault, left_over_for_the_next_vm)
{
	struct pc_space *other = calloc(1, sizeof(*other));
	int fd = self->f.env.fd, err;
	__u32 word;

	ASSERT_TRUE(other);
	/* The GPU is awake, and forgets nothing. */
	pc_expect_space(_metadata, &self->f.env.space);
	err = pc_model_raise_next();
	if (err == -ENOENT)
		SKIP(return, "no way to raise a fault");
	ASSERT_EQ(0, err);

	ASSERT_EQ(0, pc_space_init(other, fd));
	err = pc_gpu_read(&other->gpu, PC_GPU_VA, &word, sizeof(word));
	if (err && pc_version(fd) > DRIVER_OF_6_12) {
		TH_LOG("the driver does not clear it: see Documentation/gpu/panthor-vmali.rst");
		EXPECT_EQ(-EINVAL, err);
		ASSERT_EQ(0, pc_gpu_restart(&other->gpu));
	} else {
		EXPECT_EQ(0, err);
	}
	pc_provoked_faults();
	EXPECT_EQ(0, pc_gpu_read(&other->gpu, PC_GPU_VA, &word, sizeof(word)));
	pc_space_fini(other);
	free(other);
}

TEST_HARNESS_MAIN
