// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The test program: runs the cases, each in a process of its own, shortens a
 * random sequence that fails, and reports in the manner of TAP.
 */

#include <errno.h>
#include <ctype.h>
#include <getopt.h>
#include <signal.h>
#include <sanitizer/common_interface_defs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "panthor_pgtable.h"
#include "ops.h"
#include "unit.h"

#define PAGE_NAME	(SHIM_PAGE_SHIFT == 12 ? "4K" : SHIM_PAGE_SHIFT == 14 ? "16K" : "64K")

/* Operations on one page table, before the next one is made. */
#define SESSION_OPS	128

/* Failing configurations whose operations are shortened; it takes seconds. */
#define MAX_EXPLAINED	3

/* A case that takes longer hangs. */
#define WATCHDOG_SECONDS	60

#define LOG_LINES	512
#define LOG_SHOWN	16
#define OUTPUT_SIZE	65536

static struct options {
	u64 seed;
	u64 ops;
	double seconds;
	long session;
	const char *only;
	const char *break_name;
	bool keep_long;
	bool quick;
} options = { .seconds = 10, .session = -1 };

/* What a child process leaves: its result, and what it printed. */
struct outcome {
	bool ok;
	struct ops_result result;
	double seconds;
	u64 session;
	char output[OUTPUT_SIZE];
};

static unsigned int nr_passed, nr_failed;

/*
 * The log of the child, and how it fails.
 */

static char log_lines[LOG_LINES][192];
static unsigned int log_next;
static unsigned int log_shown = LOG_SHOWN;
static char log_title[256];

void test_begin(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(log_title, sizeof(log_title), fmt, args);
	va_end(args);
	log_next = 0;
}

void test_log(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(log_lines[log_next++ % LOG_LINES], sizeof(log_lines[0]), fmt, args);
	va_end(args);
}

static void print_log(void)
{
	unsigned int i = log_next > log_shown ? log_next - log_shown : 0;

	printf("in: %s\n", log_title);
	for (; i < log_next; i++)
		printf("  %s\n", log_lines[i % LOG_LINES]);
	fflush(stdout);
}

void shim_fail(const char *tag, const char *fmt, ...)
{
	va_list args;

	printf("FAIL [%s] ", tag);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	print_log();
	abort();
}

/*
 * Processes.
 */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1000000000.0;
}

/* Run @fn in a child. What it writes to the outcome comes back. */
static void run_child(struct outcome *outcome, void (*fn)(struct outcome *, const void *),
		      const void *arg)
{
	size_t used = 0, size = offsetof(struct outcome, output);
	int text[2], result[2], status;
	double start = now();
	ssize_t n;
	pid_t pid;

	*outcome = (struct outcome){};
	if (pipe(text) || pipe(result)) {
		perror("pipe");
		exit(2);
	}
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (!pid) {
		dup2(text[1], STDOUT_FILENO);
		dup2(text[1], STDERR_FILENO);
		close(text[0]);
		close(result[0]);
		alarm(options.seconds + WATCHDOG_SECONDS);
		fn(outcome, arg);
		fflush(stdout);
		if (write(result[1], outcome, size) != (ssize_t)size)
			_exit(2);
		exit(0);
	}

	close(text[1]);
	close(result[1]);
	while ((n = read(text[0], outcome->output + used, OUTPUT_SIZE - 1 - used)) > 0)
		used += n;
	n = read(result[0], outcome, size);
	close(text[0]);
	close(result[0]);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(outcome->output + used, OUTPUT_SIZE - used, "FAIL [time] it hangs\n");
	outcome->ok = n == (ssize_t)size && WIFEXITED(status) && !WEXITSTATUS(status);
	outcome->seconds = now() - start;
}

static void print_indented(const char *text)
{
	const char *end;

	while (*text) {
		end = strchr(text, '\n') ?: text + strlen(text);
		printf("#   %.*s\n", (int)(end - text), text);
		text = *end ? end + 1 : end;
	}
}

