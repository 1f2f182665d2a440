// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The judge: compares what the caches of an address space hold with the tables in
 * memory, and reports what the driver did wrong.
 */
#define pr_fmt(fmt) "vmali: " fmt

#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/sizes.h>

#include "vmali_mmu.h"

static bool lax_splits;
module_param(lax_splits, bool, 0644);
MODULE_PARM_DESC(lax_splits, "What is left of a block that was split may stay cached as the block");

static bool lax_frees;
module_param(lax_frees, bool, 0644);
MODULE_PARM_DESC(lax_frees, "Tables may be freed, and be replaced by blocks, before the flush");

#define HISTORY_SHOWN	16
#define REPORTS_SHOWN	40

static const char * const command_names[COMMANDS] = {
	[AS_COMMAND_NOP] = "NOP",
	[AS_COMMAND_UPDATE] = "UPDATE",
	[AS_COMMAND_LOCK] = "LOCK",
	[AS_COMMAND_UNLOCK] = "UNLOCK",
	[AS_COMMAND_FLUSH_PT] = "FLUSH_PT",
	[AS_COMMAND_FLUSH_MEM] = "FLUSH_MEM",
};

const char *vmali_command_name(u32 command)
{
	return command < COMMANDS ? command_names[command] : "?";
}

static void print_history(struct vmali_mmu *mmu, unsigned int as)
{
	struct vmali_as *a = &mmu->as[as];
	unsigned int count = min(a->history_count, HISTORY_SHOWN);

	for (unsigned int i = a->history_count - count; i != a->history_count; i++) {
		struct vmali_command *c = &a->history[i % HISTORY];
		const char *name = vmali_command_name(c->command);

		if (c->last)
			pr_info("history: %s: AS %u: %llu ns: %s %#llx-%#llx\n", mmu->cfg.name, as,
				c->ns, name, c->first, c->last);
		else
			pr_info("history: %s: AS %u: %llu ns: %s\n", mmu->cfg.name, as, c->ns,
				name);
	}
}

static bool is_shown(struct vmali_mmu *mmu)
{
	if (++mmu->errors == REPORTS_SHOWN + 1)
		pr_err("judge: %s: more errors are only counted\n", mmu->cfg.name);
	return mmu->errors <= REPORTS_SHOWN;
}

void vmali_report(struct vmali_mmu *mmu, unsigned int as, u64 iova, int level, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	mmu->as[as].errors++;
	if (!is_shown(mmu))
		return;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	if (level < 0)
		pr_err("judge: %s: AS %u iova %#llx: %pV\n", mmu->cfg.name, as, iova, &vaf);
	else
		pr_err("judge: %s: AS %u iova %#llx level %d: %pV\n", mmu->cfg.name, as, iova,
		       level, &vaf);
	va_end(args);
	print_history(mmu, as);
}

void vmali_mmu_complain(struct vmali_mmu *mmu, const char *fmt, ...)
{
	struct va_format vaf;
	unsigned long flags;
	va_list args;

	spin_lock_irqsave(&mmu->lock, flags);
	if (is_shown(mmu)) {
		va_start(args, fmt);
		vaf.fmt = fmt;
		vaf.va = &args;
		pr_err("judge: %s: %pV\n", mmu->cfg.name, &vaf);
		va_end(args);
	}
	spin_unlock_irqrestore(&mmu->lock, flags);
}

static bool same_place(const struct vmali_entry *a, const struct vmali_entry *b)
{
	return a->as == b->as && a->level == b->level && a->base == b->base;
}

/* A table goes to a second place: once is enough to say so of the first. */
static void judge_reuse(struct vmali_mmu *mmu, const struct vmali_entry *e)
{
	struct vmali_entry *o;

	hash_for_each_possible(mmu->tables, o, in_page, e->page) {
		if (o->page != e->page || same_place(o, e) || o->reported)
			continue;
		o->reported = true;
		vmali_report(mmu, e->as, e->base, e->level,
			     "table page reused before the flush: AS %u iova %#llx level %u leads there",
			     o->as, o->base, o->level);
	}
}

