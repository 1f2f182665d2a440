// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * A job that uses memory all the time, while VM_BIND changes what is next to that, and
 * while another VM faults.
 */
#include "panthor_test.h"

#define VA		0x10000000ull
#define TARGET		(VA + PC_1G)

/* In a buffer at VA: the stream, words, and what the job copies. */
#define STREAM		0x0
#define STOP		0x1000
#define COUNT		0x1010
#define SOURCE		0x2000
#define COPY		0x3000

#define REG_SOURCE	64
#define REG_COPY	66
#define REG_WORDS	68
#define REG_COUNT	70
#define REG_STOP	72

#define SOON_NS		2000000000ll

/**
 * struct worker - A job that copies a line and counts, until the CPU stops it
 * @gpu: its VM and group
 * @bo: buffer at VA
 * @done: signaled by it
 */
struct worker {
	struct pc_gpu *gpu;
	struct pc_bo bo;
	__u32 done;
};

FIXTURE(active)
{
	struct pc_env env;
	struct worker w;
	struct pc_bo bo;
};

static int worker_init(struct worker *w, struct pc_gpu *gpu)
{
	w->gpu = gpu;
	return pc_bo_create(gpu->fd, PC_64K, &w->bo) ?:
	       pc_map(gpu->fd, gpu->vm, &w->bo, 0, VA, PC_64K, 0) ?:
	       pc_syncobj_create(gpu->fd, false, &w->done);
}

FIXTURE_SETUP(active)
{
	pc_env_setup(_metadata, &self->env);
	if (self->env.fd < 0)
		return;
	ASSERT_EQ(0, worker_init(&self->w, &self->env.space.gpu));
	ASSERT_EQ(0, pc_bo_create(self->env.fd, 2 * PC_2M, &self->bo));
	pc_fill(self->bo.map, self->bo.size, 1);
}

FIXTURE_TEARDOWN(active)
{
	pc_env_teardown(_metadata, &self->env);
}

static int start(struct worker *w)
{
	struct pc_cs cs = { .words = w->bo.map + STREAM, .size = (STOP - STREAM) / 8 };
	struct drm_panthor_sync_op done = pc_signal_op(w->done, 0);
	struct drm_panthor_queue_submit job;
	__u32 loop;

	pc_cs_move48(&cs, REG_SOURCE, VA + SOURCE);
	pc_cs_move48(&cs, REG_COPY, VA + COPY);
	pc_cs_move48(&cs, REG_WORDS, VA + STOP);
	pc_cs_move32(&cs, REG_COUNT, 0);
	loop = cs.count;
	pc_cs_load(&cs, 0, 0xffff, REG_SOURCE, 0);
	pc_cs_store(&cs, 0, 0xffff, REG_COPY, 0);
	pc_cs_add_imm32(&cs, REG_COUNT, REG_COUNT, 1);
	pc_cs_store(&cs, REG_COUNT, 1, REG_WORDS, COUNT - STOP);
	pc_cs_load(&cs, REG_STOP, 1, REG_WORDS, 0);
	pc_cs_branch(&cs, loop, PC_CS_EQUAL, REG_STOP);

	pc_fill(w->bo.map + SOURCE, PC_GPU_LINE, 2);
	job = pc_job(0, VA + STREAM, cs.count * 8, &done, 1);
	return pc_group_submit(w->gpu->fd, w->gpu->group, &job, 1);
}

static __u32 count(const struct worker *w)
{
	return __atomic_load_n((__u32 *)((char *)w->bo.map + COUNT), __ATOMIC_ACQUIRE);
}

/* True if the job goes on. */
static bool is_active(const struct worker *w)
{
	__u32 before = count(w);
	int tries;

	for (tries = 0; count(w) - before < 2 && tries < 2000; tries++)
		usleep(1000);
	return count(w) - before >= 2;
}

static int stop(struct worker *w)
{
	__atomic_store_n((__u32 *)((char *)w->bo.map + STOP), 1, __ATOMIC_RELEASE);
	return pc_syncobj_finish(w->gpu->fd, w->done, SOON_NS);
}

static void expect_copied(struct __test_metadata *_metadata, const struct worker *w)
{
	EXPECT_EQ(0, memcmp(w->bo.map + SOURCE, w->bo.map + COPY, PC_GPU_LINE));
}

