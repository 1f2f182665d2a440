// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The plain model: the leaves that must be there, in one sorted array, and what
 * follows from them. It knows no tables.
 */

#include <linux/iommu.h>
#include <linux/scatterlist.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static void *grow(void *array, size_t *room, size_t count, size_t size)
{
	if (count <= *room)
		return array;
	*room = count * 2;
	array = realloc(array, *room * size);
	check(array, "setup", "no memory");
	return array;
}

void model_init(struct model *m, const struct test_cfg *cfg)
{
	*m = (struct model){ .cfg = *cfg };
}

void model_copy(struct model *to, const struct model *from)
{
	struct model_leaf *leaves = grow(to->leaves, &to->room, from->count + 1, sizeof(*leaves));
	size_t room = to->room;

	if (from->count)
		memcpy(leaves, from->leaves, from->count * sizeof(*leaves));
	*to = *from;
	to->leaves = leaves;
	to->room = room;
}

void model_free(struct model *m)
{
	free(m->leaves);
	*m = (struct model){};
}

size_t model_find(const struct model *m, u64 iova)
{
	size_t first = 0, end = m->count;

	while (first < end) {
		size_t middle = (first + end) / 2;

		if (m->leaves[middle].iova < iova)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

/* Index of the first leaf that ends behind @iova. */
static size_t find_covering(const struct model *m, u64 iova)
{
	size_t i = model_find(m, iova);

	if (i && m->leaves[i - 1].iova + ENTRY_BYTES(m->leaves[i - 1].level) > iova)
		i--;
	return i;
}

const struct model_leaf *model_lookup(const struct model *m, u64 iova)
{
	size_t i = find_covering(m, iova);

	return i < m->count && m->leaves[i].iova <= iova ? &m->leaves[i] : NULL;
}

bool model_overlaps(const struct model *m, u64 iova, u64 size)
{
	size_t i = find_covering(m, iova);

	return i < m->count && m->leaves[i].iova < iova + size;
}

static bool leaf_allowed(const struct model *m, int level)
{
	return level >= 1 && level >= start_level(m->cfg.va_bits) &&
	       (m->cfg.pgsizes & ENTRY_BYTES(level));
}

/*
 * The level of the largest leaf that can begin here. @has_table says where there is a
 * table, which is not replaced by a block, or is NULL.
 */
static int largest_leaf(const struct model *m, u64 iova, u64 paddr, u64 size,
			model_table_fn has_table)
{
	int level;

	for (level = 1; level < 3; level++) {
		u64 bytes = ENTRY_BYTES(level);

		if (leaf_allowed(m, level) && size >= bytes && !(iova % bytes) &&
		    !(paddr % bytes) && !(has_table && has_table(iova, level + 1)))
			break;
	}
	return level;
}

/* Make room for @count leaves at index @at. */
static struct model_leaf *insert(struct model *m, size_t at, size_t count)
{
	m->leaves = grow(m->leaves, &m->room, m->count + count, sizeof(*m->leaves));
	memmove(&m->leaves[at + count], &m->leaves[at], (m->count - at) * sizeof(*m->leaves));
	m->count += count;
	return &m->leaves[at];
}

void model_map(struct model *m, u64 iova, const struct model_source *source, int prot,
	       model_table_fn has_table)
{
	size_t at = model_find(m, iova), count = 0, i;
	struct model_leaf *leaf;
	int pass;

	/* Count, then write. */
	for (pass = 0; pass < 2; pass++) {
		u64 next = iova;

		leaf = pass ? insert(m, at, count) : NULL;
		for (i = 0; i < source->count; i++) {
			u64 paddr = source->runs[i].paddr, left = source->runs[i].size;

			while (left) {
				int level = largest_leaf(m, next, paddr, left, has_table);

				if (pass) {
					*leaf++ = (struct model_leaf){
						.iova = next, .paddr = paddr,
						.prot = prot, .level = level,
					};
					m->written[level]++;
				} else {
					count++;
				}
				next += ENTRY_BYTES(level);
				paddr += ENTRY_BYTES(level);
				left -= ENTRY_BYTES(level);
			}
		}
	}
}

/* Replace the block that @iova cuts, if it does cut one, by leaves it does not cut. */
static void cut(struct model *m, u64 iova)
{
	struct model_leaf block;
	size_t i;
	int n;

	for (;;) {
		i = find_covering(m, iova);
		if (i >= m->count || m->leaves[i].iova >= iova)
			return;

		block = m->leaves[i];
		insert(m, i, 511);
		for (n = 0; n < 512; n++) {
			m->leaves[i + n] = block;
			m->leaves[i + n].level = block.level + 1;
			m->leaves[i + n].iova += n * ENTRY_BYTES(block.level + 1);
			m->leaves[i + n].paddr += n * ENTRY_BYTES(block.level + 1);
		}
		m->splits++;
	}
}

u64 model_unmap(struct model *m, u64 iova, u64 size)
{
	size_t first, end, i;
	u64 bytes = 0;

	cut(m, iova);
	cut(m, iova + size);

	first = model_find(m, iova);
	end = model_find(m, iova + size);
	for (i = first; i < end; i++)
		bytes += ENTRY_BYTES(m->leaves[i].level);
	if (m->count)
		memmove(&m->leaves[first], &m->leaves[end],
			(m->count - end) * sizeof(*m->leaves));
	m->count -= end - first;
	return bytes;
}

bool model_needs_table(const struct model *m, u64 iova, int level)
{
	u64 first = iova - iova % TABLE_BYTES(level);
	size_t i = model_find(m, first);

	return i < m->count && m->leaves[i].iova - first < TABLE_BYTES(level) &&
	       m->leaves[i].level >= level;
}

/*
 * Arm ARM D8.3.1.2, stage 1 block and page descriptors: UXN 54, PXN 53, output
 * address 47:12, nG 11, AF 10, SH 9:8, AP[2:1] 7:6, AttrIndx 4:2, type 1:0.
 */
u64 model_descriptor(const struct model_leaf *leaf)
{
	u64 d = leaf->paddr;

	d |= leaf->level == 3 ? 3 : 1;
	d |= 1ull << 11 | 1ull << 10 | 1ull << 6;
	if (!(leaf->prot & IOMMU_WRITE))
		d |= 1ull << 7;
	if (leaf->prot & IOMMU_CACHE)
		d |= 3ull << 8 | 1ull << 2;
	else
		d |= 2ull << 8;
	if (leaf->prot & IOMMU_NOEXEC)
		d |= 3ull << 53;
	return d;
}

void model_expand(const struct model *m, u64 *iova, u64 *size)
{
	u64 end = *iova + *size;
	const struct model_leaf *leaf;

	leaf = model_lookup(m, end - 1);
	if (leaf)
		end = leaf->iova + ENTRY_BYTES(leaf->level);
	leaf = model_lookup(m, *iova);
	if (leaf)
		*iova = leaf->iova;
	*size = end - *iova;
}

/* The slots of all tables on the way to one of @level. */
static void visit_slots(const struct model *m, u64 iova, int level, model_slot_fn visit, void *arg)
{
	for (; level > start_level(m->cfg.va_bits); level--)
		visit(arg, iova - iova % TABLE_BYTES(level), level);
}

void model_slots_map(const struct model *m, u64 iova, const struct model_source *source,
		     model_slot_fn visit, void *arg)
{
	u64 next = iova, done = ~0ull;
	int done_level = 0;
	size_t i;

	for (i = 0; i < source->count; i++) {
		u64 paddr = source->runs[i].paddr, left = source->runs[i].size;

		while (left) {
			int leaf = largest_leaf(m, next, paddr, left, NULL);
			u64 bytes = ENTRY_BYTES(leaf);

			/* Blocks begin at multiples of 2 MiB only. */
			if (leaf == 3)
				bytes = min(left, ENTRY_BYTES(2) - next % ENTRY_BYTES(2));
			if (leaf != done_level || next / TABLE_BYTES(leaf) != done)
				visit_slots(m, next, leaf, visit, arg);
			done = next / TABLE_BYTES(leaf);
			done_level = leaf;
			next += bytes;
			paddr += bytes;
			left -= bytes;
		}
	}
}

/* The slot of the smallest leaves that a block has to become if it is cut here. */
static void visit_cut(const struct model *m, u64 iova, u64 byte, model_slot_fn visit, void *arg)
{
	int level;

	for (level = 3; level > 1; level--) {
		if (leaf_allowed(m, level - 1) && iova % ENTRY_BYTES(level - 1)) {
			visit_slots(m, byte, level, visit, arg);
			return;
		}
	}
}

void model_slots_unmap(const struct model *m, u64 iova, u64 size, model_slot_fn visit, void *arg)
{
	visit_cut(m, iova, iova, visit, arg);
	visit_cut(m, iova + size, iova + size - 1, visit, arg);
}

void source_add(struct model_source *source, u64 paddr, u64 size)
{
	struct model_run *last;

	if (!size)
		return;
	if (source->count) {
		last = &source->runs[source->count - 1];
		if (last->paddr + last->size == paddr) {
			last->size += size;
			return;
		}
	}
	source->runs = grow(source->runs, &source->room, source->count + 1,
			    sizeof(*source->runs));
	source->runs[source->count++] = (struct model_run){ paddr, size };
}

void source_sgt(struct model_source *source, const struct sg_table *sgt, u64 offset, u64 size)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		u64 skip = min_t(u64, offset, sg_dma_len(sg));
		u64 bytes = min(sg_dma_len(sg) - skip, size);

		source_add(source, sg_dma_address(sg) + skip, bytes);
		offset -= skip;
		size -= bytes;
	}
}

void source_repeat(struct model_source *source, u64 iova, u64 paddr, u64 period, u64 size)
{
	while (size) {
		u64 skip = iova % period;
		u64 bytes = min(period - skip, size);

		source_add(source, paddr + skip, bytes);
		iova += bytes;
		size -= bytes;
	}
}

void source_free(struct model_source *source)
{
	free(source->runs);
	*source = (struct model_source){};
}
