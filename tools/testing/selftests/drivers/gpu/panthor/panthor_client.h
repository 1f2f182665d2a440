/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The uAPI of the panthor driver as functions: device, VMs, buffers, VM_BIND,
 * sync objects, groups, tiler heaps. One ioctl a call, no state but what the
 * structures here show, and no policy: tests pass nonsense through these too.
 *
 * Each function returns 0 or a negative errno, and none ends the program.
 */
#ifndef PANTHOR_CLIENT_H
#define PANTHOR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include <drm/panthor_drm.h>

#define PC_4K		0x1000ull
#define PC_64K		0x10000ull
#define PC_1M		0x100000ull
#define PC_2M		0x200000ull
#define PC_1G		0x40000000ull

#define PC_COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* --- Device --- */

int pc_ioctl(int fd, unsigned long request, void *arg);

/* A new open file of the first panthor device, or a negative errno. */
int pc_open(void);
/* Version of the uAPI: (major << 16) | minor, or a negative errno. */
int pc_version(int fd);
int pc_dev_query(int fd, __u32 type, void *data, __u32 *size);
int pc_gpu_info(int fd, struct drm_panthor_gpu_info *info);
int pc_csif_info(int fd, struct drm_panthor_csif_info *info);
/* Map the page that holds the flush id; munmap() it with a size of one page. */
int pc_flush_id_map(int fd, void **page);
__u32 pc_flush_id(const void *page);

/* --- VMs --- */

/* @user_va: in: wish, 0 for the driver's choice; out: what it is. May be NULL. */
int pc_vm_create(int fd, __u64 *user_va, __u32 *vm);
int pc_vm_destroy(int fd, __u32 vm);
int pc_vm_state(int fd, __u32 vm, __u32 *state);

/* --- Buffers --- */

/**
 * struct pc_bo - A buffer
 * @fd: file it belongs to
 * @handle: its handle there, or 0
 * @size: bytes
 * @map: where the CPU sees it, or NULL
 */
struct pc_bo {
	int fd;
	__u32 handle;
	__u64 size;
	void *map;
};

int pc_bo_create_raw(int fd, __u64 *size, __u32 flags, __u32 exclusive_vm, __u32 *handle);
int pc_bo_mmap_offset(int fd, __u32 handle, __u64 *offset);
int pc_gem_close(int fd, __u32 handle);

/* A buffer that the CPU sees, zeroed. */
int pc_bo_create(int fd, __u64 size, struct pc_bo *bo);
int pc_bo_create_exclusive(int fd, __u64 size, __u32 vm, struct pc_bo *bo);
int pc_bo_map(struct pc_bo *bo);
/* Another file's buffer, or another exporter's. @dmabuf stays open. */
int pc_bo_import(int fd, int dmabuf, struct pc_bo *bo);
int pc_bo_export(const struct pc_bo *bo, int *dmabuf);
/* Unmap and close. Does nothing if there is none. */
void pc_bo_destroy(struct pc_bo *bo);

/* --- VM_BIND --- */

struct drm_panthor_vm_bind_op pc_op_map(const struct pc_bo *bo, __u64 offset, __u64 va,
					__u64 size, __u32 flags);
struct drm_panthor_vm_bind_op pc_op_unmap(__u64 va, __u64 size);
struct drm_panthor_vm_bind_op pc_op_sync_only(void);
void pc_op_syncs(struct drm_panthor_vm_bind_op *op, struct drm_panthor_sync_op *syncs,
		 __u32 count);

/*
 * @count: in: number of @ops; out, after an error of a synchronous call: how many were
 * executed, or all if not even the first was tried.
 */
int pc_vm_bind(int fd, __u32 vm, __u32 flags, struct drm_panthor_vm_bind_op *ops, __u32 *count);
int pc_bind(int fd, __u32 vm, struct drm_panthor_vm_bind_op *ops, __u32 count);
int pc_bind_async(int fd, __u32 vm, struct drm_panthor_vm_bind_op *ops, __u32 count);
int pc_map(int fd, __u32 vm, const struct pc_bo *bo, __u64 offset, __u64 va, __u64 size,
	   __u32 flags);
int pc_unmap(int fd, __u32 vm, __u64 va, __u64 size);

/* --- Sync objects --- */

#define PC_FOREVER	(-1ll)

struct drm_panthor_sync_op pc_wait_op(__u32 syncobj, __u64 point);
struct drm_panthor_sync_op pc_signal_op(__u32 syncobj, __u64 point);

int pc_syncobj_create(int fd, bool signaled, __u32 *syncobj);
int pc_syncobj_destroy(int fd, __u32 syncobj);
int pc_syncobj_reset(int fd, __u32 syncobj);
/* @point: of a timeline, or 0. */
int pc_syncobj_signal(int fd, __u32 syncobj, __u64 point);
int pc_syncobj_query(int fd, __u32 syncobj, __u64 *point);
int pc_syncobj_transfer(int fd, __u32 dst, __u64 dst_point, __u32 src, __u64 src_point);
/* Wait up to @ns from now, for the fence to come too. -ETIME if it takes longer. */
int pc_syncobj_wait(int fd, __u32 syncobj, __u64 point, __s64 ns);
/* The same for a fence that must be there: -EINVAL if it is not. */
int pc_syncobj_wait_submitted(int fd, __u32 syncobj, __u64 point, __s64 ns);
int pc_syncobj_export(int fd, __u32 syncobj, int *obj_fd);
int pc_syncobj_import(int fd, int obj_fd, __u32 *syncobj);
int pc_sync_file_export(int fd, __u32 syncobj, int *file);
int pc_sync_file_import(int fd, int file, __u32 syncobj);
/* Of the fence in @syncobj: 1 signaled, 0 not yet, negative its error. */
int pc_syncobj_status(int fd, __u32 syncobj);
/* Wait for the fence, and return its error, or that of the wait. */
int pc_syncobj_finish(int fd, __u32 syncobj, __s64 ns);
/*
 * The same in two steps, for a fence that may outlive the queue that it comes from.
 * Hold it before it can be signaled.
 */
int pc_sync_file_hold(int fd, __u32 syncobj, int *file);
int pc_sync_file_finish(int file, __s64 ns);

/* --- Groups --- */

/* @ring_size: bytes of each queue's ring buffer: 4K to 64K, a power of two. */
int pc_group_create(int fd, __u32 vm, __u32 queues, __u32 ring_size, __u32 *group);
int pc_group_create_priority(int fd, __u32 vm, __u32 queues, __u32 ring_size, __u8 priority,
			     __u32 *group);
int pc_group_destroy(int fd, __u32 group);
int pc_group_state(int fd, __u32 group, __u32 *state, __u32 *fatal_queues);
int pc_group_submit(int fd, __u32 group, struct drm_panthor_queue_submit *submits, __u32 count);
struct drm_panthor_queue_submit pc_job(__u32 queue, __u64 stream, __u32 size,
				       struct drm_panthor_sync_op *syncs, __u32 count);

/* --- Tiler heaps --- */

struct pc_heap {
	__u32 handle;
	__u64 context;
	__u64 first_chunk;
};

int pc_heap_create(int fd, __u32 vm, __u32 chunks, __u32 chunk_size, __u32 max_chunks,
		   __u32 in_flight, struct pc_heap *heap);
int pc_heap_destroy(int fd, __u32 handle);

#endif
