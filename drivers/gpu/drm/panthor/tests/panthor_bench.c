// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The benchmark: for each case, let all variants do the same batch of operations in
 * turns, check what they have mapped, and tell how long it took.
 */

#include <linux/err.h>
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "panthor_bench.h"

static unsigned int samples;
module_param(samples, uint, 0444);
MODULE_PARM_DESC(samples, "Samples of each case and variant; 0, the default, measures nothing");

static char *only = "";
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "Measure only cases whose name starts like this");

#define SAMPLES_MAX	10000

/* Rounds that do not count: they touch the memory, and look at every page. */
#define WARM_UP		3

/* Otherwise it looks at some. */
#define PROBES		256

/* A batch that maps more than this uses more tables than the caches hold. */
#define WARM_BYTES	SZ_16M

enum {
	TIME_RESERVE,
	TIME_MAP,
	TIME_UNRESERVE,
	TIME_RESERVE_UNMAP,
	TIME_EXPAND,
	TIME_UNMAP,
	TIME_UNRESERVE_UNMAP,

	/* Sums of these: what a job costs. */
	TIME_JOB_MAP,
	TIME_JOB_UNMAP,

	/* Reserve and unreserve, one after the other, or all and then all. */
	TIME_PAIR,
	TIME_QUEUE,
	TIME_COUNT,
};

static const char * const time_names[TIME_COUNT] = {
	[TIME_RESERVE] = "reserve",
	[TIME_MAP] = "map",
	[TIME_UNRESERVE] = "unreserve",
	[TIME_RESERVE_UNMAP] = "reserve_unmap",
	[TIME_EXPAND] = "expand",
	[TIME_UNMAP] = "unmap",
	[TIME_UNRESERVE_UNMAP] = "unreserve_unmap",
	[TIME_JOB_MAP] = "job_map",
	[TIME_JOB_UNMAP] = "job_unmap",
	[TIME_PAIR] = "pair",
	[TIME_QUEUE] = "queue",
};

static const struct bench_ops * const variants[] = {
	&bench_limit,
	&bench_iopgt,
#ifdef CONFIG_IOMMU_PT_X86_64
	&bench_genpt,
#endif
	&bench_ours,
};

/* A variant on a device, and its times, by sample. */
struct contender {
	const struct bench_ops *ops;
	bool coherent;
	struct bench_vm *vm;
	unsigned long tables;
	u64 *times[TIME_COUNT];
};

#define CONTENDERS	(2 * ARRAY_SIZE(variants))

struct bench {
	const struct bench_case *c;
	bool reserve_only;
	struct device *devs[2];
	struct contender contenders[CONTENDERS];
	struct bench_op ops[BENCH_BATCH_MAX];
	unsigned long wrong;

	/* How long it takes, in both units. */
	u64 ticks;
	u64 ns;
};

static const char *walker(bool coherent)
{
	return coherent ? "coherent" : "nc";
}

static void complain(struct bench *bench, const struct contender *who, const char *what,
		     u64 iova)
{
	if (bench->wrong++ < 20)
		bench_say("wrong: %s: %s, %s: %s at %#llx", bench->c->name, who->ops->name,
			  walker(who->coherent), what, iova);
}

/* The steps of a sample. */

static void check(struct bench *bench, const struct contender *who, bool mapped, bool all)
{
	u64 leaf = bench_leaf(bench->c), size = bench->c->size;
	u64 step = all ? leaf : max(leaf, ALIGN(div64_u64(size, PROBES), leaf) + leaf);

	for (unsigned int i = 0; i < bench->c->batch; i++) {
		const struct bench_op *op = &bench->ops[i];

		for (u64 offset = 0; offset < size; offset += step) {
			u64 byte = min(offset + (offset >> 12) % SZ_4K, size - 1);
			u64 want = mapped ? bench_op_paddr(op, byte) : BENCH_HOLE;

			if (who->ops->lookup(who->vm, op->iova + byte) != want) {
				complain(bench, who, mapped ? "not mapped right" : "still mapped",
					 op->iova + byte);
				return;
			}
		}
		if (who->ops->lookup(who->vm, op->iova + size - 1) !=
		    (mapped ? bench_op_paddr(op, size - 1) : BENCH_HOLE))
			complain(bench, who, "last byte is wrong", op->iova + size - 1);
	}
}

