// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Tiler heaps: their limits, how they grow when the tiler runs out of memory, and
 * what happens when they may not. The tiler only has to take memory: the same
 * descriptors would serve a real one.
 */
#include "panthor_test.h"
#include "panthor_tiler.h"

#define VA		0x10000000ull
#define CHUNK		0x20000u
#define HEAPS_PER_VM	128

/* Offsets in a buffer at VA. */
#define STREAM		0x0
#define HANDLER		0x1000
#define TILER		0x2000
#define HEAP		0x3000
#define HANDLED		0x4000

struct heap_case {
	struct pc_env env;
	struct pc_bo bo;
	struct pc_heap_desc *desc;
	__u32 *handled;
	__u32 done;
};

FIXTURE(heap)
{
	struct heap_case h;
};

FIXTURE_SETUP(heap)
{
	int fd;

	pc_env_setup(_metadata, &self->h.env);
	fd = self->h.env.fd;
	if (fd < 0)
		return;

	ASSERT_EQ(0, pc_bo_create(fd, PC_64K, &self->h.bo));
	ASSERT_EQ(0, pc_space_map(&self->h.env.space, &self->h.bo, 0, VA, self->h.bo.size, 0));
	ASSERT_EQ(0, pc_syncobj_create(fd, false, &self->h.done));
	self->h.desc = self->h.bo.map + HEAP;
	self->h.handled = self->h.bo.map + HANDLED;
}

FIXTURE_TEARDOWN(heap)
{
	pc_env_teardown(_metadata, &self->h.env);
}

static void init_heap(struct heap_case *h, const struct pc_heap *heap)
{
	struct pc_tiler_desc *tiler = h->bo.map + TILER;

	*h->desc = pc_heap_desc(heap, CHUNK);
	*tiler = (struct pc_tiler_desc){ .heap_desc = VA + HEAP };
}

static struct pc_cs start(struct heap_case *h, const struct pc_heap *heap)
{
	struct pc_cs cs = {
		.words = h->bo.map + STREAM,
		.size = (HANDLER - STREAM) / 8,
	};

	pc_cs_use_heap(&cs, heap);
	return cs;
}

/* Create a heap of chunks, and begin a stream that uses it. */
static int begin(struct heap_case *h, struct pc_heap *heap, struct pc_cs *cs, __u32 max_chunks,
		 __u32 in_flight)
{
	const struct pc_space *space = &h->env.space;
	int err = pc_heap_create(h->env.fd, space->gpu.vm, 1, CHUNK, max_chunks, in_flight, heap);

	if (err)
		return err;
	init_heap(h, heap);
	*cs = start(h, heap);
	return 0;
}

static int run(struct heap_case *h, const struct pc_cs *cs)
{
	struct drm_panthor_sync_op done = pc_signal_op(h->done, 0);
	struct drm_panthor_queue_submit job = pc_job(0, VA + STREAM, cs->count * 8, &done, 1);
	struct pc_gpu *gpu = &h->env.space.gpu;

	return pc_group_submit(gpu->fd, gpu->group, &job, 1) ?:
	       pc_syncobj_finish(gpu->fd, h->done, PC_JOB_NS);
}

