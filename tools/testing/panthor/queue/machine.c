// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The machine of the tests of queues: memory for tables, deferred work, grace periods.
 * What threads share is protected by one mutex that no lock of the library is taken in.
 */

/* For a lock that lets the writer in. */
#define _GNU_SOURCE

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#undef memset

#define NR_PAGES	(MACHINE_ARENA_SIZE >> PAGE_SHIFT)
#define POISON		0xa7

enum plant machine_plant;
u64 machine_offset;
struct page machine_pages[NR_PAGES];
__thread unsigned int machine_atomic;
__thread unsigned int machine_signalling;
__thread bool machine_ordered;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Free pages: the one that is free the longest is taken first. */
static struct page *free_pages[NR_PAGES];
static unsigned long nr_taken, nr_returned;

static long nr_objects, nr_mappings;
static unsigned long nr_warnings;
static char last_warning[256];
static LIST_HEAD(work_queue);
static struct shrinker *the_shrinker;

void machine_start(void)
{
	unsigned long i;
	void *p = mmap(NULL, MACHINE_ARENA_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		shim_fail("setup", "no memory for tables");
	machine_offset = (unsigned long)p - MACHINE_ARENA;
	for (i = 0; i < NR_PAGES; i++)
		free_pages[i] = &machine_pages[i];
	nr_returned = NR_PAGES;
}

void machine_check_warnings(void)
{
	if (__atomic_load_n(&nr_warnings, __ATOMIC_RELAXED))
		shim_fail("warning", "%s", last_warning);
}

unsigned long machine_pages_taken(void)
{
	return nr_taken;
}

void machine_check_idle(void)
{
	unsigned long nr_pages = nr_taken + NR_PAGES - nr_returned;

	machine_check_warnings();
	if (nr_pages || nr_objects || nr_mappings)
		shim_fail("I5", "%lu pages, %ld objects, %ld DMA mappings left over", nr_pages,
			  nr_objects, nr_mappings);
}

void shim_warn(const char *fmt, ...)
{
	va_list args;

	pthread_mutex_lock(&mutex);
	va_start(args, fmt);
	vsnprintf(last_warning, sizeof(last_warning), fmt, args);
	va_end(args);
	last_warning[strcspn(last_warning, "\n")] = '\0';
	pthread_mutex_unlock(&mutex);
	__atomic_add_fetch(&nr_warnings, 1, __ATOMIC_RELAXED);
}

void shim_message(const char *fmt, ...)
{
	(void)fmt;
}

void shim_may_sleep(const char *what)
{
	if (machine_signalling)
		shim_fail("I1", "%s in the signalling section", what);
	if (machine_atomic)
		shim_fail("atomic", "%s under a spinlock or in an RCU reader", what);
}

void machine_barrier(void)
{
	if (machine_plant != PLANT_NO_BARRIER)
		machine_ordered = true;
}

void machine_dawdle(void)
{
	static __thread unsigned int calls;

	if (++calls % 64 == 0)
		usleep(1);
}

void *machine_memset(void *p, int c, size_t size)
{
	u64 *word = p;

	if ((u64)(unsigned long)p - machine_offset - MACHINE_ARENA >= MACHINE_ARENA_SIZE)
		return memset(p, c, size);
	for (; size; size -= sizeof(*word))
		__atomic_store_n(word++, c * 0x0101010101010101ull, __ATOMIC_RELAXED);
	return p;
}

u64 machine_look(u64 root, int start_level, int level, u64 iova)
{
	u64 desc = root | 3;
	int at;

	for (at = start_level; at <= level; at++) {
		const u64 *table = phys_to_virt(desc & GENMASK_ULL(47, 12));

		if ((desc & 3) != 3)
			return 0;
		desc = table[iova >> (39 - 9 * at) & 511];
	}
	return desc;
}

/*
 * Memory.
 */

void *kzalloc(size_t size, gfp_t gfp)
{
	void *object;

	(void)gfp;
	shim_may_sleep("kzalloc");
	object = calloc(1, size);
	if (!object)
		shim_fail("setup", "no memory");
	__atomic_add_fetch(&nr_objects, 1, __ATOMIC_RELAXED);
	return object;
}

void kfree(const void *object)
{
	if (machine_signalling)
		shim_fail("I1", "kfree in the signalling section");
	if (object)
		__atomic_sub_fetch(&nr_objects, 1, __ATOMIC_RELAXED);
	free((void *)object);
}

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	struct page *page;

	(void)nid;
	(void)gfp;
	(void)order;
	shim_may_sleep("alloc_pages_node");
	pthread_mutex_lock(&mutex);
	if (nr_taken == nr_returned)
		shim_fail("setup", "all pages are taken");
	page = free_pages[nr_taken++ % NR_PAGES];
	pthread_mutex_unlock(&mutex);

	memset(page_address(page), 0, PAGE_SIZE);
	return page;
}

