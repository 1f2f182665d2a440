// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * KUnit suite of the command streams and tiler heaps of the model: what each
 * instruction does to registers and memory, and which exceptions it raises; of its
 * microcontroller, and of commands of the GPU. The address spaces are replaced by flat
 * memory, all else is the model itself.
 */
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/prandom.h>
#include <linux/processor.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>

#include "vmali.h"
#include "vmali_fw.h"

/* Memory of the streams and, at FW_SHARED, of the firmware interface. */
#define MEM_SIZE	SZ_256K
/* Below, nothing is mapped; above EXEC, memory is executable. */
#define MEM_START	SZ_4K
#define MEM_EXEC	(MEM_SIZE - SZ_4K)

/* Two streams have rings. */
#define RING_IN_OF(n)	(0x1000 + 0x100 * (n))
#define RING_OUT_OF(n)	(0x2000 + 0x100 * (n))
#define RING_OF(n)	(0x3000 + 0x4000 * (n))
#define RING_IN		RING_IN_OF(0)
#define RING_OUT	RING_OUT_OF(0)
#define RING		RING_OF(0)
#define RING_SIZE	SZ_4K
#define BUFFER		0x4000
#define DATA		0x8000
/* Of a tiler heap: context, descriptor, tiler descriptor, chunks. */
#define HEAP		0x9000
#define HEAP_DESC	0x9100
#define TILER		0x9200
#define COMPLETED_TOP	(TILER + 40)
#define COMPLETED_BOTTOM (TILER + 48)
#define SUSPEND_BUF	0x9800
#define CHUNK(n)	(0x10000 + 0x4000 * (n))
#define CHUNK_SIZE	SZ_8K
#define CHUNK_POINTER(n) (CHUNK(n) | CHUNK_SIZE / SZ_4K)

#define INSTR(op, dest, src0, src1, imm) \
	((u64)(op) << 56 | (u64)(dest) << 48 | (u64)(src0) << 40 | (u64)(src1) << 32 | (u32)(imm))
#define MOVE48(reg, val)		(1ull << 56 | (u64)(reg) << 48 | (val))
#define MOVE32(reg, val)		INSTR(2, reg, 0, 0, val)
#define ADD_IMM32(reg, src, imm)	INSTR(16, reg, src, 0, imm)
#define ADD_IMM64(reg, src, imm)	INSTR(17, reg, src, 0, imm)
#define UMIN32(reg, src0, src1)		INSTR(18, reg, src0, src1, 0)
#define LOAD(reg, addr, mask, offset)	INSTR(20, reg, addr, 0, (mask) << 16 | (u16)(offset))
#define STORE(reg, addr, mask, offset)	INSTR(21, reg, addr, 0, (mask) << 16 | (u16)(offset))
#define BRANCH(cond, reg, offset)	INSTR(22, 0, reg, 0, (cond) << 28 | (u16)(offset))
#define CALL(addr, size)		INSTR(32, 0, addr, size, 0)
#define JUMP(addr, size)		INSTR(33, 0, addr, size, 0)
#define FINISH_FRAGMENT(first, last)	INSTR(11, 0, first, last, 1)
#define FLUSH_CACHE2(id, modes)		INSTR(36, 0, id, 0, modes)
#define FLUSH_CACHES(id)		FLUSH_CACHE2(id, 0x233)
#define SYNC_ADD32(addr, val)		INSTR(37, 0, addr, val, 0)
#define SYNC_WAIT32(addr, val, flags)	INSTR(39, 0, addr, val, flags)
#define STORE_STATE(addr, state)	INSTR(40, 0, addr, state, 0)
#define ERROR_BARRIER			INSTR(47, 0, 0, 0, 0)
#define HEAP_SET(addr)			INSTR(48, 0, addr, 0, 0)
#define HEAP_OPERATION(op)		INSTR(49, 0, 0, op, 0)
#define SYNC_ADD64(addr, val, flags)	INSTR(51, 0, addr, val, flags)
#define SYNC_SET64(addr, val)		INSTR(52, 0, addr, val, 0)
#define SYNC_WAIT64(addr, val, flags)	INSTR(53, 0, addr, val, flags)
#define RUN_COMPUTE			INSTR(4, 0, 0, 0, 0)
#define RUN_IDVS			INSTR(6, 0, 0, 0, 0)
#define DRAW_ID(reg)			(BIT_ULL(34) | INSTR(0, 0, reg, 0, 0))
#define SET_EXCEPTION_HANDLER(addr, size, type) INSTR(25, 0, addr, size, type)
#define TILER_OOM	2

#define GREATER		BIT(28)
#define NEQUAL		3u
#define ALWAYS		6u
/* Of SYNC_ADD and SYNC_WAIT. */
#define PROPAGATE	1
#define REJECT		1

/**
 * struct cs_test - Fixture
 * @v: model, of which only the streams of group 0 are used; its MMU is one without
 *     address spaces
 * @s: the stream of that which ring() and reg() mean
 * @mem: memory
 * @fw: memory of the firmware interface
 * @insert: ends of the ring buffers
 * @buffer: end of the instructions at BUFFER
 * @locked: memory is locked now and then
 * @rnd: when
 * @timer: runs as soon as interrupts are on again
 * @working: the microcontroller works
 * @interrupted: and has let @timer run meanwhile
 */
struct cs_test {
	struct vmali v;
	struct vmali_stream *s;
	u8 *mem, *fw;
	u64 insert[2], buffer;
	bool locked;
	struct rnd_state rnd;
	struct timer_list timer;
	bool working, interrupted;
};

static struct cs_test *fixture(void)
{
	return kunit_get_current_test()->priv;
}