TEST_F(heap, arguments)
{
	int fd = self->h.env.fd;
	__u32 vm = self->h.env.space.gpu.vm, i;
	struct pc_heap heap;
	const struct {
		__u32 vm, chunks, chunk_size, max_chunks;
		int err;
	} cases[] = {
		{ vm, 1, CHUNK, 1, 0 },
		{ vm, 4, CHUNK, 64, 0 },
		{ vm, 1, 8 << 20, 1, 0 },
		{ vm, 1, CHUNK + 0x1000, 1, 0 },
		{ vm + 1, 1, CHUNK, 1, -EINVAL },
		{ 0, 1, CHUNK, 1, -EINVAL },
		{ vm, 0, CHUNK, 1, -EINVAL },
		{ vm, 2, CHUNK, 1, -EINVAL },
		{ vm, 1, CHUNK, 0, -EINVAL },
		{ vm, 1, 0, 1, -EINVAL },
		{ vm, 1, CHUNK - 0x1000, 1, -EINVAL },
		{ vm, 1, CHUNK + 1, 1, -EINVAL },
		{ vm, 1, (8 << 20) + 0x1000, 1, -EINVAL },
		{ vm, 1, ~0u, 1, -EINVAL },
	};

	for (i = 0; i < PC_COUNT(cases); i++) {
		EXPECT_EQ(cases[i].err, pc_heap_create(fd, cases[i].vm, cases[i].chunks,
						       cases[i].chunk_size, cases[i].max_chunks,
						       1, &heap)) {
			TH_LOG("case %u", i);
		}
		if (cases[i].err)
			continue;
		/* In the kernel's part of the space. */
		EXPECT_LE(self->h.env.space.user_va, heap.context);
		EXPECT_LE(self->h.env.space.user_va, heap.first_chunk);
		EXPECT_EQ(0, pc_heap_destroy(fd, heap.handle));
		EXPECT_EQ(-EINVAL, pc_heap_destroy(fd, heap.handle));
	}
}

TEST_F(heap, destroy_what_is_not)
{
	int fd = self->h.env.fd;
	__u32 vm = self->h.env.space.gpu.vm;
	struct pc_heap heap;

	/* No heap was ever made in this VM. */
	EXPECT_EQ(-ENOENT, pc_heap_destroy(fd, vm << 16));
	ASSERT_EQ(0, pc_heap_create(fd, vm, 1, CHUNK, 1, 1, &heap));
	EXPECT_EQ(-EINVAL, pc_heap_destroy(fd, heap.handle + 1));
	EXPECT_EQ(-EINVAL, pc_heap_destroy(fd, heap.handle + (1 << 16)));
	EXPECT_EQ(0, pc_heap_destroy(fd, heap.handle));
}

TEST_F(heap, limit)
{
	int fd = self->h.env.fd;
	__u32 vm = self->h.env.space.gpu.vm, i;
	struct pc_heap heap[HEAPS_PER_VM], last;

	for (i = 0; i < HEAPS_PER_VM; i++)
		ASSERT_EQ(0, pc_heap_create(fd, vm, 1, CHUNK, 1, 1, &heap[i]));
	EXPECT_EQ(-EBUSY, pc_heap_create(fd, vm, 1, CHUNK, 1, 1, &last));
	for (i = 0; i < HEAPS_PER_VM; i += 2)
		EXPECT_EQ(0, pc_heap_destroy(fd, heap[i].handle));
	EXPECT_EQ(0, pc_heap_create(fd, vm, 1, CHUNK, 1, 1, &last));
	/* The rest goes with the VM. */
}

TEST_F(heap, chunks_are_memory)
{
	struct pc_space *space = &self->h.env.space;
	struct pc_heap heap;
	__u64 header = ~0ull, word = 0x1234567812345678ull, back;

	ASSERT_EQ(0, pc_heap_create(self->h.env.fd, space->gpu.vm, 2, CHUNK, 2, 1, &heap));
	ASSERT_EQ(0, pc_gpu_read(&space->gpu, heap.first_chunk, &header, sizeof(header)));

	/* The second chunk, and its size in pages. */
	EXPECT_EQ(CHUNK >> 12, header & 0xfff);
	EXPECT_NE(heap.first_chunk, header & ~0xfffull);
	ASSERT_EQ(0, pc_gpu_write(&space->gpu, heap.first_chunk + CHUNK - 8, &word, 8));
	ASSERT_EQ(0, pc_gpu_read(&space->gpu, heap.first_chunk + CHUNK - 8, &back, 8));
	EXPECT_EQ(word, back);
	EXPECT_EQ(0, pc_heap_destroy(self->h.env.fd, heap.handle));
	EXPECT_EQ(0, pc_space_faults(space, heap.first_chunk));
}

