/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * What the fixtures of all tests do: open the device, make a VM, and at the end
 * compare memory as the GPU sees it with what it should be, ask the model of the GPU,
 * if there is one, whether it has seen anything wrong, and look for GPU faults and job
 * time-outs that the case has not announced. Also refuses arguments that no test has.
 */
#ifndef PANTHOR_TEST_H
#define PANTHOR_TEST_H

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

#include "panthor_args.h"
#include "panthor_log.h"
#include "panthor_model.h"
#include "panthor_space.h"

/**
 * struct pc_env - What each case starts with
 * @fd: the device
 * @space: a VM
 * @errors: what the judge had found before; negative without one
 */
struct pc_env {
	int fd;
	struct pc_space space;
	long long errors;
};

static inline void pc_env_setup(struct __test_metadata *_metadata, struct pc_env *env)
{
	env->fd = pc_open();
	if (env->fd < 0)
		SKIP(return, "no panthor device");

	env->errors = pc_model_errors();
	if (env->errors >= 0)
		ASSERT_TRUE(pc_log_works());
	ASSERT_EQ(0, pc_space_init(&env->space, env->fd));
}

/* Also for further spaces of a case, before they go away. */
static inline void pc_expect_space(struct __test_metadata *_metadata, struct pc_space *space)
{
	__u64 va = 0;
	int err = pc_space_check(space, &va);

	EXPECT_EQ(0, err) {
		TH_LOG("%s at 0x%llx", pc_gpu_what(err), (unsigned long long)va);
	}
}

static inline void pc_expect_log(struct __test_metadata *_metadata)
{
	const struct pc_log *log = pc_log_read();

	EXPECT_EQ(log->faults_provoked, log->faults) {
		TH_LOG("GPU faults of this program so far");
	}
	EXPECT_EQ(log->timeouts_provoked, log->timeouts) {
		TH_LOG("job time-outs of this program so far");
	}
	pc_log_settle();
}

static inline void pc_env_teardown(struct __test_metadata *_metadata, struct pc_env *env)
{
	long long errors;

	pc_expect_space(_metadata, &env->space);

	errors = pc_model_errors();
	if (env->errors >= 0) {
		EXPECT_EQ(env->errors, errors) {
			TH_LOG("the judge of the GPU has found errors: see vmali/check");
		}
	}

	pc_space_fini(&env->space);
	close(env->fd);
	pc_expect_log(_metadata);
}

/*
 * A client in a process of its own, with an open file of its own: @work calls pc_ready()
 * when it is far enough, and does not end. Returns its process then.
 */
static inline pid_t pc_start_client(struct __test_metadata *_metadata,
				    void (*work)(int fd, int ready))
{
	int ends[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(ends));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(ends[0]);
		work(pc_open(), ends[1]);
		_exit(1);
	}
	close(ends[1]);
	EXPECT_EQ(1, read(ends[0], &byte, 1)) {
		TH_LOG("the client has failed");
	}
	close(ends[0]);
	return pid;
}

static inline void pc_kill_client(struct __test_metadata *_metadata, pid_t pid)
{
	int status;

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

/* The same some times over, at different moments of what @work does then. */
static inline void pc_kill_clients(struct __test_metadata *_metadata,
				   void (*work)(int fd, int ready))
{
	int i;

	for (i = 0; i < 5; i++) {
		pid_t pid = pc_start_client(_metadata, work);

		usleep(i * 7000);
		pc_kill_client(_metadata, pid);
	}
}

static inline void pc_ready(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
}

static pid_t pc_main_process;

/* The harness does not return. What came after the last case counts, too. */
static void pc_report_log(void)
{
	if (getpid() == pc_main_process && !pc_log_report())
		_exit(KSFT_FAIL);
}

/* The harness knows its options, and takes no notice of anything else. */
static inline int pc_test_run(int argc, char **argv)
{
	int ret = test_harness_argv_check(argc, argv);

	if (ret != KSFT_PASS)
		return ret;
	pc_no_more_arguments(argc, argv, optind, NULL);
	optind = 1;
	pc_log_init();
	pc_main_process = getpid();
	atexit(pc_report_log);
	return test_harness_run(argc, argv);
}

/* This is what TEST_HARNESS_MAIN calls. */
#define test_harness_run(argc, argv)	pc_test_run(argc, argv)

#endif
