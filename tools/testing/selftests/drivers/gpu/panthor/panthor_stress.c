// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Stress for the panthor driver: children that bind, run jobs and verify memory, and
 * a parent that kills some of them, lets the firmware hang, takes memory away and
 * makes allocations fail. It ends with a table; its exit status is not 0 if a byte
 * was wrong, an error had no reason, or a child did not get on.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "panthor_model.h"
#include "panthor_stress.h"

#define SECOND		1000000000ll
#define HANG_NS		(30 * SECOND)
#define KILL_NS		SECOND
#define RESET_NS	(6 * SECOND)
#define DURATION	60
#define CHILDREN	4

static const struct option options[] = {
	{ "children", required_argument, NULL, 'c' },
	{ "seed", required_argument, NULL, 's' },
	{ "hog", required_argument, NULL, 'm' },
	{ "inject", no_argument, NULL, 'i' },
	{ "no-resets", no_argument, NULL, 'r' },
	{ "no-kills", no_argument, NULL, 'k' },
	{ "verbose", no_argument, NULL, 'v' },
	{ }
};

static const char usage[] =
	"usage: panthor_stress [options] [seconds]\n"
	"  --children N  this many children (4)\n"
	"  --seed N      of the random numbers\n"
	"  --hog MIB     one more child that takes that much memory again and again\n"
	"  --inject      let allocations of the children fail (fault injection)\n"
	"  --no-resets   do not hang the firmware\n"
	"  --no-kills    do not kill children\n"
	"  --verbose     tell each error that has no reason\n";

/**
 * struct parent - What the parent knows
 * @pid: of the children; the last is the hog
 * @kills: children that it killed
 * @deaths: that ended otherwise
 * @resets: times it let the firmware hang
 */
struct parent {
	struct stress *stress;
	pid_t pid[STRESS_CHILDREN + 1];
	__u64 random;
	__u64 kills;
	__u64 deaths;
	__u64 resets;
};

__s64 stress_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static __u32 random_below(struct parent *p, __u32 limit)
{
	p->random = p->random * 6364136223846793005ull + 1442695040888963407ull;
	return (p->random >> 33) % limit;
}

void stress_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/* The children say which of their allocations fail; here, that any may. */
static int allow_injection(void)
{
	static const char * const settings[][2] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
	};
	size_t i;
	int err = 0;

	for (i = 0; i < PC_COUNT(settings) && !err; i++)
		err = pc_debugfs_write(settings[i][0], settings[i][1]);
	return err;
}

static void hog(struct stress *s)
{
	size_t size = (size_t)s->hog << 20, i;

	stress_write("/proc/self/oom_score_adj", "1000");
	for (;;) {
		char *memory = malloc(size);

		for (i = 0; memory && i < size; i += 4096)
			memory[i] = i;
		usleep(200000);
		free(memory);
		usleep(200000);
	}
}

static void spawn(struct parent *p, __u32 number)
{
	struct stress *s = p->stress;
	__u64 seed = (__u64)random_below(p, ~0u) << 8 | number;
	pid_t pid = fork();

	if (pid > 0) {
		p->pid[number] = pid;
		return;
	}
	if (pid < 0)
		return;
	if (number == STRESS_CHILDREN)
		hog(s);
	stress_write("/proc/self/oom_score_adj", "0");
	_exit(stress_work(s, &s->child[number], seed));
}

static void reap(struct parent *p)
{
	__u32 i;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (i = 0; i <= STRESS_CHILDREN; i++) {
			if (p->pid[i] != pid)
				continue;
			p->pid[i] = 0;
			p->deaths++;
		}
	}
}

static void spawn_all(struct parent *p)
{
	struct stress *s = p->stress;
	__u32 i;

	for (i = 0; i < s->children; i++) {
		if (p->pid[i])
			continue;
		s->child[i].progress = stress_now();
		s->child[i].injecting = false;
		spawn(p, i);
	}
	if (s->hog && !p->pid[STRESS_CHILDREN])
		spawn(p, STRESS_CHILDREN);
}

/* Returns whether it may be killed now: while it is stopped, nothing changes that. */
static bool stop(struct parent *p, __u32 number)
{
	pid_t pid = p->pid[number];
	int status;

	if (!p->stress->inject)
		return true;

	kill(pid, SIGSTOP);
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status)) {
		p->pid[number] = 0;
		p->deaths++;
		return false;
	}
	if (!p->stress->child[number].injecting)
		return true;
	kill(pid, SIGCONT);
	return false;
}

static void kill_child(struct parent *p, __u32 number)
{
	pid_t pid = p->pid[number];

	while (p->pid[number] && !stop(p, number))
		usleep(1000);
	if (!p->pid[number])
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	p->pid[number] = 0;
}

static void kill_one(struct parent *p)
{
	__u32 number = random_below(p, p->stress->children);

	if (!p->pid[number])
		return;
	kill_child(p, number);
	p->kills++;
}

static void reset(struct parent *p)
{
	p->stress->reset = stress_now();
	if (!pc_model_hang())
		p->resets++;
	else
		p->stress->reset = 0;
}

