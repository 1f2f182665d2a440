// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Tiler heaps of the model: memory that tiler jobs take from a list of chunks, and
 * the counters of render passes by which the driver decides whether a heap may
 * grow. Nobody reads what the tiler writes, but the pages have to be there.
 */
#include <linux/align.h>
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/stddef.h>

#include "vmali.h"

/* How much of a heap is taken at once: the driver and others wait meanwhile. */
#define TURN			SZ_256K

/* What is written to each page that is taken. */
#define PATTERN			0x7e117e11

/* A pointer to a chunk carries the chunk's size in 4 KiB pages. */
#define CHUNK_ADDRESS		GENMASK_ULL(63, 12)
#define CHUNK_PAGES		GENMASK_ULL(11, 0)
/* At the start of a chunk: the pointer to the next one, and nothing more. */
#define CHUNK_HEADER_SIZE	64

/*
 * In a tiler descriptor, which user space makes: the address of a heap descriptor, and
 * pointers to the first and the last of the chunks that are full of this descriptor's
 * work. Each of these chunks points to the next one.
 */
#define TILER_HEAP		24
#define TILER_COMPLETED		40

/*
 * The context of a heap, which the driver clears: render passes whose tiling has begun,
 * whose tiling is complete, and that are complete; and the chunks that were given back.
 */
struct heap_ctx {
	u32 counters[3], reserved;
	u64 free;
};

/* User space makes it: the chunk that memory is taken from. */
struct heap_desc {
	u32 reserved, chunk_size;
	u64 base, bottom, top;
};

static int heap_read(struct vmali_stream *s, u64 va, void *buf, size_t size)
{
	return vmali_read(s->v, s->as, va, buf, size);
}

static int heap_write(struct vmali_stream *s, u64 va, const void *buf, size_t size)
{
	return vmali_write(s->v, s->as, va, buf, size);
}

static int touch(struct vmali_stream *s, u64 start, u64 end)
{
	static const u32 pattern = PATTERN;
	int ret = 0;

	for (u64 va = start; va < end && !ret; va = ALIGN_DOWN(va, SZ_4K) + SZ_4K)
		ret = heap_write(s, va, &pattern, sizeof(pattern));
	return ret;
}

/* Take what is left in the current chunk, or less if less is wanted, @max at most. */
static int take(struct vmali_stream *s, u64 desc, struct heap_desc *heap, u32 max)
{
	u64 size = min3(heap->top - heap->bottom, s->ctx.tiler_remaining, max);
	u64 end = heap->bottom + size;
	int ret;

	ret = touch(s, heap->bottom, end);
	if (!ret)
		ret = heap_write(s, desc + offsetof(struct heap_desc, bottom), &end,
				 sizeof(end));
	if (ret)
		return ret;
	heap->bottom = end;
	s->ctx.tiler_remaining -= size;
	return 0;
}

/* Take the first of the chunks that were given back, if there is one. */
static int take_free(struct vmali_stream *s)
{
	u64 free = s->ctx.heap + offsetof(struct heap_ctx, free), chunk, next;
	int ret;

	ret = heap_read(s, free, &chunk, sizeof(chunk));
	if (ret || !chunk)
		return ret;
	ret = heap_read(s, chunk & CHUNK_ADDRESS, &next, sizeof(next));
	if (!ret)
		ret = heap_write(s, free, &next, sizeof(next));
	if (!ret)
		s->ctx.new_chunk = chunk;
	return ret;
}

/* The current chunk is full: add it to those that @tiler has completed. */
static int complete(struct vmali_stream *s, u64 tiler, const struct heap_desc *heap)
{
	u64 pages = FIELD_PREP(CHUNK_PAGES, (heap->top - heap->base) / SZ_4K & CHUNK_PAGES);
	u64 chunk = (heap->base & CHUNK_ADDRESS) | pages;
	struct {
		u64 top, bottom;
	} list;
	int ret;

	ret = heap_read(s, tiler + TILER_COMPLETED, &list, sizeof(list));
	/* Equal if an earlier attempt has added it. */
	if (ret || list.bottom == chunk)
		return ret;
	if (list.bottom)
		ret = heap_write(s, list.bottom & CHUNK_ADDRESS, &chunk, sizeof(chunk));
	else
		list.top = chunk;
	list.bottom = chunk;
	return ret ?: heap_write(s, tiler + TILER_COMPLETED, &list, sizeof(list));
}

/*
 * Put the chunk that the driver gave behind the current one. A stream that shares
 * the heap may have done the same with another chunk: no chunk gets lost.
 */