static void *memory(struct cs_test *t, u64 va, size_t size, enum vmali_access access)
{
	if (va >= FW_SHARED && va + size <= FW_SHARED + FW_SHARED_SIZE)
		return t->fw + (va - FW_SHARED);
	if (va < MEM_START || va + size > MEM_SIZE)
		return NULL;
	return access == VMALI_EXECUTE && va < MEM_EXEC ? NULL : t->mem + va;
}

static int flat_access(struct vmali_mmu *mmu, unsigned int as, u64 va, void *buf, size_t size,
		       enum vmali_access access)
{
	struct cs_test *t = fixture();
	void *p = memory(t, va, size, access);

	/* The microcontroller does not work while the firmware's memory is locked. */
	if (va < FW_SHARED && t->locked && prandom_u32_state(&t->rnd) % 3 == 0)
		return -EAGAIN;
	if (!p)
		return -EFAULT;
	if (access == VMALI_WRITE)
		memcpy(p, buf, size);
	else
		memcpy(buf, p, size);
	return 0;
}

static u32 get32(u64 va)
{
	return *(u32 *)(fixture()->mem + va);
}

static u64 get64(u64 va)
{
	return *(u64 *)(fixture()->mem + va);
}

static void set64(u64 va, u64 val)
{
	*(u64 *)(fixture()->mem + va) = val;
}

static u32 reg(unsigned int nr)
{
	return fixture()->s->ctx.regs[nr];
}

/* Add an instruction to the ring buffer, */
static void ring(u64 instr)
{
	struct cs_test *t = fixture();
	u64 *insert = &t->insert[t->s->index];

	set64(RING_OF(t->s->index) + *insert % RING_SIZE, instr);
	*insert += sizeof(instr);
	set64(RING_IN_OF(t->s->index), *insert);
}

/* and to what call_buffer() calls. */
static void buffer(u64 instr)
{
	struct cs_test *t = fixture();

	set64(t->buffer, instr);
	t->buffer += sizeof(instr);
}

static void call_buffer(void)
{
	ring(MOVE48(90, BUFFER));
	ring(MOVE32(92, fixture()->buffer - BUFFER));
	ring(CALL(90, 92));
}

/* Until nothing moves any more, or long enough where memory is locked now and then. */
static void run(struct kunit *test)
{
	struct cs_test *t = test->priv;
	bool locked = t->locked;

	for (int i = 0; i < 2000 && locked; i++)
		vmali_cs_run(t->s, 7);
	t->locked = false;
	while (vmali_cs_run(t->s, 7))
		;
	t->locked = locked;
}

static void use_stream(unsigned int index)
{
	struct cs_test *t = fixture();

	t->s = &t->v.mcu.groups[0].streams[index];
}

/* The same for both streams. */
static void run_both(struct kunit *test)
{
	struct cs_test *t = test->priv;
	struct vmali_stream *streams = t->v.mcu.groups[0].streams;
	bool locked = t->locked, again = true;

	for (int i = 0; i < 4000 && locked; i++)
		vmali_cs_run(&streams[i % 2], 7);
	t->locked = false;
	while (again) {
		again = vmali_cs_run(&streams[0], 7);
		again |= vmali_cs_run(&streams[1], 7);
	}
	t->locked = locked;
}

static void expect_empty(struct kunit *test)
{
	struct cs_test *t = test->priv;
	unsigned int index = t->s->index;

	KUNIT_EXPECT_EQ(test, t->s->wait, VMALI_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, get64(RING_OUT_OF(index)), t->insert[index]);
	KUNIT_EXPECT_EQ(test, get32(RING_OUT_OF(index) + 8), 0);
}

static void expect_done(struct kunit *test)
{
	run(test);
	expect_empty(test);
}

static struct fw_stream_out *stream_out(struct cs_test *t)
{
	return (void *)t->fw + FW_STREAM_OUT(0, 0) - FW_SHARED;
}

static void expect_fault(struct kunit *test, u32 type, u64 info)
{
	KUNIT_EXPECT_EQ(test, stream_out(test->priv)->fault, type);
	KUNIT_EXPECT_EQ(test, stream_out(test->priv)->fault_info, info);
}

static void expect_fatal(struct kunit *test, u32 type, u64 info)
{
	struct cs_test *t = test->priv;

	run(test);
	KUNIT_EXPECT_EQ(test, t->s->wait, VMALI_CS_FATAL);
	KUNIT_EXPECT_EQ(test, stream_out(t)->fatal, type);
	KUNIT_EXPECT_EQ(test, stream_out(t)->fatal_info, info);
	KUNIT_EXPECT_LT(test, get64(RING_OUT), t->insert[0]);
	KUNIT_EXPECT_FALSE(test, vmali_cs_run(t->s, 1));
}

/* As after the start of a stream, with a ring buffer that is about to wrap. */
static void restart(struct kunit *test)
{
	struct cs_test *t = test->priv;

	memset(t->mem, 0, MEM_SIZE);
	memset(t->fw, 0, FW_SHARED_SIZE);
	vmali_mcu_init(&t->v);
	for (int i = 0; i < ARRAY_SIZE(t->insert); i++) {
		use_stream(i);
		t->s->started = true;
		t->s->ring_base = RING_OF(i);
		t->s->ring_size = RING_SIZE;
		t->s->ring_in = RING_IN_OF(i);
		t->s->ring_out = RING_OUT_OF(i);
		t->insert[i] = RING_SIZE - 2 * sizeof(u64);
		t->s->ctx.frame[0].pc = t->insert[i];
		set64(RING_IN_OF(i), t->insert[i]);
	}
	use_stream(0);
	t->buffer = BUFFER;
}

