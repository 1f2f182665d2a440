// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * One child of the stress program: two VMs with random binds, jobs that verify them
 * or write through them, groups and heaps that come and go, until it is killed.
 *
 * An error has a reason if it says that there is no memory where there is little, or
 * where an allocation was made to fail; and a job may be lost, or a group not be made,
 * between a hang of the firmware and the first job that goes well after the reset.
 * Nothing excuses a bind that was accepted and fails later, or a VM that is lost. What
 * an ioctl has refused has not happened: the model of the address space says so, and is
 * checked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "panthor_model.h"
#include "panthor_pages.h"
#include "panthor_space.h"
#include "panthor_stress.h"

#define VMS		2
#define BOS		3
#define OPS		256
#define LINES		24
#define BURST		256

/* One call in so many has an allocation that fails, one of its first so many. */
#define INJECT_CALLS	4
#define INJECT_DEPTH	256

/* @settled: of each group: resets before that epoch were over for it, or before it */
struct worker {
	struct stress *stress;
	struct stress_child *child;
	int fd;
	struct pc_bo bo[BOS];
	struct pc_space space[VMS];
	struct pc_pages pages[VMS];
	__u32 bound[VMS];
	__u32 settled[VMS];
	bool injected;
};

/* The next ioctl is allowed to fail. Those that undo things are not. */
static void begin(struct worker *w)
{
	char nth[16];

	w->injected = w->stress->inject && !pc_pages_random(&w->pages[0], INJECT_CALLS);
	if (!w->injected)
		return;

	snprintf(nth, sizeof(nth), "%u", 1 + pc_pages_random(&w->pages[0], INJECT_DEPTH));
	w->child->injecting = true;
	stress_write("/proc/self/fail-nth", nth);
}

static void end(struct worker *w)
{
	if (!w->injected)
		return;

	stress_write("/proc/self/fail-nth", "0");
	w->child->injecting = false;
}

static bool is_short(const struct worker *w, int err)
{
	return err == -ENOMEM && (w->injected || w->stress->hog);
}

/* Where buffers are made: shmem says -ENOSPC when there is no memory for an inode. */
static bool has_no_buffer(const struct worker *w, int err)
{
	return is_short(w, err == -ENOSPC ? -ENOMEM : err);
}

static __u32 get_epoch(const struct worker *w)
{
	return __atomic_load_n(&w->stress->epoch, __ATOMIC_SEQ_CST);
}

/* To be asked before what a reset may spoil. */
static __u32 get_settled(const struct worker *w)
{
	return __atomic_load_n(&w->stress->settled, __ATOMIC_SEQ_CST);
}

/* Is there a hang whose reset was not known to be over when @settled was looked at? */
static bool has_hung(const struct worker *w, __u32 settled)
{
	return get_epoch(w) != settled;
}

/*
 * The size of a group's suspend buffer comes from the firmware's memory. While the driver
 * of 6.12 loads the firmware again, it reads 0 there, for which there is no space.
 */
static bool has_no_group(const struct worker *w, __u32 settled, int err)
{
	return has_no_buffer(w, err) || (err == -ENOSPC && has_hung(w, settled));
}

/* The driver had to give up the group: it says so, and that has a reason. */
static bool is_reset(const struct worker *w, __u32 vm, int err)
{
	__u32 state = 0;

	if (err != -ECANCELED && err != -ETIMEDOUT && err != -EINVAL)
		return false;
	return has_hung(w, w->settled[vm]) &&
	       !pc_group_state(w->fd, w->space[vm].gpu.group, &state, NULL) &&
	       state & DRM_PANTHOR_GROUP_STATE_TIMEDOUT;
}

static void note_error(struct worker *w, int err, bool expected, const char *what)
{
	if (-err < STRESS_ERRNOS)
		w->child->errors[-err]++;
	if (expected)
		return;
	w->child->unexpected++;
	printf("process %d: %s: %s\n", getpid(), what, strerror(-err));
	fflush(stdout);
}

/* Whatever happens, the VM must still be usable. */
static int look_at_vm(struct worker *w, __u32 vm)
{
	__u32 state = ~0;
	int err = pc_vm_state(w->fd, w->space[vm].gpu.vm, &state);

	if (!err && state != DRM_PANTHOR_VM_STATE_USABLE)
		err = -EIO;
	if (err)
		note_error(w, err, false, "state of the VM");
	return err;
}

/* Another try after a refusal, and no injection meanwhile. */
static int new_group(struct worker *w, __u32 vm)
{
	int tries, err;

	for (tries = 0; tries < 100; tries++) {
		w->settled[vm] = get_settled(w);
		err = pc_gpu_restart(&w->space[vm].gpu);
		if (!err)
			break;
		note_error(w, err, has_no_group(w, w->settled[vm], err), "new group");
		usleep(1000);
	}
	return err;
}

