// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * One timeline for two clients, each with an open file and a VM of its own: binds wait for
 * jobs and jobs for binds, of this client and of the other one.
 */
#include "panthor_test.h"

#define VA		0x10000000ull
#define STREAMS_VA	0x20000000ull
#define ROUNDS		16u

/**
 * struct side - One of the clients
 * @space: its VM
 * @timeline: the timeline, as a handle of its file
 * @bo: the buffer of both
 * @streams: a page for the stream of each round
 */
struct side {
	struct pc_space space;
	__u32 timeline;
	struct pc_bo bo;
	struct pc_bo streams;
};

FIXTURE(timeline)
{
	struct pc_env env;
	struct pc_gate gate;
	struct side side[2];
};

/* The timeline and the buffer, for others to import. */
static int timeline_fd, bo_fd;

static int side_init(struct side *s, int fd)
{
	return pc_space_init(&s->space, fd) ?:
	       pc_syncobj_import(fd, timeline_fd, &s->timeline) ?:
	       pc_bo_import(fd, bo_fd, &s->bo) ?:
	       pc_bo_create(fd, ROUNDS * PC_4K, &s->streams) ?:
	       pc_map(fd, s->space.gpu.vm, &s->streams, 0, STREAMS_VA, s->streams.size, 0);
}

static void side_fini(struct side *s)
{
	pc_bo_destroy(&s->bo);
	pc_bo_destroy(&s->streams);
	pc_space_fini(&s->space);
	close(s->space.gpu.fd);
}

FIXTURE_SETUP(timeline)
{
	struct pc_bo bo;
	__u32 timeline, i;
	int fd;

	pc_env_setup(_metadata, &self->env);
	fd = self->env.fd;
	if (fd < 0)
		return;

	ASSERT_EQ(0, pc_gate_init(&self->gate, fd));
	ASSERT_EQ(0, pc_bo_create(fd, ROUNDS * PC_64K, &bo));
	ASSERT_EQ(0, pc_bo_export(&bo, &bo_fd));
	ASSERT_EQ(0, pc_syncobj_create(fd, false, &timeline));
	ASSERT_EQ(0, pc_syncobj_export(fd, timeline, &timeline_fd));
	pc_bo_destroy(&bo);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, side_init(&self->side[i], pc_open()));

	/* Nothing happens before the gate opens, which is the first point. */
	ASSERT_EQ(0, pc_gate_close(&self->gate));
	ASSERT_EQ(0, pc_syncobj_transfer(fd, timeline, 1, self->gate.fence, 0));
}

FIXTURE_TEARDOWN(timeline)
{
	__u32 i;

	for (i = 0; i < 2 && self->env.fd >= 0; i++)
		side_fini(&self->side[i]);
	pc_gate_fini(&self->gate);
	close(timeline_fd);
	close(bo_fd);
	pc_env_teardown(_metadata, &self->env);
}

/* Each step waits for the point before its own. */
static int bind_at(struct side *s, __u64 point, struct drm_panthor_vm_bind_op op)
{
	struct drm_panthor_sync_op syncs[] = {
		pc_wait_op(s->timeline, point - 1),
		pc_signal_op(s->timeline, point),
	};

	pc_op_syncs(&op, syncs, PC_COUNT(syncs));
	return pc_bind_async(s->space.gpu.fd, s->space.gpu.vm, &op, 1);
}

static int submit_at(struct side *s, __u64 point, __u32 nr, const struct pc_cs *cs)
{
	struct drm_panthor_sync_op syncs[] = {
		pc_wait_op(s->timeline, point - 1),
		pc_signal_op(s->timeline, point),
	};
	struct drm_panthor_queue_submit job = pc_job(0, STREAMS_VA + nr * PC_4K, cs->count * 8,
						     syncs, PC_COUNT(syncs));

	return pc_group_submit(s->space.gpu.fd, s->space.gpu.group, &job, 1);
}

static struct pc_cs stream(struct side *s, __u32 nr)
{
	return (struct pc_cs){ .words = s->streams.map + nr * PC_4K, .size = PC_4K / 8 };
}