static void arithmetic(struct kunit *test)
{
	ring(MOVE48(10, 0xfedcba987654));
	ring(MOVE32(12, 0x80000000));
	ring(ADD_IMM32(13, 12, -1));
	ring(ADD_IMM64(14, 10, -0x7655));
	ring(UMIN32(16, 12, 13));
	expect_done(test);
	KUNIT_EXPECT_EQ(test, reg(10), 0xba987654);
	KUNIT_EXPECT_EQ(test, reg(11), 0xfedc);
	KUNIT_EXPECT_EQ(test, reg(13), 0x7fffffff);
	KUNIT_EXPECT_EQ(test, reg(14), 0xba97ffff);
	KUNIT_EXPECT_EQ(test, reg(15), 0xfedc);
	KUNIT_EXPECT_EQ(test, reg(16), 0x7fffffff);
}

static void registers(struct kunit *test)
{
	static const u64 bad[] = {
		MOVE48(95, 0), MOVE32(96, 0), ADD_IMM32(0, 96, 0), UMIN32(0, 0, 96),
		SYNC_ADD64(0, 95, 0), LOAD(90, 0, 0x41, 0), CALL(95, 0),
		FINISH_FRAGMENT(95, 0), FINISH_FRAGMENT(0, 95), RUN_IDVS | DRAW_ID(96),
	};

	ring(MOVE48(94, 1));
	ring(MOVE32(95, 1));
	expect_done(test);
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		restart(test);
		ring(MOVE32(0, 1));
		ring(bad[i]);
		expect_fatal(test, VMALI_EXC_CS_INSTR, RING + RING_SIZE - sizeof(u64));
	}
}

static void opcodes(struct kunit *test)
{
	static const u8 unknown[] = { 10, 12, 15, 19, 26, 31, 35, 41, 45, 46, 54, 255 };

	for (int i = 0; i < ARRAY_SIZE(unknown); i++) {
		restart(test);
		ring(INSTR(unknown[i], 0, 0, 0, 0));
		expect_fatal(test, VMALI_EXC_CS_INSTR, RING + RING_SIZE - 2 * sizeof(u64));
	}
}

static void branches(struct kunit *test)
{
	buffer(MOVE32(0, 100));
	buffer(ADD_IMM32(1, 1, 2));
	buffer(ADD_IMM32(0, 0, -1));
	buffer(BRANCH(NEQUAL, 0, -3));
	buffer(BRANCH(ALWAYS, 0, 1));
	buffer(MOVE32(1, 0));
	call_buffer();
	expect_done(test);
	KUNIT_EXPECT_EQ(test, reg(1), 200);

	restart(test);
	buffer(BRANCH(ALWAYS, 0, 1));
	call_buffer();
	expect_fatal(test, VMALI_EXC_CS_INSTR, BUFFER);
}

static void calls(struct kunit *test)
{
	buffer(MOVE48(0, DATA));
	buffer(MOVE32(2, sizeof(u64)));
	buffer(JUMP(0, 2));
	buffer(MOVE32(3, 1));
	set64(DATA, MOVE32(4, 1));
	call_buffer();
	ring(MOVE32(5, 1));
	expect_done(test);
	KUNIT_EXPECT_EQ(test, reg(3), 0);
	KUNIT_EXPECT_EQ(test, reg(4), 1);
	KUNIT_EXPECT_EQ(test, reg(5), 1);

	restart(test);
	buffer(CALL(90, 92));
	call_buffer();
	expect_fatal(test, VMALI_EXC_CS_CALL_STACK, BUFFER);

	restart(test);
	ring(MOVE48(90, BUFFER + 4));
	ring(CALL(90, 92));
	expect_fatal(test, VMALI_EXC_CS_INSTR, RING + RING_SIZE - sizeof(u64));

	restart(test);
	ring(MOVE48(90, MEM_SIZE));
	ring(MOVE32(92, sizeof(u64)));
	ring(CALL(90, 92));
	expect_fatal(test, VMALI_EXC_CS_BUS, MEM_SIZE);
}

static void loads_and_stores(struct kunit *test)
{
	set64(DATA - 8, 0x3333333344444444);
	set64(DATA, 0x1111111122222222);
	ring(MOVE48(10, DATA));
	ring(LOAD(9, 10, 0xf, -8));
	ring(MOVE48(20, DATA));
	ring(STORE(9, 20, 0x800b, 0x10));
	expect_done(test);
	KUNIT_EXPECT_EQ(test, reg(9), 0x44444444);
	KUNIT_EXPECT_EQ(test, reg(10), 0x33333333);
	KUNIT_EXPECT_EQ(test, reg(12), 0x11111111);
	KUNIT_EXPECT_EQ(test, get64(DATA + 0x10), 0x3333333344444444);
	KUNIT_EXPECT_EQ(test, get64(DATA + 0x18), 0x1111111100000000);
	KUNIT_EXPECT_EQ(test, get32(DATA + 0x10 + 15 * 4), reg(24));

	restart(test);
	ring(MOVE48(20, MEM_SIZE - 4));
	ring(STORE(0, 20, 0x1, 4));
	expect_fatal(test, VMALI_EXC_CS_BUS, MEM_SIZE);
}

/* What the driver makes of a job. */
static void job(struct kunit *test)
{
	struct cs_test *t = test->priv;

	t->v.flush_id = 5;
	buffer(MOVE32(0, 1));
	ring(MOVE32(92, 5));
	ring(FLUSH_CACHES(92));
	ring(FLUSH_CACHES(92));
	call_buffer();
	ring(MOVE48(90, DATA));
	ring(MOVE48(92, 1));
	ring(SYNC_ADD64(90, 92, PROPAGATE));
	ring(ERROR_BARRIER);
	expect_done(test);
	KUNIT_EXPECT_EQ(test, get64(DATA), 1);
	KUNIT_EXPECT_EQ(test, get64(DATA + 8), 0);
	/* The second found that the first was made after 5 was read. */
	KUNIT_EXPECT_EQ(test, t->v.flush_id, 6);
}

