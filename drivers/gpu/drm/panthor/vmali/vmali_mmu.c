// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Address spaces of the GPU: registers and commands, and translation through a TLB
 * and a walk cache that forget nothing until they are told to.
 */
#define pr_fmt(fmt) "vmali: " fmt

#include <kunit/static_stub.h>
#include <linux/bitfield.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/string_choices.h>

#include "vmali_mmu.h"

bool vmali_ignore_flush;
module_param_named(ignore_flush, vmali_ignore_flush, bool, 0644);
MODULE_PARM_DESC(ignore_flush, "Commands drop nothing from the caches: the judge has to see it");

#define SOURCE_ID	0x10
#define LOCK_MIN_BITS	15
#define VA_BITS_MIN	25

/* The end of a translation: a leaf, or an exception. */
struct vmali_result {
	u64 desc;
	unsigned int level;
	u32 exc;
};

/* --- caches --- */

static bool entry_is_used(const struct vmali_entry *e)
{
	return !hlist_unhashed(&e->in_as);
}

/*
 * Neighbours never displace each other, and what lies further apart, by chance only:
 * programs like round addresses.
 */
static struct vmali_entry *tlb_slot(struct vmali_mmu *mmu, unsigned int as, u64 va)
{
	u64 nr = va >> VMALI_SHIFT(VMALI_LAST_LEVEL);

	return &mmu->entries[(nr + hash_64(nr / TLB_ENTRIES * VMALI_AS_COUNT + as, 32)) %
			     TLB_ENTRIES];
}

static struct vmali_entry *walk_slot(struct vmali_mmu *mmu, unsigned int as, u64 va,
				     unsigned int level)
{
	return &mmu->entries[TLB_ENTRIES +
			     ((va >> VMALI_SHIFT(level)) + as * 127 + level * 251) % WALK_ENTRIES];
}

static bool entry_fits(const struct vmali_entry *e, unsigned int as, u64 va)
{
	return entry_is_used(e) && e->as == as && va >= e->base && va <= entry_last(e);
}

static struct vmali_entry *tlb_find(struct vmali_mmu *mmu, unsigned int as, u64 va)
{
	struct vmali_entry *e = tlb_slot(mmu, as, va);

	return entry_fits(e, as, va) ? e : NULL;
}

/* What leads deepest. */
static struct vmali_entry *walk_find(struct vmali_mmu *mmu, unsigned int as, u64 va)
{
	for (int level = VMALI_LAST_LEVEL; level >= (int)mmu->as[as].tree.start; level--) {
		struct vmali_entry *e = walk_slot(mmu, as, va, level);

		if (entry_fits(e, as, va) && e->level == level)
			return e;
	}
	return NULL;
}

static void drop(struct vmali_mmu *mmu, struct vmali_entry *e)
{
	hlist_del_init(&e->in_as);
	hash_del(&e->in_page);
	mmu->as[e->as].cached_count--;
}

static void drop_all(struct vmali_mmu *mmu, unsigned int as)
{
	struct vmali_entry *e;
	struct hlist_node *tmp;

	hlist_for_each_entry_safe(e, tmp, &mmu->as[as].cached, in_as)
		drop(mmu, e);
}

/* Hardware may use it; who changed the table has until the next flush to flush it. */
static void use(struct vmali_mmu *mmu, struct vmali_entry *e)
{
	struct vmali_place now = {};

	if (!e->used_stale)
		e->used_stale = vmali_is_stale(mmu, e, &now);
}

/*
 * Forget what has to do with a region. All else has to be as in memory: operations
 * on a VM come one after the other, and each flushes what it changed before the
 * next one starts, so whatever was changed up to now is in the region.
 */
static void flush(struct vmali_mmu *mmu, unsigned int as, u64 first, u64 last)
{
	struct vmali_place now = {};
	struct vmali_entry *e;
	struct hlist_node *tmp;

	hlist_for_each_entry_safe(e, tmp, &mmu->as[as].cached, in_as) {
		if (e->base <= last && entry_last(e) >= first && !vmali_ignore_flush)
			drop(mmu, e);
		else
			vmali_judge_stale(mmu, e, &now);
	}
}

