// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * What drivers after that of Linux 6.12 do with VMs: sparse mappings, which have memory
 * of the driver's behind them, and buffers that lose their memory to somebody who needs
 * it, and get it back before a job.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/swap.h>

#include "panthor_test.h"

#define VA		0x10000000ull

/* DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE, which is not in the headers of 6.12. */
#define SPARSE_FLAG	0x8u
#define SPARSE		(DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC | SPARSE_FLAG)

#define NO_SPARSE	"the driver has no sparse mappings"

#define SWAP_DEVICE	"/dev/ram0"
#define EVERYTHING	"0x100000"

static const struct pc_bo no_bo;

FIXTURE(sparse)
{
	struct pc_env env;
	struct pc_bo bo;
	bool there;
};

FIXTURE_SETUP(sparse)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	int err;

	pc_env_setup(_metadata, &self->env);
	if (self->env.fd < 0)
		return;

	ASSERT_EQ(0, pc_bo_create(self->env.fd, 4 * PC_1M, &self->bo));
	pc_fill(self->bo.map, self->bo.size, 1);

	/* A driver without says that it does not know the flag. */
	err = pc_map(gpu->fd, gpu->vm, &no_bo, 0, VA, PC_4K, SPARSE);
	self->there = err != -EINVAL;
	if (self->there) {
		ASSERT_EQ(0, err);
		ASSERT_EQ(0, pc_unmap(gpu->fd, gpu->vm, VA, PC_4K));
	}
}

FIXTURE_TEARDOWN(sparse)
{
	pc_env_teardown(_metadata, &self->env);
}

/* Whatever is there, it is there: one line of each page, or of so many. */
static void expect_readable(struct __test_metadata *_metadata, struct pc_gpu *gpu, __u64 va,
			    __u64 size)
{
	__u32 count = size / PC_4K < 2048 ? size / PC_4K : 2048;
	char *lines = malloc(count * PC_GPU_LINE);

	ASSERT_TRUE(lines);
	EXPECT_EQ(0, pc_gpu_gather(gpu, va, size / count & ~(PC_4K - 1), count, lines));
	EXPECT_EQ(0, pc_gpu_read(gpu, va + size - PC_GPU_LINE, lines, PC_GPU_LINE));
	free(lines);
}

TEST_F(sparse, refused)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	int fd = gpu->fd;
	__u32 vm = gpu->vm;

	/* Executable; with a buffer, with an offset in none. */
	EXPECT_EQ(-EINVAL, pc_map(fd, vm, &no_bo, 0, VA, PC_2M, SPARSE_FLAG));
	EXPECT_EQ(-EINVAL, pc_map(fd, vm, &self->bo, 0, VA, PC_2M, SPARSE));
	EXPECT_EQ(-EINVAL, pc_map(fd, vm, &no_bo, PC_4K, VA, PC_2M, SPARSE));
	EXPECT_EQ(0, pc_space_faults(&self->env.space, VA));
}

TEST_F(sparse, all_of_it_and_no_more)
{
	static const struct {
		__u64 va, size;
	} cases[] = {
		{ VA, PC_4K },
		{ VA, PC_2M },
		{ VA + PC_4K, PC_2M },
		{ VA + PC_1M, 3 * PC_2M },
		{ VA + 511 * PC_4K, 2 * PC_4K },
		{ 3 * PC_1G - PC_2M - PC_4K, 2 * PC_2M },
		{ PC_1G, 2 * PC_1G + PC_64K },
	};
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	size_t i;

	if (!self->there)
		SKIP(return, NO_SPARSE);

	for (i = 0; i < PC_COUNT(cases); i++) {
		ASSERT_EQ(0, pc_map(gpu->fd, gpu->vm, &no_bo, 0, cases[i].va, cases[i].size,
				    SPARSE));
		expect_readable(_metadata, gpu, cases[i].va, cases[i].size);
		EXPECT_EQ(0, pc_space_faults(space, cases[i].va - 4));
		EXPECT_EQ(0, pc_space_faults(space, cases[i].va + cases[i].size));
		ASSERT_EQ(0, pc_unmap(gpu->fd, gpu->vm, cases[i].va, cases[i].size));
		EXPECT_EQ(0, pc_space_faults(space, cases[i].va));
		EXPECT_EQ(0, pc_space_faults(space, cases[i].va + cases[i].size - 4));
	}
}

