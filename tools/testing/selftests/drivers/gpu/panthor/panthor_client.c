// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The uAPI of the panthor driver as functions: device, VMs, buffers, VM_BIND,
 * groups and tiler heaps. See panthor_client.h; sync objects are in
 * panthor_sync.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "panthor_client.h"

#define RENDER_NODES	128
#define CARD_NODES	16

int pc_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);

	return ret < 0 ? -errno : 0;
}

int pc_version(int fd)
{
	char name[32] = "";
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};
	int err = pc_ioctl(fd, DRM_IOCTL_VERSION, &version);

	if (err)
		return err;
	if (strcmp(name, "panthor"))
		return -ENODEV;
	return version.version_major << 16 | version.version_minor;
}

static int open_node(const char *kind, int number)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/dev/dri/%s%d", kind, number);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	err = pc_version(fd);
	if (err >= 0)
		return fd;

	close(fd);
	return err;
}

int pc_open(void)
{
	int i, fd;

	for (i = 0; i < RENDER_NODES; i++) {
		fd = open_node("renderD", 128 + i);
		if (fd >= 0)
			return fd;
	}

	for (i = 0; i < CARD_NODES; i++) {
		fd = open_node("card", i);
		if (fd >= 0)
			return fd;
	}

	return -ENODEV;
}

int pc_dev_query(int fd, __u32 type, void *data, __u32 *size)
{
	struct drm_panthor_dev_query args = {
		.type = type,
		.size = *size,
		.pointer = (uintptr_t)data,
	};
	int err = pc_ioctl(fd, DRM_IOCTL_PANTHOR_DEV_QUERY, &args);

	*size = args.size;
	return err;
}

int pc_gpu_info(int fd, struct drm_panthor_gpu_info *info)
{
	__u32 size = sizeof(*info);

	return pc_dev_query(fd, DRM_PANTHOR_DEV_QUERY_GPU_INFO, info, &size);
}

int pc_csif_info(int fd, struct drm_panthor_csif_info *info)
{
	__u32 size = sizeof(*info);

	return pc_dev_query(fd, DRM_PANTHOR_DEV_QUERY_CSIF_INFO, info, &size);
}

int pc_flush_id_map(int fd, void **page)
{
	void *map = mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, fd,
			 DRM_PANTHOR_USER_FLUSH_ID_MMIO_OFFSET);

	if (map == MAP_FAILED)
		return -errno;

	*page = map;
	return 0;
}

__u32 pc_flush_id(const void *page)
{
	return __atomic_load_n((const __u32 *)page, __ATOMIC_RELAXED);
}

int pc_vm_create(int fd, __u64 *user_va, __u32 *vm)
{
	struct drm_panthor_vm_create args = {
		.user_va_range = user_va ? *user_va : 0,
	};
	int err = pc_ioctl(fd, DRM_IOCTL_PANTHOR_VM_CREATE, &args);

	if (err)
		return err;
	if (user_va)
		*user_va = args.user_va_range;
	*vm = args.id;
	return 0;
}

int pc_vm_destroy(int fd, __u32 vm)
{
	struct drm_panthor_vm_destroy args = { .id = vm };

	return pc_ioctl(fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &args);
}

int pc_vm_state(int fd, __u32 vm, __u32 *state)
{
	struct drm_panthor_vm_get_state args = { .vm_id = vm };
	int err = pc_ioctl(fd, DRM_IOCTL_PANTHOR_VM_GET_STATE, &args);

	if (!err)
		*state = args.state;
	return err;
}

int pc_bo_create_raw(int fd, __u64 *size, __u32 flags, __u32 exclusive_vm, __u32 *handle)
{
	struct drm_panthor_bo_create args = {
		.size = *size,
		.flags = flags,
		.exclusive_vm_id = exclusive_vm,
	};
	int err = pc_ioctl(fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args);

	if (err)
		return err;
	*size = args.size;
	*handle = args.handle;
	return 0;
}

int pc_bo_mmap_offset(int fd, __u32 handle, __u64 *offset)
{
	struct drm_panthor_bo_mmap_offset args = { .handle = handle };
	int err = pc_ioctl(fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args);

	if (!err)
		*offset = args.offset;
	return err;
}

