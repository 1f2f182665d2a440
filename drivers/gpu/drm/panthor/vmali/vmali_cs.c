// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Command streams of the model: fetches and executes the instructions of a ring
 * buffer and of the buffers that it calls. What runs asynchronously on hardware is
 * finished here before the next instruction, so scoreboards are always empty.
 *
 * An instruction whose memory is locked has not happened, and is executed again
 * later: each one does what cannot be repeated in its last access.
 *
 * Shaders, tiler and fragment work are not executed. What is left of them:
 * RUN_COMPUTE reads the shader program descriptor and fetches from the address of
 * the binary, so that a job can show what is executable; RUN_IDVS and RUN_TILING
 * take memory from the tiler heap.
 */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "vmali.h"
#include "vmali_fw.h"

#define INSTR_SIZE		((u64)sizeof(u64))

/* Registers with a meaning to some instructions. */
#define REG_SHADER_PROGRAM(n)	(16 + 2 * (n))
#define REG_INDEX_COUNT		33
#define REG_INSTANCE_COUNT	34
#define REG_TILER		40

/* In the descriptors that these name. */
#define SHADER_PROGRAM_SIZE	32
#define SHADER_PROGRAM_BINARY	8

/* What the model's tiler takes from the heap for each index, and at most at once. */
#define TILER_BYTES		16
#define TILER_MAX_INDICES	(SZ_16M / TILER_BYTES)

/* Fields that several instructions have in the same place. */
#define CS_OPCODE		GENMASK_ULL(63, 56)
#define CS_REG_DEST		GENMASK_ULL(55, 48)
#define CS_REG_SRC0		GENMASK_ULL(47, 40)
#define CS_REG_SRC1		GENMASK_ULL(39, 32)
#define CS_REG_MASK		GENMASK_ULL(31, 16)
#define CS_PROGRESS_INC		BIT_ULL(32)
#define CS_IMM48		GENMASK_ULL(47, 0)

/* SET_EXCEPTION_HANDLER has one type of exception: the tiler is out of memory. */
#define CS_EXCEPTION_TYPE	GENMASK_ULL(7, 0)
#define   CS_EXCEPTION_TILER_OOM 2

/* RUN_IDVS: a register with the number of the draw call is named. */
#define CS_IDVS_DRAW_ID		BIT_ULL(34)

/* FLUSH_CACHE2: what happens to each kind of cache. */
#define CS_FLUSH_L2		GENMASK_ULL(3, 0)
#define CS_FLUSH_LSC		GENMASK_ULL(7, 4)
#define CS_FLUSH_OTHER		GENMASK_ULL(11, 8)
#define CS_FLUSH_NONE		0
#define CS_FLUSH_CLEAN		1
#define CS_FLUSH_INVALIDATE	2
#define CS_FLUSH_BOTH		3

enum cs_cond {
	COND_LEQUAL,
	COND_GREATER,
	COND_EQUAL,
	COND_NEQUAL,
	COND_LESS,
	COND_GEQUAL,
	COND_ALWAYS,
};

/*
 * What instructions return: 0 to go on behind it, CS_JUMPED if it has set where to
 * go on, CS_LONG if it is not finished, and others are to run in between, less than
 * 0 if it has not happened.
 */
#define CS_JUMPED		1
#define CS_LONG			2

static unsigned int dest(u64 instr)
{
	return FIELD_GET(CS_REG_DEST, instr);
}

static unsigned int src0(u64 instr)
{
	return FIELD_GET(CS_REG_SRC0, instr);
}

static unsigned int src1(u64 instr)
{
	return FIELD_GET(CS_REG_SRC1, instr);
}

static u32 get32(struct vmali_stream *s, unsigned int reg)
{
	return s->ctx.regs[reg];
}

static void set32(struct vmali_stream *s, unsigned int reg, u32 val)
{
	s->ctx.regs[reg] = val;
}

static u64 get64(struct vmali_stream *s, unsigned int reg)
{
	return s->ctx.regs[reg] | (u64)s->ctx.regs[reg + 1] << 32;
}

static void set64(struct vmali_stream *s, unsigned int reg, u64 val)
{
	s->ctx.regs[reg] = val;
	s->ctx.regs[reg + 1] = val >> 32;
}