/* The number of a child that has not moved for too long, or -1. */
static int stuck(struct parent *p)
{
	struct stress *s = p->stress;
	__u32 i;

	for (i = 0; i < s->children; i++)
		if (p->pid[i] && stress_now() - s->child[i].progress > HANG_NS)
			return i;
	return -1;
}

static void show_stack(pid_t pid)
{
	char path[64], text[4096];
	int fd;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	fd = open(path, O_RDONLY);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (len > 0)
		fwrite(text, 1, len, stdout);
	if (fd >= 0)
		close(fd);
}

/* Returns the child that is stuck, or -1 when the time is over. */
static int run(struct parent *p, __s64 end)
{
	struct stress *s = p->stress;
	__s64 next_kill = stress_now() + SECOND, next_reset = stress_now() + 2 * SECOND;
	int child = -1;

	while (stress_now() < end && child < 0) {
		reap(p);
		spawn_all(p);
		usleep(10000);
		if (!s->no_kills && stress_now() > next_kill) {
			kill_one(p);
			next_kill = stress_now() + random_below(p, 2 * KILL_NS);
		}
		if (!s->no_resets && stress_now() > next_reset) {
			reset(p);
			next_reset = stress_now() + RESET_NS / 2 + random_below(p, 2) * RESET_NS;
		}
		child = stuck(p);
	}

	if (child >= 0) {
		printf("child %d (process %d) is stuck:\n", child, p->pid[child]);
		show_stack(p->pid[child]);
	}
	return child;
}

static void kill_all(struct parent *p)
{
	__u32 i;

	for (i = 0; i < STRESS_CHILDREN; i++)
		kill_child(p, i);
	if (p->pid[STRESS_CHILDREN])
		kill(p->pid[STRESS_CHILDREN], SIGKILL);
}

static void line(const char *what, __u64 count)
{
	printf("%-32s %12llu\n", what, (unsigned long long)count);
}

/* Returns whether all was well. */
static bool report(struct parent *p, double seconds)
{
	struct stress *s = p->stress;
	struct stress_child sum = {};
	__u32 i, e;

	for (i = 0; i < s->children; i++) {
		struct stress_child *c = &s->child[i];

		sum.binds += c->binds;
		sum.jobs += c->jobs;
		sum.lost += c->lost;
		sum.checked += c->checked;
		sum.wrong += c->wrong;
		sum.vms += c->vms;
		sum.unexpected += c->unexpected;
		for (e = 0; e < STRESS_ERRNOS; e++)
			sum.errors[e] += c->errors[e];
		if (c->wrong)
			printf("child %u: wrong at 0x%llx\n", i, (unsigned long long)c->wrong_va);
	}

	line("binds", sum.binds);
	line("  a second", sum.binds / seconds);
	line("jobs", sum.jobs);
	line("  a second", sum.jobs / seconds);
	line("  lost", sum.lost);
	line("VMs", sum.vms);
	line("children killed", p->kills);
	line("children that ended", p->deaths);
	line("resets", p->resets);
	line("bytes checked", sum.checked);
	line("lines that were wrong", sum.wrong);
	line("errors without a reason", sum.unexpected);
	for (e = 0; e < STRESS_ERRNOS; e++)
		if (sum.errors[e])
			line(strerror(e), sum.errors[e]);
	return !sum.wrong && !sum.unexpected;
}

static void parse(struct stress *s, int argc, char **argv, int *seconds)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "c:s:m:irkv", options, NULL)) >= 0) {
		switch (opt) {
		case 'c':
			s->children = atoi(optarg);
			break;
		case 's':
			s->seed = strtoull(optarg, NULL, 0);
			break;
		case 'm':
			s->hog = atoi(optarg);
			break;
		case 'i':
			s->inject = true;
			break;
		case 'r':
			s->no_resets = true;
			break;
		case 'k':
			s->no_kills = true;
			break;
		case 'v':
			s->verbose = true;
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}

	if (optind < argc)
		*seconds = atoi(argv[optind]);
	if (s->children < 1 || s->children > STRESS_CHILDREN || *seconds < 1) {
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct parent p = {};
	long long before, after;
	int seconds = DURATION, child, fd;
	bool well;
	__s64 start;

	p.stress = mmap(NULL, sizeof(*p.stress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p.stress == MAP_FAILED)
		return 2;

	p.stress->children = CHILDREN;
	p.stress->seed = time(NULL);
	parse(p.stress, argc, argv, &seconds);
	p.random = p.stress->seed;

	/* Whoever is killed for want of memory, it is not this one. */
	stress_write("/proc/self/oom_score_adj", "-1000");
	fd = pc_open();
	if (fd < 0) {
		puts("no panthor device");
		return 4;
	}
	close(fd);
	if (p.stress->inject && allow_injection()) {
		puts("no fault injection in this kernel");
		return 4;
	}

	printf("seed %llu, %u children, %d s\n", (unsigned long long)p.stress->seed,
	       p.stress->children, seconds);
	fflush(stdout);
	before = pc_model_errors();
	start = stress_now();
	child = run(&p, start + seconds * SECOND);
	kill_all(&p);

	well = report(&p, (stress_now() - start) / (double)SECOND) && child < 0;
	after = pc_model_errors();
	if (after != before)
		printf("the judge of the GPU has found %lld errors\n", after - before);
	return well && after == before ? 0 : 1;
}