/* --- translation --- */

static void fill(struct vmali_mmu *mmu, unsigned int as, u64 va, const struct vmali_result *r)
{
	bool leaf = is_leaf(r->desc, r->level);
	u64 span = VMALI_SPAN(leaf ? VMALI_LAST_LEVEL : r->level);
	struct vmali_entry *e = leaf ? tlb_slot(mmu, as, va) : walk_slot(mmu, as, va, r->level);

	if (entry_is_used(e))
		drop(mmu, e);
	*e = (struct vmali_entry){
		.base = va & ~(span - 1),
		.desc = r->desc,
		.page = r->desc & VMALI_DESC_ADDR,
		.as = as,
		.level = r->level,
	};
	if (leaf)
		e->page |= e->base & (VMALI_SPAN(r->level) - 1);

	hlist_add_head(&e->in_as, &mmu->as[as].cached);
	mmu->as[as].cached_count++;
	if (!(r->desc & VMALI_DESC_VALID))
		return;
	vmali_judge_entry(mmu, e);
	if (leaf)
		hash_add(mmu->leaves, &e->in_page, e->page);
	else
		hash_add(mmu->tables, &e->in_page, e->page);
}

static bool table_is_readable(struct vmali_mmu *mmu, unsigned int as, u64 va, unsigned int level,
			      u64 table)
{
	switch (vmali_page_state(table)) {
	case VMALI_PAGE_NO_RAM:
		vmali_report(mmu, as, va, level, "table %#llx is no memory", table);
		return false;
	case VMALI_PAGE_GIVEN_BACK:
		vmali_report(mmu, as, va, level, "walk through a page that was given back: %#llx",
			     table);
		return false;
	default:
		return true;
	}
}

static struct vmali_result walk(struct vmali_mmu *mmu, unsigned int as, u64 va)
{
	const struct vmali_tree *tree = &mmu->as[as].tree;
	struct vmali_entry *e = walk_find(mmu, as, va);
	struct vmali_result r = { .level = tree->start };
	u64 table = tree->root;
	const char *wrong;

	if (e) {
		use(mmu, e);
		r.level = e->level;
		if (!(e->desc & VMALI_DESC_VALID)) {
			r.exc = VMALI_EXC_TRANSLATION(r.level);
			return r;
		}
		table = e->page;
		r.level++;
	}

	for (;; r.level++) {
		if (!table_is_readable(mmu, as, va, r.level, table)) {
			r.exc = VMALI_EXC_TRANSLATION(r.level);
			return r;
		}
		r.desc = READ_ONCE(*vmali_desc_at(table, va, r.level));
		wrong = vmali_desc_judge(tree, r.desc, r.level, &r.exc);
		if (wrong)
			vmali_report(mmu, as, va, r.level, "%s: %#llx", wrong, r.desc);
		if (!r.exc || !(r.desc & VMALI_DESC_VALID))
			fill(mmu, as, va, &r);
		if (r.exc || !vmali_desc_is_table(r.desc, r.level))
			return r;
		table = r.desc & VMALI_DESC_ADDR;
	}
}

static bool is_locked(const struct vmali_as *a, u64 first, u64 last)
{
	return a->locked && first <= a->last && last >= a->first;
}

/* Walk for what nobody asked for, as hardware may at any time. */
static void walk_ahead(struct vmali_mmu *mmu, unsigned int as, u64 va)
{
	mmu->as[as].prefetches++;
	walk(mmu, as, va);
}

