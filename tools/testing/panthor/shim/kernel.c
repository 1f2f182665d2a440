// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The rest of the simulated kernel: messages, stores and barriers, the rules
 * about sleeping, grace periods, deferred work.
 */

#include <linux/rcupdate.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdio.h>

struct shim shim;

static char last_message[512] = "none";
static LIST_HEAD(queue);
static void *last_store;

const char *shim_last_message(void)
{
	return last_message;
}

static void note_message(const char *fmt, va_list args)
{
	size_t len;

	vsnprintf(last_message, sizeof(last_message), fmt, args);
	len = strlen(last_message);
	if (len && last_message[len - 1] == '\n')
		last_message[len - 1] = '\0';
}

void shim_message(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note_message(fmt, args);
	va_end(args);
}

void shim_warn(const char *fmt, ...)
{
	va_list args;

	shim.warnings++;
	va_start(args, fmt);
	note_message(fmt, args);
	va_end(args);
}

static void lose(u64 table, int i)
{
	shim_cpu_memory(table)[i] = 0;
	shim_device_memory(table)[i] = 0;
}

/* Called before each WRITE_ONCE() of 64 bits. Returns what gets stored. */
u64 shim_store(void *p, u64 value)
{
	u64 target = value & GENMASK_ULL(47, 12);
	bool is_table = (value & 3) == 3 && shim_in_arena(target);

	last_store = p;
	if (shim.broken == SHIM_BREAK_SPLIT && is_table && *(u64 *)p) {
		lose(target, 0);
		lose(target, 511);
	}
	if (shim.on.store)
		shim.on.store(p, value);
	if (shim.broken == SHIM_BREAK_BIT)
		value &= ~BIT_ULL(10);
	if (shim.broken == SHIM_BREAK_ADDRESS && (value & 3) == 3 && !is_table)
		value ^= BIT_ULL(12);
	return value;
}

void shim_barrier(void)
{
	if (shim.broken == SHIM_BREAK_ALLOC)
		kfree(kzalloc(1, GFP_KERNEL));
	if (shim.broken == SHIM_BREAK_WARN)
		WARN(true, "a canary");
	if (shim.broken == SHIM_BREAK_FREE && last_store)
		ASAN_POISON_MEMORY_REGION(last_store, sizeof(u64));
	if (shim.broken != SHIM_BREAK_BARRIER)
		shim.barriers++;
}

void shim_may_sleep(const char *what)
{
	if (shim.signalling)
		shim_fail("I1", "%s in the signalling section", what);
	if (shim.atomic)
		shim_fail("atomic", "%s under a spinlock or in an RCU reader", what);
}

void synchronize_rcu(void)
{
	shim_may_sleep("synchronize_rcu");
	if (shim.broken != SHIM_BREAK_RCU)
		shim.grace_periods++;
}

static struct shrinker the_shrinker;

struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
{
	(void)flags;
	(void)fmt;
	return &the_shrinker;
}

void shrinker_register(struct shrinker *shrinker)
{
	if (shrinker != &the_shrinker)
		shim_fail("setup", "which shrinker?");
}

void shrinker_free(struct shrinker *shrinker)
{
	*shrinker = (struct shrinker){};
}

unsigned long shim_shrink(unsigned long count)
{
	struct shrink_control sc;
	unsigned long freed;

	sc.nr_to_scan = min(count, the_shrinker.count_objects(&the_shrinker, &sc));
	freed = sc.nr_to_scan ? the_shrinker.scan_objects(&the_shrinker, &sc) : 0;
	return freed == SHRINK_STOP ? 0 : freed;
}

static void run_work(struct work_struct *work)
{
	list_del(&work->node);
	work->pending = false;
	work->func(work);
}

bool shim_run_work(void)
{
	if (list_empty(&queue))
		return false;
	while (!list_empty(&queue))
		run_work(list_entry(queue.next, struct work_struct, node));
	return true;
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	(void)wq;
	if (work->pending)
		return false;
	work->pending = true;
	list_add_tail(&work->node, &queue);
	return true;
}

bool cancel_work_sync(struct work_struct *work)
{
	shim_may_sleep("cancel_work_sync");
	if (!work->pending)
		return false;
	list_del(&work->node);
	work->pending = false;
	return true;
}