/* A lookup that comes too late finds poison, and ThreadSanitizer a race. */
void __free_page(struct page *page)
{
	if (machine_signalling)
		shim_fail("I1", "page freed in the signalling section");
	if (page->accounted)
		shim_fail("I5", "page freed, but still counted as a page table");
	memset(page_address(page), POISON, PAGE_SIZE);
	pthread_mutex_lock(&mutex);
	free_pages[nr_returned++ % NR_PAGES] = page;
	pthread_mutex_unlock(&mutex);
}

dma_addr_t dma_map_page(struct device *dev, struct page *page, size_t offset, size_t size,
			enum dma_data_direction dir)
{
	(void)dev;
	(void)offset;
	(void)size;
	(void)dir;
	shim_may_sleep("dma_map_page");
	__atomic_add_fetch(&nr_mappings, 1, __ATOMIC_RELAXED);
	return page_to_phys(page);
}

void dma_unmap_page(struct device *dev, dma_addr_t dma, size_t size,
		    enum dma_data_direction dir)
{
	(void)dev;
	(void)dma;
	(void)size;
	(void)dir;
	shim_may_sleep("dma_unmap_page");
	__atomic_sub_fetch(&nr_mappings, 1, __ATOMIC_RELAXED);
}

/* The device of these tests snoops. */
void dma_sync_single_for_device(struct device *dev, dma_addr_t dma, size_t size,
				enum dma_data_direction dir)
{
	(void)dev;
	(void)dir;
	shim_fail("API", "cache maintenance of %#llx+%#zx", dma, size);
}

/*
 * RCU.
 */

#ifdef QUEUE_THREADS
static pthread_rwlock_t readers = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

void rcu_read_lock(void)
{
	machine_atomic++;
	if (machine_plant != PLANT_NO_RCU)
		pthread_rwlock_rdlock(&readers);
}

void rcu_read_unlock(void)
{
	if (machine_plant != PLANT_NO_RCU)
		pthread_rwlock_unlock(&readers);
	machine_atomic--;
}

void synchronize_rcu(void)
{
	shim_may_sleep("synchronize_rcu");
	if (machine_plant == PLANT_NO_RCU)
		return;
	pthread_rwlock_wrlock(&readers);
	pthread_rwlock_unlock(&readers);
}
#else
void synchronize_rcu(void)
{
	shim_may_sleep("synchronize_rcu");
}
#endif

/*
 * Work, and the shrinker.
 */

void machine_run_work(void)
{
	struct work_struct *work;

	for (;;) {
		pthread_mutex_lock(&mutex);
		work = list_first_entry_or_null(&work_queue, struct work_struct, node);
		if (work) {
			list_del(&work->node);
			work->pending = false;
		}
		pthread_mutex_unlock(&mutex);
		if (!work)
			return;
		work->func(work);
	}
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	bool queued;

	(void)wq;
	pthread_mutex_lock(&mutex);
	queued = !work->pending;
	if (queued)
		list_add_tail(&work->node, &work_queue);
	work->pending = true;
	pthread_mutex_unlock(&mutex);
	return queued;
}

bool cancel_work_sync(struct work_struct *work)
{
	bool pending;

	shim_may_sleep("cancel_work_sync");
	pthread_mutex_lock(&mutex);
	pending = work->pending;
	if (pending)
		list_del(&work->node);
	work->pending = false;
	pthread_mutex_unlock(&mutex);
	return pending;
}

struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
{
	(void)flags;
	(void)fmt;
	return kzalloc(sizeof(struct shrinker), GFP_KERNEL);
}

void shrinker_register(struct shrinker *shrinker)
{
	the_shrinker = shrinker;
}

void shrinker_free(struct shrinker *shrinker)
{
	the_shrinker = NULL;
	kfree(shrinker);
}

void machine_shrink(unsigned long count)
{
	struct shrink_control sc;

	sc.nr_to_scan = min(count, the_shrinker->count_objects(the_shrinker, &sc));
	if (sc.nr_to_scan)
		the_shrinker->scan_objects(the_shrinker, &sc);
}
