// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Random binds of several buffers in two VMs, compared with a model of which page
 * is where. What failed once fails again: vm_bind_random_test [ops [seed]], or
 * PANTHOR_OPS and PANTHOR_SEED in the environment.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <kselftest.h>

#include "panthor_args.h"
#include "panthor_log.h"
#include "panthor_model.h"
#include "panthor_pages.h"
#include "panthor_space.h"

#define VMS		2
#define BOS		4
#define MOST_OPS	8
#define DEFAULT_OPS	2000

struct test {
	int fd;
	unsigned long ops;
	unsigned long long seed;
	struct pc_bo bo[BOS];
	struct pc_space space[VMS];
	struct pc_pages pages[VMS];
	__u32 bound[VMS];
};

/* How the ops come to the driver. */
enum mode {
	SYNC,
	ASYNC,
	MIXED,
	MODES,
};

static const char * const mode_names[MODES] = {
	[SYNC] = "synchronous",
	[ASYNC] = "asynchronous",
	[MIXED] = "mixed",
};

static struct test test;

static const char usage[] = "usage: vm_bind_random_test [ops [seed]]\n";

static int make_buffers(struct test *t)
{
	static const struct {
		__u32 size, chunk;
	} kinds[BOS] = {
		{ 8 << 20, 2 << 20 },
		{ 4 << 20, 4 << 10 },
		{ 4 << 20, 0 },
		{ 192 << 10, 0 },
	};
	__u32 i;
	int err;

	for (i = 0; i < BOS; i++) {
		err = kinds[i].chunk ? pc_bo_create_contig(t->fd, kinds[i].size, kinds[i].chunk,
							   &t->bo[i]) : -ENOENT;
		if (err == -ENOENT)
			err = pc_bo_create(t->fd, kinds[i].size, &t->bo[i]);
		if (err)
			return err;
		pc_fill(t->bo[i].map, t->bo[i].size, i + 1);
	}

	return 0;
}

/* All that has been bound is there. */
static int settle(struct pc_gpu *gpu)
{
	int err = gpu->after ? pc_syncobj_finish(gpu->fd, gpu->after, PC_JOB_NS) : 0;

	gpu->after = 0;
	return err;
}

/* A few ops; a job after this sees what they did, and what those before them did. */
static int bind_some(struct test *t, __u32 vm, enum mode mode, __u32 *count)
{
	struct drm_panthor_sync_op done = pc_signal_op(t->bound[vm], 0);
	struct drm_panthor_vm_bind_op ops[MOST_OPS];
	struct pc_pages *pages = &t->pages[vm];
	struct pc_gpu *gpu = pages->gpu;
	__u32 i;

	*count = 1 + pc_pages_random(pages, MOST_OPS);
	for (i = 0; i < *count; i++) {
		ops[i] = pc_pages_op(pages);
		pc_pages_apply(pages, &ops[i]);
	}

	/* A synchronous one would overtake the others. */
	if (mode == SYNC || (mode == MIXED && pc_pages_random(pages, 2)))
		return settle(gpu) ?: pc_bind(gpu->fd, gpu->vm, ops, *count);

	pc_op_syncs(&ops[*count - 1], &done, 1);
	gpu->after = t->bound[vm];
	return pc_bind_async(gpu->fd, gpu->vm, ops, *count);
}

static int failed(const char *what, int err, unsigned long done, __u64 va)
{
	ksft_print_msg("%s after %lu ops", what, done);
	/* A job that fails does not tell where. */
	if (va)
		printf(" at 0x%llx", (unsigned long long)va);
	printf(": %d\n", err);
	return err;
}

/* One round in one VM. */
static int step(struct test *t, __u32 vm, enum mode mode, unsigned long *done, __u64 *checked)
{
	struct pc_pages *pages = &t->pages[vm];
	__u32 count;
	__u64 va = 0;
	int err;

	err = bind_some(t, vm, mode, &count);
	*done += count;
	if (err)
		return failed("bind", err, *done, 0);

	err = pc_pages_check(pages, 64, &va, checked);
	if (err)
		return failed(pc_gpu_what(err), err, *done, va);

	if (pc_pages_random(pages, 64))
		return 0;
	va = pc_pages_hole(pages);
	err = va ? pc_space_faults(&t->space[vm], va) : 0;
	return err ? failed("no fault", err, *done, va) : 0;
}

