/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * One page table with all that watches it: the plain model, the device, the
 * books. Each call here makes one call of the API and checks all of it.
 */
#ifndef __PANTHOR_TEST_VM_H__
#define __PANTHOR_TEST_VM_H__

#include <linux/dev_printk.h>
#include <linux/scatterlist.h>

#include "device.h"
#include "model.h"
#include "panthor_pgtable.h"

/* A slot, and how many reservations are for it. */
struct slot {
	u64 iova;
	u8 level;
	unsigned int pins;
};

/* A reservation, and what it was made for. */
struct vm_rsv {
	struct panthor_pgtable_rsv rsv;
	struct slot *slots;
	size_t nr_slots;
	size_t room;
	bool unmaps;
};

struct vm {
	struct test_cfg cfg;
	struct device dev;
	struct panthor_pgtable *pt;
	struct model model;

	/* For what may be or may not be. */
	struct model trial;

	struct device_tree tree;
	u64 random;

	/* The books at the last check. */
	struct panthor_pgtable_stats stats;

	/* The slots of all reservations that the test holds. */
	struct slot *slots;
	size_t nr_slots;
	size_t room;

	/*
	 * Tables may be in the tree that are empty, and that nobody needs any more, but
	 * not behind what has just been flushed.
	 */
	bool idle;
	u64 flushed;
	u64 flushed_last;

	/* Warnings that were due. */
	unsigned long warnings;

	/* Calls of the API, and leaves compared. */
	u64 calls;
	u64 compared;

	/* The caller of the next call wants to see its error, not a failed test. */
	bool may_lack_tables;
};

enum map_kind { MAP_RANGE, MAP_SGT, MAP_REPEAT };

#define MAP_MAX_SG	64

/* A map, as the driver asks for it. */
struct map_args {
	enum map_kind kind;
	u64 iova;
	u64 size;
	int prot;

	/* MAP_RANGE, MAP_REPEAT */
	u64 paddr;

	/* MAP_REPEAT */
	u64 period;

	/* MAP_SGT */
	u64 offset;
	struct sg_table sgt;
	struct scatterlist sg[MAP_MAX_SG];
};

void vm_open(struct vm *vm, const struct test_cfg *cfg);
void vm_close(struct vm *vm);

/* Compare all there is. After each call of the functions below this was done. */
void vm_check(struct vm *vm);

/* Outside of the signalling section. Return what the API returned: 0 or -ENOMEM. */
int vm_reserve_map(struct vm *vm, struct vm_rsv *rsv, const struct map_args *map);
int vm_reserve_unmap(struct vm *vm, struct vm_rsv *rsv, u64 iova, u64 size);

/* Tables that it takes so that all reservations together have what they need. */
size_t vm_lacking(const struct vm *vm);
void vm_unreserve(struct vm *vm, struct vm_rsv *rsv);

/*
 * Inside of it. Return 0, -EEXIST where the model has a leaf in the way, or, if
 * may_lack_tables is set, -ENOMEM.
 */
int vm_map(struct vm *vm, struct vm_rsv *rsv, const struct map_args *map);
int vm_unmap(struct vm *vm, struct vm_rsv *rsv, u64 iova, u64 size);
void vm_flush(struct vm *vm, u64 iova, u64 size);

/* The bare calls, for arguments that are wrong. */
int vm_call_reserve(struct vm *vm, struct vm_rsv *rsv, const struct map_args *map);
int vm_call_map(struct vm *vm, struct vm_rsv *rsv, const struct map_args *map);

/* Look up one address and compare. */
void vm_lookup(struct vm *vm, u64 iova);

#endif