/* The address that a load or store means: a base and a signed offset. */
static u64 address(struct vmali_stream *s, u64 instr)
{
	return get64(s, src0(instr)) + (s16)instr;
}

static struct vmali_cs_frame *frame(struct vmali_stream *s)
{
	return &s->ctx.frame[s->ctx.depth];
}

/*
 * Tell the driver how far the ring buffer is executed: not beyond a call under way. What
 * the handler of an exception interrupts is not executed either, but is no call.
 */
static int publish(struct vmali_stream *s)
{
	bool called = s->ctx.depth && s->ctx.handler_depth != 1;
	struct fw_ring_out out = {
		.extract = s->ctx.frame[0].pc - (called ? INSTR_SIZE : 0),
		.active = s->wait != VMALI_CS_EMPTY && s->wait != VMALI_CS_FATAL,
	};

	return vmali_write(s->v, 0, s->ring_out, &out, offsetofend(struct fw_ring_out, active));
}

/* The stream is broken. The driver wants to know where before it looks what happened. */
static int fatal(struct vmali_stream *s, u32 type, u64 info)
{
	publish(s);
	s->wait = VMALI_CS_FATAL;
	vmali_mcu_fatal(s, type, 0, info);
	return -EFAULT;
}

static int invalid(struct vmali_stream *s)
{
	return fatal(s, VMALI_EXC_CS_INSTR, s->cmd_ptr);
}

/* An instruction has failed: work is skipped until the next ERROR_BARRIER. */
static int fault(struct vmali_stream *s, u32 type, u64 info)
{
	publish(s);
	s->ctx.error = type;
	vmali_mcu_fault(s, type, 0, info);
	return 0;
}

static int access_memory(struct vmali_stream *s, u64 va, void *buf, size_t size,
			 enum vmali_access access)
{
	int ret = vmali_mmu_access(s->v->mmu, s->as, va, buf, size, access);

	return ret == -EFAULT ? fatal(s, VMALI_EXC_CS_BUS, va) : ret;
}

/* The same for the tiler, of which only a heap that makes no sense does not stop the stream. */
static int tiler_result(struct vmali_stream *s, int ret, u64 info)
{
	if (ret == -EFAULT)
		return fatal(s, VMALI_EXC_CS_BUS, info);
	if (ret == -EINVAL)
		return fault(s, VMALI_EXC_DATA_INVALID, info);
	return ret;
}

/* Moves and arithmetic */

static int op_nop(struct vmali_stream *s, u64 instr)
{
	return 0;
}

static int op_move48(struct vmali_stream *s, u64 instr)
{
	set64(s, dest(instr), FIELD_GET(CS_IMM48, instr));
	return 0;
}

static int op_move32(struct vmali_stream *s, u64 instr)
{
	set32(s, dest(instr), instr);
	return 0;
}

static int op_add_imm32(struct vmali_stream *s, u64 instr)
{
	set32(s, dest(instr), get32(s, src0(instr)) + (u32)instr);
	return 0;
}

static int op_add_imm64(struct vmali_stream *s, u64 instr)
{
	set64(s, dest(instr), get64(s, src0(instr)) + (s32)instr);
	return 0;
}

static int op_umin32(struct vmali_stream *s, u64 instr)
{
	set32(s, dest(instr), min(get32(s, src0(instr)), get32(s, src1(instr))));
	return 0;
}

/* Loads and stores */

/* Bit i of the mask stands for register base + i, and for word i in memory. */
static int move_multiple(struct vmali_stream *s, u64 instr, u32 *regs, enum vmali_access access)
{
	unsigned long mask = FIELD_GET(CS_REG_MASK, instr);
	unsigned int first, last;
	int ret;

	if (dest(instr) + fls(mask) > VMALI_CS_REGS)
		return invalid(s);
	for_each_set_bitrange(first, last, &mask, 16) {
		ret = access_memory(s, address(s, instr) + first * sizeof(u32),
				    &regs[dest(instr) + first],
				    (last - first) * sizeof(u32), access);
		if (ret)
			return ret;
	}
	return 0;
}