/* A job that adds to a word of the buffer, through a mapping that is there by then only. */
static int add_at(struct side *s, __u64 point, __u32 nr, __u32 value)
{
	struct pc_cs cs = stream(s, nr);

	pc_cs_move48(&cs, 64, VA + nr * PC_64K);
	pc_cs_load(&cs, 0, 1, 64, 0);
	pc_cs_add_imm32(&cs, 0, 0, value);
	pc_cs_store(&cs, 0, 1, 64, 0);
	return submit_at(s, point, nr, &cs);
}

static __u32 word(const struct side *s, __u32 nr)
{
	return __atomic_load_n((__u32 *)((char *)s->bo.map + nr * PC_64K), __ATOMIC_ACQUIRE);
}

/*
 * In each round, one maps and adds, then the other, and the first unmaps before the second
 * does. All of it is queued before the gate opens.
 */
TEST_F(timeline, gates_binds_and_jobs_of_two_files)
{
	__u64 point = 1, reached = ~0ull;
	__u32 i, n;

	for (n = 0; n < ROUNDS; n++) {
		struct side *a = &self->side[n % 2], *b = &self->side[(n + 1) % 2];

		ASSERT_EQ(0, bind_at(a, ++point, pc_op_map(&a->bo, n * PC_64K, VA + n * PC_64K,
							   PC_64K, 0)));
		ASSERT_EQ(0, add_at(a, ++point, n, 1));
		ASSERT_EQ(0, bind_at(b, ++point, pc_op_map(&b->bo, n * PC_64K, VA + n * PC_64K,
							   PC_64K, 0)));
		ASSERT_EQ(0, add_at(b, ++point, n, 16));
		ASSERT_EQ(0, bind_at(a, ++point, pc_op_unmap(VA + n * PC_64K, PC_64K)));
		ASSERT_EQ(0, bind_at(b, ++point, pc_op_unmap(VA + n * PC_64K, PC_64K)));
	}
	usleep(20000);
	EXPECT_EQ(0, pc_syncobj_query(self->side[0].space.gpu.fd, self->side[0].timeline,
				      &reached));
	EXPECT_EQ(0, reached);
	for (n = 0; n < ROUNDS; n++)
		EXPECT_EQ(0, word(&self->side[0], n));

	ASSERT_EQ(0, pc_gate_open(&self->gate));
	for (i = 0; i < 2; i++) {
		struct side *s = &self->side[i];

		ASSERT_EQ(0, pc_syncobj_wait(s->space.gpu.fd, s->timeline, point, PC_JOB_NS));
		for (n = 0; n < ROUNDS; n++)
			EXPECT_EQ(17, word(s, n));
		EXPECT_EQ(0, pc_space_faults(&s->space, VA));
		EXPECT_EQ(0, pc_space_faults(&s->space, VA + (ROUNDS - 1) * PC_64K));
	}
}

/* Signals point 2 with a job that waits for what never comes. */
static void promise(int fd, int ready)
{
	static struct side s;
	struct pc_cs cs;

	if (side_init(&s, fd))
		return;
	cs = stream(&s, 0);
	pc_cs_move48(&cs, 64, STREAMS_VA + ROUNDS * PC_4K - 16);
	pc_cs_move48(&cs, 66, 0);
	pc_cs_sync_wait(&cs, PC_CS_SYNC_WAIT32, PC_CS_GREATER, 64, 66);
	if (submit_at(&s, 2, 0, &cs))
		return;
	pc_ready(ready);
	pause();
}

/* What waits for a client that dies goes on. */
TEST_F(timeline, client_killed)
{
	struct side *s = &self->side[0];
	pid_t pid;

	pid = pc_start_client(_metadata, promise);
	ASSERT_EQ(0, bind_at(s, 3, pc_op_map(&s->bo, 0, VA, PC_64K, 0)));
	ASSERT_EQ(0, add_at(s, 4, 0, 1));
	ASSERT_EQ(0, bind_at(s, 5, pc_op_unmap(VA, PC_64K)));
	ASSERT_EQ(0, pc_gate_open(&self->gate));
	EXPECT_EQ(-ETIME, pc_syncobj_wait(s->space.gpu.fd, s->timeline, 5, 30000000));
	pc_kill_client(_metadata, pid);
	ASSERT_EQ(0, pc_syncobj_wait(s->space.gpu.fd, s->timeline, 5, PC_JOB_NS));
	EXPECT_EQ(1, word(s, 0));
	EXPECT_EQ(0, pc_space_faults(&s->space, VA));
}

TEST_HARNESS_MAIN
