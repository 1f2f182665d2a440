// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Memory through the eyes of the GPU: see panthor_gpu.h. Everything goes through
 * registers with LOAD_MULTIPLE and STORE_MULTIPLE, which is all that a stream can
 * do without shaders.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "panthor_gpu.h"

/* Registers of the copy loop: the first sixteen hold data. */
#define REG_DATA	0
#define REG_SRC		64
#define REG_DST		66
#define REG_COUNT	68
#define REG_FLUSH	70

#define RING_SIZE	0x1000

/* Streams start at cache lines. */
static_assert(PC_GPU_LINES * PC_GPU_LINE <= PC_GPU_BOUNCE_SIZE, "the bounce buffer is too small");
static_assert(PC_GPU_STREAM_SIZE % 64 == 0, "the bounce buffer is not aligned");

static int create_group(struct pc_gpu *gpu)
{
	return pc_group_create(gpu->fd, gpu->vm, 1, RING_SIZE, &gpu->group);
}

int pc_gpu_init(struct pc_gpu *gpu, int fd, __u32 vm, __u64 va)
{
	int err;

	*gpu = (struct pc_gpu){ .fd = fd, .vm = vm, .va = va };

	err = pc_bo_create(fd, PC_GPU_SIZE, &gpu->bo);
	if (!err)
		err = pc_map(fd, vm, &gpu->bo, 0, va, PC_GPU_SIZE,
			     DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC);
	if (!err)
		err = pc_syncobj_create(fd, false, &gpu->syncobj);
	if (!err)
		err = create_group(gpu);
	if (err)
		pc_gpu_fini(gpu);
	return err;
}

void pc_gpu_fini(struct pc_gpu *gpu)
{
	if (gpu->group)
		pc_group_destroy(gpu->fd, gpu->group);
	if (gpu->syncobj)
		pc_syncobj_destroy(gpu->fd, gpu->syncobj);
	if (gpu->bo.handle)
		pc_unmap(gpu->fd, gpu->vm, gpu->va, PC_GPU_SIZE);
	pc_bo_destroy(&gpu->bo);
	gpu->group = 0;
	gpu->syncobj = 0;
}

int pc_gpu_restart(struct pc_gpu *gpu)
{
	pc_group_destroy(gpu->fd, gpu->group);
	gpu->group = 0;
	return create_group(gpu);
}

struct pc_cs pc_gpu_cs(struct pc_gpu *gpu)
{
	return (struct pc_cs){
		.words = gpu->bo.map,
		.size = PC_GPU_STREAM_SIZE / sizeof(__u64),
	};
}

int pc_gpu_submit(struct pc_gpu *gpu, struct pc_cs *cs)
{
	struct drm_panthor_sync_op syncs[] = {
		pc_signal_op(gpu->syncobj, 0),
		pc_wait_op(gpu->after, 0),
	};
	struct drm_panthor_queue_submit job;

	pc_cs_move32(cs, REG_FLUSH, 0);
	pc_cs_flush(cs, REG_FLUSH);
	if (cs->count > cs->size)
		return -E2BIG;

	job = pc_job(0, gpu->va, cs->count * sizeof(__u64), syncs, gpu->after ? 2 : 1);
	return pc_group_submit(gpu->fd, gpu->group, &job, 1);
}

int pc_gpu_wait(struct pc_gpu *gpu)
{
	return pc_syncobj_finish(gpu->fd, gpu->syncobj, PC_JOB_NS);
}

int pc_gpu_run(struct pc_gpu *gpu, struct pc_cs *cs)
{
	return pc_gpu_submit(gpu, cs) ?: pc_gpu_wait(gpu);
}

/* Copy @count times PC_GPU_LINE bytes, and go on by these strides after each. */
static void emit_lines(struct pc_cs *cs, __u64 dst, __s32 dst_stride, __u64 src,
		       __s32 src_stride, __u32 count)
{
	__u32 loop;

	pc_cs_move48(cs, REG_DST, dst);
	pc_cs_move48(cs, REG_SRC, src);
	pc_cs_move32(cs, REG_COUNT, count);

	loop = cs->count;
	pc_cs_load(cs, REG_DATA, 0xffff, REG_SRC, 0);
	pc_cs_store(cs, REG_DATA, 0xffff, REG_DST, 0);
	pc_cs_add_imm64(cs, REG_SRC, REG_SRC, src_stride);
	pc_cs_add_imm64(cs, REG_DST, REG_DST, dst_stride);
	pc_cs_add_imm32(cs, REG_COUNT, REG_COUNT, -1);
	pc_cs_branch(cs, loop, PC_CS_NEQUAL, REG_COUNT);
}

static void emit_copy(struct pc_cs *cs, __u64 dst, __u64 src, size_t len)
{
	size_t lines = len / PC_GPU_LINE;
	size_t done = lines * PC_GPU_LINE;
	__u16 rest = (1 << (len - done) / 4) - 1;

	if (lines)
		emit_lines(cs, dst, PC_GPU_LINE, src, PC_GPU_LINE, lines);
	if (!rest)
		return;

	pc_cs_move48(cs, REG_DST, dst + done);
	pc_cs_move48(cs, REG_SRC, src + done);
	pc_cs_load(cs, REG_DATA, rest, REG_SRC, 0);
	pc_cs_store(cs, REG_DATA, rest, REG_DST, 0);
}