/* Caches are left, cleaned, or cleaned and invalidated; others are only invalidated. */
static void flush_modes(struct kunit *test)
{
	static const u32 good[] = { 0, 0x1, 0x3, 0x10, 0x30, 0x200, 0x233 };
	static const u32 bad[] = { 0x2, 0x4, 0x8, 0x20, 0x40, 0x80, 0x100, 0x300, 0x400, 0x800 };

	for (int i = 0; i < ARRAY_SIZE(good); i++) {
		restart(test);
		ring(FLUSH_CACHE2(0, good[i]));
		expect_done(test);
	}
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		restart(test);
		ring(FLUSH_CACHE2(0, bad[i]));
		expect_fatal(test, VMALI_EXC_CS_INSTR, RING + RING_SIZE - 2 * sizeof(u64));
	}
}

static void signals(struct kunit *test)
{
	set64(DATA, U32_MAX);
	set64(DATA + 0x10, U32_MAX);
	ring(MOVE48(10, DATA));
	ring(MOVE48(12, 0x123400000003));
	ring(SYNC_ADD64(10, 12, 0));
	ring(ADD_IMM64(10, 10, 0x10));
	ring(SYNC_ADD32(10, 12));
	ring(ADD_IMM64(10, 10, 0x10));
	ring(SYNC_SET64(10, 12));
	expect_done(test);
	KUNIT_EXPECT_EQ(test, get64(DATA), 0x123500000002);
	KUNIT_EXPECT_EQ(test, get64(DATA + 0x10), 2);
	KUNIT_EXPECT_EQ(test, get64(DATA + 0x20), 0x123400000003);

	restart(test);
	ring(MOVE48(10, DATA + 4));
	ring(SYNC_ADD64(10, 12, 0));
	expect_fatal(test, VMALI_EXC_DATA_INVALID, DATA + 4);
}

static void waits(struct kunit *test)
{
	struct vmali_stream *s = ((struct cs_test *)test->priv)->s;

	for (int i = 0; i < 2; i++) {
		restart(test);
		ring(MOVE48(10, DATA));
		ring(MOVE48(12, 5));
		ring(i ? SYNC_WAIT64(10, 12, GREATER) : SYNC_WAIT32(10, 12, GREATER));
		run(test);
		KUNIT_EXPECT_EQ(test, s->wait, VMALI_CS_SYNC);
		KUNIT_EXPECT_EQ(test, s->sync_va, DATA);
		KUNIT_EXPECT_EQ(test, s->sync_value, 5);
		KUNIT_EXPECT_EQ(test, s->sync_64, i);
		set64(DATA, 5);
		run(test);
		KUNIT_EXPECT_EQ(test, s->wait, VMALI_CS_SYNC);
		set64(DATA, 6);
		expect_done(test);
	}
}

/* An error that came with a sync object goes on to the next one. */
static void errors(struct kunit *test)
{
	set64(DATA + 8, VMALI_EXC_OOM);
	ring(MOVE48(10, DATA));
	ring(SYNC_WAIT64(10, 12, REJECT));
	ring(SYNC_WAIT64(10, 12, 0));
	ring(MOVE48(10, DATA + 0x10));
	ring(MOVE48(12, 1));
	ring(SYNC_ADD64(10, 12, PROPAGATE));
	ring(MOVE48(10, DATA + 0x20));
	ring(SYNC_ADD64(10, 12, 0));
	ring(MOVE48(10, DATA + 0x30));
	ring(STORE_STATE(10, 3));
	ring(ERROR_BARRIER);
	ring(MOVE48(10, DATA + 0x40));
	ring(SYNC_ADD64(10, 12, PROPAGATE));
	expect_done(test);
	expect_fault(test, VMALI_EXC_CS_INHERIT, DATA);
	KUNIT_EXPECT_EQ(test, get64(DATA + 0x10), 1);
	KUNIT_EXPECT_EQ(test, get32(DATA + 0x18), VMALI_EXC_CS_INHERIT);
	KUNIT_EXPECT_EQ(test, get64(DATA + 0x20), 1);
	KUNIT_EXPECT_EQ(test, get32(DATA + 0x28), 0);
	KUNIT_EXPECT_EQ(test, get64(DATA + 0x30), VMALI_EXC_CS_INHERIT);
	KUNIT_EXPECT_EQ(test, get64(DATA + 0x40), 1);
	KUNIT_EXPECT_EQ(test, get32(DATA + 0x48), 0);
}

static void shader_fetch(struct kunit *test)
{
	ring(MOVE48(16, DATA));
	ring(RUN_COMPUTE);
	set64(DATA + 8, MEM_EXEC);
	expect_done(test);

	set64(DATA + 8, BUFFER);
	ring(RUN_COMPUTE);
	expect_fatal(test, VMALI_EXC_CS_BUS, BUFFER);
}

static void ring_pointers(struct kunit *test)
{
	struct cs_test *t = test->priv;

	t->insert[0] += RING_SIZE + sizeof(u64);
	set64(RING_IN, t->insert[0]);
	expect_fatal(test, VMALI_EXC_CS_CONFIG, t->insert[0]);

	restart(test);
	t->insert[0] += 4;
	set64(RING_IN, t->insert[0]);
	expect_fatal(test, VMALI_EXC_CS_CONFIG, t->insert[0]);
}

/* Two chunks, and a job that needs more. */
static void heap_job(struct kunit *test)
{
	set64(TILER + 24, HEAP_DESC);
	set64(HEAP_DESC + 8, CHUNK(0));
	set64(HEAP_DESC + 16, CHUNK(0) + 64);
	set64(HEAP_DESC + 24, CHUNK(0) + CHUNK_SIZE);
	set64(CHUNK(0), CHUNK_POINTER(1));

	ring(MOVE48(60, HEAP));
	ring(HEAP_SET(60));
	ring(HEAP_OPERATION(0));
	ring(MOVE48(40, TILER));
	ring(MOVE32(33, 2 * CHUNK_SIZE / 16));
	ring(MOVE32(34, 1));
	ring(RUN_IDVS);
	ring(HEAP_OPERATION(1));
	ring(HEAP_OPERATION(3));
}

