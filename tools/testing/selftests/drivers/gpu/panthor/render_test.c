// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Render passes as drivers make them: one queue tiles, another one renders, has the handler
 * for a full heap, and gives chunks back. A pass that needs more than the heap may have is
 * rendered in parts.
 */
#include "panthor_test.h"
#include "panthor_tiler.h"

#define VA		0x10000000ull
#define CHUNK		0x20000u
#define RING		0x1000
#define PASSES		12

enum queue {
	TILER,
	FRAGMENT,
	QUEUES,
};

/* What a pass has in the buffer: streams, descriptors and counters. */
#define STREAM(queue)	((queue) * 0x1000u)
#define HANDLER		0x2000u
#define TILER_DESC	0x3000u
#define HEAP_DESC	0x3100u
#define COUNTERS	0x4000u
#define TILED		(COUNTERS + 0x00)
#define HANDLED		(COUNTERS + 0x10)
#define RENDERED	(COUNTERS + 0x20)
#define PASS_SIZE	0x5000u

/* Registers, besides those of the tiler. The handler leaves the first two as they are. */
#define REG_ADDR	80
#define REG_VALUE	82
#define REG_COUNTER	84
#define REG_ONE		86

struct client {
	int fd;
	__u32 vm;
	struct pc_bo bo;
	__u32 done[PASSES][QUEUES];
};

/**
 * struct pass - A render pass
 * @c: client
 * @nr: number, which says where in the buffer it is
 * @heap: its heap; a pass may use the heap of another one, with its descriptor
 * @heap_desc: address of that
 * @group: group of two queues
 */
struct pass {
	struct client *c;
	__u32 nr;
	struct pc_heap heap;
	__u64 heap_desc;
	__u32 group;
};

FIXTURE(render)
{
	struct pc_env env;
	struct client c;
};

static int client_init(struct client *c, int fd, __u32 vm)
{
	int err, i, q;

	c->fd = fd;
	c->vm = vm;
	err = pc_bo_create(fd, PASSES * PASS_SIZE, &c->bo);
	if (!err)
		err = pc_map(fd, vm, &c->bo, 0, VA, c->bo.size, 0);
	for (i = 0; i < PASSES; i++)
		for (q = 0; q < QUEUES && !err; q++)
			err = pc_syncobj_create(fd, false, &c->done[i][q]);
	return err;
}

FIXTURE_SETUP(render)
{
	pc_env_setup(_metadata, &self->env);
	if (self->env.fd >= 0)
		ASSERT_EQ(0, client_init(&self->c, self->env.fd, self->env.space.gpu.vm));
}

FIXTURE_TEARDOWN(render)
{
	pc_env_teardown(_metadata, &self->env);
}

static __u64 address(const struct pass *p, __u32 offset)
{
	return VA + p->nr * PASS_SIZE + offset;
}

static void *memory(const struct pass *p, __u32 offset)
{
	return (char *)p->c->bo.map + p->nr * PASS_SIZE + offset;
}

static __u32 counter(const struct pass *p, __u32 offset)
{
	return __atomic_load_n((__u32 *)memory(p, offset), __ATOMIC_ACQUIRE);
}

/* Another pass, with the heap and the group of @from. */
static struct pass pass_of(const struct pass *from, __u32 nr)
{
	struct pass p = *from;

	p.nr = nr;
	*(struct pc_tiler_desc *)memory(&p, TILER_DESC) = (struct pc_tiler_desc){
		.heap_desc = p.heap_desc,
	};
	return p;
}

static int pass_init(struct client *c, struct pass *p, __u32 nr, __u32 max_chunks)
{
	int err;

	*p = (struct pass){ .c = c, .nr = nr };
	err = pc_heap_create(c->fd, c->vm, 2, CHUNK, max_chunks, 4, &p->heap);
	if (err)
		return err;
	p->heap_desc = address(p, HEAP_DESC);
	*(struct pc_heap_desc *)memory(p, HEAP_DESC) = pc_heap_desc(&p->heap, CHUNK);
	*p = pass_of(p, nr);
	return pc_group_create(c->fd, c->vm, QUEUES, RING, &p->group);
}