static int op_load_multiple(struct vmali_stream *s, u64 instr)
{
	u32 regs[VMALI_CS_REGS];
	int ret;

	/* On the side: the address may be in registers that are loaded. */
	memcpy(regs, s->ctx.regs, sizeof(regs));
	ret = move_multiple(s, instr, regs, VMALI_READ);
	if (!ret)
		memcpy(s->ctx.regs, regs, sizeof(regs));
	return ret;
}

static int op_store_multiple(struct vmali_stream *s, u64 instr)
{
	return move_multiple(s, instr, s->ctx.regs, VMALI_WRITE);
}

static int op_store_state(struct vmali_stream *s, u64 instr)
{
	u64 val = 0;

	switch (FIELD_GET(GENMASK_ULL(33, 32), instr)) {
	case 0:
		val = vmali_timestamp(s->v);
		break;
	case 1:
		val = vmali_cycles(s->v);
		break;
	case 2: /* Counters that jumped: never. */
		break;
	case 3:
		val = s->ctx.error;
		break;
	}
	return access_memory(s, address(s, instr), &val, sizeof(val), VMALI_WRITE);
}

static bool is_flush_mode(u32 mode)
{
	return mode == CS_FLUSH_NONE || mode == CS_FLUSH_CLEAN || mode == CS_FLUSH_BOTH;
}

/* A flush that was made after the value of the register was read is as good. */
static int op_flush_cache(struct vmali_stream *s, u64 instr)
{
	u32 latest = get32(s, src0(instr));
	u32 l2 = FIELD_GET(CS_FLUSH_L2, instr), lsc = FIELD_GET(CS_FLUSH_LSC, instr);
	u32 other = FIELD_GET(CS_FLUSH_OTHER, instr);

	if (!is_flush_mode(l2) || !is_flush_mode(lsc) || other & ~CS_FLUSH_INVALIDATE)
		return invalid(s);
	if ((l2 || lsc || other) && (!latest || latest == vmali_flush_id(s->v)))
		vmali_flush_caches(s->v);
	return 0;
}

/* Control flow */

/* Instructions [@va, @va + @size) instead of the rest of @f. */
static int set_frame(struct vmali_stream *s, struct vmali_cs_frame *f, u64 va, u32 size)
{
	if ((va | size) % INSTR_SIZE || va + size < va)
		return invalid(s);
	f->pc = va;
	f->end = va + size;
	return CS_JUMPED;
}

/* Go on at @back after the instructions [@va, @va + @size). */
static int call(struct vmali_stream *s, u64 va, u32 size, u64 back)
{
	struct vmali_cs_frame *caller = frame(s);
	int ret;

	if (s->ctx.depth == VMALI_CS_FRAMES)
		return fatal(s, VMALI_EXC_CS_CALL_STACK, s->cmd_ptr);
	ret = set_frame(s, caller + 1, va, size);
	if (ret != CS_JUMPED)
		return ret;
	caller->pc = back;
	s->ctx.depth++;
	return ret;
}

static int op_call(struct vmali_stream *s, u64 instr)
{
	return call(s, get64(s, src0(instr)), get32(s, src1(instr)), frame(s)->pc + INSTR_SIZE);
}

/* The ring buffer cannot be left for good: it is no frame that could be replaced. */
static int op_jump(struct vmali_stream *s, u64 instr)
{
	if (!s->ctx.depth)
		return invalid(s);
	return set_frame(s, frame(s), get64(s, src0(instr)), get32(s, src1(instr)));
}

static bool branch_taken(u32 cond, s32 val)
{
	switch (cond) {
	case COND_LEQUAL:
		return val <= 0;
	case COND_GREATER:
		return val > 0;
	case COND_EQUAL:
		return !val;
	case COND_NEQUAL:
		return val;
	case COND_LESS:
		return val < 0;
	case COND_GEQUAL:
		return val >= 0;
	default:
		return true;
	}
}

static int op_branch(struct vmali_stream *s, u64 instr)
{
	u32 cond = FIELD_GET(GENMASK_ULL(30, 28), instr);
	struct vmali_cs_frame *f = frame(s);
	u64 target = f->pc + INSTR_SIZE + (s64)(s16)instr * (s64)INSTR_SIZE;

	if (cond > COND_ALWAYS)
		return invalid(s);
	if (!branch_taken(cond, get32(s, src0(instr))))
		return 0;
	if (target > f->end)
		return invalid(s);
	f->pc = target;
	return CS_JUMPED;
}