static void __printf(3, 4) report(bool ok, const char *name, const char *fmt, ...)
{
	va_list args;

	if (ok)
		nr_passed++;
	else
		nr_failed++;
	printf("%s %u - %s: %s # ", ok ? "ok" : "not ok", nr_passed + nr_failed, PAGE_NAME, name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static bool selected(const char *name)
{
	return !options.only || strstr(name, options.only);
}

/*
 * Cases with known answers.
 */

static void run_unit(struct outcome *outcome, const void *arg)
{
	const struct unit_case *unit = arg;

	(void)outcome;
	test_begin("%s", unit->name);
	unit->run();
}

static void run_units(struct outcome *outcome)
{
	const struct unit_case *unit;

	for (unit = unit_cases; unit->name; unit++) {
		if (!selected(unit->name))
			continue;
		run_child(outcome, run_unit, unit);
		report(outcome->ok, unit->name, "%.0f ms", outcome->seconds * 1e3);
		if (!outcome->ok)
			print_indented(outcome->output);
	}
}

/*
 * Random operations.
 */

struct config {
	struct test_cfg cfg;
	char name[64];
	unsigned int nr;
};

/* A sequence of records that is to be run. */
struct sequence {
	const struct config *config;
	u8 bytes[SESSION_OPS * OPS_RECORD_SIZE];
	size_t count;
	bool all_lines;
};

static void make_sequence(struct sequence *seq, const struct config *config, u64 session)
{
	u64 state = (options.seed + 1) * 0x9e3779b97f4a7c15ull;
	size_t i;

	state ^= (config->nr + 1) * 0xbf58476d1ce4e5b9ull;
	state ^= (session + 1) * 0x94d049bb133111ebull;
	state = state ?: 1;
	for (i = 0; i < 8; i++)
		test_random(&state);

	seq->config = config;
	seq->count = SESSION_OPS;
	seq->all_lines = false;
	for (i = 0; i < sizeof(seq->bytes); i++)
		seq->bytes[i] = test_random(&state) >> 32;
}

static void run_sequence(struct outcome *outcome, const void *arg)
{
	const struct sequence *seq = arg;

	if (seq->all_lines)
		log_shown = LOG_LINES;
	test_begin("%s, %zu operations", seq->config->name, seq->count);
	ops_run(&seq->config->cfg, seq->bytes, seq->count, &outcome->result);
}

struct random_args {
	const struct config *config;
	double seconds;
};

static void run_random(struct outcome *outcome, const void *arg)
{
	const struct random_args *args = arg;
	static struct sequence seq;
	double start = now();
	u64 session = options.session < 0 ? 0 : options.session;

	do {
		make_sequence(&seq, args->config, session);
		if (options.ops)
			seq.count = min(options.ops - outcome->result.ops, (u64)SESSION_OPS);
		test_begin("%s, --seed=%llu --session=%llu", args->config->name, options.seed,
			   session);
		printf("session %llu\n", session);
		fflush(stdout);
		ops_run(&args->config->cfg, seq.bytes, seq.count, &outcome->result);
		session++;
	} while (options.session < 0 && (options.ops ? outcome->result.ops < options.ops :
						       now() - start < args->seconds));
}

/* The session that a child was in when it ended, and the text after it. */
static const char *last_session(const char *output, u64 *session)
{
	const char *found = output, *next;

	for (next = output; (next = strstr(next, "session ")); next++) {
		if (next == output || next[-1] == '\n')
			found = next;
	}
	*session = strtoull(found + 8, NULL, 10);
	next = strchr(found, '\n');
	return next ? next + 1 : found;
}

/* The detector that fired: [tag], or a name of the sanitizer's. */
static void find_tag(const char *output, char *tag, size_t size)
{
	const char *p = strstr(output, "FAIL [");

	if (!p)
		p = strstr(output, "AddressSanitizer");
	if (!p)
		p = strstr(output, "runtime error");
	snprintf(tag, size, "%.*s", p ? (int)strcspn(p, "]\n(") : 0, p ?: "");
}

/* Leave out records, in smaller and smaller pieces, while it fails the same way. */
static void shorten(struct sequence *seq, struct outcome *outcome)
{
	static struct sequence shorter;
	char tag[64], other[64];
	unsigned int tries = 0;
	size_t piece, at;

	run_child(outcome, run_sequence, seq);
	if (outcome->ok)
		return;
	find_tag(outcome->output, tag, sizeof(tag));

	for (piece = seq->count / 2; piece; piece /= 2) {
		for (at = 0; at < seq->count && tries < 600; tries++) {
			size_t n = min(piece, seq->count - at);

			shorter = *seq;
			memmove(&shorter.bytes[at * OPS_RECORD_SIZE],
				&shorter.bytes[(at + n) * OPS_RECORD_SIZE],
				(seq->count - at - n) * OPS_RECORD_SIZE);
			shorter.count -= n;
			run_child(outcome, run_sequence, &shorter);
			find_tag(outcome->output, other, sizeof(other));
			if (!outcome->ok && !strcmp(tag, other))
				*seq = shorter;
			else
				at += n;
		}
	}
	seq->all_lines = true;
	run_child(outcome, run_sequence, seq);
}

static void explain_random(struct outcome *outcome, const struct config *config)
{
	static unsigned int explained;
	static struct sequence seq;
	const char *text;
	u64 session;

	text = last_session(outcome->output, &session);
	printf("# failed in session %llu; to repeat: --seed=%llu --only='%s' --session=%llu\n",
	       session, options.seed, config->name, session);
	print_indented(text);
	if (options.keep_long || explained++ >= MAX_EXPLAINED)
		return;

	make_sequence(&seq, config, session);
	shorten(&seq, outcome);
	printf("# shortened to %zu operations:\n", seq.count);
	print_indented(outcome->output);
}

static void make_config(struct config *config, unsigned int nr)
{
	static const u8 va_bits[] = { 25, 30, 31, 32, 39, 40, 47, 48 };
	static const u8 pa_bits[] = { 32, 48, 36, 40, 44 };
	static const u64 pgsizes[] = { SZ_4K, SZ_4K | SZ_2M, SZ_4K | SZ_2M | SZ_1G };
	static const char * const names[] = { "4K", "4K+2M", "4K+2M+1G" };
	unsigned int size = nr / 2 % 3;

	*config = (struct config){
		.cfg = {
			.va_bits = va_bits[nr / 6],
			.pa_bits = pa_bits[nr % 5],
			.coherent = nr % 2,
			.pgsizes = pgsizes[size],
		},
		.nr = nr,
	};
	snprintf(config->name, sizeof(config->name), "random, va %u pa %u, %s, %s",
		 config->cfg.va_bits, config->cfg.pa_bits, names[size],
		 config->cfg.coherent ? "coherent" : "not coherent");
}

#define NR_CONFIGS	48

/* Quick runs have a third of the configurations with each page size. */
static bool wanted_config(const struct config *config)
{
	if (options.quick && config->nr % 3 != (SHIM_PAGE_SHIFT - 12) / 2)
		return false;
	return selected(config->name);
}

static void run_randoms(struct outcome *outcome, struct ops_result *sum, double *seconds)
{
	struct random_args args;
	struct config config;
	unsigned int nr, wanted = 0;

	for (nr = 0; nr < NR_CONFIGS; nr++) {
		make_config(&config, nr);
		wanted += wanted_config(&config);
	}

	for (nr = 0; nr < NR_CONFIGS; nr++) {
		make_config(&config, nr);
		if (!wanted_config(&config))
			continue;

		args = (struct random_args){ &config, options.seconds / wanted };
		run_child(outcome, run_random, &args);
		report(outcome->ok, config.name,
		       "%llu ops, %llu calls checked, %llu leaves compared, %.0f ops/s",
		       outcome->result.ops, outcome->result.calls, outcome->result.compared,
		       outcome->result.ops / outcome->seconds);
		if (!outcome->ok)
			explain_random(outcome, &config);
		sum->ops += outcome->result.ops;
		sum->calls += outcome->result.calls;
		sum->compared += outcome->result.compared;
		*seconds += outcome->seconds;
	}
}

/*
 * Canaries: each plants a fault, and has to be found by the detector for it.
 */

static const struct canary {
	const char *name;
	enum shim_break broken;
	bool coherent;
	const char *found_by;
} canaries[] = {
	{ "sync-lost", SHIM_BREAK_SYNC, false, "FAIL [I4]" },
	{ "barrier-lost", SHIM_BREAK_BARRIER, true, "FAIL [I4]" },
	{ "alloc-in-signalling", SHIM_BREAK_ALLOC, true, "FAIL [I1]" },
	{ "page-not-zeroed", SHIM_BREAK_DIRTY, true, "FAIL [format]" },
	{ "page-leaked", SHIM_BREAK_LEAK, true, "FAIL [I5]" },
	{ "no-grace-period", SHIM_BREAK_RCU, true, "FAIL [RCU]" },
	{ "bit-lost", SHIM_BREAK_BIT, true, "FAIL [format]" },
	{ "address-wrong", SHIM_BREAK_ADDRESS, true, "FAIL [model]" },
	{ "split-loses-ends", SHIM_BREAK_SPLIT, true, "FAIL [split]" },
	{ "page-freed-early", SHIM_BREAK_FREE, true, "use-after-poison" },
	{ "flush-lost", SHIM_BREAK_FLUSH, true, "FAIL [I3]" },
	{ "reservation-lost", SHIM_BREAK_RESERVATION, true, "FAIL [I2]" },
	{ "rollback-incomplete", SHIM_BREAK_ROLLBACK, true, "FAIL [I6]" },
	{ "warning", SHIM_BREAK_WARN, true, "FAIL [warning]" },
};

static void run_canary(struct outcome *outcome, const void *arg)
{
	const struct canary *canary = arg;
	struct config config;
	struct random_args args = { .config = &config, .seconds = 20 };

	make_config(&config, 47 - !canary->coherent);

	/* Always the same operations: whether it is found must not depend on luck. */
	options.seed = 1;
	shim.broken = canary->broken;
	run_random(outcome, &args);
}

static void run_canaries(struct outcome *outcome)
{
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(canaries); i++) {
		char name[64];
		const char *found;
		bool ok;

		snprintf(name, sizeof(name), "canary %s", canaries[i].name);
		if (!selected(name))
			continue;
		run_child(outcome, run_canary, &canaries[i]);
		found = strstr(outcome->output, canaries[i].found_by);
		ok = !outcome->ok && found;
		n = found ? strcspn(found, "\n") : 0;
		report(ok, name, "%.*s", ok ? (int)min_t(size_t, n, 110) : 13,
		       ok ? found : "was not found");
		if (!ok)
			print_indented(outcome->output);
	}
}

/* One canary, out in the open: exits with what the detector makes of it. */
static int show_canary(const char *name)
{
	static struct outcome outcome;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(canaries); i++) {
		if (!strcmp(name, canaries[i].name)) {
			run_canary(&outcome, &canaries[i]);
			printf("%s was not found\n", name);
			return 0;
		}
	}
	fprintf(stderr, "unknown fault '%s'; known are:", name);
	for (i = 0; i < ARRAY_SIZE(canaries); i++)
		fprintf(stderr, " %s", canaries[i].name);
	fprintf(stderr, "\n");
	return 2;
}