static int timed(struct bench *bench, const struct contender *who,
		 int (*call)(struct bench_vm *vm, const struct bench_op *ops, unsigned int n),
		 u64 *ticks)
{
	u64 start;
	int err;

	if (!call)
		return 0;

	start = bench_clock();
	err = call(who->vm, bench->ops, bench->c->batch);
	*ticks = bench_clock() - start;
	return err;
}

static void timed_unreserve(struct bench *bench, const struct contender *who, u64 *ticks)
{
	u64 start = bench_clock();

	if (!who->ops->unreserve)
		return;

	who->ops->unreserve(who->vm, bench->c->batch);
	*ticks = bench_clock() - start;
}

static void timed_expand(struct bench *bench, const struct contender *who, u64 *ticks)
{
	u64 start = bench_clock();

	if (!who->ops->expand)
		return;

	who->ops->expand(who->vm, bench->ops, bench->c->batch);
	*ticks = bench_clock() - start;
}

static int map_and_unmap(struct bench *bench, struct contender *who, bool all, u64 *ticks)
{
	int err;

	err = timed(bench, who, who->ops->reserve, &ticks[TIME_RESERVE]) ?:
	      timed(bench, who, who->ops->map, &ticks[TIME_MAP]);
	if (!err)
		check(bench, who, true, all);
	who->tables = who->ops->tables(who->vm);
	timed_unreserve(bench, who, &ticks[TIME_UNRESERVE]);
	if (err)
		return err;

	err = timed(bench, who, who->ops->reserve_unmap, &ticks[TIME_RESERVE_UNMAP]);
	if (!err) {
		timed_expand(bench, who, &ticks[TIME_EXPAND]);
		err = timed(bench, who, who->ops->unmap, &ticks[TIME_UNMAP]);
		check(bench, who, false, all);
	}
	timed_unreserve(bench, who, &ticks[TIME_UNRESERVE_UNMAP]);

	ticks[TIME_JOB_MAP] = ticks[TIME_RESERVE] + ticks[TIME_MAP] + ticks[TIME_UNRESERVE];
	ticks[TIME_JOB_UNMAP] = ticks[TIME_RESERVE_UNMAP] + ticks[TIME_EXPAND] +
				ticks[TIME_UNMAP] + ticks[TIME_UNRESERVE_UNMAP];
	return err;
}

static int reserve_and_unreserve(struct bench *bench, struct contender *who, u64 *ticks)
{
	const struct bench_ops *ops = who->ops;
	unsigned int i, n = bench->c->batch;
	int err = 0;
	u64 start;

	start = bench_clock();
	for (i = 0; i < n && !err; i++) {
		err = ops->reserve(who->vm, &bench->ops[i], 1);
		ops->unreserve(who->vm, 1);
	}
	ticks[TIME_PAIR] = bench_clock() - start;

	start = bench_clock();
	err = ops->reserve(who->vm, bench->ops, n) ?: err;
	ops->unreserve(who->vm, n);
	ticks[TIME_QUEUE] = bench_clock() - start;
	return err;
}

/* What is around the samples. */

static int map_anchor(struct bench *bench, struct contender *who, struct bench_op *op,
		      u64 iova)
{
	int err;

	op->iova = iova;
	err = who->ops->reserve ? who->ops->reserve(who->vm, op, 1) : 0;
	err = err ?: who->ops->map(who->vm, op, 1);
	if (who->ops->unreserve)
		who->ops->unreserve(who->vm, 1);
	return err;
}