TEST_F(heap, enough_memory)
{
	struct pc_heap heap;
	struct pc_cs cs;

	ASSERT_EQ(0, begin(&self->h, &heap, &cs, 4, 4));
	pc_cs_tile(&cs, VA + TILER, CHUNK / 2);
	pc_cs_heap_operation(&cs, PC_CS_HEAP_FRAG_END);
	ASSERT_EQ(0, run(&self->h, &cs));
	EXPECT_EQ(heap.first_chunk, self->h.desc->base);
	EXPECT_EQ(heap.first_chunk + 64 + CHUNK / 2, self->h.desc->bottom);
	EXPECT_EQ(0, pc_heap_destroy(self->h.env.fd, heap.handle));
}

TEST_F(heap, grows)
{
	struct pc_heap heap;
	struct pc_cs cs;

	ASSERT_EQ(0, begin(&self->h, &heap, &cs, 16, 16));
	pc_cs_tile(&cs, VA + TILER, 10 * CHUNK);
	pc_cs_heap_operation(&cs, PC_CS_HEAP_FRAG_END);
	ASSERT_EQ(0, run(&self->h, &cs));
	EXPECT_NE(heap.first_chunk, self->h.desc->base);
	EXPECT_LE(self->h.env.space.user_va, self->h.desc->base);
	EXPECT_EQ(self->h.desc->base + CHUNK, self->h.desc->top);
	EXPECT_EQ(0, pc_heap_destroy(self->h.env.fd, heap.handle));
	EXPECT_EQ(0, pc_space_faults(&self->h.env.space, self->h.desc->base));
}

/* A handler that counts, and if it is to @help takes back what the pass has used so far. */
static void emit_handler(struct pc_cs *cs, struct heap_case *h, const struct pc_heap *heap,
			 bool help)
{
	struct pc_cs handler = {
		.words = h->bo.map + HANDLER,
		.size = (TILER - HANDLER) / 8,
	};

	pc_cs_move48(&handler, 80, VA + HANDLED);
	pc_cs_move32(&handler, 82, 1);
	pc_cs_sync(&handler, PC_CS_SYNC_ADD32, 80, 82);
	pc_cs_move48(&handler, 80, VA + HEAP);
	pc_cs_move48(&handler, 82, heap->first_chunk);
	pc_cs_move48(&handler, 84, heap->first_chunk + 64);
	pc_cs_move48(&handler, 86, heap->first_chunk + CHUNK);
	if (help)
		pc_cs_store(&handler, 82, 0x3f, 80, 8);

	pc_cs_move48(cs, 80, VA + HANDLER);
	pc_cs_move32(cs, 82, handler.count * 8);
	pc_cs_oom_handler(cs, 80, 82);
}

TEST_F_TIMEOUT(heap, may_not_grow, 60)
{
	struct pc_gpu *gpu = &self->h.env.space.gpu;
	struct pc_heap heap;
	struct pc_cs cs;
	__u32 state = ~0;
	__u64 next = 0;

	ASSERT_EQ(0, begin(&self->h, &heap, &cs, 2, 16));
	pc_cs_tile(&cs, VA + TILER, 10 * CHUNK);

	/* Without a handler, the tiler waits after it has filled both chunks. */
	pc_provoke_timeout();
	EXPECT_EQ(-ETIMEDOUT, run(&self->h, &cs));
	EXPECT_EQ(0, pc_group_state(gpu->fd, gpu->group, &state, NULL));
	EXPECT_EQ(DRM_PANTHOR_GROUP_STATE_TIMEDOUT, state);
	ASSERT_EQ(0, pc_gpu_restart(gpu));
	EXPECT_NE(heap.first_chunk, self->h.desc->base);
	EXPECT_EQ(self->h.desc->top, self->h.desc->bottom);
	ASSERT_EQ(0, pc_gpu_read(gpu, heap.first_chunk, &next, sizeof(next)));
	EXPECT_EQ(self->h.desc->base, next & ~0xfffull);
	ASSERT_EQ(0, pc_gpu_read(gpu, self->h.desc->base, &next, sizeof(next)));
	EXPECT_EQ(0, next);
	EXPECT_EQ(0, pc_heap_destroy(self->h.env.fd, heap.handle));
}

