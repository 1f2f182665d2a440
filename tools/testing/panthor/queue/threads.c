// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Threads on one page table, under ThreadSanitizer: some reserve, cancel and give back,
 * one runs what it is handed, some look up, one is short of memory.
 *
 * What is behind a page follows from its iova, so that a lookup can be checked whenever
 * it comes: one of two frames, of which one fits a block.
 */

#include <linux/dev_printk.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "panthor_pgtable.h"
#include "random.h"
#include "report.h"

#define NR_RESERVERS	3
#define NR_LOOKUPS	2
#define NR_THREADS	(NR_RESERVERS + NR_LOOKUPS + 2)
#define NR_JOBS		3	/* of each thread that reserves */
#define NR_REGIONS	6
#define PAGES		512
#define MEMORY		0x4000000000ull

/* So many jobs from one eviction to the next, on average. */
#define JOBS_EVICT	4

/* So many lookups before a thread lets others run. */
#define LOOKUPS		32

/* Regions of 2 MiB; two that follow each other are under two tables of level 2. */
static const u64 regions[NR_REGIONS] = {
	0, SZ_1G - SZ_2M, SZ_1G, 0x7f0000000000, 0x7f0000200000, 0xffffffe00000,
};

/* Nothing is ever mapped here: reservations that make the pool grow. */
#define COLD		0x100000000000ull
#define COLD_SIZE	(64ull << 20)

enum job_state { IDLE, QUEUED, DONE };

struct job {
	enum job_state state;	/* protected by the queue's mutex */
	bool map;
	unsigned int region;
	unsigned int page;
	unsigned int count;
	u64 off;		/* 0 or 4 KiB: of the frame from one that fits a block */
	struct panthor_pgtable_rsv rsv;
	struct job *next;
};

static struct job jobs[NR_RESERVERS][NR_JOBS];

/* Jobs on their way from those who reserve to the one who runs them. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	struct job *first, **last;
	bool over;
} queue = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.filled = PTHREAD_COND_INITIALIZER,
	.last = &queue.first,
};

static bool mapped[NR_REGIONS][PAGES];

static struct device dev;
static struct panthor_pgtable *pt;
static u64 seed;
static bool stop;

static struct {
	u64 reserved;
	u64 cancelled;
	u64 ran;
	u64 looked_up;
	u64 found;
	u64 shrunk;
} count;

#define count_one(what)	__atomic_add_fetch(&count.what, 1, __ATOMIC_RELAXED)

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static u64 iova_of(const struct job *job)
{
	return regions[job->region] + job->page * (u64)SZ_4K;
}

static u64 size_of(const struct job *job)
{
	return job->count * (u64)SZ_4K;
}

/* Each 2 MiB of iova has 4 MiB of memory to itself. */
static u64 paddr_of(u64 iova, u64 off)
{
	return MEMORY + (iova / SZ_2M % 4096) * 2 * SZ_2M + iova % SZ_2M + off;
}

/*
 * Those who reserve.
 */

static void choose(struct job *job, u64 *rnd)
{
	unsigned int kind = random_below(rnd, 8);

	job->region = random_below(rnd, NR_REGIONS);
	job->map = random_below(rnd, 3);
	job->off = random_below(rnd, 2) * SZ_4K;
	job->page = kind < 5 ? random_below(rnd, PAGES - 8) : 0;
	job->count = kind < 5 ? 1 + random_below(rnd, 8) : PAGES;
}

static void reserve(struct job *job)
{
	int err = job->map ?
		panthor_pgtable_reserve_map(pt, &job->rsv, iova_of(job),
					    paddr_of(iova_of(job), job->off), size_of(job)) :
		panthor_pgtable_reserve_unmap(pt, &job->rsv, iova_of(job), size_of(job));

	check(!err, "API", "reserve returned %d", err);
	count_one(reserved);
}

/* Many tables that nobody needs. */
static void reserve_cold(u64 *rnd)
{
	struct panthor_pgtable_rsv rsv = {};
	u64 size = (1 + random_below(rnd, 32)) * (u64)SZ_2M;
	u64 iova = COLD + random_below(rnd, 16) * (u64)SZ_2M;
	int err = panthor_pgtable_reserve_map(pt, &rsv, iova, MEMORY + SZ_4K, size);

	check(!err, "API", "reserve of %#llx returned %d", size, err);
	panthor_pgtable_unreserve(pt, &rsv);
	count_one(reserved);
}

static enum job_state state_of(const struct job *job)
{
	enum job_state state;

	pthread_mutex_lock(&queue.mutex);
	state = job->state;
	pthread_mutex_unlock(&queue.mutex);
	return state;
}

static void hand_over(struct job *job)
{
	pthread_mutex_lock(&queue.mutex);
	job->state = QUEUED;
	job->next = NULL;
	*queue.last = job;
	queue.last = &job->next;
	pthread_cond_signal(&queue.filled);
	pthread_mutex_unlock(&queue.mutex);
}