/* Now and then, walk for a neighbour, or lose something, as hardware may at any time. */
static void disturb(struct vmali_mmu *mmu, unsigned int as, u64 va)
{
	static const s64 steps[] = { SZ_4K, -SZ_4K, SZ_2M, -SZ_2M };
	struct vmali_as *a = &mmu->as[as];
	u32 rnd = prandom_u32_state(&mmu->rnd);
	struct vmali_entry *e = &mmu->entries[(rnd >> 16) % ARRAY_SIZE(mmu->entries)];

	if (!(rnd & 0x1f) && entry_is_used(e))
		drop(mmu, e);
	if (rnd >> 5 & 3)
		return;
	va = ALIGN_DOWN(va, SZ_4K) + steps[rnd >> 7 & 3];
	if (va >> a->tree.va_bits || is_locked(a, va, va + SZ_4K - 1) || tlb_find(mmu, as, va))
		return;
	walk_ahead(mmu, as, va);
}

static struct vmali_result translate(struct vmali_mmu *mmu, unsigned int as, u64 va)
{
	struct vmali_entry *e = tlb_find(mmu, as, va);
	struct vmali_result r;

	if (e) {
		mmu->as[as].hits++;
		use(mmu, e);
		return (struct vmali_result){ .desc = e->desc, .level = e->level };
	}
	mmu->as[as].walks++;
	r = walk(mmu, as, va);
	disturb(mmu, as, va);
	return r;
}

/*
 * The driver is about to lock a region, or to have it flushed: what it has changed
 * may still be used as it was.
 */
static void look_at_region(struct vmali_mmu *mmu, unsigned int as, u64 first, u64 last)
{
	u64 sample[SAMPLES];
	unsigned int count = vmali_judge_region(mmu, as, first, last, sample);

	while (count--)
		walk_ahead(mmu, as, sample[count]);
}

static bool is_permitted(u64 desc, enum vmali_access access)
{
	if (!(desc & VMALI_DESC_UNPRIV))
		return false;
	if (access == VMALI_EXECUTE)
		return !(desc & VMALI_DESC_UXN);
	return access == VMALI_READ || !(desc & VMALI_DESC_RDONLY);
}

/* The exception for an access through a leaf to @pa, or 0. */
static u32 judge_access(struct vmali_mmu *mmu, unsigned int as, u64 va,
			const struct vmali_result *r, u64 pa, enum vmali_access access)
{
	if (!is_permitted(r->desc, access))
		return VMALI_EXC_PERMISSION(r->level);

	switch (vmali_page_state(pa)) {
	case VMALI_PAGE_NO_RAM:
		vmali_report(mmu, as, va, r->level, "access to %#llx, which is no memory", pa);
		return VMALI_EXC_ADDR_SIZE_OUT(r->level);
	case VMALI_PAGE_GIVEN_BACK:
		vmali_report(mmu, as, va, r->level, "access to memory that was given back: %#llx",
			     pa);
		return VMALI_EXC_TRANSLATION(r->level);
	default:
		return 0;
	}
}

static int fault(struct vmali_mmu *mmu, unsigned int as, u64 va, u32 exc, enum vmali_access access)
{
	struct vmali_as *a = &mmu->as[as];

	a->faults++;
	if (!a->regs[AS_FAULTSTATUS / 4]) {
		a->regs[AS_FAULTSTATUS / 4] = exc | access << 8 | SOURCE_ID << 16;
		a->regs[AS_FAULTADDRESS / 4] = lower_32_bits(va);
		a->regs[AS_FAULTADDRESS / 4 + 1] = upper_32_bits(va);
		mmu->cfg.fault(mmu->cfg.ctx, as);
	}
	return -EFAULT;
}

/* The CPU may look at the same word at this moment: it sees all of it or nothing. */
static void copy(void *to, const void *from, size_t size)
{
	if (size == 8 && IS_ALIGNED((unsigned long)to | (unsigned long)from, 8))
		WRITE_ONCE(*(u64 *)to, READ_ONCE(*(const u64 *)from));
	else if (size == 4 && IS_ALIGNED((unsigned long)to | (unsigned long)from, 4))
		WRITE_ONCE(*(u32 *)to, READ_ONCE(*(const u32 *)from));
	else
		memcpy(to, from, size);
}