static int op_set_exception_handler(struct vmali_stream *s, u64 instr)
{
	if (FIELD_GET(CS_EXCEPTION_TYPE, instr) != CS_EXCEPTION_TILER_OOM)
		return invalid(s);
	s->ctx.exception_handler = get64(s, src0(instr));
	s->ctx.exception_handler_size = get32(s, src1(instr));
	return 0;
}

/* Errors, sync objects, progress */

static int op_error_barrier(struct vmali_stream *s, u64 instr)
{
	s->ctx.error = 0;
	return 0;
}

/* A sync object is a value of 4 or 8 bytes, and behind that its error. */
static int sync_object(struct vmali_stream *s, u64 instr, size_t size, u64 *va)
{
	*va = get64(s, src0(instr));
	return *va % size ? fatal(s, VMALI_EXC_DATA_INVALID, *va) : 0;
}

static u64 sync_operand(struct vmali_stream *s, u64 instr, size_t size)
{
	return size == sizeof(u64) ? get64(s, src1(instr)) : get32(s, src1(instr));
}

/* The error comes first: who sees the value must see it, too. */
static int sync_signal(struct vmali_stream *s, u64 instr, size_t size, bool add)
{
	u64 va, val = 0;
	int ret;

	/* Of the scopes only system (0) and group (2) exist. */
	if (instr & BIT_ULL(1))
		return invalid(s);
	ret = sync_object(s, instr, size, &va);
	if (!ret && s->ctx.error && instr & BIT_ULL(0))
		ret = access_memory(s, va + size, &s->ctx.error, sizeof(u32), VMALI_WRITE);
	if (!ret && add)
		ret = access_memory(s, va, &val, size, VMALI_ATOMIC);
	val += sync_operand(s, instr, size);
	if (!ret)
		ret = access_memory(s, va, &val, size, VMALI_WRITE);
	if (ret)
		return ret;
	publish(s);
	vmali_mcu_sync_update(s);
	return 0;
}

static int op_sync_add32(struct vmali_stream *s, u64 instr)
{
	return sync_signal(s, instr, sizeof(u32), true);
}

static int op_sync_add64(struct vmali_stream *s, u64 instr)
{
	return sync_signal(s, instr, sizeof(u64), true);
}

static int op_sync_set32(struct vmali_stream *s, u64 instr)
{
	return sync_signal(s, instr, sizeof(u32), false);
}

static int op_sync_set64(struct vmali_stream *s, u64 instr)
{
	return sync_signal(s, instr, sizeof(u64), false);
}

/* Looks into memory each time the stream is run. */
static int sync_wait(struct vmali_stream *s, u64 instr, size_t size)
{
	u32 cond = FIELD_GET(GENMASK_ULL(31, 28), instr), error;
	u64 va, ref = sync_operand(s, instr, size), val = 0;
	int ret;

	if (cond > COND_GREATER)
		return invalid(s);
	ret = sync_object(s, instr, size, &va);
	if (!ret)
		ret = access_memory(s, va, &val, size, VMALI_READ);
	if (!ret)
		ret = access_memory(s, va + size, &error, sizeof(error), VMALI_READ);
	if (ret)
		return ret;

	if (cond == COND_GREATER ? val <= ref : val > ref) {
		s->wait = VMALI_CS_SYNC;
		s->sync_va = va;
		s->sync_value = ref;
		s->sync_cond = cond;
		s->sync_64 = size == sizeof(u64);
		return -EAGAIN;
	}
	/* Whoever signalled had an error: that is an error here, or is rejected. */
	if (error && !(instr & BIT_ULL(0)))
		return fault(s, VMALI_EXC_CS_INHERIT, va);
	return 0;
}

static int op_sync_wait32(struct vmali_stream *s, u64 instr)
{
	return sync_wait(s, instr, sizeof(u32));
}

static int op_sync_wait64(struct vmali_stream *s, u64 instr)
{
	return sync_wait(s, instr, sizeof(u64));
}