static int finish(struct test *t, __u32 vm, unsigned long done, __u64 *checked)
{
	struct pc_gpu *gpu = &t->space[vm].gpu;
	__u64 va = 0;
	int err;

	err = pc_pages_check_all(&t->pages[vm], &va, checked);
	if (err)
		return failed(pc_gpu_what(err), err, done, va);

	err = settle(gpu) ?: pc_unmap(t->fd, gpu->vm, PC_WINDOW_VA, PC_WINDOW_PAGES * PC_4K);
	return err ? failed("unmap", err, done, PC_WINDOW_VA) : 0;
}

static int run(struct test *t, enum mode mode)
{
	unsigned long done = 0;
	__u64 checked = 0;
	__u32 vm;
	int err = 0;

	for (vm = 0; vm < VMS; vm++)
		pc_pages_init(&t->pages[vm], &t->space[vm].gpu, t->bo, BOS,
			      t->seed + mode * VMS + vm);

	while (done < t->ops && !err)
		for (vm = 0; vm < VMS && !err; vm++)
			err = step(t, vm, mode, &done, &checked);
	for (vm = 0; vm < VMS && !err; vm++)
		err = finish(t, vm, done, &checked);

	ksft_print_msg("%lu ops, %llu bytes checked\n", done, (unsigned long long)checked);
	return err;
}

static int setup(struct test *t)
{
	__u32 i;
	int err;

	err = make_buffers(t);
	for (i = 0; i < VMS && !err; i++)
		err = pc_syncobj_create(t->fd, false, &t->bound[i]) ?:
		      pc_space_init(&t->space[i], t->fd);
	return err;
}

/* The first that is given. */
static unsigned long long parameter(const char *text, const char *what, const char *env,
				    unsigned long long least, unsigned long long most,
				    unsigned long long otherwise)
{
	if (text)
		return pc_number(what, text, least, most, usage);
	text = getenv(env);
	return text ? pc_number(env, text, least, most, usage) : otherwise;
}

static void parse(struct test *t, int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		exit(0);
	}
	pc_no_more_arguments(argc, argv, 3, usage);
	t->ops = parameter(argc > 1 ? argv[1] : NULL, "ops", "PANTHOR_OPS", 1, ULONG_MAX,
			   DEFAULT_OPS);
	t->seed = parameter(argc > 2 ? argv[2] : NULL, "seed", "PANTHOR_SEED", 0, ULLONG_MAX,
			    time(NULL) ^ getpid());
}

int main(int argc, char **argv)
{
	long long errors;
	enum mode mode;
	int err = 0;
	__u32 i;

	parse(&test, argc, argv);
	pc_log_init();
	ksft_print_header();
	test.fd = pc_open();
	if (test.fd < 0)
		ksft_exit_skip("no panthor device\n");

	ksft_set_plan(5);
	ksft_print_msg("seed %llu\n", test.seed);

	errors = pc_model_errors();
	if (setup(&test))
		ksft_exit_fail_msg("no memory, or no VM\n");

	/* After a failure, groups are dead, and memory is mapped that should not be. */
	for (mode = 0; mode < MODES; mode++) {
		if (err) {
			ksft_test_result_skip("%s\n", mode_names[mode]);
			continue;
		}
		err = run(&test, mode);
		ksft_test_result(!err, "%s\n", mode_names[mode]);
	}
	if (errors < 0)
		ksft_test_result_skip("no judge\n");
	else
		ksft_test_result(pc_model_errors() == errors, "judge of the GPU\n");

	for (i = 0; i < VMS; i++)
		pc_space_fini(&test.space[i]);
	close(test.fd);
	ksft_test_result(pc_log_report(), "GPU faults and job time-outs\n");
	ksft_finished();
}