static void unreserve(struct job *job)
{
	panthor_pgtable_unreserve(pt, &job->rsv);
	job->state = IDLE;
}

static void *reserve_thread(void *arg)
{
	struct job *mine = arg;
	u64 rnd = random_start(seed + (mine - jobs[0]));

	while (!stopped()) {
		struct job *job = &mine[random_below(&rnd, NR_JOBS)];
		enum job_state state = state_of(job);

		if (state == DONE)
			unreserve(job);
		if (state == QUEUED) {
			sched_yield();
			continue;
		}
		choose(job, &rnd);
		reserve(job);
		if (!random_below(&rnd, 64))
			reserve_cold(&rnd);
		if (random_below(&rnd, 3)) {
			hand_over(job);
			continue;
		}
		unreserve(job);
		count_one(cancelled);
	}
	return NULL;
}

/*
 * The one who runs jobs.
 */

static void begin_call(void)
{
	machine_ordered = false;
}

static void flush(u64 iova, u64 size)
{
	begin_call();
	panthor_pgtable_flush_range(pt, &iova, &size);
	begin_call();
	panthor_pgtable_flushed(pt);
}

static void unmap(const struct job *job, struct panthor_pgtable_rsv *rsv)
{
	unsigned int pages = 0, i;
	s64 ret;

	for (i = job->page; i < job->page + job->count; i++) {
		pages += mapped[job->region][i];
		mapped[job->region][i] = false;
	}
	begin_call();
	ret = panthor_pgtable_unmap(pt, rsv, iova_of(job), size_of(job));
	check(ret == (s64)pages * SZ_4K, ret == -ENOMEM ? "I2" : "API",
	      "%#llx+%#llx: %lld unmapped; expected %u pages", iova_of(job), size_of(job), ret,
	      pages);
	flush(iova_of(job), size_of(job));
}

static void map(struct job *job)
{
	unsigned int i;
	int err;

	begin_call();
	err = panthor_pgtable_map(pt, &job->rsv, iova_of(job), paddr_of(iova_of(job), job->off),
				  size_of(job), IOMMU_READ | IOMMU_WRITE);
	check(!err, err == -ENOMEM ? "I2" : "API", "%#llx+%#llx: error %d", iova_of(job),
	      size_of(job), err);
	for (i = job->page; i < job->page + job->count; i++)
		mapped[job->region][i] = true;
	flush(iova_of(job), size_of(job));
}

static void run(struct job *job)
{
	machine_signalling++;
	unmap(job, &job->rsv);
	if (job->map)
		map(job);
	machine_signalling--;
	count_one(ran);
}

static void evict(unsigned int region)
{
	struct job all = { .region = region, .count = PAGES };

	machine_signalling++;
	unmap(&all, NULL);
	machine_signalling--;
}

/* The next job, or NULL if there will be none. */
static struct job *next_job(void)
{
	struct job *job;

	pthread_mutex_lock(&queue.mutex);
	while (!queue.first && !queue.over)
		pthread_cond_wait(&queue.filled, &queue.mutex);
	job = queue.first;
	if (job)
		queue.first = job->next;
	if (!queue.first)
		queue.last = &queue.first;
	pthread_mutex_unlock(&queue.mutex);
	return job;
}

static void *run_thread(void *arg)
{
	u64 rnd = random_start(seed + 1000);
	struct job *job;

	(void)arg;
	while ((job = next_job())) {
		run(job);
		pthread_mutex_lock(&queue.mutex);
		job->state = DONE;
		pthread_mutex_unlock(&queue.mutex);
		if (!random_below(&rnd, JOBS_EVICT))
			evict(random_below(&rnd, NR_REGIONS));
	}
	return NULL;
}

/*
 * Those who look up, and the one who is short of memory.
 */

static void look_up(u64 iova)
{
	struct panthor_pgtable_walk walk;
	u64 paddr;
	int err;

	err = panthor_pgtable_iova_to_phys(pt, iova, &paddr);
	check(!err || err == -ENOENT, "API", "iova_to_phys returned %d", err);
	count_one(looked_up);
	if (!err)
		count_one(found);
	check(err || paddr == paddr_of(iova, 0) || paddr == paddr_of(iova, SZ_4K), "lookup",
	      "%#llx is at %#llx", iova, paddr);

	err = panthor_pgtable_walk(pt, iova, &walk);
	check(!err && walk.level <= 3 && walk.start_level <= walk.level, "API",
	      "walk returned %d", err);
}

static void *look_up_thread(void *arg)
{
	u64 rnd = random_start(seed + 2000 + (bool *)arg - mapped[0]);

	while (!stopped()) {
		look_up(regions[random_below(&rnd, NR_REGIONS)] + random_below(&rnd, SZ_2M));
		if (!random_below(&rnd, LOOKUPS))
			usleep(100);
	}
	return NULL;
}

/* Each thread but the runner and the lookups may be clearing one, which is nowhere. */
static void check_sum(const struct panthor_pgtable_stats *stats)
{
	unsigned long sum = stats->free + stats->dirty + stats->reserved + stats->tree +
			    stats->gathered;

	check(sum <= stats->total && stats->total - sum <= NR_RESERVERS + 1, "I5",
	      "%lu tables, %lu of them accounted for", stats->total, sum);
}