static void count_progress(struct vmali_stream *s, u64 instr)
{
	if (instr & CS_PROGRESS_INC)
		s->ctx.progress++;
}

static int op_wait(struct vmali_stream *s, u64 instr)
{
	count_progress(s, instr);
	return 0;
}

static int op_progress_store(struct vmali_stream *s, u64 instr)
{
	s->ctx.progress = get64(s, src0(instr));
	return 0;
}

static int op_progress_load(struct vmali_stream *s, u64 instr)
{
	set64(s, dest(instr), s->ctx.progress);
	return 0;
}

static int op_progress_wait(struct vmali_stream *s, u64 instr)
{
	unsigned int queue = FIELD_GET(GENMASK_ULL(4, 0), instr);

	if (queue >= VMALI_STREAMS)
		return invalid(s);
	if (vmali_stream_of(s->v, s->group, queue)->ctx.progress >= get64(s, src0(instr)))
		return 0;
	s->wait = VMALI_CS_PROGRESS;
	return -EAGAIN;
}

/* Work */

static int op_run_compute(struct vmali_stream *s, u64 instr)
{
	u64 program = get64(s, REG_SHADER_PROGRAM(FIELD_GET(GENMASK_ULL(43, 42), instr)));
	u64 desc[SHADER_PROGRAM_SIZE / sizeof(u64)], binary, code;
	int ret;

	if (!program)
		return 0;
	ret = access_memory(s, program, desc, sizeof(desc), VMALI_READ);
	if (ret)
		return ret;
	binary = desc[SHADER_PROGRAM_BINARY / sizeof(u64)];
	return access_memory(s, binary, &code, sizeof(code), VMALI_EXECUTE);
}

static bool handler_runs(struct vmali_stream *s)
{
	for (int i = 0; i < VMALI_STREAMS; i++) {
		struct vmali_stream *other = vmali_stream_of(s->v, s->group, i);

		if (other->started && other->wait != VMALI_CS_FATAL && other->ctx.handler_depth)
			return true;
	}
	return false;
}

/*
 * Have a stream of the group call its handler, the stream itself if it has one. The other
 * stream is interrupted in whatever it does, and does it again afterwards.
 */
static int call_handler(struct vmali_stream *s)
{
	struct vmali_stream *h = NULL;

	if (s->ctx.oom_handled)
		return fault(s, VMALI_EXC_OOM, s->cmd_ptr);
	s->wait = VMALI_CS_HANDLER;
	if (handler_runs(s))
		return -EAGAIN;
	for (int i = 0; i < VMALI_STREAMS; i++) {
		struct vmali_stream *other = vmali_stream_of(s->v, s->group, i);

		/* One that waits for the driver's answer is left alone until that is there. */
		if (other->started && other->ctx.exception_handler_size &&
		    other->wait != VMALI_CS_OOM && other->wait != VMALI_CS_FATAL &&
		    (!h || other == s))
			h = other;
	}
	if (!h)
		return -EAGAIN;

	if (call(h, h->ctx.exception_handler, h->ctx.exception_handler_size,
		 frame(h)->pc) == CS_JUMPED) {
		h->ctx.handler_depth = h->ctx.depth;
		h->wait = VMALI_CS_RUNNABLE;
		s->ctx.oom_handled = true;
	}
	vmali_kick(s->v);
	return h == s && s->wait == VMALI_CS_RUNNABLE ? CS_JUMPED : -EAGAIN;
}

/*
 * The heap is exhausted: ask the driver for a chunk. If it has none, wait for a handler of
 * user space, or for a render pass that gives chunks back. Give up if the handler has been
 * called and did not help.
 */
static int tiler_oom(struct vmali_stream *s)
{
	if (s->oom_denied)
		return call_handler(s);
	s->wait = VMALI_CS_OOM;
	vmali_mcu_tiler_oom(s);
	return -EAGAIN;
}

