/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The model of the device: a strict walker of its own, and the walk cache that
 * a device keeps until it is flushed.
 */
#ifndef __PANTHOR_TEST_DEVICE_H__
#define __PANTHOR_TEST_DEVICE_H__

#include "test.h"

struct device_visitor {
	void (*table)(void *arg, u64 paddr, u64 iova, int level);
	/* A table without a valid entry that is not the root. */
	void (*empty)(void *arg, u64 iova, int level);
	void (*leaf)(void *arg, u64 desc, u64 iova, int level);
	void *arg;
};

/* What device_check() found. */
struct device_tree {
	/* Tables that the walk reached, root included. */
	size_t tables;

	/* Tables that the device may have cached, but that are not in the tree. */
	size_t stale;

	/* Tables that came and went since the last check. */
	size_t added;
	size_t removed;
};

/* The device is given a tree. */
void device_start(const struct test_cfg *cfg, u64 root, u64 mair);

/* The device does not use the tree any more. */
void device_stop(void);

/*
 * From here on only the translation of this range may change, down to each
 * single store. Size 0: of nothing.
 */
void device_expect_change(u64 iova, u64 size);

/*
 * Walk all of the tree as the device sees it. Fails the test for a descriptor
 * that the architecture or the mode of the device does not allow, for a table
 * that is not one, and for one that the device sees otherwise than the CPU.
 */
void device_walk(const struct device_visitor *visitor);

/* What the device gets for one iova: level of the last descriptor. */
int device_translate(u64 iova, u64 desc[4]);

/* Is there a table of @level on the way to @iova? */
bool device_has_table(u64 iova, int level);

/* As device_walk(), and compare with the walk cache, and fill that. */
void device_check(struct device_tree *tree, const struct device_visitor *visitor);

/* Fail the test if the tree differs from what device_check() saw last. */
void device_check_unchanged(void);

/* Fail the test if a store to the tree may be seen later than what follows. */
void device_check_ordered(void);

/*
 * Drop from the walk cache what was used to translate any byte of the range.
 * Returns the number of tables that are not in the tree, but still cached.
 */
size_t device_flush(u64 iova, u64 size);

#endif