/* A job has failed, or was refused: its group is dead. The VM must not be. */
static int job_lost(struct worker *w, __u32 vm, int err)
{
	__u32 state;

	w->child->lost++;
	note_error(w, err, is_reset(w, vm, err) || is_short(w, err), "job");

	/* All that jobs touch is mapped: no reset and no want of memory makes them fault. */
	if (!pc_group_state(w->fd, w->space[vm].gpu.group, &state, NULL) &&
	    state & DRM_PANTHOR_GROUP_STATE_FATAL_FAULT)
		note_error(w, err, false, "fault");

	return new_group(w, vm) ?: look_at_vm(w, vm);
}

/* What the firmware does from here on may cost the job. */
static __u32 job_begins(struct worker *w)
{
	w->injected = false;
	return get_epoch(w);
}

static int job_ended(struct worker *w, __u32 vm, __u32 epoch, int err)
{
	if (err < 0)
		return job_lost(w, vm, err);
	if (epoch % 2 == 0) {
		w->settled[vm] = epoch;
		__atomic_store_n(&w->child->well, epoch, __ATOMIC_SEQ_CST);
	}
	return 0;
}

static int verify(struct worker *w, __u32 vm)
{
	__u32 epoch = job_begins(w);
	__u64 va;
	int err;

	err = pc_pages_check(&w->pages[vm], LINES, &va, &w->child->checked);

	w->child->jobs++;
	if (err == 1) {
		w->child->wrong++;
		w->child->wrong_va = va;
	}
	return job_ended(w, vm, epoch, err);
}

/* Through a mapping of its own, since those at random may be read-only. */
static int write_and_look(struct worker *w, __u32 vm)
{
	struct pc_gpu *gpu = &w->space[vm].gpu;
	struct pc_bo *bo = &w->bo[pc_pages_random(&w->pages[vm], BOS)];
	__u64 offset = pc_pages_random(&w->pages[vm], bo->size / PC_4K) * PC_4K;
	__u64 va = PC_GPU_VA - PC_1G, line[PC_GPU_LINE / 8];
	__u32 epoch;
	size_t i;
	int err;

	for (i = 0; i < PC_COUNT(line); i++)
		line[i] = pc_pattern(pc_pages_random(&w->pages[vm], ~0u), offset);

	begin(w);
	err = pc_map(w->fd, gpu->vm, bo, offset, va, PC_4K, 0);
	end(w);
	w->child->binds++;
	if (err) {
		note_error(w, err, is_short(w, err), "map");
		return look_at_vm(w, vm);
	}

	epoch = job_begins(w);
	err = pc_gpu_write(gpu, va, line, sizeof(line));
	w->child->jobs++;
	if (err)
		return job_ended(w, vm, epoch, err);

	w->child->checked += sizeof(line);
	if (memcmp((char *)bo->map + offset, line, sizeof(line))) {
		w->child->wrong++;
		w->child->wrong_va = va;
	}
	return job_ended(w, vm, epoch, 0);
}

/* Many short jobs in one call, each of which counts one up. */
static int burst(struct worker *w, __u32 vm)
{
	struct pc_gpu *gpu = &w->space[vm].gpu;
	struct drm_panthor_sync_op done = pc_signal_op(gpu->syncobj, 0);
	struct drm_panthor_queue_submit submits[BURST];
	struct pc_cs cs = pc_gpu_cs(gpu);
	__u32 *counter = pc_gpu_bounce(gpu), epoch = job_begins(w), i;
	int err;

	*counter = 0;
	pc_cs_move48(&cs, 0, pc_gpu_bounce_va(gpu));
	pc_cs_load(&cs, 2, 1, 0, 0);
	pc_cs_add_imm32(&cs, 2, 2, 1);
	pc_cs_store(&cs, 2, 1, 0, 0);
	for (i = 0; i < BURST; i++)
		submits[i] = pc_job(0, gpu->va, cs.count * sizeof(__u64), NULL, 0);
	pc_cs_move32(&cs, 3, 0);
	pc_cs_flush(&cs, 3);
	submits[BURST - 1] = pc_job(0, gpu->va, cs.count * sizeof(__u64), &done, 1);

	err = pc_group_submit(w->fd, gpu->group, submits, BURST);
	if (!err)
		err = pc_gpu_wait(gpu);
	w->child->jobs += BURST;
	if (err)
		return job_ended(w, vm, epoch, err);
	w->child->checked += sizeof(*counter);
	if (*counter != BURST) {
		w->child->wrong++;
		w->child->wrong_va = pc_gpu_bounce_va(gpu);
	}
	return job_ended(w, vm, epoch, 0);
}

static int settle(struct worker *w, __u32 vm)
{
	struct pc_gpu *gpu = &w->space[vm].gpu;
	int err = gpu->after ? pc_syncobj_finish(w->fd, gpu->after, PC_JOB_NS) : 0;

	gpu->after = 0;
	return err;
}