static void expect_oom(struct kunit *test)
{
	struct cs_test *t = test->priv;

	run(test);
	KUNIT_EXPECT_EQ(test, t->s->wait, VMALI_CS_OOM);
	KUNIT_EXPECT_EQ(test, stream_out(t)->vt_start, 1);
	KUNIT_EXPECT_EQ(test, stream_out(t)->vt_end, 0);
	KUNIT_EXPECT_EQ(test, stream_out(t)->heap, HEAP);
	KUNIT_EXPECT_EQ(test, t->s->ctx.tiler_remaining, 2 * 64);
}

static void deny(struct kunit *test)
{
	struct cs_test *t = test->priv;

	t->s->oom_denied = true;
	t->s->wait = VMALI_CS_RUNNABLE;
}

static void heap_grows(struct kunit *test)
{
	struct cs_test *t = test->priv;

	heap_job(test);
	expect_oom(test);
	KUNIT_EXPECT_EQ(test, vmali_heap_add_chunk(t->s, CHUNK(2)), -EINVAL);
	KUNIT_EXPECT_EQ(test, vmali_heap_add_chunk(t->s, CHUNK_POINTER(2)), 0);
	t->s->wait = VMALI_CS_RUNNABLE;
	expect_done(test);
	expect_fault(test, 0, 0);
	KUNIT_EXPECT_EQ(test, get64(CHUNK(1)), CHUNK_POINTER(2));
	KUNIT_EXPECT_EQ(test, get64(HEAP_DESC + 8), CHUNK(2));
	KUNIT_EXPECT_EQ(test, get64(HEAP_DESC + 16), CHUNK(2) + 64 + 2 * 64);
	KUNIT_EXPECT_EQ(test, get64(HEAP_DESC + 24), CHUNK(2) + CHUNK_SIZE);
	/* Each page that was taken has been written. */
	KUNIT_EXPECT_NE(test, get32(CHUNK(0) + 64), 0);
	KUNIT_EXPECT_NE(test, get32(CHUNK(0) + SZ_4K), 0);
	KUNIT_EXPECT_NE(test, get32(CHUNK(1) + SZ_4K), 0);
	KUNIT_EXPECT_NE(test, get32(CHUNK(2) + 64), 0);
	KUNIT_EXPECT_EQ(test, get32(CHUNK(2) + SZ_4K), 0);
	for (int i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, get32(HEAP + 4 * i), 1);
}

static void exception_types(struct kunit *test)
{
	static const u8 unknown[] = { 0, 1, 3, 4, 255 };

	ring(SET_EXCEPTION_HANDLER(62, 64, TILER_OOM));
	expect_done(test);
	for (int i = 0; i < ARRAY_SIZE(unknown); i++) {
		restart(test);
		ring(SET_EXCEPTION_HANDLER(62, 64, unknown[i]));
		expect_fatal(test, VMALI_EXC_CS_INSTR, RING + RING_SIZE - 2 * sizeof(u64));
	}
}

/* A handler that counts, and puts a chunk behind the last one if it is to @help. */
static void handler(bool help)
{
	buffer(ADD_IMM32(80, 80, 1));
	if (!help)
		return;
	buffer(MOVE48(82, CHUNK(1)));
	buffer(MOVE48(84, CHUNK_POINTER(2)));
	buffer(STORE(84, 82, 0x3, 0));
}

static void set_handler(struct kunit *test)
{
	ring(MOVE48(62, BUFFER));
	ring(MOVE32(64, ((struct cs_test *)test->priv)->buffer - BUFFER));
	ring(SET_EXCEPTION_HANDLER(62, 64, TILER_OOM));
}

/* If it does not help, it is not called again. */
static void heap_handler(struct kunit *test)
{
	for (int help = 0; help < 2; help++) {
		restart(test);
		handler(help);
		set_handler(test);
		heap_job(test);
		expect_oom(test);
		deny(test);
		expect_done(test);
		KUNIT_EXPECT_EQ(test, stream_out(test->priv)->fault, help ? 0 : VMALI_EXC_OOM);
		KUNIT_EXPECT_EQ(test, reg(80), 1);
	}
}

/* It is called on the stream that has registered it, in the middle of what that does, */
static void heap_handler_elsewhere(struct kunit *test)
{
	for (int empty = 0; empty < 2; empty++) {
		restart(test);
		handler(true);
		use_stream(1);
		set_handler(test);
		ring(MOVE48(10, DATA));
		if (!empty)
			ring(SYNC_WAIT64(10, 12, GREATER));
		run(test);
		KUNIT_EXPECT_EQ(test, fixture()->s->wait, empty ? VMALI_CS_EMPTY : VMALI_CS_SYNC);
		use_stream(0);
		heap_job(test);
		ring(MOVE48(10, DATA));
		ring(MOVE48(12, 1));
		ring(SYNC_ADD64(10, 12, 0));
		expect_oom(test);
		deny(test);
		run_both(test);
		expect_empty(test);
		expect_fault(test, 0, 0);
		KUNIT_EXPECT_EQ(test, reg(80), 0);
		use_stream(1);
		expect_empty(test);
		KUNIT_EXPECT_EQ(test, reg(80), 1);
	}
}

