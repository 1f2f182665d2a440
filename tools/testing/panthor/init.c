// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The first process of a test kernel: runs the programs that its arguments name,
 * asks the virtual GPU, if there is one, whether the driver made mistakes, looks
 * for leaks, and powers off. All goes to the kernel's log, so that it is in order
 * with what the kernel says, and no line gets in the middle of another.
 *
 * Arguments: [--seconds=LIMIT] PROGRAM[,ARGUMENT...]..., programs in /panthor.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEBUGFS		"/sys/kernel/debug"

/* kmemleak does not report objects that are younger than five seconds. */
#define MIN_AGE		6

/* A record of the kernel's log has 1 KiB, our prefix included. */
#define MAX_LINE	900
#define MAX_ARGS	16

static FILE *out;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* What a program writes, in whole lines. */
struct lines {
	const char *program;
	char buf[MAX_LINE];
	size_t used;
};

static void emit(struct lines *l)
{
	fprintf(out, "panthor-test: %s: %.*s\n", l->program, (int)l->used, l->buf);
	l->used = 0;
}

static void add(struct lines *l, const char *data, size_t size)
{
	for (; size; data++, size--) {
		if (*data == '\n')
			emit(l);
		else if (l->used < sizeof(l->buf))
			l->buf[l->used++] = *data;
	}
}

/* Copies what comes out of @fd, until its end: true, or until @deadline: false. */
static bool copy(int fd, const char *program, double deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct lines lines = { .program = program };
	char buf[4096];
	double left;
	ssize_t n;

	while ((left = deadline - now()) > 0) {
		if (poll(&p, 1, left * 1000 + 1) <= 0)
			continue;
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		add(&lines, buf, n);
	}
	if (lines.used)
		emit(&lines);
	return left > 0;
}

static void exec(char *args[], int output)
{
	char path[256];

	snprintf(path, sizeof(path), "/panthor/%s", args[0]);
	setpgid(0, 0);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execv(path, args);
	perror(path);
	_exit(127);
}

static void run(char *spec, unsigned int limit)
{
	char *args[MAX_ARGS + 1] = {}, *arg;
	double start = now();
	int fds[2], status, n = 0;
	pid_t pid = -1;
	bool ended;

	for (arg = strtok(spec, ","); arg && n < MAX_ARGS; arg = strtok(NULL, ","))
		args[n++] = arg;

	if (n && !pipe(fds))
		pid = fork();
	if (pid < 0) {
		fprintf(out, "panthor-init: %s: not started: %m\n", spec);
		return;
	}
	if (!pid) {
		close(fds[0]);
		exec(args, fds[1]);
	}
	close(fds[1]);

	ended = copy(fds[0], args[0], start + limit);
	close(fds[0]);
	/* Also what it has left behind. */
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (!ended)
		fprintf(out, "panthor-init: %s: killed, not done after %u s\n", args[0], limit);
	else if (WIFSIGNALED(status))
		fprintf(out, "panthor-init: %s: killed by signal %d after %.1f s\n", args[0],
			WTERMSIG(status), now() - start);
	else
		fprintf(out, "panthor-init: %s: status %d after %.1f s\n", args[0],
			WEXITSTATUS(status), now() - start);
}

static int print(FILE *file, const char *prefix)
{
	char *line = NULL;
	size_t size = 0;
	int err;

	while (getline(&line, &size, file) > 0)
		fprintf(out, "%s%.*s", prefix, MAX_LINE, line);
	free(line);
	err = ferror(file) ? -1 : 0;
	fclose(file);
	return err;
}

/* The driver has nothing under way: the GPU compares its caches with the tables. */
static void ask_gpu(void)
{
	FILE *check = fopen(DEBUGFS "/vmali/check", "r");
	FILE *state = fopen(DEBUGFS "/vmali/state", "r");

	if (state)
		print(state, "panthor-gpu: ");
	if (check && print(check, "panthor-init: judge errors: "))
		fprintf(out, "panthor-init: no verdict of the GPU: %m\n");
}

static int leaks(void)
{
	FILE *file = fopen(DEBUGFS "/kmemleak", "r+");
	int i;

	if (!file)
		return -1;

	/* An object that changed since the last scan is reported by the next. */
	for (i = 0; i < 2; i++)
		if (fputs("scan", file) < 0 || fflush(file))
			return -1;
	rewind(file);
	return print(file, "");
}

static void mount_all(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/tmp", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) || mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) ||
	    mount("debugfs", DEBUGFS, "debugfs", 0, NULL) ||
	    mount("tmpfs", "/tmp", "tmpfs", 0, NULL))
		fprintf(out, "panthor-init: cannot mount all: %m\n");
}

int main(int argc, char **argv)
{
	unsigned int limit = 300;
	int i;

	out = fopen("/dev/kmsg", "we");
	if (out) {
		/* A record is one write. */
		setlinebuf(out);
		mount_all();
		for (i = 1; i < argc; i++)
			if (sscanf(argv[i], "--seconds=%u", &limit) != 1)
				run(argv[i], limit);
		sleep(MIN_AGE);
		ask_gpu();
		if (leaks())
			fprintf(out, "panthor-init: no scan: %m\n");
		else
			fputs("panthor-init: scanned\n", out);
	}
	reboot(RB_POWER_OFF);
	return 1;
}
