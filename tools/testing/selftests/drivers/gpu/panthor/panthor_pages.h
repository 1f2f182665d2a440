/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Random binds in a window of a VM, and a model of what they do: which page of
 * which buffer is behind each page of the window. For the random test and for the
 * stress program.
 */
#ifndef PANTHOR_PAGES_H
#define PANTHOR_PAGES_H

#include "panthor_gpu.h"

/* A window of 64 MiB, which begins in the middle of nowhere and crosses 1 GiB. */
#define PC_WINDOW_PAGES	16384u
#define PC_WINDOW_VA	(PC_1G - 24 * PC_1M)

/**
 * struct pc_pages - A window, and what is in it
 * @gpu: its VM, and how to read there
 * @bo: buffers that are mapped
 * @bos: how many
 * @random: state of the generator
 * @page: 0 for a hole, else the number of the buffer from 1 in the upper 8 bits, and
 *	  that of the page in the lower 24
 */
struct pc_pages {
	struct pc_gpu *gpu;
	const struct pc_bo *bo;
	__u32 bos;
	__u64 random;
	__u32 page[PC_WINDOW_PAGES];
};

void pc_pages_init(struct pc_pages *pages, struct pc_gpu *gpu, const struct pc_bo *bo, __u32 bos,
		   __u64 seed);

/* A number below @limit. */
__u32 pc_pages_random(struct pc_pages *pages, __u32 limit);

/* An op that the driver must accept; and that it has been accepted. */
struct drm_panthor_vm_bind_op pc_pages_op(struct pc_pages *pages);
void pc_pages_apply(struct pc_pages *pages, const struct drm_panthor_vm_bind_op *op);

/*
 * Read at @count random pages that should be mapped (as many as are found: also for none,
 * a job runs), or with pc_pages_check_all() at all of them. 0, a negative errno, or 1 with
 * the first wrong address in *@va. @checked counts bytes, and may be NULL.
 */
int pc_pages_check(struct pc_pages *pages, __u32 count, __u64 *va, __u64 *checked);
int pc_pages_check_all(struct pc_pages *pages, __u64 *va, __u64 *checked);

/* The address of some hole, or 0. */
__u64 pc_pages_hole(struct pc_pages *pages);

#endif
