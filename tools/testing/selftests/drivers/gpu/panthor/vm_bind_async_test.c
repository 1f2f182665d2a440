// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Asynchronous VM_BIND: order and fences, jobs before and behind binds, and binds
 * that are pending when their VM, their file or their process goes away.
 */
#include <signal.h>
#include <sys/wait.h>

#include "panthor_test.h"

#define VA		0x10000000ull
#define PENDING		64

FIXTURE(async)
{
	struct pc_env env;
	struct pc_bo bo;
	struct pc_gate gate;
	__u32 done;
};

FIXTURE_SETUP(async)
{
	int fd;

	pc_env_setup(_metadata, &self->env);
	fd = self->env.fd;
	if (fd < 0)
		return;

	ASSERT_EQ(0, pc_bo_create(fd, 4 * PC_1M, &self->bo));
	pc_fill(self->bo.map, self->bo.size, 1);
	ASSERT_EQ(0, pc_gate_init(&self->gate, fd));
	ASSERT_EQ(0, pc_syncobj_create(fd, false, &self->done));
}

FIXTURE_TEARDOWN(async)
{
	pc_gate_fini(&self->gate);
	pc_env_teardown(_metadata, &self->env);
}

/* One op behind @in and before @out; either may be 0. */
static int bind_one(struct pc_space *space, struct drm_panthor_vm_bind_op op, __u32 in, __u32 out)
{
	struct drm_panthor_sync_op syncs[2];
	__u32 count = 0;

	if (in)
		syncs[count++] = pc_wait_op(in, 0);
	if (out)
		syncs[count++] = pc_signal_op(out, 0);
	pc_op_syncs(&op, syncs, count);
	return pc_bind_async(space->gpu.fd, space->gpu.vm, &op, 1);
}

/* A job that copies one line, behind @in and before @out. */
static int copy_job(struct pc_space *space, __u64 va, __u32 in, __u32 out)
{
	struct drm_panthor_sync_op syncs[2];
	struct drm_panthor_queue_submit job;
	struct pc_cs cs = pc_gpu_cs(&space->gpu);
	__u32 count = 0;

	pc_cs_move48(&cs, 64, va);
	pc_cs_move48(&cs, 66, pc_gpu_bounce_va(&space->gpu));
	pc_cs_load(&cs, 0, 0xffff, 64, 0);
	pc_cs_store(&cs, 0, 0xffff, 66, 0);
	pc_cs_move32(&cs, 68, 0);
	pc_cs_flush(&cs, 68);

	if (in)
		syncs[count++] = pc_wait_op(in, 0);
	if (out)
		syncs[count++] = pc_signal_op(out, 0);
	job = pc_job(0, space->gpu.va, cs.count * 8, syncs, count);
	return pc_group_submit(space->gpu.fd, space->gpu.group, &job, 1);
}

TEST_F(async, out_fence)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, bind_one(space, pc_op_map(&self->bo, 0, VA, PC_1M, 0), 0, self->done));
	EXPECT_EQ(0, pc_syncobj_finish(space->gpu.fd, self->done, PC_JOB_NS));
	pc_space_expect(space, &self->bo, 0, VA, PC_1M);
}

TEST_F(async, no_fences_at_all)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, bind_one(space, pc_op_map(&self->bo, 0, VA, PC_1M, 0), 0, 0));
	ASSERT_EQ(0, bind_one(space, pc_op_sync_only(), 0, self->done));
	EXPECT_EQ(0, pc_syncobj_finish(space->gpu.fd, self->done, PC_JOB_NS));
	pc_space_expect(space, &self->bo, 0, VA, PC_1M);
}

TEST_F(async, in_fence)
{
	struct pc_space *space = &self->env.space;
	int fd = space->gpu.fd;

	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, bind_one(space, pc_op_map(&self->bo, 0, VA, PC_1M, 0), self->gate.fence,
			      self->done));
	EXPECT_EQ(-ETIME, pc_syncobj_wait(fd, self->done, 0, 100000000));
	EXPECT_EQ(0, pc_syncobj_status(fd, self->done));
	EXPECT_EQ(0, pc_space_faults(space, VA));

	ASSERT_EQ(0, pc_gate_open(&self->gate));
	EXPECT_EQ(0, pc_syncobj_finish(fd, self->done, PC_JOB_NS));
	EXPECT_EQ(1, pc_syncobj_status(fd, self->done));
	pc_space_expect(space, &self->bo, 0, VA, PC_1M);
}

