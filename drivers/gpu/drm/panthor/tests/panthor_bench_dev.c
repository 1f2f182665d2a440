// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * What the benchmark needs of the machine: a device whose walker snoops, one whose
 * walker does not, and a fine clock.
 */

#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>

#include <asm/barrier.h>

#include "panthor_bench.h"

#define CACHE_LINE	64

/* Leaf 7 of CPUID, EBX. */
#define CPUID_CLFLUSHOPT	BIT(23)
#define CPUID_CLWB		BIT(24)

/* Read once, before anything is measured. */
static u32 cpu_features;

static void read_cpu_features(void)
{
	u32 a = 0, b, c = 0, d;

	asm volatile("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
	if (a < 7)
		return;

	a = 7;
	c = 0;
	asm volatile("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
	cpu_features = b;
}

/**
 * bench_dev_clean_name() - tell which instruction cleans a cache line
 *
 * Return: its name. Only CLWB leaves the line in the cache, as DC CVAC does on Arm.
 */
const char *bench_dev_clean_name(void)
{
	if (cpu_features & CPUID_CLWB)
		return "clwb";
	return cpu_features & CPUID_CLFLUSHOPT ? "clflushopt" : "clflush";
}

/*
 * User Mode Linux has no such thing: its devices are programs. This does on x86
 * what arm64 does, one clean for each cache line, and one barrier for each call.
 */
void arch_sync_dma_for_device(phys_addr_t paddr, size_t size, enum dma_data_direction dir)
{
	char *line = PTR_ALIGN_DOWN((char *)phys_to_virt(paddr), CACHE_LINE);
	char *end = (char *)phys_to_virt(paddr) + size;
	u32 features = cpu_features;

	for (; line < end; line += CACHE_LINE) {
		if (features & CPUID_CLWB)
			asm volatile("clwb %0" : "+m" (*line));
		else if (features & CPUID_CLFLUSHOPT)
			asm volatile("clflushopt %0" : "+m" (*line));
		else
			asm volatile("clflush %0" : "+m" (*line));
	}
	asm volatile("sfence" : : : "memory");
}

/**
 * bench_dev_create() - make a device for page tables
 * @coherent: Whether its walker snoops the CPU's caches.
 *
 * Return: the device, or an ERR_PTR().
 */
struct device *bench_dev_create(bool coherent)
{
	bool was = dma_default_coherent;
	struct device *dev;
	int err;

	read_cpu_features();

	/* A new device takes this over; how it is written there depends on the kernel. */
	dma_default_coherent = coherent;
	dev = root_device_register(coherent ? "panthor-bench" : "panthor-bench-nc");
	dma_default_coherent = was;
	if (IS_ERR(dev))
		return dev;

	err = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (err) {
		root_device_unregister(dev);
		return ERR_PTR(err);
	}

	return dev;
}

/**
 * bench_dev_destroy() - undo bench_dev_create()
 * @dev: Device; its page tables are gone.
 */
void bench_dev_destroy(struct device *dev)
{
	root_device_unregister(dev);
}

/**
 * bench_clock() - read a clock that is fine enough for a batch of maps
 *
 * The clock of User Mode Linux counts in steps of 256 ns.
 *
 * Return: ticks of a constant, unknown length: compare with ktime_get_ns().
 */
u64 bench_clock(void)
{
	u32 low, high;

	/* What came before has to be done, not only begun. */
	asm volatile("lfence; rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (u64)high << 32 | low;
}