static void *memory_thread(void *arg)
{
	u64 rnd = random_start(seed + 3000);
	struct panthor_pgtable_stats stats;

	(void)arg;
	while (!stopped()) {
		/* All that is idle, so that what was a table a moment ago goes, too. */
		machine_shrink(~0ul);
		machine_run_work();
		panthor_pgtable_stats(pt, &stats);
		check_sum(&stats);
		count_one(shrunk);
		usleep(random_below(&rnd, 200));
	}
	return NULL;
}

/*
 * The program.
 */

struct args {
	u64 seconds;
	u64 seed;
	enum plant plant;
};

/* Known to ThreadSanitizer by its name: one report is enough, and it is to remember much. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "halt_on_error=1 exitcode=66 history_size=7";
}

static void start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	check(!pthread_create(thread, NULL, fn, arg), "setup", "no thread");
}

static void run_threads(u64 seconds)
{
	pthread_t threads[NR_THREADS], runner;
	unsigned int nr = 0, i;

	start(&runner, run_thread, NULL);
	for (i = 0; i < NR_RESERVERS; i++)
		start(&threads[nr++], reserve_thread, jobs[i]);
	for (i = 0; i < NR_LOOKUPS; i++)
		start(&threads[nr++], look_up_thread, &mapped[0][i]);
	start(&threads[nr++], memory_thread, NULL);

	sleep(seconds);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);

	pthread_mutex_lock(&queue.mutex);
	queue.over = true;
	pthread_cond_signal(&queue.filled);
	pthread_mutex_unlock(&queue.mutex);
	pthread_join(runner, NULL);
}

static void check_end(void)
{
	struct panthor_pgtable_stats stats;
	unsigned int i, j;

	for (i = 0; i < NR_RESERVERS; i++)
		for (j = 0; j < NR_JOBS; j++)
			unreserve(&jobs[i][j]);
	for (i = 0; i < NR_REGIONS; i++)
		evict(i);
	panthor_pgtable_stats(pt, &stats);
	check(stats.tree == 1 && !stats.reserved && !stats.gathered, "I5",
	      "%lu tables in the tree, %lu held, %lu gathered when all is over", stats.tree,
	      stats.reserved, stats.gathered);
	panthor_pgtable_destroy(pt);
	panthor_pgtable_exit();
	machine_check_idle();
	printf("%llu reserved, %llu cancelled, %llu ran; %llu lookups, %llu found something; ",
	       count.reserved, count.cancelled, count.ran, count.looked_up, count.found);
	printf("%llu tables installed, %lu pages from the system, given back %llu times\n",
	       stats.installed, machine_pages_taken(), count.shrunk);
}

static void run_all(const void *arg)
{
	static const struct panthor_pgtable_cfg cfg = {
		.dev = &dev,
		.pgsize_bitmap = SZ_4K | SZ_2M,
		.va_bits = 48,
		.pa_bits = 40,
		.coherent_walk = true,
	};
	const struct args *args = arg;

	/* A fault may let it hang. */
	alarm(args->seconds + 60);
	seed = args->seed;
	machine_plant = args->plant;
	machine_start();
	check(!panthor_pgtable_init(), "API", "init failed");
	pt = panthor_pgtable_create(&cfg);
	check(!IS_ERR(pt), "API", "create returned %ld", PTR_ERR(pt));
	run_threads(args->seconds);
	check_end();
}

/*
 * Without order a lookup races with who zeroed the page, or with who gets it next. What
 * they did may be so long ago that ThreadSanitizer has forgotten where: any race will do.
 */
static const struct {
	const char *name;
	enum plant plant;
} canaries[] = {
	{ "no-lock", PLANT_NO_LOCK },
	{ "no-barrier", PLANT_NO_BARRIER },
	{ "no-grace-period", PLANT_NO_RCU },
};

int main(int argc, char **argv)
{
	struct args args = { .seconds = 3 };
	char name[64];
	size_t i;

	args.seed = (time(NULL) * 1000003ull ^ getpid()) % 1000000007;
	for (i = 1; i < argc; i++)
		if (!report_option(argv[i], "--time", 1, 1000000, &args.seconds) &&
		    !report_option(argv[i], "--seed", 0, ~0ull, &args.seed))
			report_usage(argv[i], "--time=SECONDS and --seed=NUMBER");

	report_begin("threads");
	snprintf(name, sizeof(name), "%d threads, --seed=%llu", NR_THREADS, args.seed);
	report_case(name, run_all, &args);
	args.seconds = 10;
	for (i = 0; i < ARRAY_SIZE(canaries); i++) {
		args.plant = canaries[i].plant;
		snprintf(name, sizeof(name), "canary %s", canaries[i].name);
		report_canary(name, run_all, &args, "SUMMARY: ThreadSanitizer: data race");
	}
	return report_end();
}
