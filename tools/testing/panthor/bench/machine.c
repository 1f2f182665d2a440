// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * What the headers for counting call: functions that a kernel does not inline, cut
 * down to what they cost when all goes well. Costs here are the kernel's or less.
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"

#define CACHE_LINE	64

unsigned long bench_direct_map;
struct page *bench_pages;

static volatile unsigned int preempt_count;
static volatile bool need_resched;

void bench_die(const char *fmt, ...)
{
	va_list args;

	fputs("bench: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* A detector of the shim. */
void shim_fail(const char *tag, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bench_die("%s: %s", tag, text);
}

void bench_start(void)
{
	struct page *first;

	shim_start(BENCH_ARENA);

	/* These are the shim's own, which know where its arena is. */
	bench_direct_map = (unsigned long)(phys_to_virt)(BENCH_ARENA) - BENCH_ARENA;
	first = alloc_pages_node(0, GFP_KERNEL, 0);
	bench_pages = first - (((page_to_phys)(first) - BENCH_ARENA) >> PAGE_SHIFT);
	__free_page(first);
}

void bench_check_warnings(void)
{
	if (shim.warnings)
		bench_die("a warning: %s", shim_last_message());
}

void bench_resched(void)
{
	if (unlikely(need_resched))
		bench_die("nobody else wants the CPU");
}

void bench_spin_lock(spinlock_t *lock)
{
	preempt_count++;
	if (unlikely(__atomic_exchange_n(&lock->held, true, __ATOMIC_ACQUIRE)))
		bench_die("deadlock");
}

void bench_spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->held, false, __ATOMIC_RELEASE);
	preempt_count--;
	if (unlikely(need_resched))
		bench_resched();
}

struct scatterlist *bench_sg_next(struct scatterlist *sg)
{
	if (sg->page_link & SG_END)
		return NULL;
	sg++;
	return sg_is_chain(sg) ? sg_chain_ptr(sg) : sg;
}

/* A nop stands for the instruction that cleans a line. */
void bench_dma_sync(struct device *dev, dma_addr_t dma, size_t size,
		    enum dma_data_direction dir)
{
	u64 line = dma & ~(u64)(CACHE_LINE - 1);

	if (unlikely(dev->dma_offset || dir != DMA_TO_DEVICE))
		bench_die("wrong use of dma_sync_single_for_device()");

	for (; line < dma + size; line += CACHE_LINE)
		asm volatile("nop" : : "r"(phys_to_virt(line)) : "memory");
	/* Cache maintenance ends with one. */
	wmb();
}

/* Sizes are powers of two; the word in front of an object says which. */
struct object {
	struct object *next;
	u64 order;
	u64 data[];
};

static struct object *free_objects[64];

void *bench_kmalloc(size_t size)
{
	unsigned int order = size > 8 ? 64 - __builtin_clzll(size - 1) : 3;
	struct object *object = free_objects[order];

	if (unlikely(!object)) {
		object = malloc(sizeof(*object) + (1ull << order));
		if (!object)
			bench_die("no memory");
		object->order = order;
	} else {
		free_objects[order] = object->next;
	}
	return object->data;
}

void *bench_kzalloc(size_t size)
{
	return memset(bench_kmalloc(size), 0, size);
}

void bench_kfree(const void *p)
{
	struct object *object;

	if (!p)
		return;
	object = container_of(p, struct object, data);
	object->next = free_objects[object->order];
	free_objects[object->order] = object;
}
