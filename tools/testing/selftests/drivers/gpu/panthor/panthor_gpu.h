/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Memory through the eyes of the GPU: a group and a stream buffer in a VM, and
 * jobs that copy between any GPU address and a bounce buffer. And the patterns
 * that tell which page of which buffer one is looking at.
 */
#ifndef PANTHOR_GPU_H
#define PANTHOR_GPU_H

#include "panthor_client.h"
#include "panthor_cs.h"

#define PC_GPU_STREAM_SIZE	0x10000ull
#define PC_GPU_BOUNCE_SIZE	0x10000ull
/* What a struct pc_gpu maps, and where, if the test has no other wish. */
#define PC_GPU_SIZE		(PC_GPU_STREAM_SIZE + PC_GPU_BOUNCE_SIZE)
#define PC_GPU_VA		0x7f0000000ull

/* The driver gives up a job after 5 s; with a reset or two, this is a hang. */
#define PC_JOB_NS		25000000000ll

/* What one copy does at a time. */
#define PC_GPU_LINE		64u

/**
 * struct pc_gpu - A way to run streams in a VM
 * @fd: file
 * @vm: VM
 * @group: group with one queue
 * @syncobj: signaled by the last job
 * @after: what jobs wait for before they start, or 0
 * @va: where @bo is mapped: streams, then the bounce buffer
 * @bo: buffer
 */
struct pc_gpu {
	int fd;
	__u32 vm;
	__u32 group;
	__u32 syncobj;
	__u32 after;
	__u64 va;
	struct pc_bo bo;
};

int pc_gpu_init(struct pc_gpu *gpu, int fd, __u32 vm, __u64 va);
/* Does nothing to a structure of zeroes. Leaves the mapping if the VM is gone. */
void pc_gpu_fini(struct pc_gpu *gpu);
/* A new group, for one whose job has failed is dead. */
int pc_gpu_restart(struct pc_gpu *gpu);

/* The stream buffer, empty. The last job must have ended. */
struct pc_cs pc_gpu_cs(struct pc_gpu *gpu);
/* Execute it: caches are flushed at the end. -E2BIG if it did not fit. */
int pc_gpu_submit(struct pc_gpu *gpu, struct pc_cs *cs);
/* Wait for the last job, and return its error. */
int pc_gpu_wait(struct pc_gpu *gpu);
int pc_gpu_run(struct pc_gpu *gpu, struct pc_cs *cs);

/*
 * @len and @va in multiples of 4 bytes. Longer than the bounce buffer takes
 * several jobs.
 */
int pc_gpu_read(struct pc_gpu *gpu, __u64 va, void *buf, size_t len);
int pc_gpu_write(struct pc_gpu *gpu, __u64 va, const void *buf, size_t len);
int pc_gpu_copy(struct pc_gpu *gpu, __u64 dst, __u64 src, size_t len);
/* Read PC_GPU_LINE bytes at @va, @va + @stride, ...: @count of them, to @buf. */
int pc_gpu_gather(struct pc_gpu *gpu, __u64 va, __u32 stride, __u32 count, void *buf);
/* Read PC_GPU_LINE bytes at each of up to PC_GPU_LINES addresses, in one job. */
#define PC_GPU_LINES	256
int pc_gpu_read_lines(struct pc_gpu *gpu, const __u64 *va, __u32 count, void *buf);

/* Where @gpu finds its scratch memory, and where the CPU does. */
static inline __u64 pc_gpu_bounce_va(const struct pc_gpu *gpu)
{
	return gpu->va + PC_GPU_STREAM_SIZE;
}

static inline void *pc_gpu_bounce(const struct pc_gpu *gpu)
{
	return (char *)gpu->bo.map + PC_GPU_STREAM_SIZE;
}

/* Each 8 bytes of @map say which offset of which buffer (@seed) they are. */
void pc_fill(void *map, __u64 size, __u32 seed);
__u64 pc_pattern(__u32 seed, __u64 offset);

/*
 * Compare one line of each page with @map. Returns 0, 1 if they differ (*@where is
 * the first offset that does), or the job's error.
 */
int pc_gpu_compare(struct pc_gpu *gpu, __u64 va, const void *map, __u64 size, __u64 *where);
/* What it means that this or another check of memory has returned @err, which is not 0. */
const char *pc_gpu_what(int err);

#endif
