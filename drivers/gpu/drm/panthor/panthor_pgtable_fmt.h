/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The format: geometry of the tree and bits of the descriptors of the AArch64
 * translation tables (VMSAv8-64, stage 1, 4 KiB granule) that Mali CSF GPUs
 * walk. Pure and stateless.
 *
 * The sections named here are those of the Arm Architecture Reference Manual
 * for A-profile, DDI 0487.
 */
#ifndef __PANTHOR_PGTABLE_FMT_H__
#define __PANTHOR_PGTABLE_FMT_H__

#include <linux/align.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/iommu.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/types.h>

#define PANTHOR_PT_ENTRIES		512
#define PANTHOR_PT_SIZE			SZ_4K
#define PANTHOR_PT_LAST_LEVEL		3

static_assert(PANTHOR_PT_ENTRIES * sizeof(u64) == PANTHOR_PT_SIZE);

/* What one entry covers: 9 bits of the iova a level, above the 12 of a page (D8.2). */
#define PANTHOR_PT_SHIFT(level)		(12 + 9 * (PANTHOR_PT_LAST_LEVEL - (level)))
#define PANTHOR_PT_SPAN(level)		(1ull << PANTHOR_PT_SHIFT(level))
#define PANTHOR_PT_INDEX(iova, level) \
	((unsigned int)((iova) >> PANTHOR_PT_SHIFT(level)) % PANTHOR_PT_ENTRIES)

static_assert(PANTHOR_PT_SPAN(3) == SZ_4K);
static_assert(PANTHOR_PT_SPAN(2) == SZ_2M);
static_assert(PANTHOR_PT_SPAN(1) == SZ_1G);
static_assert(PANTHOR_PT_SPAN(0) == 512ull * SZ_1G);
static_assert(PANTHOR_PT_INDEX(0xffffffffffffull, 0) == 511);
static_assert(PANTHOR_PT_INDEX(0x8000201000ull, 0) == 1);
static_assert(PANTHOR_PT_INDEX(0x8000201000ull, 1) == 0);
static_assert(PANTHOR_PT_INDEX(0x8000201000ull, 2) == 1);
static_assert(PANTHOR_PT_INDEX(0x8000201000ull, 3) == 1);

/* The first level whose table, the root, has more than one entry in use (D8.2). */
#define PANTHOR_PT_START_LEVEL(va_bits)	(3 - ((va_bits) - 13) / 9)

static_assert(PANTHOR_PT_START_LEVEL(25) == 2);
static_assert(PANTHOR_PT_START_LEVEL(30) == 2);
static_assert(PANTHOR_PT_START_LEVEL(31) == 1);
static_assert(PANTHOR_PT_START_LEVEL(39) == 1);
static_assert(PANTHOR_PT_START_LEVEL(40) == 0);
static_assert(PANTHOR_PT_START_LEVEL(48) == 0);

/* Is a range aligned, not empty, and in a space of @bits? Returns 0, -EINVAL or -ERANGE. */
static inline int check_range(u64 addr, u64 size, unsigned int bits)
{
	u64 last = addr + size - 1;

	if (!size || !IS_ALIGNED(addr | size, SZ_4K))
		return -EINVAL;

	if (last < addr || last >> bits)
		return -ERANGE;

	return 0;
}

/* Bytes from @iova to where the table of @level ends that it is in, but no more than @left. */
static inline u64 table_left(u64 iova, u64 left, int level)
{
	u64 span = PANTHOR_PT_SPAN(level - 1);

	return min(left, span - (iova & (span - 1)));
}

/* Descriptor type (D8.3.1): at the last level there are pages and no blocks. */
#define PANTHOR_PTE_BLOCK		(0x1ull << 0)
#define PANTHOR_PTE_TABLE		(0x3ull << 0)
#define PANTHOR_PTE_PAGE		(0x3ull << 0)
#define PANTHOR_PTE_TYPE		(0x3ull << 0)

/* Output address, or address of the next table (D8.3.1). */
#define PANTHOR_PTE_ADDR		GENMASK_ULL(47, 12)

