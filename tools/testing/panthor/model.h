/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The plain model: the leaves that must be there, in one sorted array, and what
 * follows from them. It knows no tables.
 */
#ifndef __PANTHOR_TEST_MODEL_H__
#define __PANTHOR_TEST_MODEL_H__

#include "test.h"

struct sg_table;

struct model_leaf {
	u64 iova;
	u64 paddr;
	u8 prot;
	u8 level;
};

struct model {
	struct test_cfg cfg;
	struct model_leaf *leaves;
	size_t count;
	size_t room;

	/* Since model_init(). */
	u64 splits;
	u64 written[4];
};

/* One physically contiguous part of what a map puts somewhere. */
struct model_run {
	u64 paddr;
	u64 size;
};

/* What to map: the runs in order, or the runs again and again. */
struct model_source {
	struct model_run *runs;
	size_t count;
	size_t room;
};

void model_init(struct model *m, const struct test_cfg *cfg);
void model_copy(struct model *to, const struct model *from);
void model_free(struct model *m);

/* Number of leaves that begin before @iova. */
size_t model_find(const struct model *m, u64 iova);

/* The leaf behind @iova, or NULL. */
const struct model_leaf *model_lookup(const struct model *m, u64 iova);

bool model_overlaps(const struct model *m, u64 iova, u64 size);

/* Is there a table of @level on the way to @iova? */
typedef bool (*model_table_fn)(u64 iova, int level);

/* Map what model_overlaps() says is free. Where there is a table, there is no block. */
void model_map(struct model *m, u64 iova, const struct model_source *source, int prot,
	       model_table_fn has_table);

/* Returns the bytes that were mapped. */
u64 model_unmap(struct model *m, u64 iova, u64 size);

/* Do the leaves demand a table of @level on the way to @iova? */
bool model_needs_table(const struct model *m, u64 iova, int level);

/* The descriptor of a leaf. */
u64 model_descriptor(const struct model_leaf *leaf);

/* The range of all leaves that the range touches at its two ends. */
void model_expand(const struct model *m, u64 *iova, u64 *size);

typedef void (*model_slot_fn)(void *arg, u64 iova, int level);

/* Visit each slot that a reservation is for, root excluded, some more than once. */
void model_slots_map(const struct model *m, u64 iova, const struct model_source *source,
		     model_slot_fn visit, void *arg);
void model_slots_unmap(const struct model *m, u64 iova, u64 size, model_slot_fn visit, void *arg);

/* Sources. */
void source_add(struct model_source *source, u64 paddr, u64 size);
void source_sgt(struct model_source *source, const struct sg_table *sgt, u64 offset, u64 size);
void source_repeat(struct model_source *source, u64 iova, u64 paddr, u64 period, u64 size);
void source_free(struct model_source *source);

#endif