int pc_gem_close(int fd, __u32 handle)
{
	struct drm_gem_close args = { .handle = handle };

	return pc_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

int pc_bo_map(struct pc_bo *bo)
{
	__u64 offset;
	void *map;
	int err;

	err = pc_bo_mmap_offset(bo->fd, bo->handle, &offset);
	if (err)
		return err;

	map = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, bo->fd, offset);
	if (map == MAP_FAILED)
		return -errno;

	bo->map = map;
	return 0;
}

int pc_bo_create_exclusive(int fd, __u64 size, __u32 vm, struct pc_bo *bo)
{
	int err;

	*bo = (struct pc_bo){ .fd = fd, .size = size };
	err = pc_bo_create_raw(fd, &bo->size, 0, vm, &bo->handle);
	if (err)
		return err;

	err = pc_bo_map(bo);
	if (err)
		pc_bo_destroy(bo);
	return err;
}

int pc_bo_create(int fd, __u64 size, struct pc_bo *bo)
{
	return pc_bo_create_exclusive(fd, size, 0, bo);
}

int pc_bo_import(int fd, int dmabuf, struct pc_bo *bo)
{
	struct drm_prime_handle args = { .fd = dmabuf };
	off_t size = lseek(dmabuf, 0, SEEK_END);
	int err;

	*bo = (struct pc_bo){ .fd = fd };
	if (size < 0)
		return -errno;

	err = pc_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);
	if (err)
		return err;

	bo->handle = args.handle;
	bo->size = size;
	err = pc_bo_map(bo);
	if (err)
		pc_bo_destroy(bo);
	return err;
}

int pc_bo_export(const struct pc_bo *bo, int *dmabuf)
{
	struct drm_prime_handle args = {
		.handle = bo->handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};
	int err = pc_ioctl(bo->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	if (!err)
		*dmabuf = args.fd;
	return err;
}

void pc_bo_destroy(struct pc_bo *bo)
{
	if (bo->map)
		munmap(bo->map, bo->size);
	if (bo->handle)
		pc_gem_close(bo->fd, bo->handle);
	bo->map = NULL;
	bo->handle = 0;
}

struct drm_panthor_vm_bind_op pc_op_map(const struct pc_bo *bo, __u64 offset, __u64 va,
					__u64 size, __u32 flags)
{
	return (struct drm_panthor_vm_bind_op){
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP | flags,
		.bo_handle = bo->handle,
		.bo_offset = offset,
		.va = va,
		.size = size,
	};
}

struct drm_panthor_vm_bind_op pc_op_unmap(__u64 va, __u64 size)
{
	return (struct drm_panthor_vm_bind_op){
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP,
		.va = va,
		.size = size,
	};
}

struct drm_panthor_vm_bind_op pc_op_sync_only(void)
{
	return (struct drm_panthor_vm_bind_op){
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_SYNC_ONLY,
	};
}

void pc_op_syncs(struct drm_panthor_vm_bind_op *op, struct drm_panthor_sync_op *syncs,
		 __u32 count)
{
	op->syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(count, syncs);
}

int pc_vm_bind(int fd, __u32 vm, __u32 flags, struct drm_panthor_vm_bind_op *ops, __u32 *count)
{
	struct drm_panthor_vm_bind args = {
		.vm_id = vm,
		.flags = flags,
		.ops = DRM_PANTHOR_OBJ_ARRAY(*count, ops),
	};
	int err = pc_ioctl(fd, DRM_IOCTL_PANTHOR_VM_BIND, &args);

	*count = args.ops.count;
	return err;
}

int pc_bind(int fd, __u32 vm, struct drm_panthor_vm_bind_op *ops, __u32 count)
{
	return pc_vm_bind(fd, vm, 0, ops, &count);
}

int pc_bind_async(int fd, __u32 vm, struct drm_panthor_vm_bind_op *ops, __u32 count)
{
	return pc_vm_bind(fd, vm, DRM_PANTHOR_VM_BIND_ASYNC, ops, &count);
}

int pc_map(int fd, __u32 vm, const struct pc_bo *bo, __u64 offset, __u64 va, __u64 size,
	   __u32 flags)
{
	struct drm_panthor_vm_bind_op op = pc_op_map(bo, offset, va, size, flags);

	return pc_bind(fd, vm, &op, 1);
}

int pc_unmap(int fd, __u32 vm, __u64 va, __u64 size)
{
	struct drm_panthor_vm_bind_op op = pc_op_unmap(va, size);

	return pc_bind(fd, vm, &op, 1);
}

int pc_group_create_priority(int fd, __u32 vm, __u32 queues, __u32 ring_size, __u8 priority,
			     __u32 *group)
{
	struct drm_panthor_queue_create queue[32] = {};
	struct drm_panthor_gpu_info info = {};
	struct drm_panthor_group_create args = {
		.queues = DRM_PANTHOR_OBJ_ARRAY(queues, queue),
		.priority = priority,
		.vm_id = vm,
	};
	__u32 i;
	int err;

	if (queues > PC_COUNT(queue))
		return -E2BIG;
	for (i = 0; i < queues; i++)
		queue[i].ringbuf_size = ring_size;

	err = pc_gpu_info(fd, &info);
	if (err)
		return err;

	args.compute_core_mask = info.shader_present;
	args.fragment_core_mask = info.shader_present;
	args.tiler_core_mask = info.tiler_present;
	args.max_compute_cores = __builtin_popcountll(info.shader_present);
	args.max_fragment_cores = args.max_compute_cores;
	args.max_tiler_cores = __builtin_popcountll(info.tiler_present);

	err = pc_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args);
	if (!err)
		*group = args.group_handle;
	return err;
}