static void count_leaf(struct vmali_as *a, const struct vmali_result *r)
{
	unsigned int attr = FIELD_GET(VMALI_DESC_ATTR, r->desc);

	a->through.cached += attr == VMALI_ATTR_CACHED;
	a->through.uncached += attr == VMALI_ATTR_NC;
	a->through.block += r->level < VMALI_LAST_LEVEL;
	a->through.page += r->level == VMALI_LAST_LEVEL;
}

static int access_page(struct vmali_mmu *mmu, unsigned int as, u64 va, void *buf, size_t size,
		       enum vmali_access access)
{
	struct vmali_result r;
	u64 pa, mask;

	if (va >> mmu->as[as].tree.va_bits)
		return fault(mmu, as, va, VMALI_EXC_ADDR_SIZE_IN, access);

	r = translate(mmu, as, va);
	mask = VMALI_SPAN(r.level) - 1;
	pa = (r.desc & VMALI_DESC_ADDR & ~mask) | (va & mask);
	if (!r.exc)
		r.exc = judge_access(mmu, as, va, &r, pa, access);
	if (r.exc)
		return fault(mmu, as, va, r.exc, access);

	count_leaf(&mmu->as[as], &r);
	if (access == VMALI_WRITE)
		copy(phys_to_virt(pa), buf, size);
	else
		copy(buf, phys_to_virt(pa), size);
	return 0;
}

static int access_pages(struct vmali_mmu *mmu, unsigned int as, u64 va, void *buf, size_t size,
			enum vmali_access access)
{
	struct vmali_as *a = &mmu->as[as];
	int ret = 0;

	if (!a->on)
		return -EFAULT;
	if (size && is_locked(a, va, va + size - 1))
		return -EAGAIN;

	while (size && !ret) {
		size_t n = min_t(u64, size, SZ_4K - va % SZ_4K);

		a->accesses++;
		ret = access_page(mmu, as, va, buf, n, access);
		va += n;
		buf += n;
		size -= n;
	}
	return ret;
}

int vmali_mmu_access(struct vmali_mmu *mmu, unsigned int as, u64 va, void *buf, size_t size,
		     enum vmali_access access)
{
	unsigned long flags;
	int ret;

	KUNIT_STATIC_STUB_REDIRECT(vmali_mmu_access, mmu, as, va, buf, size, access);

	if (as >= VMALI_AS_COUNT)
		return -EFAULT;
	spin_lock_irqsave(&mmu->lock, flags);
	ret = access_pages(mmu, as, va, buf, size, access);
	spin_unlock_irqrestore(&mmu->lock, flags);
	return ret;
}

/* --- registers and commands --- */

static u64 reg64(const struct vmali_as *a, u32 reg)
{
	return a->regs[reg / 4] | (u64)a->regs[reg / 4 + 1] << 32;
}

/* What no driver has a reason to ask for. */
static const char *judge_config(const struct vmali_tree *tree, u64 cfg)
{
	const u64 known = AS_TRANSCFG_ADRMODE | AS_TRANSCFG_INA_BITS | AS_TRANSCFG_OUTA_BITS |
			  AS_TRANSCFG_PTW_MEMATTR | AS_TRANSCFG_PTW_SH | AS_TRANSCFG_PTW_RA;
	u64 policy = FIELD_GET(AS_TRANSCFG_PTW_MEMATTR, cfg);

	/* Nor AS_ADRMODE_IDENTITY, which shows the GPU all memory. */
	if (FIELD_GET(AS_TRANSCFG_ADRMODE, cfg) != AS_ADRMODE_AARCH64_4K)
		return "address mode";
	if (tree->va_bits < VA_BITS_MIN || tree->va_bits > VMALI_VA_BITS)
		return "INA_BITS";
	if (cfg & AS_TRANSCFG_OUTA_BITS)
		return "OUTA_BITS";
	if (policy != 1 && policy != 2)
		return "memory attributes of walks";
	if (FIELD_GET(AS_TRANSCFG_PTW_SH, cfg) == 1)
		return "shareability of walks";
	if (cfg & ~known)
		return "a bit that is not known";
	if (tree->root % SZ_4K || vmali_page_state(tree->root) != VMALI_PAGE_OK)
		return "root table";
	return NULL;
}

