// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Does the judge of the software GPU see mistakes of a driver? Plants some in page
 * tables that the GPU is using, lets it use them, and looks for the report. Not for
 * the normal run: the kernel's log has the reports in the end, as it should.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kselftest.h>

#include "panthor_args.h"
#include "panthor_gpu.h"
#include "panthor_model.h"

#define MAP_VA		0x40000000ull
#define VA		0x40011000ull
/* Not a neighbour, whose table the GPU may have looked up ahead. */
#define VA2		(VA + 2 * PC_2M)
#define MAP_SIZE	(3 * PC_2M)
#define ELSEWHERE	0x80000000ull
#define LOOP_VA		0x60000000ull
#define RING		4096

/**
 * struct bench - A VM whose address space stays with the GPU
 * @gpu: copies memory
 * @bo: three times 2 MiB, mapped at MAP_VA as single pages
 * @loop_bo: stream that runs until its first word, a flag, is not 0 any more
 * @loop: the group that runs it
 * @as: address space
 */
struct bench {
	struct pc_gpu gpu;
	struct pc_bo bo, loop_bo;
	__u32 loop, as;
};

static char *read_file(const char *name, char *text, size_t size)
{
	int fd = pc_debugfs_open(name, O_RDONLY);
	ssize_t len = 0, part;

	if (fd < 0)
		ksft_exit_skip("no %s: this is no software GPU\n", name);
	while ((part = read(fd, text + len, size - 1 - len)) > 0)
		len += part;
	text[len] = 0;
	close(fd);
	return text;
}

static long long reported(void)
{
	char text[64];

	return strtoll(read_file("vmali/errors", text, sizeof(text)), NULL, 10);
}

/* The address space of the only group that runs. */
static int find_as(__u32 *as)
{
	char text[8192], *at;

	at = strstr(read_file("vmali/state", text, sizeof(text)), ", AS ");
	return at && sscanf(at, ", AS %u", as) == 1 ? 0 : -1;
}

/* With nothing to do, the GPU would be switched off, and its caches be empty. */
static int keep_busy(struct bench *b)
{
	struct drm_panthor_queue_submit submit;
	struct pc_cs cs = {
		.words = (__u64 *)b->loop_bo.map + 8, .size = 64,
	};
	__u32 again;
	int err;

	*(volatile __u32 *)b->loop_bo.map = 1;
	pc_cs_move48(&cs, 0, LOOP_VA);
	again = cs.count;
	pc_cs_load(&cs, 2, 1, 0, 0);
	pc_cs_branch(&cs, again, PC_CS_NEQUAL, 2);

	err = pc_group_create(b->gpu.fd, b->gpu.vm, 1, RING, &b->loop);
	submit = pc_job(0, LOOP_VA + 64, cs.count * sizeof(__u64), NULL, 0);
	return err ?: pc_group_submit(b->gpu.fd, b->loop, &submit, 1);
}

static int init(struct bench *b, int fd)
{
	__u64 user_va = 0;
	__u32 vm, word;
	int err;

	*b = (struct bench){ .as = 0 };
	err = pc_vm_create(fd, &user_va, &vm);
	if (!err)
		err = pc_gpu_init(&b->gpu, fd, vm, PC_GPU_VA);
	if (!err)
		err = pc_bo_create_contig(fd, MAP_SIZE, PC_4K, &b->bo);
	if (!err)
		err = pc_bo_create(fd, PC_4K, &b->loop_bo);
	if (!err)
		err = pc_map(fd, vm, &b->bo, 0, MAP_VA, MAP_SIZE, 0);
	if (!err)
		err = pc_map(fd, vm, &b->loop_bo, 0, LOOP_VA, PC_4K, 0);
	if (!err)
		err = keep_busy(b);
	/* When this has run, the loop does. */
	if (!err)
		err = pc_gpu_read(&b->gpu, LOOP_VA, &word, sizeof(word));
	return err ?: find_as(&b->as);
}

static void fini(struct bench *b)
{
	int fd = b->gpu.fd;

	*(volatile __u32 *)b->loop_bo.map = 0;
	pc_debugfs_write("vmali/inject", "undo");
	pc_group_destroy(fd, b->loop);
	pc_bo_destroy(&b->bo);
	pc_bo_destroy(&b->loop_bo);
	pc_gpu_fini(&b->gpu);
	pc_vm_destroy(fd, b->gpu.vm);
	pc_settle();
}

/* Any operation that flushes, but nothing of what was damaged. */
static int flush_elsewhere(struct bench *b)
{
	return pc_map(b->gpu.fd, b->gpu.vm, &b->bo, 0, ELSEWHERE, PC_4K, 0);
}

/**
 * struct mistake - What a driver could do wrong
 * @name: what it is
 * @command: how the model plants it, the address space left out
 * @before: the GPU uses this before, 0 if it does not have to
 * @after: and this afterwards
 * @fails: that job fails, for the GPU cannot go on
 * @flush: seen when another operation flushes what it did
 */
static const struct mistake {
	const char *name, *command;
	__u64 before, after;
	bool fails, flush;
} mistakes[] = {
	{ "a flush that was skipped", "unflushed %u 0x40011000", VA, VA, false, true },
	{ "a table used again too early", "reuse %u 0x40011000 0x40411000", VA, VA2, false, false },
	{ "a table given back too early", "free %u 0x40011000", 0, VA, true, false },
	{ "a wrong attribute bit", "attr %u 0x40011000", 0, VA, true, false },
};

static void plant_mistake(int fd, const struct mistake *m)
{
	char command[80];
	struct bench b;
	long long old;
	bool found;
	__u32 word;
	int err;

	err = init(&b, fd);
	if (err) {
		ksft_test_result_error("%s: nowhere to plant it (%d)\n", m->name, err);
		return;
	}
	if (m->before)
		err = pc_gpu_read(&b.gpu, m->before, &word, sizeof(word));
	old = reported();
	snprintf(command, sizeof(command), m->command, b.as);
	err = err ?: pc_debugfs_write("vmali/inject", command);
	if (err)
		ksft_print_msg("not planted: %d\n", err);

	err = pc_gpu_read(&b.gpu, m->after, &word, sizeof(word));
	if (m->flush)
		flush_elsewhere(&b);
	found = reported() > old && (err != 0) == m->fails;
	if (!found)
		ksft_print_msg("the job has ended with %d, reports: %lld\n", err, reported() - old);
	fini(&b);
	ksft_test_result(found, "%s\n", m->name);
}

int main(int argc, char **argv)
{
	size_t i;
	int fd;

	pc_no_more_arguments(argc, argv, 1, NULL);
	fd = pc_open();
	ksft_print_header();
	if (fd < 0)
		ksft_exit_skip("no panthor device\n");
	ksft_set_plan(PC_COUNT(mistakes));
	for (i = 0; i < PC_COUNT(mistakes); i++)
		plant_mistake(fd, &mistakes[i]);
	close(fd);
	ksft_finished();
}
