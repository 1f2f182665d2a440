// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Damage to page tables on purpose, so that tests see the judge of the MMU fire.
 * One descriptor at a time, and it can be undone. The driver must have no operation
 * under way on the address space.
 */
#include <linux/bitfield.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "vmali_walk.h"

#define MAX_WORDS	4

static bool find_leaf(const struct vmali_tree *tree, u64 va, struct vmali_place *p)
{
	return vmali_walk(tree, va, VMALI_LAST_LEVEL, p) && (p->desc & VMALI_DESC_VALID) &&
	       !vmali_desc_is_table(p->desc, p->level);
}

/* The descriptor that leads to a table of the last level, or would. */
static bool find_table(const struct vmali_tree *tree, u64 va, struct vmali_place *p)
{
	return vmali_walk(tree, va, VMALI_LAST_LEVEL - 1, p) && p->level == VMALI_LAST_LEVEL - 1;
}

static int plant(struct vmali_injection *in, const struct vmali_place *p, u64 va, u64 desc)
{
	in->where = vmali_desc_at(p->table, va, p->level);
	in->old = p->desc;
	in->planted = desc;
	WRITE_ONCE(*in->where, desc);
	return 0;
}

static int inject_attr(struct vmali_injection *in, const struct vmali_tree *tree, const u64 va[2])
{
	struct vmali_place p = {};

	if (!find_leaf(tree, va[0], &p))
		return -EINVAL;
	return plant(in, &p, va[0], p.desc | VMALI_DESC_ATTR);
}

static int inject_unflushed(struct vmali_injection *in, const struct vmali_tree *tree,
			    const u64 va[2])
{
	struct vmali_place p = {};

	if (!find_leaf(tree, va[0], &p))
		return -EINVAL;
	return plant(in, &p, va[0], 0);
}

static int inject_reuse(struct vmali_injection *in, const struct vmali_tree *tree, const u64 va[2])
{
	struct vmali_place from = {}, to = {};

	if (!find_table(tree, va[0], &from) || !vmali_desc_is_table(from.desc, from.level) ||
	    !find_table(tree, va[1], &to) || from.desc == to.desc)
		return -EINVAL;
	return plant(in, &to, va[1], from.desc);
}

/*
 * The second page of two that are no compound page has no references of its own: it
 * looks given back, and yet is ours until the damage is undone.
 */
static int inject_free(struct vmali_injection *in, const struct vmali_tree *tree, const u64 va[2])
{
	struct vmali_place p = {};
	void *copy;

	if (!find_table(tree, va[0], &p) || !vmali_desc_is_table(p.desc, p.level))
		return -EINVAL;
	in->pages = alloc_pages(GFP_KERNEL, 1);
	if (!in->pages)
		return -ENOMEM;
	copy = page_address(in->pages + 1);
	memcpy(copy, phys_to_virt(p.desc & VMALI_DESC_ADDR), SZ_4K);
	return plant(in, &p, va[0], virt_to_phys(copy) | VMALI_DESC_TABLE);
}

/* What the driver has overwritten since stays as it is. */
void vmali_inject_undo(struct vmali_injection *in)
{
	if (in->where && vmali_page_state(virt_to_phys(in->where)) == VMALI_PAGE_OK &&
	    READ_ONCE(*in->where) == in->planted)
		WRITE_ONCE(*in->where, in->old);
	in->where = NULL;
	if (in->pages)
		__free_pages(in->pages, 1);
	in->pages = NULL;
}

static const struct {
	const char *name;
	unsigned int addresses;
	int (*inject)(struct vmali_injection *in, const struct vmali_tree *tree, const u64 va[2]);
} kinds[] = {
	{ "attr", 1, inject_attr },
	{ "unflushed", 1, inject_unflushed },
	{ "reuse", 2, inject_reuse },
	{ "free", 1, inject_free },
};

/* Split @line at its blanks. Returns how many words there are, or more than MAX_WORDS. */
static unsigned int split(char *line, const char *words[MAX_WORDS])
{
	unsigned int count = 0;
	char *word;

	while ((word = strsep(&line, " \t\n"))) {
		if (!*word)
			continue;
		if (count < MAX_WORDS)
			words[count] = word;
		count++;
	}
	return count;
}

static int inject(struct vmali_mmu *mmu, unsigned int kind, const char * const *words)
{
	struct vmali_tree tree;
	unsigned int as;
	u64 va[2] = {};

	if (kstrtouint(words[0], 0, &as) || !vmali_mmu_tree(mmu, as, &tree))
		return -EINVAL;
	for (int i = 0; i < kinds[kind].addresses; i++)
		if (kstrtou64(words[1 + i], 0, &va[i]) || va[i] >> tree.va_bits)
			return -EINVAL;
	return kinds[kind].inject(vmali_mmu_injection(mmu), &tree, va);
}

int vmali_mmu_inject(struct vmali_mmu *mmu, const char *cmd)
{
	const char *words[MAX_WORDS];
	unsigned int count;
	char line[80];

	if (strscpy(line, cmd) < 0)
		return -EINVAL;
	count = split(line, words);
	if (!count)
		return -EINVAL;

	vmali_inject_undo(vmali_mmu_injection(mmu));
	if (!strcmp(words[0], "undo"))
		return count == 1 ? 0 : -EINVAL;
	for (int i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(words[0], kinds[i].name) && count == 2 + kinds[i].addresses)
			return inject(mmu, i, words + 1);
	return -EINVAL;
}