TEST_F(async, in_fence_as_sync_file)
{
	struct pc_space *space = &self->env.space;
	int fd = space->gpu.fd, file;
	__u32 in;

	ASSERT_EQ(0, pc_syncobj_create(fd, false, &in));
	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, pc_sync_file_export(fd, self->gate.fence, &file));
	ASSERT_EQ(0, pc_sync_file_import(fd, file, in));
	close(file);

	ASSERT_EQ(0, bind_one(space, pc_op_map(&self->bo, 0, VA, PC_1M, 0), in, self->done));
	ASSERT_EQ(0, pc_syncobj_destroy(fd, in));
	EXPECT_EQ(-ETIME, pc_syncobj_wait(fd, self->done, 0, 50000000));
	ASSERT_EQ(0, pc_gate_open(&self->gate));
	EXPECT_EQ(0, pc_syncobj_finish(fd, self->done, PC_JOB_NS));
	pc_space_expect(space, &self->bo, 0, VA, PC_1M);
}

TEST_F(async, no_fence_in_the_sync_object)
{
	struct pc_space *space = &self->env.space;
	__u32 empty;

	ASSERT_EQ(0, pc_syncobj_create(space->gpu.fd, false, &empty));
	EXPECT_EQ(-EINVAL, bind_one(space, pc_op_map(&self->bo, 0, VA, PC_1M, 0), empty,
				    self->done));
	EXPECT_EQ(-EINVAL, pc_syncobj_wait_submitted(space->gpu.fd, self->done, 0, 0));
	EXPECT_EQ(0, pc_space_faults(space, VA));
}

TEST_F(async, timeline)
{
	struct pc_space *space = &self->env.space;
	int fd = space->gpu.fd;
	__u32 timeline, i;
	__u64 point;

	ASSERT_EQ(0, pc_syncobj_create(fd, false, &timeline));
	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, pc_syncobj_transfer(fd, timeline, 1, self->gate.fence, 0));

	for (i = 0; i < 20; i++) {
		struct drm_panthor_vm_bind_op op = pc_op_map(&self->bo, i * PC_64K,
							     VA + i * PC_64K, PC_64K, 0);
		struct drm_panthor_sync_op syncs[] = {
			pc_wait_op(timeline, 1 + i),
			pc_signal_op(timeline, 2 + i),
		};

		pc_op_syncs(&op, syncs, 2);
		ASSERT_EQ(0, pc_bind_async(fd, space->gpu.vm, &op, 1));
		pc_space_expect(space, &self->bo, op.bo_offset, op.va, op.size);
	}

	EXPECT_EQ(-ETIME, pc_syncobj_wait(fd, timeline, 2, 50000000));
	ASSERT_EQ(0, pc_gate_open(&self->gate));
	EXPECT_EQ(0, pc_syncobj_wait(fd, timeline, 21, PC_JOB_NS));
	EXPECT_EQ(0, pc_syncobj_query(fd, timeline, &point));
	EXPECT_EQ(21, point);
}

TEST_F(async, array_in_order)
{
	struct pc_space *space = &self->env.space;
	struct drm_panthor_vm_bind_op ops[] = {
		pc_op_map(&self->bo, 0, VA, PC_1M, 0),
		pc_op_unmap(VA + PC_64K, PC_64K),
		pc_op_map(&self->bo, PC_1M, VA + PC_64K, PC_4K, 0),
		pc_op_sync_only(),
	};
	struct drm_panthor_sync_op done = pc_signal_op(self->done, 0);

	pc_op_syncs(&ops[3], &done, 1);
	ASSERT_EQ(0, pc_bind_async(space->gpu.fd, space->gpu.vm, ops, PC_COUNT(ops)));
	EXPECT_EQ(0, pc_syncobj_finish(space->gpu.fd, self->done, PC_JOB_NS));
	pc_space_expect(space, &self->bo, 0, VA, PC_1M);
	pc_space_expect_nothing(space, VA + PC_64K, PC_64K);
	pc_space_expect(space, &self->bo, PC_1M, VA + PC_64K, PC_4K);
	EXPECT_EQ(0, pc_space_faults(space, VA + PC_64K + PC_4K));
}

