// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Subjects: how few instructions it could take. Loops that store the descriptors into
 * tables that are there already, found in an array; or by a walk, with a look at each
 * entry first.
 */

#include <linux/dev_printk.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "machine.h"
#include "subject.h"

/* The format once more, so that a limit does not depend on what it is a limit for. */
#define ENTRIES		512
#define LAST_LEVEL	3
#define SHIFT(level)	(12 + 9 * (LAST_LEVEL - (level)))
#define SPAN(level)	(1ull << SHIFT(level))
#define INDEX(iova, level)	((unsigned int)((iova) >> SHIFT(level)) % ENTRIES)

#define PTE_TYPE	3ull
#define PTE_BLOCK	1ull
#define PTE_TABLE	3ull
#define PTE_PAGE	3ull
#define PTE_ADDR	GENMASK_ULL(47, 12)

/* Cached, not executable, read and write, inner shareable, accessed, not global. */
#define PTE_ATTRS	(3ull << 53 | BIT_ULL(11) | BIT_ULL(10) | 3ull << 8 | BIT_ULL(6) | \
			 1ull << 2)

#define NR_L3	(3 * ENTRIES)

struct limit {
	bool coherent;

	/* Allocated so far. The first is the root. */
	struct page *pages[NR_L3 + 5];
	unsigned int nr_pages;

	/* Tables with leaves, by what they span in the window. */
	u64 *l2[3];
	u64 *l3[NR_L3];
};

static struct device device;

static u64 *new_table(struct limit *l)
{
	struct page *page = alloc_pages_node(0, GFP_KERNEL | __GFP_ZERO, 0);

	l->pages[l->nr_pages++] = page;
	return page_address(page);
}

static void *limit_create(const struct bench_cfg *cfg)
{
	struct limit *l = kzalloc(sizeof(*l), GFP_KERNEL);

	l->coherent = cfg->coherent;
	new_table(l);
	return l;
}

static void limit_destroy(void *vm)
{
	struct limit *l = vm;

	while (l->nr_pages)
		__free_page(l->pages[--l->nr_pages]);
	kfree(l);
}

static u64 *root(const struct limit *l)
{
	return page_address(l->pages[0]);
}

/* The table at @level for @iova; made, with those above it, if it is not there. */
static u64 *make_table(struct limit *l, u64 iova, int level)
{
	u64 *table = root(l);
	int i;

	for (i = 0; i < level; i++) {
		u64 *entry = &table[INDEX(iova, i)];

		if (!*entry)
			*entry = virt_to_phys(new_table(l)) | PTE_TABLE;
		table = phys_to_virt(*entry & PTE_ADDR);
	}
	return table;
}

static int limit_before_map(void *vm, const struct bench_op *op)
{
	struct limit *l = vm;
	u64 last = op->iova + op->size - 1 - BENCH_WINDOW;
	u64 i;

	if (op->leaf == SZ_2M) {
		for (i = (op->iova - BENCH_WINDOW) / SZ_1G; i <= last / SZ_1G; i++)
			l->l2[i] = make_table(l, BENCH_WINDOW + i * SZ_1G, 2);
	} else {
		for (i = (op->iova - BENCH_WINDOW) / SZ_2M; i <= last / SZ_2M; i++)
			l->l3[i] = make_table(l, BENCH_WINDOW + i * SZ_2M, 3);
	}
	return 0;
}

static __always_inline u64 *find(const struct limit *l, u64 iova, int level)
{
	return level == 2 ? l->l2[(iova - BENCH_WINDOW) / SZ_1G] :
			    l->l3[(iova - BENCH_WINDOW) / SZ_2M];
}

static __always_inline u64 *walk(const struct limit *l, u64 iova, int level)
{
	u64 *table = root(l);
	int i;

	for (i = 0; i < level; i++) {
		u64 pte = READ_ONCE(table[INDEX(iova, i)]);

		if ((pte & PTE_TYPE) != PTE_TABLE)
			return NULL;
		table = phys_to_virt(pte & PTE_ADDR);
	}
	return table;
}

static __always_inline u64 *find_table(const struct limit *l, u64 iova, int level, bool checked)
{
	return checked ? walk(l, iova, level) : find(l, iova, level);
}

static __always_inline void clean(const struct limit *l, u64 *first, u64 *end)
{
	if (!l->coherent && first)
		dma_sync_single_for_device(&device, virt_to_phys(first),
					   (end - first) * sizeof(*end), DMA_TO_DEVICE);
}

static __always_inline u64 leaf_attrs(int level)
{
	return PTE_ATTRS | (level == LAST_LEVEL ? PTE_PAGE : PTE_BLOCK);
}