static int print_usage(const char *program)
{
	fprintf(stderr,
		"usage: %s [options]\n"
		"  --seed=N       seed of the random operations (default: a new one each time)\n"
		"  --time=S       seconds for all random configurations together (default 10)\n"
		"  --ops=N        operations per configuration, instead of a time\n"
		"  --session=N    only this session of a configuration\n"
		"  --only=TEXT    only cases whose name contains TEXT\n"
		"  --quick        a third of the configurations, for a second\n"
		"  --no-shrink    do not shorten a sequence that fails\n"
		"  --break=NAME   plant one fault and show how it is found\n", program);
	return 2;
}

static bool number(const char *text, unsigned long long *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return isdigit((unsigned char)*text) && !*end && !errno;
}

static bool parse_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "time", required_argument, NULL, 't' },
		{ "ops", required_argument, NULL, 'o' },
		{ "session", required_argument, NULL, 'n' },
		{ "only", required_argument, NULL, 'y' },
		{ "break", required_argument, NULL, 'b' },
		{ "quick", no_argument, NULL, 'q' },
		{ "no-shrink", no_argument, NULL, 'l' },
		{}
	};
	unsigned long long session;
	char *end;
	int c;

	options.seed = time(NULL) * 1000003ull % 1000000007ull ^ getpid();
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 's':
			if (!number(optarg, &options.seed))
				return false;
			break;
		case 't':
			options.seconds = strtod(optarg, &end);
			if (!isdigit((unsigned char)*optarg) || *end)
				return false;
			break;
		case 'o':
			if (!number(optarg, &options.ops))
				return false;
			break;
		case 'n':
			if (!number(optarg, &session))
				return false;
			options.session = session;
			break;
		case 'y':
			options.only = optarg;
			break;
		case 'b':
			options.break_name = optarg;
			break;
		case 'q':
			options.quick = true;
			options.seconds = 1;
			break;
		case 'l':
			options.keep_long = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	static struct outcome outcome;
	struct ops_result sum = {};
	double seconds = 0;

	setrlimit(RLIMIT_CORE, &(struct rlimit){});
	__sanitizer_set_death_callback(print_log);
	if (!parse_options(argc, argv))
		return print_usage(argv[0]);
	panthor_pgtable_init();
	if (options.break_name)
		return show_canary(options.break_name);

	printf("# %s: page size of the host, seed %llu\n", PAGE_NAME, options.seed);
	run_units(&outcome);
	run_randoms(&outcome, &sum, &seconds);
	run_canaries(&outcome);

	if (sum.ops)
		printf("# %s: %llu operations (%.0f a second), %llu calls, %llu leaves compared\n",
		       PAGE_NAME, sum.ops, sum.ops / seconds, sum.calls, sum.compared);
	printf("# %s: seed %llu: %u passed, %u failed\n", PAGE_NAME, options.seed, nr_passed,
	       nr_failed);
	return nr_failed || !nr_passed;
}