/*
 * Also forgets everything. The driver of 6.12 has flushed before, but that of 7.3
 * gives an address space to another VM by this command alone.
 */
static void update(struct vmali_mmu *mmu, unsigned int as)
{
	struct vmali_as *a = &mmu->as[as];
	u64 cfg = reg64(a, AS_TRANSCFG);
	const char *wrong;

	vmali_judge_all(mmu, as);
	drop_all(mmu, as);
	memset(&a->regs[AS_FAULTSTATUS / 4], 0, 3 * sizeof(u32));
	a->on = false;
	a->lock_lost = false;
	if (cfg == AS_ADRMODE_UNMAPPED)
		return;

	a->tree.root = reg64(a, AS_TRANSTAB);
	a->tree.memattr = reg64(a, AS_MEMATTR);
	a->tree.va_bits = 55 - FIELD_GET(AS_TRANSCFG_INA_BITS, cfg);
	a->tree.start = VMALI_LAST_LEVEL - (a->tree.va_bits - 13) / 9;
	wrong = judge_config(&a->tree, cfg);
	if (wrong)
		vmali_report(mmu, as, 0, -1, "UPDATE with TRANSCFG %#llx TRANSTAB %#llx: bad %s",
			     cfg, a->tree.root, wrong);
	else
		vmali_judge_root(mmu, as);
	a->on = !wrong;
}

/* No operation on a VM locks all of the space: that is for a change of VMs. */
static bool is_whole(u64 first, u64 last)
{
	return !first && last == U64_MAX;
}

/* The low bits of LOCKADDR are the size, and those that the size covers do not count. */
static void lock_region(struct vmali_mmu *mmu, unsigned int as)
{
	struct vmali_as *a = &mmu->as[as];
	u64 addr = reg64(a, AS_LOCKADDR);
	unsigned int bits = addr % 64 + 1;
	u64 mask = GENMASK_ULL(bits - 1, 0);
	u64 first = addr & ~mask, last = addr | mask;

	if (bits < LOCK_MIN_BITS)
		vmali_report(mmu, as, first, -1, "region of %llu bytes is too small", mask + 1);
	if (a->locked && (a->first < first || a->last > last))
		vmali_report(mmu, as, first, -1, "LOCK gives up the region %#llx-%#llx", a->first,
			     a->last);
	if (is_whole(first, last)) {
		vmali_judge_all(mmu, as);
	} else if (a->on) {
		vmali_judge_unlocked(mmu, as, first, last);
		look_at_region(mmu, as, first, last);
	}
	a->locked = true;
	a->first = first;
	a->last = last;
}

/* UNLOCK ends a region as the flushes do: the driver of 7.3 knows no other flush. */
static void end_region(struct vmali_mmu *mmu, unsigned int as)
{
	struct vmali_as *a = &mmu->as[as];

	if (a->on && !is_whole(a->first, a->last))
		look_at_region(mmu, as, a->first, a->last);
	a->locked = false;
	flush(mmu, as, a->first, a->last);
	mmu->cfg.unlocked(mmu->cfg.ctx);
}

static void remember(struct vmali_as *a, u32 command)
{
	struct vmali_command *c = &a->history[a->history_count++ % HISTORY];

	*c = (struct vmali_command){ .ns = ktime_get_ns(), .command = command };
	if (a->locked) {
		c->first = a->first;
		c->last = a->last;
	}
}

