/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * A model of how the driver reserves tables for io-pgtable: an array of pointers, and
 * as many objects of a slab of tables.
 */
#ifndef __BENCH_SLAB_H__
#define __BENCH_SLAB_H__

#include <linux/types.h>

struct slab_rsv {
	void **tables;
	unsigned int count;
};

int slab_reserve(struct slab_rsv *rsv, u64 iova, u64 size);
void slab_unreserve(struct slab_rsv *rsv);

void *slab_alloc(void);
void slab_free(void *table);

#endif