/* Pages next to its own, in the same table and in others; whole tables come and go. */
TEST_F(active, bind_under_a_job)
{
	static const struct {
		__u64 va, size;
	} places[] = {
		{ VA + PC_64K, PC_4K },
		{ VA - PC_4K, PC_4K },
		{ VA + PC_1M, PC_64K },
		{ VA + PC_2M, PC_2M },
		{ TARGET, 2 * PC_2M },
		{ TARGET + PC_1G, PC_2M + PC_4K },
	};
	struct pc_space *space = &self->env.space;
	struct worker *w = &self->w;
	size_t i;
	int round;

	ASSERT_EQ(0, start(w));
	for (round = 0; round < 10; round++) {
		for (i = 0; i < PC_COUNT(places); i++)
			ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, places[i].va,
						  places[i].size, 0));
		ASSERT_TRUE(is_active(w));
		for (i = 0; i < PC_COUNT(places); i++)
			ASSERT_EQ(0, pc_space_unmap(space, places[i].va, places[i].size));
		ASSERT_TRUE(is_active(w));
	}
	for (i = 0; i < PC_COUNT(places); i++)
		ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, places[i].va, places[i].size, 0));
	EXPECT_EQ(0, stop(w));
	expect_copied(_metadata, w);
}

/* Parts of what the job has mapped, but does not use, go: blocks may be split for that. */
TEST_F(active, unmap_around_a_job)
{
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	struct pc_bo bo;
	__u64 offset;

	/* The job's buffer in the middle of a block, if memory is contiguous. */
	if (pc_bo_create_contig(gpu->fd, PC_2M, PC_2M, &bo))
		ASSERT_EQ(0, pc_bo_create(gpu->fd, PC_2M, &bo));
	pc_bo_destroy(&self->w.bo);
	ASSERT_EQ(0, pc_unmap(gpu->fd, gpu->vm, VA, PC_64K));
	ASSERT_EQ(0, pc_map(gpu->fd, gpu->vm, &bo, 0, VA, PC_2M, 0));
	self->w.bo = bo;
	ASSERT_EQ(0, start(&self->w));
	for (offset = PC_64K; offset < PC_2M; offset += PC_64K) {
		ASSERT_EQ(0, pc_unmap(gpu->fd, gpu->vm, VA + offset, PC_64K));
		ASSERT_TRUE(is_active(&self->w));
	}
	EXPECT_EQ(0, stop(&self->w));
	expect_copied(_metadata, &self->w);
}

/* Another VM, of another client, faults again and again. */
TEST_F(active, another_vm_faults)
{
	struct worker *w = &self->w;
	struct pc_space *other = calloc(1, sizeof(*other));
	__u32 state = ~0, i;
	int fd = pc_open();

	ASSERT_LE(0, fd);
	ASSERT_TRUE(other);
	ASSERT_EQ(0, pc_space_init(other, fd));
	ASSERT_EQ(0, start(w));
	for (i = 0; i < 20; i++) {
		/* What is mapped in this VM, or in neither. */
		ASSERT_EQ(0, pc_space_faults(other, i % 2 ? VA : TARGET));
		ASSERT_TRUE(is_active(w));
	}
	EXPECT_EQ(0, pc_group_state(w->gpu->fd, w->gpu->group, &state, NULL));
	EXPECT_EQ(0, state);
	EXPECT_EQ(0, stop(w));
	expect_copied(_metadata, w);
	pc_space_fini(other);
	free(other);
	close(fd);
}

static struct pc_space victim;

/* A client with an active job, and binds under it, until it is killed. */
static void bind_forever(int fd, int ready)
{
	static struct worker w;
	struct pc_bo bo;

	if (pc_space_init(&victim, fd) || worker_init(&w, &victim.gpu) ||
	    pc_bo_create(fd, 2 * PC_2M, &bo) || start(&w) || !is_active(&w))
		return;
	pc_ready(ready);
	while (!pc_map(fd, victim.gpu.vm, &bo, 0, VA + PC_64K, 2 * PC_2M, 0) &&
	       !pc_unmap(fd, victim.gpu.vm, VA + PC_1M, PC_2M))
		;
}

/* A client that faults until it is killed. */
static void fault_forever(int fd, int ready)
{
	if (pc_space_init(&victim, fd) || pc_space_faults(&victim, VA))
		return;
	pc_ready(ready);
	while (!pc_space_faults(&victim, VA))
		;
}

/* The job goes on while clients that do @work are killed. */
static void kill_beside_a_job(struct __test_metadata *_metadata, struct worker *w,
			      void (*work)(int fd, int ready))
{
	ASSERT_EQ(0, start(w));
	pc_kill_clients(_metadata, work);
	ASSERT_TRUE(is_active(w));
	EXPECT_EQ(0, stop(w));
	expect_copied(_metadata, w);
}

TEST_F(active, client_killed)
{
	kill_beside_a_job(_metadata, &self->w, bind_forever);
}

TEST_F(active, faulting_client_killed)
{
	kill_beside_a_job(_metadata, &self->w, fault_forever);
	pc_provoked_faults();
}

TEST_HARNESS_MAIN
