// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Streams that wait for a word that the CPU writes, without a system call or a doorbell
 * after it, as drivers of user space make them for events that the host sets.
 */
#include "panthor_test.h"

#define VA		0x10000000ull
#define RING		0x1000

/* Streams have a page each; then there are words. */
#define STREAMS		32
#define WORDS		(STREAMS * PC_4K)
#define WORD(n)		(WORDS + (n) * 16)

#define REG_ADDR	0
#define REG_VALUE	2

/* Far less than the time after which the driver gives up a job. */
#define SOON_NS		2000000000ll

struct client {
	int fd;
	__u32 group;
	__u32 done;
	struct pc_bo bo;
};

FIXTURE(cpu)
{
	struct pc_env env;
	struct client c;
};

static int client_init(struct client *c, int fd, __u32 vm)
{
	c->fd = fd;
	return pc_bo_create(fd, WORDS + PC_4K, &c->bo) ?:
	       pc_map(fd, vm, &c->bo, 0, VA, c->bo.size, 0) ?:
	       pc_syncobj_create(fd, false, &c->done) ?:
	       pc_group_create(fd, vm, 1, RING, &c->group);
}

FIXTURE_SETUP(cpu)
{
	pc_env_setup(_metadata, &self->env);
	if (self->env.fd >= 0)
		ASSERT_EQ(0, client_init(&self->c, self->env.fd, self->env.space.gpu.vm));
}

FIXTURE_TEARDOWN(cpu)
{
	pc_env_teardown(_metadata, &self->env);
}

static void write_word(const struct client *c, __u32 word, __u32 value)
{
	__atomic_store_n((__u32 *)((char *)c->bo.map + WORD(word)), value, __ATOMIC_RELEASE);
}

static __u32 read_word(const struct client *c, __u32 word)
{
	return __atomic_load_n((__u32 *)((char *)c->bo.map + WORD(word)), __ATOMIC_ACQUIRE);
}

static void emit_wait(struct pc_cs *cs, enum pc_cs_op op, enum pc_cs_cond cond, __u32 word,
		      __u32 value)
{
	pc_cs_move48(cs, REG_ADDR, VA + WORD(word));
	pc_cs_move48(cs, REG_VALUE, value);
	pc_cs_sync_wait(cs, op, cond, REG_ADDR, REG_VALUE);
}

static void emit_add(struct pc_cs *cs, __u32 word)
{
	pc_cs_move48(cs, REG_ADDR, VA + WORD(word));
	pc_cs_move48(cs, REG_VALUE, 1);
	pc_cs_sync(cs, PC_CS_SYNC_ADD32, REG_ADDR, REG_VALUE);
}

static struct pc_cs stream(const struct client *c, __u32 nr)
{
	return (struct pc_cs){ .words = c->bo.map + nr * PC_4K, .size = PC_4K / 8 };
}

static int submit(const struct client *c, __u32 group, __u32 nr, const struct pc_cs *cs)
{
	struct drm_panthor_sync_op done = pc_signal_op(c->done, 0);
	struct drm_panthor_queue_submit job = pc_job(0, VA + nr * PC_4K, cs->count * 8, &done, 1);

	return pc_group_submit(c->fd, group, &job, 1);
}

TEST_F(cpu, writes_the_word)
{
	static const struct {
		enum pc_cs_op op;
		enum pc_cs_cond cond;
		__u32 before, reference, after;
	} cases[] = {
		{ PC_CS_SYNC_WAIT32, PC_CS_GREATER, 0, 0, 1 },
		{ PC_CS_SYNC_WAIT32, PC_CS_LEQUAL, 6, 5, 5 },
		{ PC_CS_SYNC_WAIT64, PC_CS_GREATER, 7, 7, 8 },
		{ PC_CS_SYNC_WAIT64, PC_CS_LEQUAL, 1, 0, 0 },
	};
	struct client *c = &self->c;
	size_t i;

	for (i = 0; i < PC_COUNT(cases); i++) {
		struct pc_cs cs = stream(c, 0);

		write_word(c, 0, cases[i].before);
		emit_wait(&cs, cases[i].op, cases[i].cond, 0, cases[i].reference);
		ASSERT_EQ(0, submit(c, c->group, 0, &cs));
		EXPECT_EQ(-ETIME, pc_syncobj_wait(c->fd, c->done, 0, 30000000));
		write_word(c, 0, cases[i].after);
		EXPECT_EQ(0, pc_syncobj_finish(c->fd, c->done, SOON_NS));
	}
}