/* The same memory comes again, at the latest after 2 MiB. */
TEST_F(sparse, repeats)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	__u64 word, i;

	if (!self->there)
		SKIP(return, NO_SPARSE);

	ASSERT_EQ(0, pc_map(gpu->fd, gpu->vm, &no_bo, 0, VA + PC_64K, 4 * PC_2M, SPARSE));
	word = pc_pattern(5, 6);
	ASSERT_EQ(0, pc_gpu_write(gpu, VA + PC_1M + PC_4K + 8, &word, sizeof(word)));
	for (i = 0; i < 4; i++) {
		word = 0;
		ASSERT_EQ(0, pc_gpu_read(gpu, VA + PC_1M + PC_4K + 8 + i * PC_2M, &word,
					 sizeof(word)));
		EXPECT_EQ(pc_pattern(5, 6), word);
	}
}

TEST_F(sparse, readonly)
{
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	__u64 word = 0;

	if (!self->there)
		SKIP(return, NO_SPARSE);

	ASSERT_EQ(0, pc_map(gpu->fd, gpu->vm, &no_bo, 0, VA, PC_2M,
			    SPARSE | DRM_PANTHOR_VM_BIND_OP_MAP_READONLY));
	EXPECT_EQ(0, pc_gpu_read(gpu, VA + PC_1M, &word, sizeof(word)));
	pc_provoke_fault();
	EXPECT_EQ(-EINVAL, pc_gpu_write(gpu, VA + PC_1M, &word, sizeof(word)));
	ASSERT_EQ(0, pc_gpu_restart(gpu));
}

/* What one file has written, no other may read. */
TEST_F(sparse, of_this_file)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	__u64 word = pc_pattern(7, 8);
	struct pc_space *other;
	__u32 i;
	int fd;

	if (!self->there)
		SKIP(return, NO_SPARSE);

	fd = pc_open();
	other = calloc(1, sizeof(*other));
	ASSERT_LE(0, fd);
	ASSERT_TRUE(other);
	ASSERT_EQ(0, pc_space_init(other, fd));
	ASSERT_EQ(0, pc_map(gpu->fd, gpu->vm, &no_bo, 0, VA, PC_2M, SPARSE));
	ASSERT_EQ(0, pc_map(fd, other->gpu.vm, &no_bo, 0, VA, PC_2M, SPARSE));

	for (i = 0; i < PC_2M / PC_64K; i++)
		ASSERT_EQ(0, pc_gpu_write(gpu, VA + i * PC_64K, &word, sizeof(word)));
	for (i = 0; i < PC_2M / PC_64K; i++) {
		word = pc_pattern(7, 8);
		ASSERT_EQ(0, pc_gpu_read(&other->gpu, VA + i * PC_64K, &word, sizeof(word)));
		EXPECT_NE(pc_pattern(7, 8), word);
	}

	pc_space_fini(other);
	free(other);
	close(fd);
}