/* or later, when one registers it. Until then, the tiler waits. */
static void heap_handler_later(struct kunit *test)
{
	struct cs_test *t = test->priv;

	heap_job(test);
	expect_oom(test);
	deny(test);
	run_both(test);
	expect_fault(test, 0, 0);
	KUNIT_EXPECT_NE(test, t->s->wait, VMALI_CS_EMPTY);

	handler(true);
	use_stream(1);
	set_handler(test);
	run_both(test);
	expect_empty(test);
	KUNIT_EXPECT_EQ(test, reg(80), 1);
	use_stream(0);
	expect_empty(test);
	expect_fault(test, 0, 0);
}

/* What the driver sees of the ring buffer while the handler of a job in it runs. */
static void heap_handler_extract(struct kunit *test)
{
	u64 extract;

	buffer(MOVE48(10, DATA));
	buffer(SYNC_WAIT64(10, 12, GREATER));
	set_handler(test);
	heap_job(test);
	expect_oom(test);
	extract = get64(RING_OUT);
	deny(test);
	run(test);
	KUNIT_EXPECT_EQ(test, get64(RING_OUT), extract);
}

/* FINISH_FRAGMENT of what the tiler has completed for the descriptor. */
static void finish_fragment(void (*emit)(u64 instr))
{
	emit(MOVE48(70, TILER));
	emit(LOAD(72, 70, 0xf, 40));
	emit(FINISH_FRAGMENT(72, 74));
	emit(MOVE48(76, 0));
	emit(MOVE48(78, 0));
	emit(STORE(76, 70, 0xf, 40));
}

static void heap_returns(struct kunit *test)
{
	struct cs_test *t = test->priv;

	heap_job(test);
	expect_oom(test);
	KUNIT_EXPECT_EQ(test, vmali_heap_add_chunk(t->s, CHUNK_POINTER(2)), 0);
	t->s->wait = VMALI_CS_RUNNABLE;
	expect_done(test);
	/* The third chunk is still filled. */
	KUNIT_EXPECT_EQ(test, get64(COMPLETED_TOP), CHUNK_POINTER(0));
	KUNIT_EXPECT_EQ(test, get64(COMPLETED_BOTTOM), CHUNK_POINTER(1));

	/* Both of the others are taken again before the driver is asked. */
	finish_fragment(ring);
	ring(RUN_IDVS);
	expect_done(test);
	KUNIT_EXPECT_EQ(test, get32(HEAP + 8), 2);
	KUNIT_EXPECT_EQ(test, get64(COMPLETED_TOP), CHUNK_POINTER(2));
	KUNIT_EXPECT_EQ(test, get64(COMPLETED_BOTTOM), CHUNK_POINTER(0));
	KUNIT_EXPECT_EQ(test, get64(HEAP_DESC + 8), CHUNK(1));
	KUNIT_EXPECT_EQ(test, get64(CHUNK(2)), CHUNK_POINTER(0));

	/* No chunks: it only counts. */
	ring(MOVE48(72, 0));
	ring(MOVE48(74, 0));
	ring(FINISH_FRAGMENT(72, 74));
	expect_done(test);
	KUNIT_EXPECT_EQ(test, get32(HEAP + 8), 3);
	expect_fault(test, 0, 0);

	/* One of them, or one without a size, is a mistake. */
	ring(MOVE48(72, CHUNK(0)));
	ring(FINISH_FRAGMENT(72, 72));
	expect_done(test);
	expect_fault(test, VMALI_EXC_DATA_INVALID, CHUNK(0));
	KUNIT_EXPECT_EQ(test, get32(HEAP + 8), 3);
}

/* A job of nine chunks in a heap of two, as drivers make it. */
static void heap_renders_in_parts(struct kunit *test)
{
	finish_fragment(buffer);
	buffer(ADD_IMM32(80, 80, 1));
	use_stream(1);
	ring(MOVE48(60, HEAP));
	ring(HEAP_SET(60));
	set_handler(test);
	ring(MOVE48(10, DATA));
	ring(SYNC_WAIT64(10, 12, GREATER));
	run(test);
	use_stream(0);
	heap_job(test);
	ring(MOVE32(34, 4));
	ring(RUN_IDVS);
	for (int i = 0; i < 20; i++) {
		run_both(test);
		if (((struct cs_test *)test->priv)->s->wait != VMALI_CS_OOM)
			break;
		deny(test);
	}
	expect_empty(test);
	expect_fault(test, 0, 0);
	use_stream(1);
	/* Each time there is one more. */
	KUNIT_EXPECT_GE(test, reg(80), 7);
	KUNIT_EXPECT_EQ(test, fixture()->s->wait, VMALI_CS_SYNC);
}

/* Two streams that share a heap have made it grow at the same time. */
static void heap_shared(struct kunit *test)
{
	struct cs_test *t = test->priv;

	heap_job(test);
	expect_oom(test);
	set64(CHUNK(1), CHUNK_POINTER(3));
	KUNIT_EXPECT_EQ(test, vmali_heap_add_chunk(t->s, CHUNK_POINTER(2)), 0);
	t->s->wait = VMALI_CS_RUNNABLE;
	expect_done(test);
	KUNIT_EXPECT_EQ(test, get64(CHUNK(1)), CHUNK_POINTER(2));
	KUNIT_EXPECT_EQ(test, get64(CHUNK(2)), CHUNK_POINTER(3));
}

/* A list of chunks without an end never runs dry: other streams get their turns. */
static void heap_cycle(struct kunit *test)
{
	struct cs_test *t = test->priv;
	unsigned int turns = 0;

	heap_job(test);
	set64(CHUNK(1), CHUNK_POINTER(0));
	ring(MOVE32(34, SZ_1M / (2 * CHUNK_SIZE)));
	ring(RUN_IDVS);
	while (vmali_cs_run(t->s, 1000))
		turns++;
	KUNIT_EXPECT_GE(test, turns, 4);
	KUNIT_EXPECT_EQ(test, t->s->wait, VMALI_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, t->s->ctx.tiler_remaining, 0);
	expect_empty(test);
}

