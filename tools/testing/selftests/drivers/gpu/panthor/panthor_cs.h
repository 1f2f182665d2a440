/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Command streams: one function for each instruction of a Mali CSF GPU that the
 * tests use. Registers are numbers of 32-bit registers; where an operand has 64
 * bits, the number of the first of a pair.
 *
 * The driver uses the last four registers: streams stay below PC_CS_REGS.
 */
#ifndef PANTHOR_CS_H
#define PANTHOR_CS_H

#include <stdbool.h>

#include <linux/types.h>

#define PC_CS_REGS	92

/* The only scoreboard entry that streams here use: loads, stores, flushes. */
#define PC_CS_SB	0

/* Where RUN_COMPUTE finds the address of a shader program descriptor. */
#define PC_CS_SHADER_PROGRAM	16

#define PC_CS_EXCEPTION_TILER_OOM	2

enum pc_cs_op {
	PC_CS_NOP = 0,
	PC_CS_MOVE48 = 1,
	PC_CS_MOVE32 = 2,
	PC_CS_WAIT = 3,
	PC_CS_RUN_COMPUTE = 4,
	PC_CS_RUN_IDVS = 6,
	PC_CS_RUN_FRAGMENT = 7,
	PC_CS_FINISH_FRAGMENT = 11,
	PC_CS_ADD_IMM32 = 16,
	PC_CS_ADD_IMM64 = 17,
	PC_CS_UMIN32 = 18,
	PC_CS_LOAD_MULTIPLE = 20,
	PC_CS_STORE_MULTIPLE = 21,
	PC_CS_BRANCH = 22,
	PC_CS_SET_EXCEPTION_HANDLER = 25,
	PC_CS_CALL = 32,
	PC_CS_JUMP = 33,
	PC_CS_FLUSH_CACHE2 = 36,
	PC_CS_SYNC_ADD32 = 37,
	PC_CS_SYNC_WAIT32 = 39,
	PC_CS_PROT_REGION = 41,
	PC_CS_HEAP_SET = 48,
	PC_CS_HEAP_OPERATION = 49,
	PC_CS_SYNC_ADD64 = 51,
	PC_CS_SYNC_SET64 = 52,
	PC_CS_SYNC_WAIT64 = 53,
	PC_CS_UNKNOWN = 0xfe,
};

enum pc_cs_cond {
	PC_CS_LEQUAL,
	PC_CS_GREATER,
	PC_CS_EQUAL,
	PC_CS_NEQUAL,
	PC_CS_LESS,
	PC_CS_GEQUAL,
	PC_CS_ALWAYS,
};

enum pc_cs_heap_operation {
	PC_CS_HEAP_VT_START,
	PC_CS_HEAP_VT_END,
	PC_CS_HEAP_FRAG_END = 3,
};

/**
 * struct pc_cs - A command stream that is written
 * @words: instructions
 * @count: how many there are; more than @size when they did not all fit
 * @size: how many fit
 */
struct pc_cs {
	__u64 *words;
	__u32 count;
	__u32 size;
};

static inline void pc_cs_emit(struct pc_cs *cs, enum pc_cs_op op, __u64 fields)
{
	if (cs->count < cs->size)
		cs->words[cs->count] = (__u64)op << 56 | fields;
	cs->count++;
}

static inline void pc_cs_nop(struct pc_cs *cs)
{
	pc_cs_emit(cs, PC_CS_NOP, 0);
}

static inline void pc_cs_move48(struct pc_cs *cs, __u32 dst, __u64 value)
{
	pc_cs_emit(cs, PC_CS_MOVE48, (__u64)dst << 48 | (value & 0xffffffffffffull));
}

static inline void pc_cs_move32(struct pc_cs *cs, __u32 dst, __u32 value)
{
	pc_cs_emit(cs, PC_CS_MOVE32, (__u64)dst << 48 | value);
}

/* All 64 bits, unlike MOVE48. */
static inline void pc_cs_move64(struct pc_cs *cs, __u32 dst, __u64 value)
{
	pc_cs_move32(cs, dst, value);
	pc_cs_move32(cs, dst + 1, value >> 32);
}

static inline void pc_cs_wait(struct pc_cs *cs, __u32 mask)
{
	pc_cs_emit(cs, PC_CS_WAIT, (__u64)mask << 16);
}

static inline void pc_cs_add_imm32(struct pc_cs *cs, __u32 dst, __u32 src, __s32 value)
{
	pc_cs_emit(cs, PC_CS_ADD_IMM32, (__u64)dst << 48 | (__u64)src << 40 | (__u32)value);
}