/* @e leads to a table: so does no entry for another place, and no leaf leads there. */
static void judge_table(struct vmali_mmu *mmu, const struct vmali_entry *e)
{
	struct vmali_entry *o;

	judge_reuse(mmu, e);
	hash_for_each_possible(mmu->leaves, o, in_page, e->page)
		if (o->page == e->page)
			vmali_report(mmu, e->as, e->base, e->level,
				     "memory became a table before the flush: AS %u iova %#llx maps it",
				     o->as, o->base);
}

static void judge_leaf(struct vmali_mmu *mmu, const struct vmali_entry *e)
{
	struct vmali_entry *o;

	hash_for_each_possible(mmu->tables, o, in_page, e->page)
		if (o->page == e->page)
			vmali_report(mmu, e->as, e->base, e->level,
				     "table page mapped as memory: AS %u iova %#llx level %u leads there",
				     o->as, o->base, o->level);
}

void vmali_judge_entry(struct vmali_mmu *mmu, const struct vmali_entry *e)
{
	for (int as = 0; as < VMALI_AS_COUNT; as++)
		if (mmu->as[as].on && mmu->as[as].tree.root == e->page)
			vmali_report(mmu, e->as, e->base, e->level,
				     "leads to the root table of AS %u", as);
	if (entry_is_leaf(e))
		judge_leaf(mmu, e);
	else
		judge_table(mmu, e);
}

void vmali_judge_root(struct vmali_mmu *mmu, unsigned int as)
{
	u64 root = mmu->as[as].tree.root;
	struct vmali_entry *o;

	hash_for_each_possible(mmu->tables, o, in_page, root)
		if (o->page == root)
			vmali_report(mmu, as, 0, -1,
				     "the root table is a table already: AS %u iova %#llx level %u leads there",
				     o->as, o->base, o->level);
	hash_for_each_possible(mmu->leaves, o, in_page, root)
		if (o->page == root)
			vmali_report(mmu, as, 0, -1,
				     "the root table is memory: AS %u iova %#llx maps it",
				     o->as, o->base);
}

/*
 * The architecture wants a block flushed as a whole when it is split, even where
 * nothing else changes. The driver of 6.12 flushes no more of it than is unmapped.
 */
static bool is_same_memory(const struct vmali_entry *e, const struct vmali_place *now)
{
	const u64 other = VMALI_DESC_ADDR | VMALI_DESC_TYPE | VMALI_DESC_SW;
	u64 page = now->desc & VMALI_DESC_ADDR;

	if (!entry_is_leaf(e) || !is_leaf(now->desc, now->level))
		return false;
	page |= e->base & (VMALI_SPAN(now->level) - 1);
	return page == e->page && !((now->desc ^ e->desc) & ~other);
}

/* Does the tree say something else now? What is invalid is so at any level. */
bool vmali_is_stale(struct vmali_mmu *mmu, const struct vmali_entry *e, struct vmali_place *now)
{
	unsigned int level = entry_is_leaf(e) ? VMALI_LAST_LEVEL : e->level;

	if (!vmali_walk(&mmu->as[e->as].tree, e->base, level, now))
		return true;
	if (!(e->desc & VMALI_DESC_VALID))
		return now->desc & VMALI_DESC_VALID;
	if (lax_splits && is_same_memory(e, now))
		return false;
	return now->level != e->level || (now->desc ^ e->desc) & ~VMALI_DESC_SW;
}

void vmali_judge_stale(struct vmali_mmu *mmu, struct vmali_entry *e, struct vmali_place *now)
{
	if (e->reported || !vmali_is_stale(mmu, e, now))
		return;
	e->reported = true;
	vmali_report(mmu, e->as, e->base, e->level,
		     "table changed without a flush that covers it: %#llx is %#llx now, %s",
		     e->desc, now->desc, e->used_stale ? "used while stale" : "not used since");
}

void vmali_judge_all(struct vmali_mmu *mmu, unsigned int as)
{
	struct vmali_as *a = &mmu->as[as];
	struct vmali_place now = {};
	struct vmali_entry *e;

	hlist_for_each_entry(e, &a->cached, in_as)
		if (!in_locked_region(a, e))
			vmali_judge_stale(mmu, e, &now);
}

/* --- regions: between a change and its flush --- */