/* A scatter list of one entry. */
static __always_inline int map_run(struct limit *l, const struct bench_op *op, int level,
				   bool checked)
{
	u64 pte = sg_dma_address(op->sgt->sgl) | leaf_attrs(level);
	u64 left = op->size >> SHIFT(level);
	u64 iova = op->iova;

	while (left) {
		u64 *table = find_table(l, iova, level, checked);
		u64 *first = table + INDEX(iova, level);
		u64 *end = min(first + left, table + ENTRIES);
		u64 *entry;

		if (checked && !table)
			return -EINVAL;

		for (entry = first; entry < end; entry++) {
			if (checked && *entry)
				return -EEXIST;
			WRITE_ONCE(*entry, pte);
			pte += SPAN(level);
		}
		clean(l, first, end);
		left -= end - first;
		iova += (u64)(end - first) << SHIFT(level);
	}
	/* The map ends with it in each subject. */
	wmb();
	return 0;
}

/* A scatter list of one entry for each leaf. */
static __always_inline int map_list(struct limit *l, const struct bench_op *op, int level,
				    bool checked)
{
	u64 *first = NULL, *entry = NULL, *end = NULL;
	u64 attrs = leaf_attrs(level);
	u64 iova = op->iova;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(op->sgt, sg, i) {
		if (entry == end) {
			u64 *table = find_table(l, iova, level, checked);

			clean(l, first, entry);
			if (checked && !table)
				return -EINVAL;
			first = table + INDEX(iova, level);
			entry = first;
			end = table + ENTRIES;
			iova = (iova | (SPAN(level - 1) - 1)) + 1;
		}
		if (checked && *entry)
			return -EEXIST;
		WRITE_ONCE(*entry++, sg_dma_address(sg) | attrs);
	}
	clean(l, first, entry);
	/* As above. */
	wmb();
	return 0;
}

static __always_inline u64 unmap_level(struct limit *l, const struct bench_op *op, int level,
				       bool checked)
{
	u64 left = op->size >> SHIFT(level);
	u64 iova = op->iova;

	while (left) {
		u64 *table = find_table(l, iova, level, checked);
		u64 *first = table + INDEX(iova, level);
		u64 *end = min(first + left, table + ENTRIES);
		u64 *entry;

		if (checked && !table)
			break;

		for (entry = first; entry < end; entry++) {
			if (checked && !*entry)
				return 0;
			WRITE_ONCE(*entry, 0);
		}
		clean(l, first, end);
		left -= end - first;
		iova += (u64)(end - first) << SHIFT(level);
	}
	return iova - op->iova;
}

static __always_inline int map_level(struct limit *l, const struct bench_op *op, bool checked)
{
	if (op->leaf == SZ_2M)
		return map_run(l, op, 2, checked);
	if (op->sgt->nents == 1)
		return map_run(l, op, 3, checked);
	return map_list(l, op, 3, checked);
}

static int limit_map(void *vm, const struct bench_op *op)
{
	return map_level(vm, op, false);
}

static int limit_map_checked(void *vm, const struct bench_op *op)
{
	return map_level(vm, op, true);
}

static u64 limit_unmap(void *vm, const struct bench_op *op)
{
	return op->leaf == SZ_2M ? unmap_level(vm, op, 2, false) : unmap_level(vm, op, 3, false);
}

static u64 limit_unmap_checked(void *vm, const struct bench_op *op)
{
	return op->leaf == SZ_2M ? unmap_level(vm, op, 2, true) : unmap_level(vm, op, 3, true);
}

static void limit_clear(void *vm, const struct bench_op *op)
{
	if (limit_unmap_checked(vm, op) != op->size)
		bench_die("limit: clear failed");
}

static u64 limit_translate(void *vm, u64 iova)
{
	u64 *table = root(vm);
	int level;

	for (level = 0; level <= LAST_LEVEL; level++) {
		u64 pte = table[INDEX(iova, level)];

		if (!pte)
			break;
		if (level == LAST_LEVEL || (pte & PTE_TYPE) != PTE_TABLE)
			return (pte & PTE_ADDR) | (iova & (SPAN(level) - 1));
		table = phys_to_virt(pte & PTE_ADDR);
	}
	return 0;
}

const struct bench_subject bench_limit = {
	.name = "limit",
	.create = limit_create,
	.destroy = limit_destroy,
	.before_map = limit_before_map,
	.map = limit_map,
	.unmap = limit_unmap,
	.clear = limit_clear,
	.translate = limit_translate,
};

const struct bench_subject bench_limit_checked = {
	.name = "limit_checked",
	.create = limit_create,
	.destroy = limit_destroy,
	.before_map = limit_before_map,
	.map = limit_map_checked,
	.unmap = limit_unmap_checked,
	.clear = limit_clear,
	.translate = limit_translate,
};
