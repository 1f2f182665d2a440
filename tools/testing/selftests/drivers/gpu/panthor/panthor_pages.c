// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Random binds in a window of a VM, and a model of what they do: see
 * panthor_pages.h.
 */
#include <string.h>

#include "panthor_pages.h"

#define BLOCK_PAGES	((__u32)(PC_2M / PC_4K))
#define BO_SHIFT	24
#define TRIES		64

void pc_pages_init(struct pc_pages *pages, struct pc_gpu *gpu, const struct pc_bo *bo, __u32 bos,
		   __u64 seed)
{
	memset(pages->page, 0, sizeof(pages->page));
	pages->gpu = gpu;
	pages->bo = bo;
	pages->bos = bos;
	pages->random = seed * 2 + 1;
}

/* xorshift64*, the upper half. */
__u32 pc_pages_random(struct pc_pages *pages, __u32 limit)
{
	__u64 x = pages->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	pages->random = x;
	return (x * 0x2545f4914f6cdd1dull >> 32) % limit;
}

static __u64 page_va(__u32 page)
{
	return PC_WINDOW_VA + page * PC_4K;
}

/* Single pages, a few, about a block, and many, all as likely. */
static __u32 random_length(struct pc_pages *pages, __u32 limit)
{
	static const __u32 most[] = { 1, 16, BLOCK_PAGES + 2, 4 * BLOCK_PAGES };
	__u32 length = 1 + pc_pages_random(pages, most[pc_pages_random(pages, PC_COUNT(most))]);

	return length < limit ? length : limit;
}

/* Where a block could be, or anywhere. */
static __u32 random_start(struct pc_pages *pages, __u32 limit)
{
	__u32 start = pc_pages_random(pages, limit);

	return pc_pages_random(pages, 3) ? start : start - start % BLOCK_PAGES;
}

struct drm_panthor_vm_bind_op pc_pages_op(struct pc_pages *pages)
{
	const struct pc_bo *bo = &pages->bo[pc_pages_random(pages, pages->bos)];
	__u32 flags = pc_pages_random(pages, 8);
	__u32 start, offset, length;

	if (!pc_pages_random(pages, 3)) {
		start = random_start(pages, PC_WINDOW_PAGES);
		length = random_length(pages, PC_WINDOW_PAGES - start);
		return pc_op_unmap(page_va(start), length * PC_4K);
	}

	offset = random_start(pages, bo->size / PC_4K);
	length = random_length(pages, bo->size / PC_4K - offset);
	start = random_start(pages, PC_WINDOW_PAGES - length);
	/* So that blocks are possible where the memory is contiguous. */
	if (pc_pages_random(pages, 2)) {
		start -= start % BLOCK_PAGES;
		if (start + offset % BLOCK_PAGES + length <= PC_WINDOW_PAGES)
			start += offset % BLOCK_PAGES;
	}
	return pc_op_map(bo, offset * PC_4K, page_va(start), length * PC_4K, flags);
}

static __u32 bo_number(const struct pc_pages *pages, __u32 handle)
{
	__u32 i;

	for (i = 0; i < pages->bos && pages->bo[i].handle != handle; i++)
		continue;
	return i;
}

void pc_pages_apply(struct pc_pages *pages, const struct drm_panthor_vm_bind_op *op)
{
	__u32 start = (op->va - PC_WINDOW_VA) / PC_4K, length = op->size / PC_4K, first = 0, i;
	bool map = (op->flags & DRM_PANTHOR_VM_BIND_OP_TYPE_MASK) ==
		   DRM_PANTHOR_VM_BIND_OP_TYPE_MAP;

	if (map)
		first = (bo_number(pages, op->bo_handle) + 1) << BO_SHIFT | op->bo_offset / PC_4K;
	for (i = 0; i < length; i++)
		pages->page[start + i] = map ? first + i : 0;
}

static const char *cpu_address(const struct pc_pages *pages, __u32 page)
{
	__u32 entry = pages->page[page];
	const struct pc_bo *bo = &pages->bo[(entry >> BO_SHIFT) - 1];

	return (const char *)bo->map + (entry & ((1 << BO_SHIFT) - 1)) * PC_4K;
}

/* @page has @count numbers of mapped pages. */
static int check(struct pc_pages *pages, const __u32 *page, __u32 count, __u64 *va,
		 __u64 *checked)
{
	char line[PC_GPU_LINES][PC_GPU_LINE];
	__u64 where[PC_GPU_LINES] = {};
	__u32 i;
	int err;

	for (i = 0; i < count; i++)
		where[i] = page_va(page[i]);

	err = pc_gpu_read_lines(pages->gpu, where, count, line);
	if (err)
		return err;

	for (i = 0; i < count; i++) {
		if (memcmp(line[i], cpu_address(pages, page[i]), PC_GPU_LINE)) {
			*va = where[i];
			return 1;
		}
	}

	if (checked)
		*checked += (__u64)count * PC_GPU_LINE;
	return 0;
}

int pc_pages_check(struct pc_pages *pages, __u32 count, __u64 *va, __u64 *checked)
{
	__u32 page[PC_GPU_LINES], found = 0, tries;

	if (count > PC_GPU_LINES)
		count = PC_GPU_LINES;
	for (tries = 0; found < count && tries < count + TRIES; tries++) {
		__u32 p = pc_pages_random(pages, PC_WINDOW_PAGES);

		if (pages->page[p])
			page[found++] = p;
	}

	/* Also of nothing: who calls wants to know whether jobs run. */
	return check(pages, page, found, va, checked);
}

int pc_pages_check_all(struct pc_pages *pages, __u64 *va, __u64 *checked)
{
	__u32 page[PC_GPU_LINES], found = 0, p;
	int err;

	for (p = 0; p < PC_WINDOW_PAGES; p++) {
		if (pages->page[p])
			page[found++] = p;
		if (found < PC_GPU_LINES)
			continue;
		err = check(pages, page, found, va, checked);
		if (err)
			return err;
		found = 0;
	}

	return found ? check(pages, page, found, va, checked) : 0;
}

__u64 pc_pages_hole(struct pc_pages *pages)
{
	__u32 tries;

	for (tries = 0; tries < TRIES; tries++) {
		__u32 p = pc_pages_random(pages, PC_WINDOW_PAGES);

		if (!pages->page[p])
			return page_va(p);
	}

	return 0;
}
