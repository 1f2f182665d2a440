// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Memory of the simulated machine: the heap, the arena of table pages, and the
 * second copy of the arena that a device without snooping sees.
 */

#include <linux/container_of.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <sys/mman.h>

#define NR_PAGES	(SHIM_ARENA_SIZE >> PAGE_SHIFT)

struct object {
	u64 size;
	u64 data[];
};

static struct page pages[NR_PAGES];
static unsigned long next_page;
static u8 *cpu_arena;
static u8 *device_arena;

static u8 *map_arena(void)
{
	void *p = mmap(NULL, SHIM_ARENA_SIZE + PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		shim_fail("setup", "no memory for the arena");
	return (u8 *)(((unsigned long)p + PAGE_SIZE - 1) & PAGE_MASK);
}

void shim_start(u64 arena)
{
	if (!cpu_arena) {
		cpu_arena = map_arena();
		device_arena = map_arena();
		ASAN_POISON_MEMORY_REGION(cpu_arena, SHIM_ARENA_SIZE);
	}

	if (shim.pages || shim.objects || shim.mappings)
		shim_fail("I5", "%lu pages, %lu objects, %lu DMA mappings left over",
			  shim.pages, shim.objects, shim.mappings);
	if (!IS_ALIGNED(arena, PAGE_SIZE))
		shim_fail("setup", "arena is not aligned");
	next_page = 0;
	shim = (struct shim){ .arena = arena, .broken = shim.broken, .on = shim.on };
}

bool shim_in_arena(u64 paddr)
{
	return paddr >= shim.arena && paddr - shim.arena < SHIM_ARENA_SIZE;
}

static struct page *paddr_to_page(u64 paddr)
{
	return &pages[(paddr - shim.arena) >> PAGE_SHIFT];
}

u64 *shim_device_memory(u64 paddr)
{
	return (u64 *)(device_arena + (paddr - shim.arena));
}

u64 *shim_cpu_memory(u64 paddr)
{
	if (!shim_in_arena(paddr) || !paddr_to_page(paddr)->allocated)
		return NULL;
	return (u64 *)(cpu_arena + (paddr - shim.arena));
}

bool shim_refuse(void)
{
	if (!shim.refuse_nth || --shim.refuse_nth)
		return false;
	shim.refused++;
	return true;
}

void *kzalloc(size_t size, gfp_t gfp)
{
	struct object *object;

	if (gfp & __GFP_RECLAIM)
		shim_may_sleep("kzalloc");
	if (shim.signalling)
		shim_fail("I1", "kzalloc in the signalling section");
	if (shim_refuse())
		return NULL;

	object = calloc(1, sizeof(*object) + size);
	if (!object)
		shim_fail("setup", "no memory");
	object->size = size;
	shim.objects++;
	return object->data;
}

void kfree(const void *object)
{
	if (!object)
		return;
	if (shim.signalling)
		shim_fail("I1", "kfree in the signalling section");
	shim.objects--;
	free(container_of(object, struct object, data));
}

/* Takes the page that was free the longest, so that a stale pointer finds poison. */
struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	unsigned long tried;
	struct page *page;
	u8 *p;

	(void)nid;
	if (gfp & __GFP_RECLAIM)
		shim_may_sleep("alloc_pages_node");
	if (shim.signalling)
		shim_fail("I1", "page allocation in the signalling section");
	if (order)
		shim_fail("setup", "page allocation of order %u", order);
	if (shim_refuse())
		return NULL;

	for (tried = 0; pages[next_page].allocated; tried++) {
		if (tried == NR_PAGES)
			shim_fail("setup", "arena is full");
		next_page = (next_page + 1) % NR_PAGES;
	}
	page = &pages[next_page];
	next_page = (next_page + 1) % NR_PAGES;

	*page = (struct page){ .allocated = true, .charged = gfp & __GFP_ACCOUNT };
	shim.pages++;
	p = page_address(page);
	ASAN_UNPOISON_MEMORY_REGION(p, PAGE_SIZE);
	memset(p, (gfp & __GFP_ZERO) && shim.broken != SHIM_BREAK_DIRTY ? 0 : 0xa7, PAGE_SIZE);

	/* The device may see whatever there was before. */
	memset(shim_device_memory(page_to_phys(page)), 0xa7, PAGE_SIZE);
	return page;
}

