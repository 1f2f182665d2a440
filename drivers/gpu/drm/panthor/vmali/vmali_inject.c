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
#include <linux/pfn.h>
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

static struct page *root_page(const struct vmali_tree *tree)
{
	return pfn_to_page(PHYS_PFN(tree->root));
}

/*
 * With a reference, the page of the root table can become nothing else: if ours is
 * the only one left, the tree is gone.
 */
static int plant(struct vmali_injection *in, const struct vmali_tree *tree,
		 const struct vmali_place *p, u64 desc)
{
	in->tree = *tree;
	get_page(root_page(tree));
	in->place = *p;
	in->planted = desc;
	WRITE_ONCE(*vmali_desc_at(p->table, p->va, p->level), desc);
	return 0;
}

static int inject_attr(struct vmali_injection *in, const struct vmali_tree *tree, const u64 va[2])
{
	struct vmali_place p = {};

	if (!find_leaf(tree, va[0], &p))
		return -EINVAL;
	return plant(in, tree, &p, p.desc | VMALI_DESC_ATTR);
}

static int inject_unflushed(struct vmali_injection *in, const struct vmali_tree *tree,
			    const u64 va[2])
{
	struct vmali_place p = {};

	if (!find_leaf(tree, va[0], &p))
		return -EINVAL;
	return plant(in, tree, &p, 0);
}

static int inject_reuse(struct vmali_injection *in, const struct vmali_tree *tree, const u64 va[2])
{
	struct vmali_place from = {}, to = {};

	if (!find_table(tree, va[0], &from) || !vmali_desc_is_table(from.desc, from.level) ||
	    !find_table(tree, va[1], &to) || from.desc == to.desc)
		return -EINVAL;
	return plant(in, tree, &to, from.desc);
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
	return plant(in, tree, &p, virt_to_phys(copy) | VMALI_DESC_TABLE);
}

/* The descriptor, if it is where it was, and as it was planted. */
static u64 *find_planted(const struct vmali_injection *in)
{
	struct vmali_place p = {};

	if (page_count(root_page(&in->tree)) == 1 ||
	    !vmali_walk(&in->tree, in->place.va, in->place.level, &p) ||
	    p.table != in->place.table || p.level != in->place.level || p.desc != in->planted)
		return NULL;
	return vmali_desc_at(p.table, p.va, p.level);
}

/* What the driver has overwritten, or freed, since, is not ours any more. */
void vmali_inject_undo(struct vmali_injection *in)
{
	u64 *desc;

	if (!in->tree.root)
		return;
	desc = find_planted(in);
	if (desc)
		WRITE_ONCE(*desc, in->place.desc);
	put_page(root_page(&in->tree));
	in->tree.root = 0;
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