int pc_gpu_copy(struct pc_gpu *gpu, __u64 dst, __u64 src, size_t len)
{
	struct pc_cs cs = pc_gpu_cs(gpu);

	emit_copy(&cs, dst, src, len);
	return pc_gpu_run(gpu, &cs);
}

static size_t bounce_part(size_t len)
{
	return len < PC_GPU_BOUNCE_SIZE ? len : PC_GPU_BOUNCE_SIZE;
}

int pc_gpu_read(struct pc_gpu *gpu, __u64 va, void *buf, size_t len)
{
	size_t done, part;
	int err;

	for (done = 0; done < len; done += part) {
		part = bounce_part(len - done);
		err = pc_gpu_copy(gpu, pc_gpu_bounce_va(gpu), va + done, part);
		if (err)
			return err;
		memcpy((char *)buf + done, pc_gpu_bounce(gpu), part);
	}

	return 0;
}

int pc_gpu_write(struct pc_gpu *gpu, __u64 va, const void *buf, size_t len)
{
	size_t done, part;
	int err;

	for (done = 0; done < len; done += part) {
		part = bounce_part(len - done);
		memcpy(pc_gpu_bounce(gpu), (const char *)buf + done, part);
		err = pc_gpu_copy(gpu, va + done, pc_gpu_bounce_va(gpu), part);
		if (err)
			return err;
	}

	return 0;
}

int pc_gpu_gather(struct pc_gpu *gpu, __u64 va, __u32 stride, __u32 count, void *buf)
{
	__u32 done, part;
	int err;

	for (done = 0; done < count; done += part) {
		struct pc_cs cs = pc_gpu_cs(gpu);

		part = bounce_part((count - done) * (size_t)PC_GPU_LINE) / PC_GPU_LINE;
		emit_lines(&cs, pc_gpu_bounce_va(gpu), PC_GPU_LINE, va + (__u64)done * stride,
			   stride, part);
		err = pc_gpu_run(gpu, &cs);
		if (err)
			return err;
		memcpy((char *)buf + (size_t)done * PC_GPU_LINE, pc_gpu_bounce(gpu),
		       (size_t)part * PC_GPU_LINE);
	}

	return 0;
}

int pc_gpu_read_lines(struct pc_gpu *gpu, const __u64 *va, __u32 count, void *buf)
{
	struct pc_cs cs = pc_gpu_cs(gpu);
	__u32 i;
	int err;

	for (i = 0; i < count; i++)
		emit_copy(&cs, pc_gpu_bounce_va(gpu) + i * PC_GPU_LINE, va[i], PC_GPU_LINE);

	err = pc_gpu_run(gpu, &cs);
	if (!err)
		memcpy(buf, pc_gpu_bounce(gpu), (size_t)count * PC_GPU_LINE);
	return err;
}

__u64 pc_pattern(__u32 seed, __u64 offset)
{
	return (__u64)seed << 40 ^ offset ^ 0xa500000000000000ull;
}

void pc_fill(void *map, __u64 size, __u32 seed)
{
	__u64 *word = map;
	__u64 i;

	for (i = 0; i < size / sizeof(*word); i++)
		word[i] = pc_pattern(seed, i * sizeof(*word));
}

/* Up to one bounce buffer of lines. */
static int compare_part(struct pc_gpu *gpu, __u64 va, const char *map, __u32 pages, __u64 *where)
{
	char line[PC_GPU_BOUNCE_SIZE];
	__u32 i;
	int err;

	err = pc_gpu_gather(gpu, va, PC_4K, pages, line);
	if (err)
		return err;

	for (i = 0; i < pages; i++) {
		if (memcmp(line + (size_t)i * PC_GPU_LINE, map + i * PC_4K, PC_GPU_LINE)) {
			*where = i * PC_4K;
			return 1;
		}
	}

	return 0;
}

int pc_gpu_compare(struct pc_gpu *gpu, __u64 va, const void *map, __u64 size, __u64 *where)
{
	__u64 pages = size / PC_4K, done, at;
	__u32 part;
	int err;

	for (done = 0; done < pages; done += part) {
		part = PC_GPU_BOUNCE_SIZE / PC_GPU_LINE;
		if (part > pages - done)
			part = pages - done;

		err = compare_part(gpu, va + done * PC_4K, (const char *)map + done * PC_4K, part,
				   &at);
		if (err == 1 && where)
			*where = done * PC_4K + at;
		if (err)
			return err;
	}

	return 0;
}

const char *pc_gpu_what(int err)
{
	switch (err) {
	case 1:
		return "wrong memory";
	case -ETIME:
	case -ETIMEDOUT:
		return "timed out";
	case -ECANCELED:
		return "lost the job";
	default:
		return "no access";
	}
}