/* All of the above once more, with memory that is locked now and then. */
static void locked_memory(struct kunit *test)
{
	static void (* const cases[])(struct kunit *test) = {
		arithmetic, registers, opcodes, branches, calls, loads_and_stores, job,
		flush_modes, signals, waits, errors, shader_fetch, ring_pointers, heap_grows,
		heap_handler, heap_handler_elsewhere, heap_handler_later, heap_returns,
		heap_renders_in_parts, heap_shared,
	};
	struct cs_test *t = test->priv;

	t->locked = true;
	prandom_seed_state(&t->rnd, 1);
	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		restart(test);
		cases[i](test);
	}
}

/* The microcontroller, and registers */

static u32 *fw_word(u64 va)
{
	return (u32 *)(fixture()->fw + (va - FW_SHARED));
}

#define fw_field(type, va, field) (*fw_word((va) + offsetof(struct type, field)))

/* As the driver starts a stream: group 0 runs, and is told to look at stream 0. */
static void start_stream(struct kunit *test, u32 doorbell)
{
	struct cs_test *t = test->priv;
	struct fw_stream_in *in = (void *)fw_word(FW_STREAM_IN(0, 0));

	restart(test);
	*in = (struct fw_stream_in){
		.req = FW_CS_START, .config = FIELD_PREP(FW_CS_CONFIG_DOORBELL, doorbell),
		.ring_base = RING, .ring_size = RING_SIZE, .ring_in = RING_IN,
		.ring_out = RING_OUT,
	};
	/* It starts where the driver has seen it to be. */
	set64(RING_IN + sizeof(u64), t->insert[0]);
	fw_field(fw_group_in, FW_GROUP_IN(0), doorbell_req) = BIT(0);
	fw_field(fw_global_in, FW_GLOBAL_IN, doorbell_req) = BIT(0);

	t->v.mcu_status = MCU_STATUS_ENABLED;
	t->v.mcu.booted = true;
	t->v.mcu.groups[0].running = true;
	t->s->started = false;
}

static void work(struct kunit *test)
{
	struct cs_test *t = test->priv;

	spin_lock_irq(&t->v.lock);
	t->working = true;
	while (vmali_mcu_work(&t->v, false) == VMALI_NOW)
		;
	t->working = false;
	spin_unlock_irq(&t->v.lock);
}

static void ring_doorbell(struct kunit *test, unsigned int doorbell)
{
	struct cs_test *t = test->priv;

	spin_lock_irq(&t->v.lock);
	vmali_write_reg(&t->v, CSF_DOORBELL(doorbell), 1);
	spin_unlock_irq(&t->v.lock);
}

static void stream_doorbells(struct kunit *test)
{
	static const u32 bad[] = { CSF_DOORBELLS, 32, 33, 255 };
	struct cs_test *t = test->priv;

	start_stream(test, CSF_DOORBELLS - 1);
	ring_doorbell(test, 0);
	work(test);
	KUNIT_EXPECT_TRUE(test, t->s->started);
	KUNIT_EXPECT_EQ(test, t->s->wait, VMALI_CS_EMPTY);
	ring(MOVE32(0, 1));
	work(test);
	KUNIT_EXPECT_EQ(test, reg(0), 0);
	ring_doorbell(test, CSF_DOORBELLS - 1);
	work(test);
	KUNIT_EXPECT_EQ(test, reg(0), 1);

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		start_stream(test, bad[i]);
		ring_doorbell(test, 0);
		work(test);
		KUNIT_EXPECT_EQ(test, t->s->wait, VMALI_CS_FATAL);
		KUNIT_EXPECT_EQ(test, stream_out(t)->fatal, VMALI_EXC_CS_CONFIG);
		KUNIT_EXPECT_EQ(test, stream_out(t)->fatal_info, RING);
	}
}

static void start_waiting(struct kunit *test)
{
	start_stream(test, 1);
	ring(MOVE48(10, DATA));
	ring(SYNC_WAIT64(10, 12, GREATER));
	ring_doorbell(test, 0);
	work(test);
	KUNIT_EXPECT_EQ(test, fixture()->s->wait, VMALI_CS_SYNC);
}

/* The CPU writes to a sync object, and rings no doorbell: it is looked at in a while. */
static void cpu_signals(struct kunit *test)
{
	struct cs_test *t = test->priv;
	enum vmali_more more;

	start_waiting(test);
	spin_lock_irq(&t->v.lock);
	vmali_mcu_work(&t->v, true);
	more = vmali_mcu_work(&t->v, true);
	spin_unlock_irq(&t->v.lock);
	KUNIT_EXPECT_EQ(test, more, VMALI_SOON);
	set64(DATA, 1);
	work(test);
	expect_empty(test);
	spin_lock_irq(&t->v.lock);
	more = vmali_mcu_work(&t->v, true);
	spin_unlock_irq(&t->v.lock);
	KUNIT_EXPECT_EQ(test, more, VMALI_KICKED);
}

static void ask_group(struct kunit *test, u32 state)
{
	u32 *doorbells = &fw_field(fw_global_in, FW_GLOBAL_IN, doorbell_req);

	fw_field(fw_group_in, FW_GROUP_IN(0), req) = state;
	*doorbells ^= BIT(0);
	ring_doorbell(test, 0);
	work(test);
	KUNIT_EXPECT_EQ(test, fw_field(fw_group_out, FW_GROUP_OUT(0), ack) & FW_CSG_STATE, state);
}