TEST_F(sparse, cut)
{
	static const struct {
		__u64 from, to;
	} cases[] = {
		{ 0, PC_4K },
		{ 0, PC_2M },
		{ PC_2M, 2 * PC_2M },
		{ PC_2M + PC_4K, PC_2M + 2 * PC_4K },
		{ PC_1M, PC_2M + PC_1M },
		{ PC_4K, 3 * PC_2M - PC_4K },
		{ 3 * PC_2M - PC_4K, 3 * PC_2M },
	};
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	__u64 size = 3 * PC_2M, from, to;
	size_t i;

	if (!self->there)
		SKIP(return, NO_SPARSE);

	for (i = 0; i < PC_COUNT(cases); i++) {
		from = cases[i].from;
		to = cases[i].to;
		ASSERT_EQ(0, pc_map(gpu->fd, gpu->vm, &no_bo, 0, VA, size, SPARSE));
		expect_readable(_metadata, gpu, VA, size);
		ASSERT_EQ(0, pc_unmap(gpu->fd, gpu->vm, VA + from, to - from));
		EXPECT_EQ(0, pc_space_faults(space, VA + from));
		EXPECT_EQ(0, pc_space_faults(space, VA + to - 4));
		if (from)
			expect_readable(_metadata, gpu, VA, from);
		if (to < size)
			expect_readable(_metadata, gpu, VA + to, size - to);
	}
}

/* Memory comes where there was none, and goes again: what sparse mappings are for. */
TEST_F(sparse, buffer_in_it)
{
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	__u64 va = VA + PC_1M, size = PC_2M + PC_64K;
	__u32 i;

	if (!self->there)
		SKIP(return, NO_SPARSE);

	ASSERT_EQ(0, pc_map(gpu->fd, gpu->vm, &no_bo, 0, VA, 4 * PC_2M, SPARSE));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pc_space_map(space, &self->bo, i * PC_4K, va, size, 0));
		pc_expect_space(_metadata, space);
		expect_readable(_metadata, gpu, VA, PC_1M);
		expect_readable(_metadata, gpu, va + size, VA + 4 * PC_2M - va - size);

		ASSERT_EQ(0, pc_map(gpu->fd, gpu->vm, &no_bo, 0, va, size, SPARSE));
		pc_space_expect_nothing(space, va, size);
		expect_readable(_metadata, gpu, VA, 4 * PC_2M);
	}
}

TEST_F(sparse, queued)
{
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;
	struct drm_panthor_vm_bind_op ops[] = {
		pc_op_map(&no_bo, 0, VA, PC_1G, SPARSE),
		pc_op_map(&self->bo, 0, VA + PC_2M + PC_4K, 4 * PC_1M, 0),
		pc_op_unmap(VA + PC_1G - PC_1M, PC_4K),
	};
	struct drm_panthor_sync_op done;
	__u32 syncobj;

	if (!self->there)
		SKIP(return, NO_SPARSE);

	ASSERT_EQ(0, pc_syncobj_create(gpu->fd, false, &syncobj));
	done = pc_signal_op(syncobj, 0);
	pc_op_syncs(&ops[PC_COUNT(ops) - 1], &done, 1);
	ASSERT_EQ(0, pc_bind_async(gpu->fd, gpu->vm, ops, PC_COUNT(ops)));
	ASSERT_EQ(0, pc_syncobj_finish(gpu->fd, syncobj, PC_JOB_NS));
	pc_space_expect(space, &self->bo, 0, VA + PC_2M + PC_4K, 4 * PC_1M);

	expect_readable(_metadata, gpu, VA, PC_1G - PC_1M);
	expect_readable(_metadata, gpu, VA + PC_1G - PC_1M + PC_4K, PC_1M - PC_4K);
	EXPECT_EQ(0, pc_space_faults(space, VA + PC_1G - PC_1M));
	EXPECT_EQ(0, pc_syncobj_destroy(gpu->fd, syncobj));
}

FIXTURE(evict)
{
	struct pc_env env;
	struct pc_bo bo;
	char shrink[32];
	bool swap_is_ours;
};

/* Is there swap space? The first line of the file is a title. */
static bool has_swap(void)
{
	FILE *file = fopen("/proc/swaps", "re");
	char line[256];
	bool there;

	if (!file)
		return false;
	there = fgets(line, sizeof(line), file) && fgets(line, sizeof(line), file);
	fclose(file);
	return there;
}

/*
 * Without swap space, the driver keeps its memory. Where there is none, an unused and
 * empty RAM disk becomes some; it is off again at the end.
 */
