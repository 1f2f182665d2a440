/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Render passes without shaders: descriptors that the tiler needs, jobs that take memory
 * from a tiler heap, and the end of a pass, which gives it back.
 */
#ifndef PANTHOR_TILER_H
#define PANTHOR_TILER_H

#include <string.h>

#include "panthor_client.h"
#include "panthor_cs.h"

/* Bytes that the model of the tiler takes for each index. */
#define PC_TILER_INDEX_BYTES	16

/* Registers that RUN_IDVS looks at. */
#define PC_TILER_REG_INDICES	33
#define PC_TILER_REG_INSTANCES	34
#define PC_TILER_REG_DESC	40

/* Registers that the streams here use, for addresses and for data. */
#define PC_TILER_REG_ADDR	64
#define PC_TILER_REG_DATA	66

/* As the hardware has it: the chunk that is filled. */
struct pc_heap_desc {
	__u32 type;
	__u32 size;
	__u64 base;
	__u64 bottom;
	__u64 top;
};

/* And a tiler descriptor: the chunks that are full of its work are a list. */
struct pc_tiler_desc {
	__u64 ignored[3];
	__u64 heap_desc;
	__u64 reserved;
	__u64 completed_top;
	__u64 completed_bottom;
	__u64 private[9];
};

static inline struct pc_heap_desc pc_heap_desc(const struct pc_heap *heap, __u32 chunk)
{
	return (struct pc_heap_desc){
		.size = chunk,
		.base = heap->first_chunk,
		.bottom = heap->first_chunk + 64,
		.top = heap->first_chunk + chunk,
	};
}

static inline void pc_cs_use_heap(struct pc_cs *cs, const struct pc_heap *heap)
{
	pc_cs_move48(cs, PC_TILER_REG_ADDR, heap->context);
	pc_cs_heap_set(cs, PC_TILER_REG_ADDR);
}

/* The tiler's part of a render pass, which takes @bytes of the heap. */
static inline void pc_cs_tile(struct pc_cs *cs, __u64 tiler_desc, __u32 bytes)
{
	pc_cs_heap_operation(cs, PC_CS_HEAP_VT_START);
	pc_cs_move32(cs, PC_TILER_REG_INDICES, bytes / PC_TILER_INDEX_BYTES);
	pc_cs_move32(cs, PC_TILER_REG_INSTANCES, 1);
	pc_cs_move48(cs, PC_TILER_REG_DESC, tiler_desc);
	pc_cs_emit(cs, PC_CS_RUN_IDVS, 0);
	pc_cs_wait(cs, 0xff);
	pc_cs_heap_operation(cs, PC_CS_HEAP_VT_END);
}

/*
 * The fragment part: render what was tiled so far, and give back the chunks that are full
 * of it. @last: nothing more of the pass will be tiled.
 */
static inline void pc_cs_render(struct pc_cs *cs, __u64 tiler_desc, bool last)
{
	__u32 reg = PC_TILER_REG_DATA;

	pc_cs_emit(cs, PC_CS_RUN_FRAGMENT, 0);
	pc_cs_wait(cs, 0xff);
	pc_cs_move48(cs, PC_TILER_REG_ADDR, tiler_desc);
	pc_cs_load(cs, reg, 0xf, PC_TILER_REG_ADDR, offsetof(struct pc_tiler_desc, completed_top));
	pc_cs_finish_fragment(cs, reg, reg + 2, last);
	pc_cs_wait(cs, 0xff);
	pc_cs_move48(cs, reg, 0);
	pc_cs_move48(cs, reg + 2, 0);
	pc_cs_store(cs, reg, 0xf, PC_TILER_REG_ADDR, offsetof(struct pc_tiler_desc, completed_top));
}

#endif