static void execute(struct vmali_mmu *mmu, unsigned int as, u32 command)
{
	struct vmali_as *a = &mmu->as[as];

	if (command < COMMANDS)
		a->commands[command]++;
	if (command == AS_COMMAND_LOCK)
		lock_region(mmu, as);
	remember(a, command);

	switch (command) {
	case AS_COMMAND_NOP:
	case AS_COMMAND_LOCK:
		break;
	case AS_COMMAND_UPDATE:
		update(mmu, as);
		break;
	case AS_COMMAND_FLUSH_PT:
	case AS_COMMAND_FLUSH_MEM:
	case AS_COMMAND_UNLOCK:
		if (a->locked)
			end_region(mmu, as);
		else if (!a->lock_lost)
			vmali_report(mmu, as, 0, -1, "%s, but no region is locked",
				     vmali_command_name(command));
		a->lock_lost = false;
		break;
	default:
		vmali_report(mmu, as, 0, -1, "command %u does not exist", command);
	}
}

/* Commands are done when the write is: AS_STATUS is always 0. */
u32 vmali_mmu_read_reg(struct vmali_mmu *mmu, unsigned int as, u32 reg)
{
	unsigned long flags;
	u32 val;

	if (as >= VMALI_AS_COUNT || reg / 4 >= ARRAY_SIZE(mmu->as[as].regs))
		return 0;
	spin_lock_irqsave(&mmu->lock, flags);
	val = mmu->as[as].regs[reg / 4];
	spin_unlock_irqrestore(&mmu->lock, flags);
	return val;
}

void vmali_mmu_write_reg(struct vmali_mmu *mmu, unsigned int as, u32 reg, u32 val)
{
	unsigned long flags;

	if (as >= VMALI_AS_COUNT)
		return;
	spin_lock_irqsave(&mmu->lock, flags);
	switch (reg) {
	case AS_TRANSTAB:
	case AS_TRANSTAB + 4:
	case AS_MEMATTR:
	case AS_MEMATTR + 4:
	case AS_LOCKADDR:
	case AS_LOCKADDR + 4:
	case AS_TRANSCFG:
	case AS_TRANSCFG + 4:
		mmu->as[as].regs[reg / 4] = val;
		break;
	case AS_COMMAND:
		execute(mmu, as, val);
		break;
	default:
		vmali_report(mmu, as, 0, -1, "register %#x does not exist, but %#x is written", reg,
			     val);
	}
	spin_unlock_irqrestore(&mmu->lock, flags);
}

/* --- the owner's --- */

bool vmali_mmu_locked(struct vmali_mmu *mmu, unsigned int as)
{
	return as < VMALI_AS_COUNT && READ_ONCE(mmu->as[as].locked);
}

bool vmali_mmu_tree(struct vmali_mmu *mmu, unsigned int as, struct vmali_tree *tree)
{
	unsigned long flags;
	bool on;

	if (as >= VMALI_AS_COUNT)
		return false;
	spin_lock_irqsave(&mmu->lock, flags);
	*tree = mmu->as[as].tree;
	on = mmu->as[as].on;
	spin_unlock_irqrestore(&mmu->lock, flags);
	return on;
}

struct vmali_injection *vmali_mmu_injection(struct vmali_mmu *mmu)
{
	return &mmu->injection;
}

u64 vmali_mmu_errors(struct vmali_mmu *mmu)
{
	unsigned long flags;
	u64 errors;

	spin_lock_irqsave(&mmu->lock, flags);
	errors = mmu->errors;
	spin_unlock_irqrestore(&mmu->lock, flags);
	return errors;
}

u64 vmali_mmu_check(struct vmali_mmu *mmu)
{
	unsigned long flags;
	u64 errors;

	spin_lock_irqsave(&mmu->lock, flags);
	for (int as = 0; as < VMALI_AS_COUNT; as++) {
		vmali_judge_all(mmu, as);
		if (mmu->as[as].locked)
			vmali_report(mmu, as, mmu->as[as].first, -1, "is still locked up to %#llx",
				     mmu->as[as].last);
	}
	errors = mmu->errors;
	spin_unlock_irqrestore(&mmu->lock, flags);
	return errors;
}