/*
 * Does @now, which differs from @e, break what the architecture calls break before
 * make? What became invalid, or was, may change at any time: the flush follows.
 */
static bool is_replaced(const struct vmali_entry *e, const struct vmali_place *now)
{
	if (!(e->desc & VMALI_DESC_VALID))
		return false;
	/* A block became a table, whatever is in that. */
	if (entry_is_leaf(e) && now->level > e->level)
		return !lax_splits;
	/* A table, which has to be empty, became a block. */
	if (lax_frees && entry_is_table(e) && is_leaf(now->desc, now->level))
		return false;
	return now->desc & VMALI_DESC_VALID;
}

void vmali_judge_unlocked(struct vmali_mmu *mmu, unsigned int as, u64 first, u64 last)
{
	struct vmali_as *a = &mmu->as[as];
	struct vmali_place now = {};
	struct vmali_entry *e;

	hlist_for_each_entry(e, &a->cached, in_as) {
		if (!overlaps(e, first, last) || in_locked_region(a, e) || e->reported ||
		    !vmali_is_stale(mmu, e, &now) || !is_replaced(e, &now))
			continue;
		e->reported = true;
		vmali_report(mmu, as, e->base, e->level,
			     "valid descriptor replaced while nothing is locked: %#llx is %#llx now",
			     e->desc, now.desc);
	}
}

/*
 * Tables that the tree has now in [@first, @last] below @table: has one of them been
 * taken from another place, and is it cached for that?
 */
static void judge_tree(struct vmali_mmu *mmu, unsigned int as, u64 table, unsigned int level,
		       u64 first, u64 last)
{
	for (u64 va = first, end; va <= last; va = end + 1) {
		struct vmali_entry e = { .as = as, .level = level };

		end = va | (VMALI_SPAN(level) - 1);
		e.base = end + 1 - VMALI_SPAN(level);
		e.desc = READ_ONCE(*vmali_desc_at(table, va, level));
		e.page = e.desc & VMALI_DESC_ADDR;
		if (!vmali_desc_is_table(e.desc, level) ||
		    vmali_page_state(e.page) != VMALI_PAGE_OK)
			continue;
		judge_reuse(mmu, &e);
		if (level < VMALI_LAST_LEVEL - 1)
			judge_tree(mmu, as, e.page, level + 1, va, min(end, last));
	}
}

/* Is the table that @e leads to there still? True if hardware could walk through it. */
static bool judge_life(struct vmali_mmu *mmu, struct vmali_entry *e, struct vmali_place *now)
{
	if (lax_frees && vmali_is_stale(mmu, e, now))
		return false;
	if (vmali_page_state(e->page) == VMALI_PAGE_OK)
		return true;
	e->reported = true;
	vmali_report(mmu, e->as, e->base, e->level,
		     "table page given back before the flush: %#llx", e->page);
	return false;
}

static u64 any_page(struct vmali_mmu *mmu, u64 first, u64 last)
{
	u64 pages = (last - first) / SZ_4K + 1;

	return first + prandom_u32_state(&mmu->rnd) % pages * SZ_4K;
}

unsigned int vmali_judge_region(struct vmali_mmu *mmu, unsigned int as, u64 first, u64 last,
				u64 sample[SAMPLES])
{
	struct vmali_as *a = &mmu->as[as];
	struct vmali_place now = {};
	unsigned int count = 0;
	bool all_live = true;
	struct vmali_entry *e;

	last = min(last, BIT_ULL(a->tree.va_bits) - 1);
	hlist_for_each_entry(e, &a->cached, in_as) {
		if (!overlaps(e, first, last) || !entry_is_table(e))
			continue;
		if (e->reported || !judge_life(mmu, e, &now))
			all_live = false;
		else if (count < SAMPLES && prandom_u32_state(&mmu->rnd) & 1)
			sample[count++] = any_page(mmu, max(e->base, first),
						   min(entry_last(e), last));
	}
	if (vmali_page_state(a->tree.root) == VMALI_PAGE_OK)
		judge_tree(mmu, as, a->tree.root, a->tree.start, first, last);
	/* Any walk might come by a table that is gone. */
	return all_live ? count : 0;
}