TEST_F(async, wait_for_an_op_of_the_same_array)
{
	struct pc_space *space = &self->env.space;
	struct drm_panthor_vm_bind_op ops[] = {
		pc_op_map(&self->bo, 0, VA, PC_1M, 0),
		pc_op_map(&self->bo, PC_1M, VA + PC_1M, PC_1M, 0),
	};
	struct drm_panthor_sync_op first = pc_signal_op(self->done, 0);
	struct drm_panthor_sync_op second[] = {
		pc_wait_op(self->done, 0),
		pc_signal_op(self->done, 0),
	};

	pc_op_syncs(&ops[0], &first, 1);
	pc_op_syncs(&ops[1], second, 2);
	ASSERT_EQ(0, pc_bind_async(space->gpu.fd, space->gpu.vm, ops, PC_COUNT(ops)));
	EXPECT_EQ(0, pc_syncobj_finish(space->gpu.fd, self->done, PC_JOB_NS));
	pc_space_expect(space, &self->bo, 0, VA, 2 * PC_1M);
}

TEST_F(async, array_with_a_mistake_does_nothing)
{
	struct pc_space *space = &self->env.space;
	struct drm_panthor_vm_bind_op ops[] = {
		pc_op_map(&self->bo, 0, VA, PC_1M, 0),
		pc_op_map(&self->bo, PC_1M, VA + PC_1M + 1, PC_1M, 0),
		pc_op_map(&self->bo, 0, VA + PC_2M, PC_1M, 0),
	};
	__u32 state;

	EXPECT_EQ(-EINVAL, pc_bind_async(space->gpu.fd, space->gpu.vm, ops, PC_COUNT(ops)));
	EXPECT_EQ(0, pc_space_faults(space, VA));
	EXPECT_EQ(0, pc_space_faults(space, VA + PC_2M));
	EXPECT_EQ(0, pc_vm_state(space->gpu.fd, space->gpu.vm, &state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, state);
}

TEST_F(async, job_behind_a_bind)
{
	struct pc_space *space = &self->env.space;
	int fd = space->gpu.fd;

	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, bind_one(space, pc_op_map(&self->bo, PC_4K, VA, PC_1M, 0), self->gate.fence,
			      self->done));
	ASSERT_EQ(0, copy_job(space, VA, self->done, space->gpu.syncobj));
	EXPECT_EQ(-ETIME, pc_syncobj_wait(fd, space->gpu.syncobj, 0, 50000000));
	ASSERT_EQ(0, pc_gate_open(&self->gate));
	ASSERT_EQ(0, pc_gpu_wait(&space->gpu));
	EXPECT_EQ(pc_pattern(1, PC_4K), *(__u64 *)pc_gpu_bounce(&space->gpu));
	pc_space_expect(space, &self->bo, PC_4K, VA, PC_1M);
}

TEST_F(async, unmap_behind_a_job)
{
	struct pc_space *space = &self->env.space;
	__u32 i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pc_space_map(space, &self->bo, i * PC_64K, VA, PC_64K, 0));
		ASSERT_EQ(0, copy_job(space, VA, 0, space->gpu.syncobj));
		ASSERT_EQ(0, bind_one(space, pc_op_unmap(VA, PC_64K), space->gpu.syncobj,
				      self->done));
		ASSERT_EQ(0, pc_gpu_wait(&space->gpu));
		ASSERT_EQ(0, pc_syncobj_finish(space->gpu.fd, self->done, PC_JOB_NS));
		ASSERT_EQ(pc_pattern(1, i * PC_64K), *(__u64 *)pc_gpu_bounce(&space->gpu));
		pc_space_expect_nothing(space, VA, PC_64K);
	}
	EXPECT_EQ(0, pc_space_faults(space, VA));
}