static void show_as(const struct vmali_as *a, unsigned int as, struct seq_file *m)
{
	seq_printf(m, "%2u %-3s %#14llx %6u %9llu %9llu %9llu %9llu %6llu %6llu", as,
		   str_on_off(a->on), reg64(a, AS_TRANSTAB), a->cached_count, a->accesses,
		   a->hits, a->walks, a->prefetches, a->faults, a->errors);
	for (int i = AS_COMMAND_UPDATE; i < COMMANDS; i++)
		seq_printf(m, " %9llu", a->commands[i]);
	if (a->locked)
		seq_printf(m, " locked %#llx-%#llx", a->first, a->last);
	seq_putc(m, '\n');
}

void vmali_mmu_show(struct vmali_mmu *mmu, struct seq_file *m)
{
	unsigned long flags;

	seq_printf(m, "%2s %-3s %14s %6s %9s %9s %9s %9s %6s %6s", "AS", "", "table", "cached",
		   "accesses", "hits", "walks", "ahead", "faults", "errors");
	for (int i = AS_COMMAND_UPDATE; i < COMMANDS; i++)
		seq_printf(m, " %9s", vmali_command_name(i));
	seq_putc(m, '\n');

	spin_lock_irqsave(&mmu->lock, flags);
	for (int as = 0; as < VMALI_AS_COUNT; as++)
		show_as(&mmu->as[as], as, m);
	seq_printf(m, "errors: %llu\n", mmu->errors);
	spin_unlock_irqrestore(&mmu->lock, flags);
}

/* Not those of the firmware, which would hide all others. */
void vmali_mmu_show_accesses(struct vmali_mmu *mmu, struct seq_file *m)
{
	u64 cached = 0, uncached = 0, block = 0, page = 0;
	unsigned long flags;

	spin_lock_irqsave(&mmu->lock, flags);
	for (int as = 1; as < VMALI_AS_COUNT; as++) {
		cached += mmu->as[as].through.cached;
		uncached += mmu->as[as].through.uncached;
		block += mmu->as[as].through.block;
		page += mmu->as[as].through.page;
	}
	spin_unlock_irqrestore(&mmu->lock, flags);
	seq_printf(m, "cached %llu\nuncached %llu\nblock %llu\npage %llu\n", cached, uncached,
		   block, page);
}

void vmali_mmu_reset(struct vmali_mmu *mmu)
{
	unsigned long flags;

	spin_lock_irqsave(&mmu->lock, flags);
	for (int as = 0; as < VMALI_AS_COUNT; as++) {
		struct vmali_as *a = &mmu->as[as];

		vmali_judge_all(mmu, as);
		drop_all(mmu, as);
		memset(a->regs, 0, sizeof(a->regs));
		a->regs[AS_TRANSCFG / 4] = AS_ADRMODE_UNMAPPED;
		a->on = false;
		a->lock_lost |= a->locked;
		a->locked = false;
	}
	spin_unlock_irqrestore(&mmu->lock, flags);
}

void vmali_mmu_power_off(struct vmali_mmu *mmu)
{
	unsigned long flags;

	spin_lock_irqsave(&mmu->lock, flags);
	for (int as = 0; as < VMALI_AS_COUNT; as++)
		drop_all(mmu, as);
	spin_unlock_irqrestore(&mmu->lock, flags);
}

struct vmali_mmu *vmali_mmu_create(const struct vmali_mmu_cfg *cfg)
{
	struct vmali_mmu *mmu = kvzalloc(sizeof(*mmu), GFP_KERNEL);

	if (!mmu)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&mmu->lock);
	mmu->cfg = *cfg;
	prandom_seed_state(&mmu->rnd, cfg->seed);
	vmali_mmu_reset(mmu);
	return mmu;
}

void vmali_mmu_destroy(struct vmali_mmu *mmu)
{
	vmali_inject_undo(&mmu->injection);
	kvfree(mmu);
}