TEST_F(cpu, and_gpu_take_turns)
{
	enum { ROUNDS = 20 };
	struct client *c = &self->c;
	struct pc_cs cs = stream(c, 0);
	__u32 i;

	for (i = 0; i < ROUNDS; i++) {
		emit_add(&cs, 0);
		emit_wait(&cs, PC_CS_SYNC_WAIT32, PC_CS_GREATER, 1, i);
	}
	ASSERT_EQ(0, submit(c, c->group, 0, &cs));
	for (i = 1; i <= ROUNDS; i++) {
		int tries;

		for (tries = 0; read_word(c, 0) != i && tries < 20000; tries++)
			usleep(100);
		ASSERT_EQ(i, read_word(c, 0));
		write_word(c, 1, i);
	}
	EXPECT_EQ(0, pc_syncobj_finish(c->fd, c->done, SOON_NS));
}

/*
 * By then the driver has taken the slot away, because all groups were idle, and no interface
 * tells it that the CPU writes. It looks at the word when a job of any group ends.
 */
TEST_F(cpu, writes_while_the_gpu_sleeps)
{
	struct client *c = &self->c;
	struct pc_cs cs = stream(c, 0);
	__u32 value;

	emit_wait(&cs, PC_CS_SYNC_WAIT32, PC_CS_GREATER, 0, 0);
	ASSERT_EQ(0, submit(c, c->group, 0, &cs));
	usleep(1000000);
	write_word(c, 0, 1);
	ASSERT_EQ(0, pc_gpu_read(&self->env.space.gpu, VA, &value, sizeof(value)));
	EXPECT_EQ(0, pc_syncobj_finish(c->fd, c->done, SOON_NS));
}

/* The same if others have taken the slot. */
TEST_F(cpu, writes_while_the_group_has_no_slot)
{
	enum { OTHERS = 16 };
	struct client *c = &self->c;
	__u32 group[OTHERS], i, vm = self->env.space.gpu.vm;
	struct pc_cs cs = stream(c, 0);
	int tries;

	emit_wait(&cs, PC_CS_SYNC_WAIT32, PC_CS_GREATER, 0, 0);
	emit_add(&cs, 1);
	ASSERT_EQ(0, submit(c, c->group, 0, &cs));

	/* All slots are needed by streams that run until the CPU writes. */
	for (i = 0; i < OTHERS; i++) {
		__u32 loop;

		ASSERT_EQ(0, pc_group_create(c->fd, vm, 1, RING, &group[i]));
		cs = stream(c, 1 + i);
		emit_add(&cs, 2);
		pc_cs_move48(&cs, REG_ADDR, VA + WORD(3));
		loop = cs.count;
		pc_cs_load(&cs, REG_VALUE, 1, REG_ADDR, 0);
		pc_cs_branch(&cs, loop, PC_CS_EQUAL, REG_VALUE);
		ASSERT_EQ(0, submit(c, group[i], 1 + i, &cs));
	}
	for (tries = 0; read_word(c, 2) != OTHERS && tries < 4000; tries++)
		usleep(1000);
	EXPECT_EQ(OTHERS, read_word(c, 2));
	write_word(c, 0, 1);
	write_word(c, 3, 1);
	for (i = 0; i < OTHERS; i++)
		EXPECT_EQ(0, pc_group_destroy(c->fd, group[i]));
	for (tries = 0; !read_word(c, 1) && tries < 2000; tries++)
		usleep(1000);
	EXPECT_EQ(1, read_word(c, 1));
}

static void wait_forever(int fd, int ready)
{
	static struct client c;
	struct pc_cs cs;
	__u32 vm;

	if (pc_vm_create(fd, NULL, &vm) || client_init(&c, fd, vm))
		return;
	cs = stream(&c, 0);
	emit_add(&cs, 1);
	emit_wait(&cs, PC_CS_SYNC_WAIT32, PC_CS_GREATER, 0, 0);
	if (submit(&c, c.group, 0, &cs))
		return;
	while (!read_word(&c, 1))
		usleep(100);
	pc_ready(ready);
	pause();
}

TEST_F(cpu, client_killed)
{
	struct client *c = &self->c;
	struct pc_cs cs = stream(c, 0);

	emit_wait(&cs, PC_CS_SYNC_WAIT32, PC_CS_GREATER, 0, 0);
	ASSERT_EQ(0, submit(c, c->group, 0, &cs));
	pc_kill_clients(_metadata, wait_forever);
	EXPECT_EQ(-ETIME, pc_syncobj_wait(c->fd, c->done, 0, 0));
	write_word(c, 0, 1);
	EXPECT_EQ(0, pc_syncobj_finish(c->fd, c->done, SOON_NS));
}

TEST_HARNESS_MAIN
