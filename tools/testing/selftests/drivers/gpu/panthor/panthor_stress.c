// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Stress for the panthor driver: children that bind, run jobs and verify memory, and
 * a parent that kills some of them, lets the firmware hang, takes memory away and
 * makes allocations fail. It ends with a table; its exit status is not 0 if a byte
 * was wrong, an error had no reason, a child did not get on or crashed, or if there
 * was no stress: too few binds or jobs, no reset, no want of memory. Also if it is told to
 * end by a signal, it ends when the firmware does not hang.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "panthor_args.h"
#include "panthor_model.h"
#include "panthor_stress.h"

#define SECOND		1000000000ll
#define HANG_NS		(30 * SECOND)
#define KILL_NS		SECOND
#define DURATION	60
#define CHILDREN	4

/*
 * The driver must have reset the GPU after one, and let jobs go well again after one more;
 * then it goes on for some of the other.
 */
#define NOTICE_NS	(15 * SECOND)
#define RESET_NS	(3 * SECOND)

/* From a hang to a job that goes well, on average: three seconds on an idle machine. */
#define RECOVERY_NS	(10 * SECOND)

/* Less than that of binds or jobs in a second without a hang is not even a test. */
#define LEAST		100

/* The hog takes what /proc/meminfo calls available, the last of it slowly, and more. */
#define HOG_SLOW	(8 << 20)
#define HOG_STEP	(128 << 10)
#define HOG_MOST	0x10000000000