static int link_new_chunk(struct vmali_stream *s, u64 base, u64 *next)
{
	u64 chunk = s->ctx.new_chunk;
	int ret;

	ret = heap_write(s, chunk & CHUNK_ADDRESS, next, sizeof(*next));
	if (!ret)
		ret = heap_write(s, base, &chunk, sizeof(chunk));
	if (ret)
		return ret;
	*next = chunk;
	s->ctx.new_chunk = 0;
	return 0;
}

static int next_chunk(struct vmali_stream *s, u64 tiler, u64 desc, struct heap_desc *heap)
{
	u64 next;
	int ret;

	ret = heap_read(s, heap->base, &next, sizeof(next));
	if (!ret && !next && !s->ctx.new_chunk)
		ret = take_free(s);
	if (!ret && s->ctx.new_chunk)
		ret = link_new_chunk(s, heap->base, &next);
	if (ret)
		return ret;
	if (!next)
		return -ENOSPC;
	if (!(next & CHUNK_PAGES))
		return -EINVAL;
	ret = complete(s, tiler, heap);
	if (ret)
		return ret;

	heap->base = next & CHUNK_ADDRESS;
	heap->bottom = heap->base + CHUNK_HEADER_SIZE;
	heap->top = heap->base + (next & CHUNK_PAGES) * SZ_4K;
	ret = heap_write(s, desc + offsetof(struct heap_desc, base), &heap->base,
			 sizeof(*heap) - offsetof(struct heap_desc, base));
	if (ret)
		return ret;
	/* The next shortage of memory is another one. */
	s->oom_denied = false;
	s->ctx.oom_handled = false;
	return 0;
}

/*
 * Each step is either done and remembered, or leaves all as it was: whatever stops
 * it, the next call goes on from there. @size counts for the first one only.
 */
int vmali_heap_alloc(struct vmali_stream *s, u64 tiler, u32 size)
{
	struct heap_desc heap;
	u32 before;
	u64 desc;
	int ret;

	if (!s->ctx.heap)
		return -EINVAL;
	ret = heap_read(s, tiler + TILER_HEAP, &desc, sizeof(desc));
	if (!ret)
		ret = heap_read(s, desc, &heap, sizeof(heap));
	if (ret)
		return ret;
	if (!s->ctx.tiler_remaining)
		s->ctx.tiler_remaining = size;
	before = s->ctx.tiler_remaining;

	for (;;) {
		if (heap.bottom > heap.top)
			return -EINVAL;
		ret = take(s, desc, &heap, TURN - (before - s->ctx.tiler_remaining));
		if (ret || !s->ctx.tiler_remaining)
			return ret;
		if (before - s->ctx.tiler_remaining == TURN)
			return -EINPROGRESS;
		ret = next_chunk(s, tiler, desc, &heap);
		if (ret)
			return ret;
	}
}

/* Linked by the next allocation: memory may be locked now. */
int vmali_heap_add_chunk(struct vmali_stream *s, u64 chunk)
{
	if (!(chunk & CHUNK_PAGES))
		return -EINVAL;
	s->ctx.new_chunk = chunk;
	return 0;
}

/* The context changes last, and at once: what was written to the chunk can be repeated. */
static int change_ctx(struct vmali_stream *s, int counter, u64 first, u64 last)
{
	struct heap_ctx ctx;
	int ret;

	if (!s->ctx.heap)
		return -EINVAL;
	ret = vmali_mmu_access(s->v->mmu, s->as, s->ctx.heap, &ctx, sizeof(ctx), VMALI_ATOMIC);
	if (!ret && first)
		ret = heap_write(s, last & CHUNK_ADDRESS, &ctx.free, sizeof(ctx.free));
	if (ret)
		return ret;
	if (first)
		ctx.free = first;
	if (counter >= 0)
		ctx.counters[counter]++;
	return heap_write(s, s->ctx.heap, &ctx, sizeof(ctx));
}

int vmali_heap_operation(struct vmali_stream *s, u32 operation)
{
	/* The counter of each operation. There is no operation 2. */
	static const int counters[] = { 0, 1, -1, 2 };

	return change_ctx(s, counters[operation], 0, 0);
}

int vmali_heap_finish(struct vmali_stream *s, bool count, u64 first, u64 last)
{
	if (!(first & CHUNK_PAGES) != !first || !(last & CHUNK_PAGES) != !last || !first != !last)
		return -EINVAL;
	return first || count ? change_ctx(s, count ? 2 : -1, first, last) : 0;
}

int vmali_heap_counters(struct vmali_stream *s, u32 counters[3])
{
	return heap_read(s, s->ctx.heap, counters, 3 * sizeof(*counters));
}