static int map_anchors(struct bench *bench, struct contender *who)
{
	const struct bench_case *c = bench->c;
	u64 base = bench_base(c), iova;
	struct bench_op op;
	int err;

	err = bench_op_init_anchor(&op, c);
	if (err)
		return err;

	/* The table of the 512 GiB around the window. */
	err = map_anchor(bench, who, &op, base - SZ_4K);
	for (iova = base; c->anchors && iova < base + c->window && !err; iova += c->anchors) {
		err = map_anchor(bench, who, &op, iova);
		if (c->tails && !err)
			err = map_anchor(bench, who, &op, iova + c->anchors - SZ_4K);
	}

	bench_ops_fini(&op, 1);
	return err;
}

static void retire(struct contender *who)
{
	if (who->vm)
		who->ops->destroy(who->vm);
	who->vm = NULL;
}

static int enter(struct bench *bench, struct contender *who)
{
	struct device *dev = bench->devs[who->coherent];

	retire(who);
	who->vm = who->ops->create(dev, who->coherent, bench->c);
	if (!who->vm)
		return -ENOMEM;

	who->vm->ops = who->ops;
	who->vm->dev = dev;
	who->vm->coherent = who->coherent;
	return who->ops->flat ? 0 : map_anchors(bench, who);
}

static bool takes_part(const struct bench *bench, const struct contender *who)
{
	return !bench->reserve_only || who->ops->reserve;
}

static int once(struct bench *bench, struct contender *who, bool all, u64 *ticks)
{
	if (bench->reserve_only)
		return reserve_and_unreserve(bench, who, ticks);
	return map_and_unmap(bench, who, all, ticks);
}

/* Numbers below 0 are for warming up, and do not count. */
static int sample(struct bench *bench, struct contender *who, int nr)
{
	const struct bench_case *c = bench->c;
	u64 ticks[TIME_COUNT] = {};
	int err = 0;

	if (c->fresh)
		err = enter(bench, who);
	else if (c->size * c->batch <= WARM_BYTES || bench->reserve_only)
		/* What the others have pushed out of the caches comes back. */
		err = once(bench, who, false, ticks);

	err = err ?: once(bench, who, nr < 0, ticks);
	if (err)
		complain(bench, who, "failed", bench->ops[0].iova);
	for (unsigned int t = 0; t < TIME_COUNT && nr >= 0; t++)
		who->times[t][nr] = ticks[t];
	return err;
}

/* One sample of each, so that what disturbs the machine disturbs all of them. */
static int round_of_samples(struct bench *bench, int nr)
{
	int err = 0;

	bench_ops_place(bench->ops, nr + WARM_UP + 1);
	for (unsigned int i = 0; i < CONTENDERS && !err; i++) {
		struct contender *who = &bench->contenders[(i + nr + WARM_UP) % CONTENDERS];

		if (takes_part(bench, who))
			err = sample(bench, who, nr);
		cond_resched();
	}
	return err;
}

/* What scripts/bench reads. */

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Picoseconds of one operation. */
static u64 to_ps(const struct bench *bench, u64 ticks)
{
	return mul_u64_u64_div_u64(ticks, 1000 * bench->ns, bench->ticks * bench->c->batch);
}

static void report_times(struct bench *bench, struct contender *who)
{
	for (unsigned int t = 0; t < TIME_COUNT; t++) {
		u64 *times = who->times[t];

		sort(times, samples, sizeof(*times), compare, NULL);
		if (times[samples - 1])
			bench_say("time: %s %s %s %s %llu %llu", bench->c->name, who->ops->name,
				  walker(who->coherent), time_names[t],
				  to_ps(bench, times[samples / 10]),
				  to_ps(bench, times[samples / 2]));
	}
	if (!bench->reserve_only)
		bench_say("tables: %s %s %s %lu", bench->c->name, who->ops->name,
			  walker(who->coherent), who->tables);
}