static int swap_on(void)
{
	enum { SIZE = 4096, VERSION = 1024 / 4, LAST_PAGE };
	__u32 header[SIZE / sizeof(__u32)] = { [VERSION] = 1, [LAST_PAGE] = 1023 };
	__u32 old[SIZE / sizeof(__u32)];
	bool ours, empty;
	int fd, err = 0;

	if (has_swap())
		return 0;

	memcpy((char *)header + SIZE - 10, "SWAPSPACE2", 10);
	fd = open(SWAP_DEVICE, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pread(fd, old, SIZE, 0) != SIZE)
		err = -EIO;
	ours = !err && !memcmp(old, header, SIZE);
	empty = !err && !old[0] && !memcmp(old, old + 1, SIZE - sizeof(*old));
	if (!err && !ours && !empty)
		err = -EBUSY;
	if (!err && pwrite(fd, header, SIZE, 0) != SIZE)
		err = -EIO;
	close(fd);
	if (!err && swapon(SWAP_DEVICE, 0))
		err = -errno;
	return err;
}

/* The file that has the driver give memory back, if there is one. */
static int find_shrink(char *name, size_t size)
{
	int i, fd;

	for (i = 0; i < 256; i++) {
		snprintf(name, size, "dri/%d/shrink", i);
		fd = pc_debugfs_open(name, O_RDONLY);
		if (fd >= 0)
			return close(fd);
	}
	return -ENOENT;
}

/* Returns how many pages the driver gave back, of all that it could. */
static long shrink(const char *name)
{
	char text[32] = "";
	int fd, err;

	pc_settle();
	err = pc_debugfs_write(name, EVERYTHING);
	if (err)
		return err;
	fd = pc_debugfs_open(name, O_RDONLY);
	if (fd < 0)
		return fd;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return strtol(text, NULL, 0);
}

FIXTURE_SETUP(evict)
{
	self->env.fd = -1;
	if (find_shrink(self->shrink, sizeof(self->shrink)))
		SKIP(return, "no way to have the driver give memory back");
	self->swap_is_ours = !has_swap();
	if (swap_on())
		SKIP(return, "no swap space to be had");

	pc_env_setup(_metadata, &self->env);
	if (self->env.fd < 0)
		return;

	ASSERT_EQ(0, pc_bo_create(self->env.fd, 4 * PC_1M, &self->bo));
	pc_fill(self->bo.map, self->bo.size, 1);
}

FIXTURE_TEARDOWN(evict)
{
	pc_env_teardown(_metadata, &self->env);
	if (self->swap_is_ours)
		swapoff(SWAP_DEVICE);
}

/* Not each time: what is locked is left alone. */
static void evict(struct __test_metadata *_metadata, const char *name, __u64 bytes)
{
	long pages = 0, n;
	int i;

	for (i = 0; i < 10 && pages < (long)(bytes / PC_4K); i++) {
		n = shrink(name);
		ASSERT_LE(0, n);
		pages += n;
	}
	EXPECT_LE((long)(bytes / PC_4K), pages);
}

TEST_F(evict, and_back)
{
	struct pc_space *space = &self->env.space;
	int i;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, self->bo.size, 0));
	for (i = 0; i < 3; i++) {
		evict(_metadata, self->shrink, self->bo.size);
		pc_expect_space(_metadata, space);
		EXPECT_EQ(0, pc_space_faults(space, VA + self->bo.size));
	}
}

TEST_F(evict, in_pieces)
{
	struct pc_space *space = &self->env.space;
	__u32 i;

	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA + PC_4K, self->bo.size, 0));
	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, pc_space_unmap(space, VA + i * 129 * PC_4K, PC_4K));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, PC_64K, VA + 8 * PC_1M, PC_1M, 0));

	evict(_metadata, self->shrink, self->bo.size);
	pc_expect_space(_metadata, space);
	for (i = 1; i < 8; i++)
		EXPECT_EQ(0, pc_space_faults(space, VA + i * 129 * PC_4K));
}