/* Or while the group is not resident: it is looked at when that is resumed. */
static void cpu_signals_who_is_suspended(struct kunit *test)
{
	start_waiting(test);
	*(u64 *)fw_word(FW_GROUP_IN(0) + offsetof(struct fw_group_in, suspend_buf)) = SUSPEND_BUF;
	ask_group(test, FW_CSG_SUSPEND);
	set64(DATA, 1);
	work(test);
	KUNIT_EXPECT_LT(test, get64(RING_OUT), fixture()->insert[0]);
	fw_field(fw_group_in, FW_GROUP_IN(0), doorbell_req) ^= BIT(0);
	ask_group(test, FW_CSG_RESUME);
	expect_empty(test);
}

static void on_timer(struct timer_list *timer)
{
	struct cs_test *t = container_of(timer, struct cs_test, timer);

	t->interrupted |= t->working;
}

/* A turn may take long: before the next one, others get the lock, and interrupts come. */
static void lock_between_turns(struct kunit *test)
{
	struct cs_test *t = test->priv;
	ktime_t late;

	start_stream(test, 1);
	heap_job(test);
	set64(CHUNK(1), CHUNK_POINTER(0));
	ring_doorbell(test, 0);
	spin_lock_irq(&t->v.lock);
	t->working = true;
	mod_timer(&t->timer, jiffies + 1);
	/* By the clock: how long mdelay() takes depends on what the host did during boot. */
	late = ktime_add_ns(ktime_get(), 3 * TICK_NSEC);
	while (ktime_before(ktime_get(), late))
		cpu_relax();
	vmali_mcu_work(&t->v, false);
	t->working = false;
	spin_unlock_irq(&t->v.lock);
	timer_delete_sync(&t->timer);
	KUNIT_EXPECT_TRUE(test, t->interrupted);
}

static void gpu_commands(struct kunit *test)
{
	static const u32 unknown[] = { 2, 3, 5, 8, 255, 0x102 };
	struct cs_test *t = test->priv;
	u64 errors = vmali_mmu_errors(t->v.mmu);

	spin_lock_irq(&t->v.lock);
	vmali_write_reg(&t->v, GPU_COMMAND, GPU_COMMAND_NOP);
	vmali_write_reg(&t->v, GPU_COMMAND, GPU_COMMAND_FLUSH_CACHES | 0x3300);
	vmali_write_reg(&t->v, GPU_COMMAND, GPU_COMMAND_RESET | 0x100);
	spin_unlock_irq(&t->v.lock);
	KUNIT_EXPECT_EQ(test, vmali_mmu_errors(t->v.mmu), errors);
	KUNIT_EXPECT_EQ(test, t->v.resets, 1);
	KUNIT_EXPECT_EQ(test, t->v.flush_id, 1);

	for (int i = 0; i < ARRAY_SIZE(unknown); i++) {
		spin_lock_irq(&t->v.lock);
		vmali_write_reg(&t->v, GPU_COMMAND, unknown[i]);
		spin_unlock_irq(&t->v.lock);
		KUNIT_EXPECT_EQ(test, vmali_mmu_errors(t->v.mmu), errors + i + 1);
	}
	KUNIT_EXPECT_EQ(test, t->v.resets, 1);
	KUNIT_EXPECT_EQ(test, t->v.flush_id, 1);
}

static void destroy_mmu(void *mmu)
{
	vmali_mmu_destroy(mmu);
}

static void ignore(void *ctx)
{
}

static void ignore_fault(void *ctx, unsigned int as)
{
}

static int init(struct kunit *test)
{
	static const struct vmali_gpu gpu = { .name = "test" };
	struct cs_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->mem = kunit_kzalloc(test, MEM_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->mem);
	t->fw = kunit_kzalloc(test, FW_SHARED_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->fw);
	t->v.window = kunit_kzalloc(test, CSF_FLUSH_ID + sizeof(u32), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->v.window);
	t->v.gpu = &gpu;
	t->s = &t->v.mcu.groups[0].streams[0];
	spin_lock_init(&t->v.lock);
	init_waitqueue_head(&t->v.wait);
	t->v.mmu = vmali_mmu_create(&(struct vmali_mmu_cfg){
		.name = "test", .fault = ignore_fault, .unlocked = ignore, .ctx = t,
	});
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->v.mmu));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, destroy_mmu, t->v.mmu), 0);
	timer_setup(&t->timer, on_timer, 0);
	test->priv = t;
	restart(test);
	kunit_activate_static_stub(test, vmali_mmu_access, flat_access);
	return 0;
}

static struct kunit_case cases[] = {
	KUNIT_CASE(arithmetic),
	KUNIT_CASE(registers),
	KUNIT_CASE(opcodes),
	KUNIT_CASE(branches),
	KUNIT_CASE(calls),
	KUNIT_CASE(loads_and_stores),
	KUNIT_CASE(job),
	KUNIT_CASE(flush_modes),
	KUNIT_CASE(signals),
	KUNIT_CASE(waits),
	KUNIT_CASE(errors),
	KUNIT_CASE(shader_fetch),
	KUNIT_CASE(ring_pointers),
	KUNIT_CASE(heap_grows),
	KUNIT_CASE(exception_types),
	KUNIT_CASE(heap_handler),
	KUNIT_CASE(heap_handler_elsewhere),
	KUNIT_CASE(heap_handler_later),
	KUNIT_CASE(heap_handler_extract),
	KUNIT_CASE(heap_returns),
	KUNIT_CASE(heap_renders_in_parts),
	KUNIT_CASE(heap_shared),
	KUNIT_CASE(heap_cycle),
	KUNIT_CASE(locked_memory),
	KUNIT_CASE(stream_doorbells),
	KUNIT_CASE(cpu_signals),
	KUNIT_CASE(cpu_signals_who_is_suspended),
	KUNIT_CASE(lock_between_turns),
	KUNIT_CASE(gpu_commands),
	{}
};

static struct kunit_suite suite = {
	.name = "vmali_cs",
	.init = init,
	.test_cases = cases,
};

kunit_test_suite(suite);