static void pass_fini(struct pass *p)
{
	pc_group_destroy(p->c->fd, p->group);
	pc_heap_destroy(p->c->fd, p->heap.handle);
}

static void emit_add(struct pc_cs *cs, const struct pass *p, __u32 offset)
{
	pc_cs_move48(cs, REG_COUNTER, address(p, offset));
	pc_cs_move32(cs, REG_ONE, 1);
	pc_cs_sync(cs, PC_CS_SYNC_ADD32, REG_COUNTER, REG_ONE);
}

static struct pc_cs stream(const struct pass *p, __u32 offset)
{
	struct pc_cs cs = { .words = memory(p, offset), .size = 0x1000 / 8 };

	pc_cs_use_heap(&cs, &p->heap);
	return cs;
}

static int submit(const struct pass *p, enum queue q, const struct pc_cs *cs)
{
	struct drm_panthor_sync_op done = pc_signal_op(p->c->done[p->nr][q], 0);
	struct drm_panthor_queue_submit job = pc_job(q, address(p, STREAM(q)),
						     cs->count * 8, &done, 1);

	return pc_group_submit(p->c->fd, p->group, &job, 1);
}

static int finish(const struct pass *p, enum queue q)
{
	return pc_syncobj_finish(p->c->fd, p->c->done[p->nr][q], PC_JOB_NS);
}

/* The tiler's part of the pass, which takes @bytes. */
static int tile(const struct pass *p, __u32 bytes)
{
	struct pc_cs cs = stream(p, STREAM(TILER));

	pc_cs_tile(&cs, address(p, TILER_DESC), bytes);
	emit_add(&cs, p, TILED);
	return submit(p, TILER, &cs);
}

/* The rest of it, with the handler while the tiler works, if there is to be one. */
static int render(const struct pass *p, bool with_handler)
{
	struct pc_cs cs = stream(p, STREAM(FRAGMENT));
	struct pc_cs handler = { .words = memory(p, HANDLER), .size = 0x1000 / 8 };

	if (with_handler) {
		pc_cs_render(&handler, address(p, TILER_DESC), false);
		emit_add(&handler, p, HANDLED);
		pc_cs_move48(&cs, REG_ADDR, address(p, HANDLER));
		pc_cs_move32(&cs, REG_VALUE, handler.count * 8);
		pc_cs_oom_handler(&cs, REG_ADDR, REG_VALUE);
	}
	pc_cs_move48(&cs, REG_ADDR, address(p, TILED));
	pc_cs_move32(&cs, REG_VALUE, 0);
	pc_cs_sync_wait(&cs, PC_CS_SYNC_WAIT32, PC_CS_GREATER, REG_ADDR, REG_VALUE);
	if (with_handler) {
		pc_cs_move32(&cs, REG_VALUE, 0);
		pc_cs_oom_handler(&cs, REG_ADDR, REG_VALUE);
	}
	pc_cs_render(&cs, address(p, TILER_DESC), true);
	emit_add(&cs, p, RENDERED);
	return submit(p, FRAGMENT, &cs);
}

static int run(const struct pass *p, __u32 bytes)
{
	memset(memory(p, COUNTERS), 0, PC_4K);
	return tile(p, bytes) ?: render(p, true) ?: finish(p, TILER) ?: finish(p, FRAGMENT);
}

/* Each time the handler makes room for less than four chunks. */
TEST_F(render, in_parts)
{
	struct pass p;
	__u32 i;

	ASSERT_EQ(0, pass_init(&self->c, &p, 0, 4));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, run(&p, 20 * CHUNK));
		EXPECT_LE(5, counter(&p, HANDLED));
		EXPECT_EQ(1, counter(&p, RENDERED));
	}
	pass_fini(&p);
}

/* In three of four chunks there is room for a pass again and again: nobody needs a handler. */
TEST_F(render, chunks_come_back)
{
	struct pass p;
	__u32 i;

	ASSERT_EQ(0, pass_init(&self->c, &p, 0, 4));
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, run(&p, 2 * CHUNK + CHUNK / 2));
		EXPECT_EQ(0, counter(&p, HANDLED));
		EXPECT_EQ(1, counter(&p, RENDERED));
	}
	pass_fini(&p);
}