static int op_run_tiler(struct vmali_stream *s, u64 instr)
{
	u64 indices = (u64)get32(s, REG_INDEX_COUNT) * get32(s, REG_INSTANCE_COUNT);
	u64 tiler = get64(s, REG_TILER);
	int ret;

	if (!tiler || !indices)
		return 0;
	/* The descriptor is the handler's until that has ended. */
	if (s->ctx.oom_handled && !s->ctx.handler_depth && handler_runs(s)) {
		s->wait = VMALI_CS_HANDLER;
		return -EAGAIN;
	}
	ret = vmali_heap_alloc(s, tiler, min(indices, TILER_MAX_INDICES) * TILER_BYTES);
	if (ret == -EINPROGRESS)
		return CS_LONG;
	ret = ret == -ENOSPC ? tiler_oom(s) : tiler_result(s, ret, tiler);
	if (!ret) {
		/* Done, or given up. */
		s->oom_denied = false;
		s->ctx.oom_handled = false;
		s->ctx.tiler_remaining = 0;
	}
	return ret;
}

static int op_run_idvs(struct vmali_stream *s, u64 instr)
{
	if (instr & CS_IDVS_DRAW_ID && src0(instr) >= VMALI_CS_REGS)
		return invalid(s);
	return op_run_tiler(s, instr);
}

static int op_finish_fragment(struct vmali_stream *s, u64 instr)
{
	u64 first = get64(s, src0(instr)), last = get64(s, src1(instr));

	return tiler_result(s, vmali_heap_finish(s, instr & BIT_ULL(0), first, last),
			    first ?: last ?: s->ctx.heap);
}

static int op_heap_set(struct vmali_stream *s, u64 instr)
{
	s->ctx.heap = get64(s, src0(instr));
	return 0;
}

static int op_heap_operation(struct vmali_stream *s, u64 instr)
{
	u32 operation = FIELD_GET(GENMASK_ULL(33, 32), instr);

	if (operation == 2)
		return invalid(s);
	return tiler_result(s, vmali_heap_operation(s, operation), s->ctx.heap);
}

/**
 * struct cs_op - An instruction
 * @run: executes it
 * @dest: 32-bit registers that it has at CS_REG_DEST,
 * @src0: at CS_REG_SRC0,
 * @src1: and at CS_REG_SRC1: 0 to 2
 * @work: skipped after an error
 */
struct cs_op {
	int (*run)(struct vmali_stream *s, u64 instr);
	u8 dest, src0, src1;
	bool work;
};

static const struct cs_op ops[256] = {
	[0] = { op_nop },
	[1] = { op_move48, .dest = 2 },
	[2] = { op_move32, .dest = 1 },
	[3] = { op_wait },
	[4] = { op_run_compute, .work = true },
	[5] = { op_run_tiler, .work = true },		/* RUN_TILING */
	[6] = { op_run_idvs, .work = true },
	[7] = { op_nop, .work = true },			/* RUN_FRAGMENT */
	[8] = { op_nop, .work = true },			/* RUN_FULLSCREEN */
	[9] = { op_nop, .work = true },			/* FINISH_TILING */
	[11] = { op_finish_fragment, .src0 = 2, .src1 = 2 },
	[16] = { op_add_imm32, .dest = 1, .src0 = 1 },
	[17] = { op_add_imm64, .dest = 2, .src0 = 2 },
	[18] = { op_umin32, .dest = 1, .src0 = 1, .src1 = 1 },
	[20] = { op_load_multiple, .dest = 1, .src0 = 2 },
	[21] = { op_store_multiple, .dest = 1, .src0 = 2 },
	[22] = { op_branch, .src0 = 1 },
	[23] = { op_nop },				/* SET_SB_ENTRY */
	[24] = { op_progress_wait, .src0 = 2 },
	[25] = { op_set_exception_handler, .src0 = 2, .src1 = 1 },
	[32] = { op_call, .src0 = 2, .src1 = 1 },
	[33] = { op_jump, .src0 = 2, .src1 = 1 },
	[34] = { op_nop },				/* REQ_RESOURCE */
	[36] = { op_flush_cache, .src0 = 1 },
	[37] = { op_sync_add32, .src0 = 2, .src1 = 1 },
	[38] = { op_sync_set32, .src0 = 2, .src1 = 1 },
	[39] = { op_sync_wait32, .src0 = 2, .src1 = 1 },
	[40] = { op_store_state, .src0 = 2 },
	/* 41, PROT_REGION: there is no protected mode. */
	[42] = { op_progress_store, .src0 = 2 },
	[43] = { op_progress_load, .dest = 2 },
	[44] = { op_run_compute, .work = true },	/* RUN_COMPUTE_INDIRECT */
	[47] = { op_error_barrier },
	[48] = { op_heap_set, .src0 = 2 },
	[49] = { op_heap_operation },
	[50] = { op_nop },				/* TRACE_POINT */
	[51] = { op_sync_add64, .src0 = 2, .src1 = 2 },
	[52] = { op_sync_set64, .src0 = 2, .src1 = 2 },
	[53] = { op_sync_wait64, .src0 = 2, .src1 = 2 },
};