static inline void pc_cs_add_imm64(struct pc_cs *cs, __u32 dst, __u32 src, __s32 value)
{
	pc_cs_emit(cs, PC_CS_ADD_IMM64, (__u64)dst << 48 | (__u64)src << 40 | (__u32)value);
}

static inline void pc_cs_umin32(struct pc_cs *cs, __u32 dst, __u32 a, __u32 b)
{
	pc_cs_emit(cs, PC_CS_UMIN32, (__u64)dst << 48 | (__u64)a << 40 | (__u64)b << 32);
}

/* Register base + n to or from [addr] + offset + 4 * n, for each n set in @mask. */
static inline void pc_cs_load(struct pc_cs *cs, __u32 base, __u16 mask, __u32 addr,
			      __s16 offset)
{
	pc_cs_emit(cs, PC_CS_LOAD_MULTIPLE, (__u64)base << 48 | (__u64)addr << 40 |
		   (__u64)mask << 16 | (__u16)offset);
	pc_cs_wait(cs, 1 << PC_CS_SB);
}

static inline void pc_cs_store(struct pc_cs *cs, __u32 base, __u16 mask, __u32 addr,
			       __s16 offset)
{
	pc_cs_emit(cs, PC_CS_STORE_MULTIPLE, (__u64)base << 48 | (__u64)addr << 40 |
		   (__u64)mask << 16 | (__u16)offset);
	pc_cs_wait(cs, 1 << PC_CS_SB);
}

/* Go to instruction number @target if @value compares with zero as @cond says. */
static inline void pc_cs_branch(struct pc_cs *cs, __u32 target, enum pc_cs_cond cond,
				__u32 value)
{
	__s16 offset = (__s32)target - (__s32)cs->count - 1;

	pc_cs_emit(cs, PC_CS_BRANCH, (__u64)value << 40 | (__u64)cond << 28 | (__u16)offset);
}

static inline void pc_cs_call(struct pc_cs *cs, __u32 addr, __u32 length)
{
	pc_cs_emit(cs, PC_CS_CALL, (__u64)addr << 40 | (__u64)length << 32);
}

static inline void pc_cs_jump(struct pc_cs *cs, __u32 addr, __u32 length)
{
	pc_cs_emit(cs, PC_CS_JUMP, (__u64)addr << 40 | (__u64)length << 32);
}

/* Clean and invalidate all caches, and wait for it. @reg holds a flush id, or 0. */
static inline void pc_cs_flush(struct pc_cs *cs, __u32 reg)
{
	pc_cs_emit(cs, PC_CS_FLUSH_CACHE2, (__u64)PC_CS_SB << 48 | (__u64)reg << 40 | 0x233);
	pc_cs_wait(cs, 1 << PC_CS_SB);
}

static inline void pc_cs_sync(struct pc_cs *cs, enum pc_cs_op op, __u32 addr, __u32 data)
{
	pc_cs_emit(cs, op, (__u64)addr << 40 | (__u64)data << 32);
}

/* PC_CS_LEQUAL or PC_CS_GREATER: the value in memory against that in @data. */
static inline void pc_cs_sync_wait(struct pc_cs *cs, enum pc_cs_op op, enum pc_cs_cond cond,
				   __u32 addr, __u32 data)
{
	pc_cs_emit(cs, op, (__u64)addr << 40 | (__u64)data << 32 | (__u64)cond << 28);
}

/* Run the stream at @addr when the tiler heap has no more memory. Its length may be 0. */
static inline void pc_cs_oom_handler(struct pc_cs *cs, __u32 addr, __u32 length)
{
	pc_cs_emit(cs, PC_CS_SET_EXCEPTION_HANDLER, (__u64)addr << 40 | (__u64)length << 32 |
		   PC_CS_EXCEPTION_TILER_OOM);
}

/* A render pass is complete if @last. The chunks in registers @first to @last_chunk are free. */
static inline void pc_cs_finish_fragment(struct pc_cs *cs, __u32 first, __u32 last_chunk,
					 bool last)
{
	pc_cs_emit(cs, PC_CS_FINISH_FRAGMENT, (__u64)PC_CS_SB << 48 | (__u64)first << 40 |
		   (__u64)last_chunk << 32 | last);
}

static inline void pc_cs_heap_set(struct pc_cs *cs, __u32 addr)
{
	pc_cs_emit(cs, PC_CS_HEAP_SET, (__u64)addr << 40);
}

static inline void pc_cs_heap_operation(struct pc_cs *cs, enum pc_cs_heap_operation operation)
{
	pc_cs_emit(cs, PC_CS_HEAP_OPERATION, (__u64)operation << 32);
}

#endif