static void expect_pending(struct __test_metadata *_metadata, const struct pass *p)
{
	__u32 state = ~0;

	EXPECT_EQ(-ETIME, pc_syncobj_wait(p->c->fd, p->c->done[p->nr][TILER], 0, 100000000));
	EXPECT_EQ(0, pc_group_state(p->c->fd, p->group, &state, NULL));
	EXPECT_EQ(0, state);
}

TEST_F(render, handler_comes_later)
{
	struct pass p;

	ASSERT_EQ(0, pass_init(&self->c, &p, 0, 2));
	ASSERT_EQ(0, tile(&p, 10 * CHUNK));
	expect_pending(_metadata, &p);
	ASSERT_EQ(0, render(&p, true));
	EXPECT_EQ(0, finish(&p, TILER));
	EXPECT_EQ(0, finish(&p, FRAGMENT));
	EXPECT_LE(5, counter(&p, HANDLED));
	EXPECT_EQ(1, counter(&p, RENDERED));
	pass_fini(&p);
}

/* The heap is full of a pass that is still to be rendered: that makes room, too. */
TEST_F(render, behind_another_pass)
{
	struct pass first, second;

	ASSERT_EQ(0, pass_init(&self->c, &first, 0, 2));
	second = pass_of(&first, 1);
	ASSERT_EQ(0, tile(&first, CHUNK + CHUNK / 2));
	ASSERT_EQ(0, tile(&second, CHUNK));
	ASSERT_EQ(0, finish(&first, TILER));
	expect_pending(_metadata, &second);
	ASSERT_EQ(0, render(&first, false));
	EXPECT_EQ(0, finish(&first, FRAGMENT));
	EXPECT_EQ(0, finish(&second, TILER));
	ASSERT_EQ(0, render(&second, false));
	EXPECT_EQ(0, finish(&second, FRAGMENT));
	pass_fini(&first);
}

/* Groups lose their slots while the tiler waits, and while a handler runs. */
TEST_F(render, more_passes_than_slots)
{
	struct pass p[PASSES];
	__u32 i;

	for (i = 0; i < PASSES; i++)
		ASSERT_EQ(0, pass_init(&self->c, &p[i], i, 3));
	for (i = 0; i < PASSES; i++)
		ASSERT_EQ(0, tile(&p[i], 16 * CHUNK));
	for (i = 0; i < PASSES; i++)
		ASSERT_EQ(0, render(&p[PASSES - 1 - i], true));
	for (i = 0; i < PASSES; i++) {
		EXPECT_EQ(0, finish(&p[i], TILER));
		EXPECT_EQ(0, finish(&p[i], FRAGMENT));
		EXPECT_LE(5, counter(&p[i], HANDLED));
		pass_fini(&p[i]);
	}
}

/* A client that renders in parts, over and over again. */
static void render_forever(int fd, int ready)
{
	static struct client c;
	struct pass p;
	__u32 vm;

	if (pc_vm_create(fd, NULL, &vm) || client_init(&c, fd, vm) || pass_init(&c, &p, 0, 3))
		return;
	do {
		memset(memory(&p, COUNTERS), 0, PC_4K);
		if (tile(&p, 100 * CHUNK) || render(&p, true))
			return;
		while (!counter(&p, HANDLED))
			usleep(100);
		if (ready >= 0)
			pc_ready(ready);
		ready = -1;
	} while (!finish(&p, TILER) && !finish(&p, FRAGMENT));
}

TEST_F(render, client_killed)
{
	struct pass p;

	ASSERT_EQ(0, pass_init(&self->c, &p, 0, 4));
	pc_kill_clients(_metadata, render_forever);
	EXPECT_EQ(0, run(&p, 20 * CHUNK));
	EXPECT_LE(5, counter(&p, HANDLED));
	pass_fini(&p);
}

TEST_HARNESS_MAIN
