/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/scatterlist.h for counting: the step to the next entry is a call, as in a
 * kernel.
 */
#ifndef __BENCH_LINUX_SCATTERLIST_H__
#define __BENCH_LINUX_SCATTERLIST_H__

#include_next <linux/scatterlist.h>

struct scatterlist *bench_sg_next(struct scatterlist *sg);

#define sg_next(sg)	bench_sg_next(sg)

#endif
