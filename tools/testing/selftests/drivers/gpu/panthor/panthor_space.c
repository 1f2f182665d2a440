// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * A VM with a list of what should be mapped in it, and gates: see
 * panthor_space.h.
 */
#include <errno.h>
#include <string.h>

#include "panthor_log.h"
#include "panthor_space.h"

/* Registers of the gate's streams. */
#define REG_ADDR	0
#define REG_VALUE	2

/* Streams of the gate's two queues in the stream buffer, and its counter. */
#define WAIT_STREAM	0x0
#define OPEN_STREAM	0x1000
#define STREAM_WORDS	64
#define GATE_RING	0x1000

int pc_space_init(struct pc_space *space, int fd)
{
	__u32 vm;
	int err;

	*space = (struct pc_space){ .user_va = 0 };
	err = pc_vm_create(fd, &space->user_va, &vm);
	if (err)
		return err;

	err = pc_gpu_init(&space->gpu, fd, vm, PC_GPU_VA);
	if (err)
		pc_space_fini(space);
	return err;
}

void pc_space_fini(struct pc_space *space)
{
	if (!space->gpu.vm)
		return;

	pc_gpu_fini(&space->gpu);
	pc_vm_destroy(space->gpu.fd, space->gpu.vm);
	space->gpu.vm = 0;
}

static void add(struct pc_space *space, __u64 va, __u64 size, const char *map)
{
	if (!size)
		return;
	if (space->count == PC_PIECES) {
		space->overflow = true;
		return;
	}
	space->piece[space->count++] = (struct pc_piece){ va, size, map };
}

void pc_space_expect_nothing(struct pc_space *space, __u64 va, __u64 size)
{
	__u64 end = va + size;
	__u32 i = 0;

	while (i < space->count) {
		struct pc_piece p = space->piece[i];
		__u64 p_end = p.va + p.size;

		if (p_end <= va || p.va >= end) {
			i++;
			continue;
		}

		/* The last one takes its place and is looked at next; so are the rests. */
		space->piece[i] = space->piece[--space->count];
		if (p.va < va)
			add(space, p.va, va - p.va, p.map);
		if (p_end > end)
			add(space, end, p_end - end, p.map + (end - p.va));
	}
}

void pc_space_expect(struct pc_space *space, const struct pc_bo *bo, __u64 offset, __u64 va,
		     __u64 size)
{
	pc_space_expect_nothing(space, va, size);
	add(space, va, size, (const char *)bo->map + offset);
}

int pc_space_map(struct pc_space *space, const struct pc_bo *bo, __u64 offset, __u64 va,
		 __u64 size, __u32 flags)
{
	int err = pc_map(space->gpu.fd, space->gpu.vm, bo, offset, va, size, flags);

	if (!err)
		pc_space_expect(space, bo, offset, va, size);
	return err;
}

int pc_space_unmap(struct pc_space *space, __u64 va, __u64 size)
{
	int err = pc_unmap(space->gpu.fd, space->gpu.vm, va, size);

	if (!err)
		pc_space_expect_nothing(space, va, size);
	return err;
}

int pc_space_check(struct pc_space *space, __u64 *va)
{
	__u64 where;
	__u32 i;
	int err;

	if (space->overflow)
		return -EOVERFLOW;

	for (i = 0; i < space->count; i++) {
		struct pc_piece *p = &space->piece[i];

		err = pc_gpu_compare(&space->gpu, p->va, p->map, p->size, &where);
		if (err)
			*va = p->va + (err == 1 ? where : 0);
		if (err)
			return err;
	}

	return 0;
}