TEST_F(async, many_pending_while_jobs_run)
{
	struct pc_space *space = &self->env.space;
	__u64 word;
	__u32 i;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_64K, 0));
	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, bind_one(space, pc_op_sync_only(), self->gate.fence, 0));

	for (i = 0; i < PENDING; i++) {
		__u64 va = VA + PC_1G + i * PC_2M;

		ASSERT_EQ(0, bind_one(space, pc_op_map(&self->bo, i * PC_4K, va, PC_64K, 0), 0,
				      self->done));
		ASSERT_EQ(0, pc_gpu_read(&space->gpu, VA + (i % 16) * PC_4K, &word, 8));
		ASSERT_EQ(pc_pattern(1, (i % 16) * PC_4K), word);
	}

	ASSERT_EQ(0, pc_gate_open(&self->gate));
	ASSERT_EQ(0, pc_syncobj_finish(space->gpu.fd, self->done, PC_JOB_NS));
	for (i = 0; i < PENDING; i++)
		pc_space_expect(space, &self->bo, i * PC_4K, VA + PC_1G + i * PC_2M, PC_64K);
}

TEST_F(async, pending_maps_and_unmaps_of_one_block)
{
	struct pc_space *space = &self->env.space;
	__u32 i;

	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, bind_one(space, pc_op_map(&self->bo, 0, VA, PC_2M, 0), self->gate.fence, 0));
	pc_space_expect(space, &self->bo, 0, VA, PC_2M);
	for (i = 0; i < PENDING; i++) {
		ASSERT_EQ(0, bind_one(space, pc_op_unmap(VA + i * 2 * PC_4K, PC_4K), 0,
				      self->done));
		pc_space_expect_nothing(space, VA + i * 2 * PC_4K, PC_4K);
	}
	/* Those that follow find less, or more, than when they were queued. */
	ASSERT_EQ(0, bind_one(space, pc_op_unmap(VA, PC_1M), 0, 0));
	pc_space_expect_nothing(space, VA, PC_1M);
	ASSERT_EQ(0, bind_one(space, pc_op_map(&self->bo, PC_1M, VA + PC_4K, PC_64K, 0), 0,
			      self->done));
	pc_space_expect(space, &self->bo, PC_1M, VA + PC_4K, PC_64K);

	ASSERT_EQ(0, pc_gate_open(&self->gate));
	ASSERT_EQ(0, pc_syncobj_finish(space->gpu.fd, self->done, PC_JOB_NS));
}

TEST_F(async, sync_bind_overtakes)
{
	struct pc_space *space = &self->env.space;

	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, bind_one(space, pc_op_map(&self->bo, 0, VA, PC_64K, 0), self->gate.fence,
			      self->done));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, PC_1M, VA + PC_4K, PC_64K, 0));
	pc_expect_space(_metadata, space);

	ASSERT_EQ(0, pc_gate_open(&self->gate));
	ASSERT_EQ(0, pc_syncobj_finish(space->gpu.fd, self->done, PC_JOB_NS));
	pc_space_expect(space, &self->bo, 0, VA, PC_64K);
}

TEST_F(async, buffer_closed_while_pending)
{
	struct pc_space *space = &self->env.space;
	struct pc_bo bo;

	ASSERT_EQ(0, pc_bo_create(space->gpu.fd, PC_1M, &bo));
	pc_fill(bo.map, bo.size, 7);
	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, bind_one(space, pc_op_map(&bo, 0, VA, PC_1M, 0), self->gate.fence,
			      self->done));
	ASSERT_EQ(0, pc_gem_close(space->gpu.fd, bo.handle));
	ASSERT_EQ(0, pc_gate_open(&self->gate));
	ASSERT_EQ(0, pc_syncobj_finish(space->gpu.fd, self->done, PC_JOB_NS));
	pc_space_expect(space, &bo, 0, VA, PC_1M);
}

/* Maps in @space that wait for @in, which is @count times PC_4K from VA. */
static int queue_maps(struct pc_space *space, const struct pc_bo *bo, __u32 in, __u32 out,
		      __u32 count)
{
	__u32 i;
	int err = 0;

	for (i = 0; i < count && !err; i++)
		err = bind_one(space, pc_op_map(bo, i * PC_4K, VA + i * PC_4K, PC_4K, 0), in, out);
	return err;
}

TEST_F(async, vm_destroyed_with_binds_pending)
{
	struct pc_space other;
	int fd = self->env.fd;

	ASSERT_EQ(0, pc_space_init(&other, fd));
	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, queue_maps(&other, &self->bo, self->gate.fence, self->done, PENDING));
	pc_space_fini(&other);
	EXPECT_EQ(-EINVAL, queue_maps(&other, &self->bo, 0, self->done, 1));

	ASSERT_EQ(0, pc_gate_open(&self->gate));
	EXPECT_EQ(0, pc_syncobj_wait(fd, self->done, 0, PC_JOB_NS));
}