/* An array: all or nothing if it is asynchronous, up to the failure if not. */
static int bind_some(struct worker *w, __u32 vm, bool async)
{
	struct drm_panthor_sync_op signal = pc_signal_op(w->bound[vm], 0);
	struct pc_gpu *gpu = &w->space[vm].gpu;
	struct pc_pages *pages = &w->pages[vm];
	__u32 count = 1 + pc_pages_random(pages, OPS), done = count, i;
	struct drm_panthor_vm_bind_op ops[OPS];
	int err;

	w->injected = false;
	if (!async) {
		err = settle(w, vm);
		if (err)
			note_error(w, err, false, "bind fence");
	}

	for (i = 0; i < count; i++)
		ops[i] = pc_pages_op(pages);
	if (async)
		pc_op_syncs(&ops[count - 1], &signal, 1);

	begin(w);
	err = pc_vm_bind(w->fd, gpu->vm, async ? DRM_PANTHOR_VM_BIND_ASYNC : 0, ops, &done);
	end(w);
	w->child->binds += count;
	if (err)
		note_error(w, err, is_short(w, err), "bind");

	/* Where it could not even read the array, the driver leaves the count as it was. */
	if (err && (async || done == count))
		done = 0;
	if (async && !err)
		gpu->after = w->bound[vm];
	for (i = 0; i < done; i++)
		pc_pages_apply(pages, &ops[i]);
	return err ? look_at_vm(w, vm) : 0;
}

static int groups_and_heaps(struct worker *w, __u32 vm)
{
	__u32 id = w->space[vm].gpu.vm, settled = get_settled(w), group;
	struct pc_heap heap;
	int err;

	/* With no injection: the driver of 6.12 crashes if drm_sched_init() finds no memory. */
	w->injected = false;
	err = pc_group_create(w->fd, id, 1 + pc_pages_random(&w->pages[vm], 4), 0x1000, &group);
	if (err)
		note_error(w, err, has_no_group(w, settled, err), "group");
	else
		pc_group_destroy(w->fd, group);

	begin(w);
	err = pc_heap_create(w->fd, id, 2, 0x40000, 4, 4, &heap);
	end(w);
	if (err)
		note_error(w, err, has_no_buffer(w, err), "heap");
	else
		pc_heap_destroy(w->fd, heap.handle);
	return 0;
}

static int make_vm(struct worker *w, __u32 vm, __u64 seed)
{
	int err;

	w->injected = false;
	w->settled[vm] = get_settled(w);
	err = pc_space_init(&w->space[vm], w->fd);
	if (!err)
		pc_pages_init(&w->pages[vm], &w->space[vm].gpu, w->bo, BOS, seed);
	else
		note_error(w, err, has_no_group(w, w->settled[vm], err), "VM");
	w->child->vms++;
	return err;
}

/* With all that is mapped in it, and perhaps with binds under way. */
static int replace_vm(struct worker *w, __u32 vm)
{
	__u64 seed = pc_pages_random(&w->pages[vm], ~0u);

	pc_space_fini(&w->space[vm]);
	return make_vm(w, vm, seed);
}

static int do_something(struct worker *w, __u32 vm)
{
	__u32 what = pc_pages_random(&w->pages[vm], 1000);

	if (what < 2)
		return replace_vm(w, vm);
	if (what < 10)
		return groups_and_heaps(w, vm);
	if (what < 100)
		return write_and_look(w, vm);
	if (what < 250)
		return burst(w, vm);
	if (what < 500)
		return verify(w, vm);
	return bind_some(w, vm, what % 2);
}

static int make_buffers(struct worker *w, __u64 seed)
{
	int err;
	__u32 i;

	err = pc_bo_create_contig(w->fd, 4 << 20, 2 << 20, &w->bo[0]);
	if (err)
		err = pc_bo_create(w->fd, 4 << 20, &w->bo[0]);
	if (!err)
		err = pc_bo_create(w->fd, 2 << 20, &w->bo[1]);
	if (!err)
		err = pc_bo_create(w->fd, 64 << 10, &w->bo[2]);
	for (i = 0; i < BOS && !err; i++)
		pc_fill(w->bo[i].map, w->bo[i].size, seed + i);
	for (i = 0; i < VMS && !err; i++)
		err = pc_syncobj_create(w->fd, false, &w->bound[i]);
	return err;
}

static int setup(struct worker *w, __u64 seed)
{
	__u32 vm;
	int err;

	w->fd = pc_open();
	err = w->fd < 0 ? w->fd : make_buffers(w, seed);
	if (err)
		note_error(w, err, has_no_buffer(w, err), "start");
	for (vm = 0; vm < VMS && !err; vm++)
		err = make_vm(w, vm, seed + vm);
	return err;
}

int stress_work(struct stress *stress, struct stress_child *child, __u64 seed)
{
	static struct worker w;
	__u32 round;
	int err;

	w = (struct worker){ .stress = stress, .child = child };
	err = setup(&w, seed);
	for (round = 0; !err; round++) {
		child->progress = stress_now();
		err = do_something(&w, round % VMS);
	}

	/* The error has been noted; another child will be born. */
	return 0;
}