static bool registers_exist(const struct cs_op *op, u64 instr)
{
	return (!op->dest || dest(instr) + op->dest <= VMALI_CS_REGS) &&
	       (!op->src0 || src0(instr) + op->src0 <= VMALI_CS_REGS) &&
	       (!op->src1 || src1(instr) + op->src1 <= VMALI_CS_REGS);
}

static int execute(struct vmali_stream *s, u64 instr)
{
	const struct cs_op *op = &ops[FIELD_GET(CS_OPCODE, instr)];
	int ret = 0;

	if (!op->run || !registers_exist(op, instr))
		return invalid(s);
	if (!op->work)
		return op->run(s, instr);

	if (!s->ctx.error)
		ret = op->run(s, instr);
	if (!ret)
		count_progress(s, instr);
	return ret;
}

/* All that was known of the ring buffer is executed: is there more? */
static int look_for_more(struct vmali_stream *s)
{
	struct vmali_cs_frame *ring = &s->ctx.frame[0];
	u64 insert;
	int ret;

	ret = vmali_read(s->v, 0, s->ring_in + offsetof(struct fw_ring_in, insert), &insert,
			 sizeof(insert));
	if (ret == -EFAULT)
		return fatal(s, VMALI_EXC_CS_BUS, s->ring_in);
	if (ret)
		return ret;
	if (insert == ring->pc) {
		s->wait = VMALI_CS_EMPTY;
		return -EAGAIN;
	}
	if (insert - ring->pc > s->ring_size || (insert | ring->pc) % INSTR_SIZE)
		return fatal(s, VMALI_EXC_CS_CONFIG, insert);
	ring->end = insert;
	return 0;
}

static int step(struct vmali_stream *s)
{
	struct vmali_cs_frame *f;
	u64 instr;
	int ret;

	while (s->ctx.depth && frame(s)->pc >= frame(s)->end) {
		if (s->ctx.handler_depth == s->ctx.depth)
			s->ctx.handler_depth = 0;
		s->ctx.depth--;
	}
	f = frame(s);
	if (!s->ctx.depth && f->pc >= f->end) {
		ret = look_for_more(s);
		if (ret)
			return ret;
	}

	s->cmd_ptr = s->ctx.depth ? f->pc : s->ring_base + (f->pc & (s->ring_size - 1));
	/* To the GPU, streams are data: the driver maps ring buffers not executable. */
	ret = access_memory(s, s->cmd_ptr, &instr, sizeof(instr), VMALI_READ);
	if (ret)
		return ret;
	ret = execute(s, instr);
	if (!ret)
		f->pc += INSTR_SIZE;
	return ret;
}

bool vmali_cs_run(struct vmali_stream *s, unsigned int budget)
{
	enum vmali_cs_wait before = s->wait;
	unsigned int done = 0;
	int ret = 0;

	if (before == VMALI_CS_OOM || before == VMALI_CS_FATAL)
		return false;

	s->wait = VMALI_CS_RUNNABLE;
	while (done < budget && ret != CS_LONG) {
		ret = step(s);
		if (ret < 0)
			break;
		done++;
	}

	ret = publish(s);
	if (ret == -EFAULT && s->wait != VMALI_CS_FATAL)
		fatal(s, VMALI_EXC_CS_BUS, s->ring_out);
	/* An empty stream does not run again: publish its extract pointer first. */
	if (ret == -EAGAIN && s->wait == VMALI_CS_EMPTY)
		s->wait = VMALI_CS_RUNNABLE;
	return done || s->wait != before;
}
