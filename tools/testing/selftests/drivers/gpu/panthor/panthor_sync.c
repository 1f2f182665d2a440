// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Sync objects of a DRM file, binary and timelines, and the errors that their
 * fences carry, which only a sync file tells. Part of the client library of
 * panthor_client.h.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>
#include <linux/sync_file.h>

#include "panthor_client.h"

struct drm_panthor_sync_op pc_wait_op(__u32 syncobj, __u64 point)
{
	return (struct drm_panthor_sync_op){
		.flags = DRM_PANTHOR_SYNC_OP_WAIT |
			 (point ? DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_TIMELINE_SYNCOBJ :
				  DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ),
		.handle = syncobj,
		.timeline_value = point,
	};
}

struct drm_panthor_sync_op pc_signal_op(__u32 syncobj, __u64 point)
{
	struct drm_panthor_sync_op op = pc_wait_op(syncobj, point);

	op.flags |= DRM_PANTHOR_SYNC_OP_SIGNAL;
	return op;
}

int pc_syncobj_create(int fd, bool signaled, __u32 *syncobj)
{
	struct drm_syncobj_create args = {
		.flags = signaled ? DRM_SYNCOBJ_CREATE_SIGNALED : 0,
	};
	int err = pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_CREATE, &args);

	if (!err)
		*syncobj = args.handle;
	return err;
}

int pc_syncobj_destroy(int fd, __u32 syncobj)
{
	struct drm_syncobj_destroy args = { .handle = syncobj };

	return pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_DESTROY, &args);
}

int pc_syncobj_reset(int fd, __u32 syncobj)
{
	struct drm_syncobj_array args = {
		.handles = (uintptr_t)&syncobj,
		.count_handles = 1,
	};

	return pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_RESET, &args);
}

int pc_syncobj_signal(int fd, __u32 syncobj, __u64 point)
{
	struct drm_syncobj_timeline_array timeline = {
		.handles = (uintptr_t)&syncobj,
		.points = (uintptr_t)&point,
		.count_handles = 1,
	};
	struct drm_syncobj_array binary = {
		.handles = (uintptr_t)&syncobj,
		.count_handles = 1,
	};

	if (point)
		return pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &timeline);
	return pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_SIGNAL, &binary);
}

int pc_syncobj_query(int fd, __u32 syncobj, __u64 *point)
{
	struct drm_syncobj_timeline_array args = {
		.handles = (uintptr_t)&syncobj,
		.points = (uintptr_t)point,
		.count_handles = 1,
	};

	return pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_QUERY, &args);
}

int pc_syncobj_transfer(int fd, __u32 dst, __u64 dst_point, __u32 src, __u64 src_point)
{
	struct drm_syncobj_transfer args = {
		.src_handle = src,
		.dst_handle = dst,
		.src_point = src_point,
		.dst_point = dst_point,
	};

	return pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_TRANSFER, &args);
}

static __s64 deadline(__s64 ns)
{
	struct timespec now;

	if (ns < 0)
		return INT64_MAX;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec + ns;
}

static int syncobj_wait(int fd, __u32 syncobj, __u64 point, __s64 ns, __u32 flags)
{
	struct drm_syncobj_timeline_wait args = {
		.handles = (uintptr_t)&syncobj,
		.points = (uintptr_t)&point,
		.timeout_nsec = deadline(ns),
		.count_handles = 1,
		.flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL | flags,
	};

	return pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &args);
}

int pc_syncobj_wait(int fd, __u32 syncobj, __u64 point, __s64 ns)
{
	return syncobj_wait(fd, syncobj, point, ns, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT);
}

int pc_syncobj_wait_submitted(int fd, __u32 syncobj, __u64 point, __s64 ns)
{
	return syncobj_wait(fd, syncobj, point, ns, 0);
}

static int handle_to_fd(int fd, __u32 syncobj, __u32 flags, int *out)
{
	struct drm_syncobj_handle args = {
		.handle = syncobj,
		.flags = flags,
		.fd = -1,
	};
	int err = pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args);

	if (!err)
		*out = args.fd;
	return err;
}

int pc_syncobj_export(int fd, __u32 syncobj, int *obj_fd)
{
	return handle_to_fd(fd, syncobj, 0, obj_fd);
}

int pc_syncobj_import(int fd, int obj_fd, __u32 *syncobj)
{
	struct drm_syncobj_handle args = { .fd = obj_fd };
	int err = pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);

	if (!err)
		*syncobj = args.handle;
	return err;
}

int pc_sync_file_export(int fd, __u32 syncobj, int *file)
{
	return handle_to_fd(fd, syncobj, DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE, file);
}

int pc_sync_file_import(int fd, int file, __u32 syncobj)
{
	struct drm_syncobj_handle args = {
		.handle = syncobj,
		.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE,
		.fd = file,
	};

	return pc_ioctl(fd, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args);
}

static int sync_file_status(int file)
{
	struct sync_file_info info = {};
	int err = pc_ioctl(file, SYNC_IOC_FILE_INFO, &info);

	return err ?: info.status;
}

int pc_syncobj_status(int fd, __u32 syncobj)
{
	int file, status, err;

	err = pc_sync_file_export(fd, syncobj, &file);
	if (err)
		return err;

	status = sync_file_status(file);
	close(file);
	return status;
}

/* What is short of memory is the wait, or the question: the fence is still there. */
int pc_syncobj_finish(int fd, __u32 syncobj, __s64 ns)
{
	int status, err;

	do {
		err = pc_syncobj_wait(fd, syncobj, 0, ns);
	} while (err == -ENOMEM);
	if (err)
		return err;

	do {
		status = pc_syncobj_status(fd, syncobj);
	} while (status == -ENOMEM);
	return status < 0 ? status : 0;
}

/*
 * To ask for the status is to ask for the name, which the kernel of 6.12 looks up in
 * the scheduler of the fence, freed or not. What comes of a merge has its own name.
 */
int pc_sync_file_hold(int fd, __u32 syncobj, int *file)
{
	struct sync_merge_data merge = { .name = "held" };
	int err, original;

	err = pc_sync_file_export(fd, syncobj, &original);
	if (err)
		return err;

	merge.fd2 = original;
	err = pc_ioctl(original, SYNC_IOC_MERGE, &merge);
	close(original);
	if (!err)
		*file = merge.fence;
	return err;
}

int pc_sync_file_finish(int file, __s64 ns)
{
	struct pollfd poll_file = { .fd = file, .events = POLLIN };
	int ready = poll(&poll_file, 1, ns / 1000000), status;

	if (ready < 0)
		return -errno;
	if (!ready)
		return -ETIME;

	status = sync_file_status(file);
	return status < 0 ? status : 0;
}