static const struct option options[] = {
	{ "children", required_argument, NULL, 'c' },
	{ "seed", required_argument, NULL, 's' },
	{ "hog", no_argument, NULL, 'm' },
	{ "inject", no_argument, NULL, 'i' },
	{ "no-resets", no_argument, NULL, 'r' },
	{ "no-kills", no_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static const char usage[] =
	"usage: panthor_stress [options] [seconds]\n"
	"  --children N  this many children (4)\n"
	"  --seed N      of the random numbers\n"
	"  --hog         one more child that takes all memory again and again\n"
	"  --inject      let allocations of the children fail (fault injection)\n"
	"  --no-resets   do not hang the firmware\n"
	"  --no-kills    do not kill children\n";

/**
 * struct memory - What the kernel has done for want of memory
 * @stalls: allocations that had to reclaim
 * @scanned: pages that they, or kswapd, looked at
 * @killed: processes
 * @known: the kernel counts all that
 */
struct memory {
	__u64 stalls;
	__u64 scanned;
	__u64 killed;
	bool known;
};

/**
 * struct parent - What the parent knows
 * @pid: of the children; the last is the hog
 * @kills: children that it killed
 * @deaths: that ended by themselves
 * @oom_kills: that the kernel killed, the hog too
 * @unfed: that touched a buffer whose page could not be had
 * @crashes: that ended in a way that none may
 * @hangs: times it let the firmware hang,
 * @resets: and the driver noticed,
 * @recoveries: and jobs went well afterwards
 * @seen: resets before the last of them
 * @since: when that was, or its reset
 * @hung: when it was
 * @down: time from hangs to the next job that went well
 * @before: at the start
 */
struct parent {
	struct stress *stress;
	pid_t pid[STRESS_CHILDREN + 1];
	__u64 random;
	__u64 kills;
	__u64 deaths;
	__u64 oom_kills;
	__u64 unfed;
	__u64 crashes;
	__u64 hangs;
	__u64 resets;
	__u64 recoveries;
	long long seen;
	__s64 since;
	__s64 hung;
	__s64 down;
	struct memory before;
};

static bool stopped;

static void on_signal(int signal)
{
	(void)signal;
	__atomic_store_n(&stopped, true, __ATOMIC_SEQ_CST);
}

static void handle_signals(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static bool is_stopped(void)
{
	return __atomic_load_n(&stopped, __ATOMIC_SEQ_CST);
}

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

/* Bytes, or 0. */
static size_t available(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	size_t kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %zu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
}

static struct memory look_at_memory(void)
{
	FILE *file = fopen("/proc/vmstat", "r");
	unsigned long long count;
	struct memory memory = {};
	char name[64];

	while (file && fscanf(file, "%63s %llu", name, &count) == 2) {
		if (!strncmp(name, "allocstall", 10))
			memory.stalls += count;
		else if (!strcmp(name, "pgscan_kswapd") || !strcmp(name, "pgscan_direct"))
			memory.scanned += count;
		else if (!strcmp(name, "oom_kill"))
			memory.killed = count;
		memory.known |= !strcmp(name, "oom_kill");
	}
	if (file)
		fclose(file);
	return memory;
}

/*
 * Most often it is killed before it has all that it wants. Memory that nobody maps takes
 * no time away from the others.
 */
static void hog(void)
{
	stress_write("/proc/self/oom_score_adj", "1000");
	for (;;) {
		int fd = memfd_create("hog", MFD_CLOEXEC), err;
		off_t done = available();

		done = done > HOG_SLOW ? done - HOG_SLOW : HOG_STEP;
		err = fallocate(fd, 0, 0, done);
		while (!err && done < HOG_MOST) {
			usleep(10000);
			err = fallocate(fd, 0, done, HOG_STEP);
			done += HOG_STEP;
		}
		usleep(200000);
		close(fd);
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
	/* It is the parent who ends them. */
	handle_signals(SIG_IGN);
	if (number == STRESS_CHILDREN)
		hog();
	stress_write("/proc/self/oom_score_adj", "0");
	_exit(stress_work(s, &s->child[number], seed));
}

/*
 * Not by us. What the kernel kills for want of memory, it counts. The driver of 7.3 gets
 * the pages of a buffer when they are touched, and then there is no other way to say no.
 */
static void ended(struct parent *p, __u32 number, int status)
{
	p->pid[number] = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		p->oom_kills++;
	} else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS &&
		   (p->stress->hog || p->stress->inject)) {
		p->unfed++;
	} else if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		p->deaths++;
	} else {
		p->crashes++;
		printf("child %u: %s %d\n", number, WIFSIGNALED(status) ? "signal" : "status",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
}

static void reap(struct parent *p)
{
	int status;
	__u32 i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i <= STRESS_CHILDREN; i++)
			if (p->pid[i] == pid)
				ended(p, i, status);
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
		ended(p, number, status);
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
	int status;

	while (p->pid[number] && !stop(p, number))
		usleep(1000);
	if (!p->pid[number])
		return;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	p->pid[number] = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		p->kills++;
	else
		ended(p, number, status);
}

static void set_epoch(struct parent *p, __u32 epoch)
{
	__atomic_store_n(&p->stress->epoch, epoch, __ATOMIC_SEQ_CST);
}

static void hang(struct parent *p)
{
	__u32 epoch = p->stress->epoch;

	p->seen = pc_model_hang_resets();
	set_epoch(p, epoch + 1);
	if (pc_model_hang()) {
		set_epoch(p, epoch);
		return;
	}
	p->hangs++;
	p->since = stress_now();
	p->hung = p->since;
}

/* A job that was submitted after the reset has gone well. */
static bool has_recovered(const struct stress *s)
{
	__u32 i;

	for (i = 0; i < s->children; i++)
		if (__atomic_load_n(&s->child[i].well, __ATOMIC_SEQ_CST) == s->epoch)
			return true;
	return false;
}

/* Returns whether the firmware does not hang, and what it did to jobs is over. */
static bool has_been_reset(struct parent *p)
{
	struct stress *s = p->stress;
	bool recovered;

	if (s->epoch == s->settled)
		return true;
	if (s->epoch % 2 && pc_model_hang_resets() > p->seen) {
		p->resets++;
		p->since = stress_now();
		set_epoch(p, s->epoch + 1);
	}
	recovered = s->epoch % 2 == 0 && has_recovered(s);
	if (!recovered && stress_now() - p->since < NOTICE_NS)
		return false;

	/* What is lost from here on has no reason, also if this was in vain. */
	p->recoveries += recovered;
	p->down += stress_now() - p->hung;
	set_epoch(p, s->epoch + s->epoch % 2);
	__atomic_store_n(&s->settled, s->epoch, __ATOMIC_SEQ_CST);
	return true;
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

static bool is_over(__s64 end)
{
	return stress_now() >= end || is_stopped();
}

/* Returns the child that is stuck, or -1 when the time is over. */
static int run(struct parent *p, __s64 end)
{
	struct stress *s = p->stress;
	__s64 next_kill = stress_now() + SECOND, next_hang = stress_now() + 2 * SECOND;
	int child = -1;

	while (!is_over(end) || !has_been_reset(p)) {
		reap(p);
		spawn_all(p);
		usleep(10000);
		if (!s->no_kills && stress_now() > next_kill) {
			kill_child(p, random_below(p, s->children));
			next_kill = stress_now() + random_below(p, 2 * KILL_NS);
		}
		if (!has_been_reset(p))
			next_hang = stress_now() + RESET_NS + random_below(p, RESET_NS);
		else if (!s->no_resets && stress_now() > next_hang && !is_over(end))
			hang(p);
		child = stuck(p);
		if (child >= 0)
			break;
	}

	if (child >= 0) {
		printf("child %d (process %d) is stuck:\n", child, p->pid[child]);
		show_stack(p->pid[child]);
	}
	return child;
}

static void kill_all(struct parent *p, bool stuck)
{
	__u32 i;

	/* One that is stuck may be so for ever: do not wait for it. */
	for (i = 0; i < STRESS_CHILDREN; i++)
		if (!stuck)
			kill_child(p, i);
		else if (p->pid[i])
			kill(p->pid[i], SIGKILL);
	if (p->pid[STRESS_CHILDREN])
		kill(p->pid[STRESS_CHILDREN], SIGKILL);
	p->pid[STRESS_CHILDREN] = 0;
}

/* Who comes next wants a firmware that answers: what has been killed makes it meet a hang. */
static bool is_hung(void)
{
	__s64 end = stress_now() + NOTICE_NS;

	while (pc_model_hung() > 0 && stress_now() < end)
		usleep(10000);
	return pc_model_hung() > 0;
}

static void line(const char *what, __u64 count)
{
	printf("%-32s %12llu\n", what, (unsigned long long)count);
}

/* Returns whether it is true that all is @well. */
static bool expect(bool well, const char *complaint)
{
	if (!well)
		puts(complaint);
	return well;
}

static struct stress_child sum_up(const struct stress *s)
{
	struct stress_child sum = {};
	__u32 i, e;

	for (i = 0; i < s->children; i++) {
		const struct stress_child *c = &s->child[i];

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
	return sum;
}

/* Returns whether all was well. */
static bool report(struct parent *p, double seconds)
{
	struct stress_child sum = sum_up(p->stress);
	struct memory now = look_at_memory(), *before = &p->before;
	double up = seconds - p->down / (double)SECOND;
	bool hog = p->stress->hog, well;
	__u32 e;

	line("binds", sum.binds);
	line("  a second", sum.binds / seconds);
	line("jobs", sum.jobs);
	line("  a second", sum.jobs / seconds);
	line("  lost", sum.lost);
	line("VMs", sum.vms);
	line("children killed", p->kills);
	line("  by the kernel", p->oom_kills);
	line("children that ended", p->deaths);
	line("children without a page that they touched", p->unfed);
	line("children that crashed", p->crashes);
	line("times the firmware hung", p->hangs);
	line("resets for that", p->resets);
	line("  and jobs went well again", p->recoveries);
	line("  milliseconds until then", p->down / 1000000);
	if (!now.known)
		puts("the kernel does not count what it does for want of memory");
	line("allocations that reclaimed", now.stalls - before->stalls);
	line("pages scanned for that", now.scanned - before->scanned);
	line("processes killed for memory", now.killed - before->killed);
	line("bytes checked", sum.checked);
	line("lines that were wrong", sum.wrong);
	line("errors without a reason", sum.unexpected);
	for (e = 0; e < STRESS_ERRNOS; e++)
		if (sum.errors[e])
			line(strerror(e), sum.errors[e]);

	well = expect(!sum.wrong && !sum.unexpected && !p->crashes, "the driver did wrong");
	well &= expect(sum.binds > LEAST * up && sum.jobs > LEAST * up && sum.checked,
		       "too little was done");
	well &= expect(p->resets == p->hangs, "the firmware hung, and the GPU was not reset");
	well &= expect(p->recoveries == p->resets, "after a reset, no job went well");
	well &= expect(p->down <= (__s64)p->hangs * RECOVERY_NS, "the GPU was down for too long");
	well &= expect(p->hangs || p->stress->no_resets, "the firmware never hung");
	well &= expect(!now.known || p->oom_kills <= now.killed - before->killed,
		       "somebody kills children");
	well &= expect(!hog || (p->oom_kills && (!now.known || now.stalls > before->stalls)),
		       "there was enough memory");
	return well;
}

static void parse(struct stress *s, int argc, char **argv, int *seconds)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "c:s:mirkh", options, NULL)) >= 0) {
		switch (opt) {
		case 'c':
			s->children = pc_number("--children", optarg, 1, STRESS_CHILDREN, usage);
			break;
		case 's':
			s->seed = pc_number("--seed", optarg, 0, ULLONG_MAX, usage);
			break;
		case 'm':
			s->hog = true;
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
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}

	if (optind < argc)
		*seconds = pc_number("seconds", argv[optind++], 1, INT_MAX, usage);
	pc_no_more_arguments(argc, argv, optind, usage);
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
	p.before = look_at_memory();
	handle_signals(on_signal);
	start = stress_now();
	child = run(&p, start + seconds * SECOND);
	kill_all(&p, child >= 0);

	well = report(&p, (stress_now() - start) / (double)SECOND) && child < 0;
	well &= expect(!is_hung(), "the firmware still hangs");
	after = pc_model_errors();
	if (after != before)
		printf("the judge of the GPU has found %lld errors\n", after - before);
	return well && after == before ? 0 : 1;
}