int pc_group_create(int fd, __u32 vm, __u32 queues, __u32 ring_size, __u32 *group)
{
	return pc_group_create_priority(fd, vm, queues, ring_size, PANTHOR_GROUP_PRIORITY_MEDIUM,
					group);
}

int pc_group_destroy(int fd, __u32 group)
{
	struct drm_panthor_group_destroy args = { .group_handle = group };

	return pc_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_DESTROY, &args);
}

int pc_group_state(int fd, __u32 group, __u32 *state, __u32 *fatal_queues)
{
	struct drm_panthor_group_get_state args = { .group_handle = group };
	int err = pc_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &args);

	if (err)
		return err;
	*state = args.state;
	if (fatal_queues)
		*fatal_queues = args.fatal_queues;
	return 0;
}

int pc_group_submit(int fd, __u32 group, struct drm_panthor_queue_submit *submits, __u32 count)
{
	struct drm_panthor_group_submit args = {
		.group_handle = group,
		.queue_submits = DRM_PANTHOR_OBJ_ARRAY(count, submits),
	};

	return pc_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args);
}

struct drm_panthor_queue_submit pc_job(__u32 queue, __u64 stream, __u32 size,
				       struct drm_panthor_sync_op *syncs, __u32 count)
{
	return (struct drm_panthor_queue_submit){
		.queue_index = queue,
		.stream_size = size,
		.stream_addr = stream,
		.syncs = DRM_PANTHOR_OBJ_ARRAY(count, syncs),
	};
}

int pc_heap_create(int fd, __u32 vm, __u32 chunks, __u32 chunk_size, __u32 max_chunks,
		   __u32 in_flight, struct pc_heap *heap)
{
	struct drm_panthor_tiler_heap_create args = {
		.vm_id = vm,
		.initial_chunk_count = chunks,
		.chunk_size = chunk_size,
		.max_chunks = max_chunks,
		.target_in_flight = in_flight,
	};
	int err = pc_ioctl(fd, DRM_IOCTL_PANTHOR_TILER_HEAP_CREATE, &args);

	if (err)
		return err;
	*heap = (struct pc_heap){
		.handle = args.handle,
		.context = args.tiler_heap_ctx_gpu_va,
		.first_chunk = args.first_heap_chunk_gpu_va,
	};
	return 0;
}

int pc_heap_destroy(int fd, __u32 handle)
{
	struct drm_panthor_tiler_heap_destroy args = { .handle = handle };

	return pc_ioctl(fd, DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY, &args);
}
