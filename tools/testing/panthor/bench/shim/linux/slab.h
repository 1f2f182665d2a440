/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/slab.h for counting: lists of free objects of a size, which cost less than
 * the slab does.
 */
#ifndef __BENCH_LINUX_SLAB_H__
#define __BENCH_LINUX_SLAB_H__

#include_next <linux/slab.h>

void *bench_kmalloc(size_t size);
void *bench_kzalloc(size_t size);
void bench_kfree(const void *object);

#define kmalloc(size, gfp)	((void)(gfp), bench_kmalloc(size))
#define kzalloc(size, gfp)	((void)(gfp), bench_kzalloc(size))
#define kcalloc(n, size, gfp)	((void)(gfp), bench_kzalloc((size_t)(n) * (size)))
#define kfree(object)		bench_kfree(object)

/* Of 7.x. */
#define kmalloc_obj(object, ...)	((typeof(object) *)bench_kmalloc(sizeof(object)))
#define kzalloc_obj(object, ...)	((typeof(object) *)bench_kzalloc(sizeof(object)))

#endif
