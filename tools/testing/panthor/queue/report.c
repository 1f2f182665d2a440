// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * How the tests of queues run and report: each case in a process of its own, in the
 * manner of TAP, with a last line that run.sh sums up; numbers on the command line.
 */

#include <linux/kernel.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define OUTPUT_SIZE	65536

void (*report_context)(void);

static const char *program;
static unsigned int nr_passed, nr_failed;
static char output[OUTPUT_SIZE];

double report_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void shim_fail(const char *tag, const char *fmt, ...)
{
	va_list args;

	if (report_context)
		report_context();
	printf("FAIL [%s] ", tag);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

void report_begin(const char *name)
{
	program = name;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# %s\n", program);
}

/* Run it in a child whose output is kept. Returns whether it ended well. */
static bool run_child(report_fn run, const void *arg)
{
	size_t used = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	pid = pipe(fds) ? -1 : fork();
	if (pid < 0) {
		perror(program);
		exit(2);
	}
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		run(arg);
		fflush(stdout);
		exit(0);
	}

	close(fds[1]);
	while ((n = read(fds[0], output + used, OUTPUT_SIZE - 1 - used)) > 0)
		used += n;
	close(fds[0]);
	output[used] = '\0';
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

void report_result(bool ok, const char *name, const char *text)
{
	if (ok)
		nr_passed++;
	else
		nr_failed++;
	printf("%s %u - %s: %s # %.*s\n", ok ? "ok" : "not ok", nr_passed + nr_failed, program,
	       name, (int)strcspn(text, "\n"), text);
}

static void print_output(void)
{
	char *rest = output, *line;

	while ((line = strsep(&rest, "\n")))
		printf("#   %s\n", line);
}

static const char *last_line(void)
{
	size_t used = strlen(output);

	while (used && output[used - 1] == '\n')
		used--;
	output[used] = '\0';
	while (used && output[used - 1] != '\n')
		used--;
	return output + used;
}

void report_case(const char *name, report_fn run, const void *arg)
{
	bool ok = run_child(run, arg);

	report_result(ok, name, last_line());
	if (!ok)
		print_output();
}

void report_canary(const char *name, report_fn run, const void *arg, const char *found_by)
{
	bool ended_well = run_child(run, arg);
	const char *found = strstr(output, found_by);

	report_result(!ended_well && found, name, found ?: "was not found");
	if (ended_well || !found)
		print_output();
}

int report_end(void)
{
	printf("# %s: %u passed, %u failed\n", program, nr_passed, nr_failed);
	return nr_failed || !nr_passed;
}

bool report_option(const char *arg, const char *name, u64 min, u64 max, u64 *value)
{
	size_t len = strlen(name);
	char *end;

	if (strncmp(arg, name, len) || arg[len] != '=')
		return false;
	errno = 0;
	*value = strtoull(arg + len + 1, &end, 0);
	if (!isdigit((unsigned char)arg[len + 1]) || *end || errno || *value < min ||
	    *value > max) {
		fprintf(stderr, "%s: not a number from %llu to %llu\n", arg, min, max);
		exit(2);
	}
	return true;
}

void report_usage(const char *arg, const char *known)
{
	fprintf(stderr, "%s: unknown; there is %s\n", arg, known);
	exit(2);
}