/* Mappings of what has no memory are cut, replaced, and added to. */
TEST_F(evict, changed_meanwhile)
{
	struct pc_space *space = &self->env.space;
	struct pc_bo other;

	ASSERT_EQ(0, pc_bo_create(self->env.fd, PC_64K, &other));
	pc_fill(other.map, other.size, 2);
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, self->bo.size, 0));

	evict(_metadata, self->shrink, self->bo.size);
	ASSERT_EQ(0, pc_space_unmap(space, VA + PC_1M, PC_4K));
	ASSERT_EQ(0, pc_space_map(space, &other, 0, VA + PC_2M - PC_4K, PC_64K, 0));
	pc_expect_space(_metadata, space);
	EXPECT_EQ(0, pc_space_faults(space, VA + PC_1M));

	evict(_metadata, self->shrink, self->bo.size);
	ASSERT_EQ(0, pc_space_map(space, &self->bo, PC_4K, VA + 3 * PC_1M, PC_1M, 0));
	pc_expect_space(_metadata, space);

	evict(_metadata, self->shrink, self->bo.size);
	ASSERT_EQ(0, pc_space_unmap(space, VA, self->bo.size));
	EXPECT_EQ(0, pc_space_faults(space, VA));
	EXPECT_EQ(0, pc_space_faults(space, VA + self->bo.size - 4));
}

TEST_F(evict, of_two_vms)
{
	struct pc_space *space = &self->env.space, *other = calloc(1, sizeof(*other));

	ASSERT_TRUE(other);
	ASSERT_EQ(0, pc_space_init(other, self->env.fd));
	ASSERT_EQ(0, pc_space_map(space, &self->bo, 0, VA, self->bo.size, 0));
	ASSERT_EQ(0, pc_space_map(other, &self->bo, PC_4K, VA + PC_4K, PC_2M, 0));

	evict(_metadata, self->shrink, self->bo.size);
	pc_expect_space(_metadata, other);
	pc_expect_space(_metadata, space);

	evict(_metadata, self->shrink, self->bo.size);
	pc_space_fini(other);
	free(other);
	pc_expect_space(_metadata, space);
}

TEST_F(evict, exclusive)
{
	struct pc_space *space = &self->env.space;
	struct pc_bo bo;

	/* What it has beside that is not to be counted for it. */
	pc_bo_destroy(&self->bo);
	ASSERT_EQ(0, pc_bo_create_exclusive(self->env.fd, PC_2M + PC_64K, space->gpu.vm, &bo));
	pc_fill(bo.map, bo.size, 3);
	ASSERT_EQ(0, pc_space_map(space, &bo, 0, VA, bo.size, 0));
	evict(_metadata, self->shrink, bo.size);
	pc_expect_space(_metadata, space);
	ASSERT_EQ(0, pc_space_unmap(space, VA, bo.size));
	pc_bo_destroy(&bo);
}

TEST_F(evict, sparse)
{
	struct pc_space *space = &self->env.space;
	struct pc_gpu *gpu = &space->gpu;

	/* What it has beside that is not to be counted for it. */
	pc_bo_destroy(&self->bo);
	ASSERT_EQ(0, pc_map(gpu->fd, gpu->vm, &no_bo, 0, VA + PC_64K, 8 * PC_2M, SPARSE));
	ASSERT_EQ(0, pc_unmap(gpu->fd, gpu->vm, VA + 3 * PC_2M, PC_4K));
	evict(_metadata, self->shrink, PC_2M);
	expect_readable(_metadata, gpu, VA + PC_64K, 3 * PC_2M - PC_64K);
	expect_readable(_metadata, gpu, VA + 3 * PC_2M + PC_4K, PC_2M);
	EXPECT_EQ(0, pc_space_faults(space, VA + 3 * PC_2M));
}

TEST_HARNESS_MAIN