TEST_F(heap, handler_makes_room)
{
	struct pc_heap heap;
	struct pc_cs cs;

	ASSERT_EQ(0, begin(&self->h, &heap, &cs, 1, 16));
	emit_handler(&cs, &self->h, &heap, true);
	pc_cs_tile(&cs, VA + TILER, CHUNK + CHUNK / 2);
	EXPECT_EQ(0, run(&self->h, &cs));
	EXPECT_EQ(1, *self->h.handled);
	EXPECT_EQ(0, pc_heap_destroy(self->h.env.fd, heap.handle));
}

/* The handler has no effect: the pass is lost. The driver of 6.12 only logs that fault. */
TEST_F(heap, handler_does_not_help)
{
	struct pc_gpu *gpu = &self->h.env.space.gpu;
	struct pc_heap heap;
	__u32 state = ~0;
	struct pc_cs cs;

	ASSERT_EQ(0, begin(&self->h, &heap, &cs, 2, 16));
	emit_handler(&cs, &self->h, &heap, false);
	pc_cs_tile(&cs, VA + TILER, 10 * CHUNK);
	EXPECT_EQ(0, run(&self->h, &cs));
	EXPECT_EQ(1, *self->h.handled);
	EXPECT_EQ(0, pc_group_state(gpu->fd, gpu->group, &state, NULL));
	EXPECT_EQ(0, state);
	EXPECT_EQ(0, pc_heap_destroy(self->h.env.fd, heap.handle));
}

TEST_F(heap, too_many_passes_in_flight)
{
	struct pc_heap heap;
	struct pc_cs cs;

	/* Two that no fragment work follows, where one is allowed. */
	ASSERT_EQ(0, begin(&self->h, &heap, &cs, 16, 1));
	emit_handler(&cs, &self->h, &heap, true);
	pc_cs_tile(&cs, VA + TILER, CHUNK / 4);
	pc_cs_tile(&cs, VA + TILER, CHUNK);
	EXPECT_EQ(0, run(&self->h, &cs));
	EXPECT_EQ(1, *self->h.handled);
	EXPECT_EQ(0, pc_heap_destroy(self->h.env.fd, heap.handle));
}

TEST_F(heap, two_heaps_and_many_groups)
{
	struct pc_gpu *gpu = &self->h.env.space.gpu;
	struct pc_heap heap[2];
	struct pc_cs cs;
	__u32 i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pc_heap_create(gpu->fd, gpu->vm, 2, CHUNK, 8, 8, &heap[i]));
	for (i = 0; i < 6; i++) {
		init_heap(&self->h, &heap[i % 2]);
		cs = start(&self->h, &heap[i % 2]);
		pc_cs_tile(&cs, VA + TILER, 3 * CHUNK);
		pc_cs_heap_operation(&cs, PC_CS_HEAP_FRAG_END);
		ASSERT_EQ(0, run(&self->h, &cs));
		ASSERT_EQ(0, pc_gpu_restart(gpu));
	}
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, pc_heap_destroy(gpu->fd, heap[i].handle));
}

TEST_F(heap, destroyed_under_a_job)
{
	struct pc_heap heap;
	struct pc_cs cs;

	ASSERT_EQ(0, begin(&self->h, &heap, &cs, 4, 4));
	pc_cs_tile(&cs, VA + TILER, CHUNK / 2);
	ASSERT_EQ(0, pc_heap_destroy(self->h.env.fd, heap.handle));
	pc_provoke_fault();
	EXPECT_EQ(-EINVAL, run(&self->h, &cs));
	ASSERT_EQ(0, pc_gpu_restart(&self->h.env.space.gpu));
}

TEST_HARNESS_MAIN