static void report(struct bench *bench)
{
	const struct bench_case *c = bench->c;

	bench_say("case: %s size=%llu leaf=%llu batch=%u layout=%u worst=%llu rows=%s; %s",
		  c->name, c->size, bench_leaf(c), c->batch, c->layout,
		  bench_iopgt_worst(bench->ops[0].iova, c->size), c->rows, c->title ?: c->name);
	for (unsigned int i = 0; i < CONTENDERS; i++) {
		if (takes_part(bench, &bench->contenders[i]))
			report_times(bench, &bench->contenders[i]);
	}
}

static int run_case(struct bench *bench, const struct bench_case *c)
{
	u64 start_ns = ktime_get_ns(), start = bench_clock();
	int err;

	bench->c = c;
	bench->reserve_only = !strcmp(c->rows, "reserve");
	err = bench_ops_init(bench->ops, c);
	if (err)
		return err;

	for (unsigned int i = 0; i < CONTENDERS && !err; i++) {
		if (takes_part(bench, &bench->contenders[i]))
			err = enter(bench, &bench->contenders[i]);
	}
	for (int nr = -WARM_UP; nr < (int)samples && !err; nr++)
		err = round_of_samples(bench, nr);

	bench->ticks = bench_clock() - start;
	bench->ns = ktime_get_ns() - start_ns;
	if (!err)
		report(bench);
	for (unsigned int i = 0; i < CONTENDERS; i++)
		retire(&bench->contenders[i]);
	bench_ops_fini(bench->ops, c->batch);
	return err;
}

static void bench_free(struct bench *bench)
{
	for (unsigned int i = 0; i < CONTENDERS; i++) {
		for (unsigned int t = 0; t < TIME_COUNT; t++)
			kvfree(bench->contenders[i].times[t]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(bench->devs); i++) {
		if (!IS_ERR_OR_NULL(bench->devs[i]))
			bench_dev_destroy(bench->devs[i]);
	}
	bench_iopgt_fini();
	kfree(bench);
}

static struct bench *bench_create(void)
{
	struct bench *bench = kzalloc(sizeof(*bench), GFP_KERNEL);
	unsigned int i, t;

	if (!bench)
		return NULL;

	for (i = 0; i < ARRAY_SIZE(bench->devs); i++)
		bench->devs[i] = bench_dev_create(i);
	if (IS_ERR(bench->devs[0]) || IS_ERR(bench->devs[1]) || bench_iopgt_init())
		goto err_free;

	for (i = 0; i < CONTENDERS; i++) {
		struct contender *who = &bench->contenders[i];

		who->ops = variants[i / 2];
		who->coherent = i % 2 == 0;
		for (t = 0; t < TIME_COUNT; t++) {
			who->times[t] = kvcalloc(samples, sizeof(u64), GFP_KERNEL);
			if (!who->times[t])
				goto err_free;
		}
	}
	return bench;

err_free:
	bench_free(bench);
	return NULL;
}

static unsigned long run(struct bench *bench)
{
	bench_say("start: samples=%u clean=%s", samples, bench_dev_clean_name());
	for (unsigned int i = 0; i < bench_case_count; i++) {
		int err = 0;

		if (strstarts(bench_cases[i].name, only))
			err = run_case(bench, &bench_cases[i]);
		if (err) {
			bench_say("wrong: %s: error %d", bench_cases[i].name, err);
			bench->wrong++;
		}
	}
	return bench->wrong;
}

static int __init panthor_bench_init(void)
{
	struct bench *bench;

	if (!samples)
		return 0;

	samples = min(samples, SAMPLES_MAX);
	bench = bench_create();
	if (bench) {
		bench_say("end: wrong=%lu", run(bench));
		bench_free(bench);
	} else {
		bench_say("wrong: no memory, or no device");
	}
	kernel_power_off();
	return 0;
}
late_initcall(panthor_bench_init);