/* Attributes of leaves (D8.3.1; access: D8.4, memory type and shareability: D8.6). */
#define PANTHOR_PTE_ATTRINDX(n)		((u64)(n) << 2)
#define PANTHOR_PTE_AP_UNPRIV		BIT_ULL(6)
#define PANTHOR_PTE_AP_RDONLY		BIT_ULL(7)
#define PANTHOR_PTE_SH_OS		(0x2ull << 8)
#define PANTHOR_PTE_SH_IS		(0x3ull << 8)
#define PANTHOR_PTE_AF			BIT_ULL(10)
#define PANTHOR_PTE_NG			BIT_ULL(11)
#define PANTHOR_PTE_XN			(0x3ull << 53)

/* Indexes into MAIR, and what they mean (D8.6; one byte each, encoded as MAIR_EL1). */
#define PANTHOR_MAIR_IDX_NC		0
#define PANTHOR_MAIR_IDX_CACHE		1
#define PANTHOR_MAIR_IDX_DEV		2
#define PANTHOR_MAIR_IDX_INC_OCACHE	3
#define PANTHOR_MAIR_ATTR(attr, idx)	((u64)(attr) << (8 * (idx)))
#define PANTHOR_MAIR \
	(PANTHOR_MAIR_ATTR(0x44, PANTHOR_MAIR_IDX_NC) | \
	 PANTHOR_MAIR_ATTR(0xff, PANTHOR_MAIR_IDX_CACHE) | \
	 PANTHOR_MAIR_ATTR(0x04, PANTHOR_MAIR_IDX_DEV) | \
	 PANTHOR_MAIR_ATTR(0xf4, PANTHOR_MAIR_IDX_INC_OCACHE))

static_assert(PANTHOR_MAIR == 0xf404ff44);

#define PANTHOR_PROT_MASK \
	(IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE | IOMMU_NOEXEC)

/**
 * panthor_pte_attrs() - encode what all leaves of one map have in common
 * @prot: A combination of the flags in PANTHOR_PROT_MASK.
 *
 * Return: the attributes, without type and output address.
 */
static inline u64 panthor_pte_attrs(int prot)
{
	u64 attrs = PANTHOR_PTE_AF | PANTHOR_PTE_NG | PANTHOR_PTE_AP_UNPRIV;

	if (prot & IOMMU_CACHE)
		attrs |= PANTHOR_PTE_SH_IS |
			 PANTHOR_PTE_ATTRINDX(PANTHOR_MAIR_IDX_CACHE);
	else
		attrs |= PANTHOR_PTE_SH_OS |
			 PANTHOR_PTE_ATTRINDX(PANTHOR_MAIR_IDX_NC);

	if (!(prot & IOMMU_WRITE))
		attrs |= PANTHOR_PTE_AP_RDONLY;

	if (prot & IOMMU_NOEXEC)
		attrs |= PANTHOR_PTE_XN;

	return attrs;
}

/**
 * panthor_pte_leaf() - encode a leaf
 * @paddr: Output address, aligned to what an entry of @level covers.
 * @attrs: From panthor_pte_attrs(), or panthor_pte_keep().
 * @level: 1 to 3.
 *
 * Return: the descriptor.
 */
static __always_inline u64 panthor_pte_leaf(u64 paddr, u64 attrs, int level)
{
	return paddr | attrs |
	       (level == PANTHOR_PT_LAST_LEVEL ? PANTHOR_PTE_PAGE : PANTHOR_PTE_BLOCK);
}

/* The attributes of a leaf. */
static inline u64 panthor_pte_keep(u64 pte)
{
	return pte & ~(PANTHOR_PTE_ADDR | PANTHOR_PTE_TYPE);
}

static inline u64 panthor_pte_table(u64 table_paddr)
{
	return table_paddr | PANTHOR_PTE_TABLE;
}

/* Not for the last level, where a page has the type of a table. */
static inline bool panthor_pte_is_table(u64 pte)
{
	return pte & (PANTHOR_PTE_TABLE ^ PANTHOR_PTE_BLOCK);
}

static inline u64 panthor_pte_addr(u64 pte)
{
	return pte & PANTHOR_PTE_ADDR;
}

#endif