void __free_page(struct page *page)
{
	if (shim.signalling)
		shim_fail("I1", "page freed in the signalling section");
	if (!page->allocated)
		shim_fail("I5", "page freed twice");
	if (page->mapped)
		shim_fail("I5", "page freed with a DMA mapping");
	if (page->accounted)
		shim_fail("I5", "page freed, but still counted as a page table");
	if (shim.on.page_free)
		shim.on.page_free(page_to_phys(page));
	if (shim.broken == SHIM_BREAK_LEAK)
		return;

	page->allocated = false;
	shim.pages--;
	ASAN_POISON_MEMORY_REGION(page_address(page), PAGE_SIZE);
}

void *page_address(const struct page *page)
{
	return cpu_arena + ((page - pages) << PAGE_SHIFT);
}

phys_addr_t page_to_phys(const struct page *page)
{
	return shim.arena + ((u64)(page - pages) << PAGE_SHIFT);
}

bool shim_is_table_memory(const void *p)
{
	return cpu_arena && (const u8 *)p >= cpu_arena &&
	       (const u8 *)p < cpu_arena + SHIM_ARENA_SIZE;
}

u64 shim_table_paddr(const void *p)
{
	return virt_to_phys(p) & ~(u64)(SZ_4K - 1);
}

phys_addr_t virt_to_phys(const volatile void *addr)
{
	const void *p = (const void *)addr;

	if (!shim_is_table_memory(p))
		shim_fail("address", "%p is not in the direct map", p);
	return shim.arena + ((const u8 *)p - cpu_arena);
}

struct page *virt_to_page(const void *addr)
{
	return paddr_to_page(virt_to_phys(addr));
}

void *phys_to_virt(phys_addr_t paddr)
{
	if (!shim_in_arena(paddr))
		shim_fail("address", "%#llx is no memory", paddr);
	return cpu_arena + (paddr - shim.arena);
}

dma_addr_t dma_map_page(struct device *dev, struct page *page, size_t offset, size_t size,
			enum dma_data_direction dir)
{
	shim_may_sleep("dma_map_page");
	if (!page->allocated || page->mapped || offset || size != PAGE_SIZE ||
	    dir != DMA_TO_DEVICE)
		shim_fail("dma", "wrong use of dma_map_page()");
	if (shim_refuse())
		return DMA_MAPPING_ERROR;

	page->mapped = true;
	shim.mappings++;
	if (shim.broken != SHIM_BREAK_SYNC)
		memcpy(shim_device_memory(page_to_phys(page)), page_address(page), PAGE_SIZE);
	return page_to_phys(page) + (dev->dma_offset ? SZ_1G : 0);
}

void dma_unmap_page(struct device *dev, dma_addr_t dma, size_t size,
		    enum dma_data_direction dir)
{
	u64 paddr = dma - (dev->dma_offset ? SZ_1G : 0);

	shim_may_sleep("dma_unmap_page");
	if (!shim_cpu_memory(paddr) || !paddr_to_page(paddr)->mapped ||
	    size != PAGE_SIZE || dir != DMA_TO_DEVICE)
		shim_fail("dma", "wrong use of dma_unmap_page()");
	paddr_to_page(paddr)->mapped = false;
	shim.mappings--;
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t dma, size_t size,
				enum dma_data_direction dir)
{
	(void)dev;
	if (!size || dir != DMA_TO_DEVICE || !shim_cpu_memory(dma) ||
	    !paddr_to_page(dma)->mapped ||
	    paddr_to_page(dma) != paddr_to_page(dma + size - 1))
		shim_fail("dma", "wrong use of dma_sync_single_for_device()");

	shim.syncs++;
	if (shim.broken == SHIM_BREAK_SYNC)
		return;
	memcpy(shim_device_memory(dma), shim_cpu_memory(dma), size);
}