TEST_F(async, vm_destroyed_with_unmaps_pending)
{
	struct pc_space other;
	int fd = self->env.fd;

	ASSERT_EQ(0, pc_space_init(&other, fd));
	ASSERT_EQ(0, pc_space_map(&other, &self->bo, 0, VA, 4 * PC_1M, 0));
	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, bind_one(&other, pc_op_unmap(VA + PC_64K, PC_1M), self->gate.fence,
			      self->done));
	pc_space_fini(&other);
	ASSERT_EQ(0, pc_gate_open(&self->gate));
	EXPECT_EQ(0, pc_syncobj_wait(fd, self->done, 0, PC_JOB_NS));
}

/* A second file that shares a sync object with ours. */
static int open_other(int fd, __u32 syncobj, __u32 *theirs, struct pc_space *space,
		      struct pc_bo *bo)
{
	int other = pc_open(), obj;
	int err;

	if (other < 0)
		return other;

	err = pc_syncobj_export(fd, syncobj, &obj);
	if (err)
		return err;
	err = pc_syncobj_import(other, obj, theirs);
	close(obj);
	if (!err)
		err = pc_space_init(space, other);
	if (!err)
		err = pc_bo_create(other, PC_1M, bo);
	return err ?: other;
}

TEST_F(async, file_closed_with_binds_pending)
{
	struct pc_space space;
	struct pc_bo bo;
	__u32 in;
	int other;

	ASSERT_EQ(0, pc_gate_close(&self->gate));
	other = open_other(self->env.fd, self->gate.fence, &in, &space, &bo);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, queue_maps(&space, &bo, in, 0, PENDING));
	close(other);
	munmap(space.gpu.bo.map, space.gpu.bo.size);
	munmap(bo.map, bo.size);
	ASSERT_EQ(0, pc_gate_open(&self->gate));

	other = open_other(self->env.fd, self->gate.fence, &in, &space, &bo);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, pc_space_map(&space, &bo, 0, VA, PC_1M, 0));
	pc_expect_space(_metadata, &space);
	close(other);
}

/* A child that binds, behind a fence and not, until it is killed. */
static void child(int fd, __u32 fence)
{
	struct pc_space space;
	struct pc_bo bo;
	__u32 in, i;

	if (open_other(fd, fence, &in, &space, &bo) < 0)
		_exit(1);

	for (i = 0; i < 1000000; i++) {
		struct drm_panthor_vm_bind_op op = pc_op_map(&bo, 0, VA + i % 512 * PC_64K,
							     PC_64K, 0);

		if (bind_one(&space, op, i % 16 == 15 ? in : 0, 0) ||
		    copy_job(&space, pc_gpu_bounce_va(&space.gpu), 0, 0))
			_exit(2);
	}
	_exit(3);
}

TEST_F(async, process_killed)
{
	struct pc_space *space = &self->env.space;
	int status, i;
	pid_t pid;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, PC_1M, 0));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, pc_gate_close(&self->gate));
		pid = fork();
		if (!pid)
			child(self->env.fd, self->gate.fence);

		ASSERT_LT(0, pid);
		usleep(10000 + i * 40000);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		ASSERT_EQ(0, pc_gate_open(&self->gate));
		pc_expect_space(_metadata, space);
	}
}

TEST_F(async, bind_behind_a_failed_job)
{
	struct pc_space *space = &self->env.space;
	int fd = space->gpu.fd;

	/* Reads what is not mapped. */
	pc_provoke_fault();
	ASSERT_EQ(0, copy_job(space, VA, 0, space->gpu.syncobj));
	ASSERT_EQ(0, bind_one(space, pc_op_map(&self->bo, 0, VA, PC_1M, 0), space->gpu.syncobj,
			      self->done));
	EXPECT_GT(0, pc_gpu_wait(&space->gpu));
	EXPECT_EQ(0, pc_syncobj_finish(fd, self->done, PC_JOB_NS));
	pc_space_expect(space, &self->bo, 0, VA, PC_1M);
	ASSERT_EQ(0, pc_gpu_restart(&space->gpu));
}

TEST_HARNESS_MAIN