int pc_space_faults(struct pc_space *space, __u64 va)
{
	struct pc_gpu *gpu = &space->gpu;
	__u32 value, before = 0, after = 0;
	int err, state_err;

	err = pc_group_state(gpu->fd, gpu->group, &before, NULL);
	if (err)
		return err;

	err = pc_gpu_read(gpu, va, &value, sizeof(value));
	if (!err)
		return -EBADMSG;
	pc_provoke_fault();

	state_err = pc_group_state(gpu->fd, gpu->group, &after, NULL);
	if (state_err)
		return state_err;
	if (err != -EINVAL || before || after != DRM_PANTHOR_GROUP_STATE_FATAL_FAULT)
		return -EPROTO;
	return pc_gpu_restart(gpu);
}

int pc_gate_init(struct pc_gate *gate, int fd)
{
	__u32 vm;
	int err;

	*gate = (struct pc_gate){ .group = 0 };
	err = pc_vm_create(fd, NULL, &vm);
	if (err)
		return err;

	gate->gpu.fd = fd;
	gate->gpu.vm = vm;
	err = pc_gpu_init(&gate->gpu, fd, vm, PC_GPU_VA);
	if (!err)
		err = pc_syncobj_create(fd, false, &gate->fence);
	if (!err)
		err = pc_syncobj_create(fd, false, &gate->opener);
	if (!err)
		err = pc_group_create(fd, vm, 2, GATE_RING, &gate->group);
	if (err)
		pc_gate_fini(gate);
	return err;
}

void pc_gate_fini(struct pc_gate *gate)
{
	int fd = gate->gpu.fd;

	if (!gate->gpu.vm)
		return;

	if (gate->group)
		pc_group_destroy(fd, gate->group);
	if (gate->opener)
		pc_syncobj_destroy(fd, gate->opener);
	if (gate->fence)
		pc_syncobj_destroy(fd, gate->fence);
	pc_gpu_fini(&gate->gpu);
	pc_vm_destroy(fd, gate->gpu.vm);
	*gate = (struct pc_gate){ .group = 0 };
}

static struct pc_cs stream(struct pc_gate *gate, __u32 offset)
{
	return (struct pc_cs){
		.words = (__u64 *)((char *)gate->gpu.bo.map + offset),
		.size = STREAM_WORDS,
	};
}

static int submit(struct pc_gate *gate, __u32 queue, __u32 offset, const struct pc_cs *cs,
		  __u32 syncobj)
{
	struct drm_panthor_sync_op done = pc_signal_op(syncobj, 0);
	struct drm_panthor_queue_submit job = pc_job(queue, gate->gpu.va + offset,
						     cs->count * sizeof(__u64), &done, 1);

	return pc_group_submit(gate->gpu.fd, gate->group, &job, 1);
}

int pc_gate_close(struct pc_gate *gate)
{
	struct pc_cs cs = stream(gate, WAIT_STREAM);

	memset(pc_gpu_bounce(&gate->gpu), 0, PC_GPU_LINE);
	pc_cs_move48(&cs, REG_ADDR, pc_gpu_bounce_va(&gate->gpu));
	pc_cs_move32(&cs, REG_VALUE, 0);
	pc_cs_sync_wait(&cs, PC_CS_SYNC_WAIT32, PC_CS_GREATER, REG_ADDR, REG_VALUE);

	return submit(gate, 0, WAIT_STREAM, &cs, gate->fence);
}

int pc_gate_open(struct pc_gate *gate)
{
	struct pc_cs cs = stream(gate, OPEN_STREAM);
	int err;

	pc_cs_move48(&cs, REG_ADDR, pc_gpu_bounce_va(&gate->gpu));
	pc_cs_move32(&cs, REG_VALUE, 1);
	pc_cs_sync(&cs, PC_CS_SYNC_ADD32, REG_ADDR, REG_VALUE);

	err = submit(gate, 1, OPEN_STREAM, &cs, gate->opener);
	if (!err)
		err = pc_syncobj_finish(gate->gpu.fd, gate->opener, PC_JOB_NS);
	if (!err)
		err = pc_syncobj_finish(gate->gpu.fd, gate->fence, PC_JOB_NS);
	return err;
}
