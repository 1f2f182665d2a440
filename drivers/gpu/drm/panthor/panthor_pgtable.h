/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The whole driver-facing API of panthor's private page tables: create and
 * destroy, reserve, map and unmap, the flush hand-shake, lookups.
 */
#ifndef __PANTHOR_PGTABLE_H__
#define __PANTHOR_PGTABLE_H__

#include <linux/types.h>

struct device;
struct page;
struct panthor_pgtable;
struct panthor_table;
struct sg_table;

/**
 * DOC: Overview
 *
 * A fork of the AArch64 LPAE walker for one user, with one difference that
 * matters: table pages are reserved before a VM_BIND job is queued, so that
 * the map and unmap path never allocates.
 *
 * Words, and what they mean here:
 *
 * iova
 *	GPU virtual address, u64 also on 32-bit kernels.
 * table
 *	512 descriptors of 8 bytes, 4 KiB, aligned to 4 KiB whatever PAGE_SIZE is.
 * level
 *	Arm's numbering. One entry covers 512 GiB at level 0, 1 GiB at level 1,
 *	2 MiB at level 2, 4 KiB at level 3.
 * leaf
 *	A descriptor with an output address: a page (level 3) or a block (levels
 *	1 and 2).
 * slot
 *	The place of one table in the tree: a level, and an iova aligned to what
 *	the table spans.
 * reservation
 *	The slots that a queued job needs, pinned: there is a table for each, in the
 *	tree or held for the slot, until the reservation is given back.
 * gather
 *	The tables that were taken out of the tree and wait for a TLB flush.
 *
 * Pages are charged to the memory cgroup of who calls reserve.
 *
 * Locking: calls that change the tree (map, unmap, flush_range, flushed) are
 * serialized by the caller (panthor's vm->op_lock), and only they put tables in the
 * tree or take them out. Reserve and unreserve run beside them and beside each other.
 * What they share is a spinlock, for the work on a few tables at most: it covers which
 * table has which slot, and the pins, so a table is taken out only if it is seen to have
 * no pin. Leaves are written without it, since a reservation does not care for them. Nothing
 * is allocated under it. Lookups (iova_to_phys, walk) take no lock, and
 * may run beside everything but destroy. On 32-bit hosts that takes single-copy
 * atomic accesses of 64 bits, as Arm CPUs with LPAE have: without, a lookup
 * beside an update may be wrong about the address.
 *
 * The life of an operation::
 *
 *	ioctl			reserve
 *	signalling section	expand and flush_range: the range to lock,
 *				lock the GPU out of it,
 *				map and unmap,
 *				flush what is locked, unlock, flushed
 *	cleanup			unreserve
 *
 * With CONFIG_DRM_PANTHOR_PGTABLE_IOPGT, io-pgtable-arm makes the tables, and this is as
 * said here but for what it cannot do:
 *
 * - A reservation is for one job alone: the tables that it needs in an empty tree.
 * - A block that an unmap covers in part is unmapped whole, and what is outside of the
 *   range is mapped again. The device does not use it meanwhile, as with a split.
 * - Tables of level 1 stay in the tree when they are empty, and no other is kept for
 *   jobs that may need it.
 * - Where the device does not snoop, a table is mapped for DMA when it is installed:
 *   map and unmap may fail then, or allocate if addresses are translated.
 * - While an unmap cuts a block, a lookup may find a hole outside of the range.
 */

/**
 * struct panthor_pgtable_page_ops - where table pages come from
 *
 * For users who have to tell somebody else (firmware, a hypervisor) about each
 * page that becomes a table. Both calls may sleep, and both are made in process
 * context, outside the fence signalling section, with no lock of ours held.
 */
struct panthor_pgtable_page_ops {
	/**
	 * @alloc: Return one zeroed, directly mapped page of PAGE_SIZE bytes, not
	 * compound, whose private field is not used until @free; or NULL. This is
	 * the only place where a page can be refused.
	 */
	struct page *(*alloc)(void *cookie, gfp_t gfp);

	/**
	 * @free: Take back a page that @alloc returned, not zeroed. Cannot fail, and
	 * allocates nothing: the last reference to a VM may be dropped in reclaim.
	 */
	void (*free)(void *cookie, struct page *page);
};

/**
 * struct panthor_pgtable_cfg - what a page table is made for
 */
struct panthor_pgtable_cfg {
	/** @dev: Device that walks the tables: its node, its DMA mappings. */
	struct device *dev;

	/**
	 * @pgsize_bitmap: Leaf sizes in bytes, or'ed: SZ_4K; or SZ_4K and SZ_2M;
	 * or these and SZ_1G, which is split into the smaller ones.
	 */
	u64 pgsize_bitmap;

	/** @va_bits: Width of an iova, 25 to 48. */
	u8 va_bits;

	/** @pa_bits: Width of an output address, 32 to 48. */
	u8 pa_bits;

	/** @coherent_walk: The device's walker snoops the CPU's caches. */
	bool coherent_walk;

	/** @page_ops: Source of table pages. NULL for the page allocator. */
	const struct panthor_pgtable_page_ops *page_ops;

	/** @page_cookie: First argument of the @page_ops. */
	void *page_cookie;
};

/**
 * struct panthor_pgtable_rsv - a reservation
 *
 * One for each job, zeroed before its first use. Only the reserve and
 * unreserve calls, and the map or unmap it is made for, may look inside.
 */
struct panthor_pgtable_rsv {
	/** @count: Slots pinned. */
	unsigned int count;

	/** @room: Length of @many, or 0 if @few is used. */
	unsigned int room;

	/** @unmaps: All of them are for an unmap. */
	bool unmaps;

	union {
		/** @few: A table for each slot: the usual job has no more than these. */
		struct panthor_table *few[2];

		/** @many: Or an array of them. */
		struct panthor_table **many;
	};
};

/**
 * struct panthor_pgtable_walk - what a walk for one iova goes through
 */
struct panthor_pgtable_walk {
	/** @desc: Descriptors, by level. Only start_level to level are valid. */
	u64 desc[4];

	/** @start_level: Level of the root table. */
	u8 start_level;

	/** @level: Last level reached: that of a leaf, or of an invalid descriptor. */
	u8 level;
};

/**
 * struct panthor_pgtable_stats - the books of one page table
 *
 * The counts of tables add up: total = free + dirty + reserved + tree +
 * gathered. The root is one of the tables in the tree.
 */
struct panthor_pgtable_stats {
	/** @total: Tables taken from the system and not given back. */
	unsigned long total;

	/** @free: Tables in the pool that are ready to be installed. */
	unsigned long free;

	/** @dirty: Tables in the pool that must be cleared before they are free. */
	unsigned long dirty;

	/** @reserved: Tables held for slots that reservations pin and that have none. */
	unsigned long reserved;

	/** @tree: Tables in the tree. */
	unsigned long tree;

	/** @gathered: Tables out of the tree that wait for a TLB flush. */
	unsigned long gathered;

	/** @installed: Tables put in the tree since create, the root included. */
	u64 installed;

	/** @splits: Blocks split since create. */
	u64 splits;

	/** @leaves: Leaves written by map since create, by level (1 to 3), failed maps included. */
	u64 leaves[4];
};

/**
 * panthor_pgtable_init() - let page tables give memory back when it is short
 *
 * Once, before the first page table is made.
 *
 * Context: may sleep, allocates.
 *
 * Return: 0 or -ENOMEM.
 */
int panthor_pgtable_init(void);

/**
 * panthor_pgtable_exit() - undo panthor_pgtable_init()
 *
 * After the last page table is gone.
 *
 * Context: may sleep.
 */
void panthor_pgtable_exit(void);

/**
 * panthor_pgtable_create() - make an empty page table
 * @cfg: What it is made for. Not used after the call, but for what page_ops points at.
 *
 * Context: may sleep, allocates.
 *
 * Return: the page table, or an ERR_PTR(): -EINVAL for a @cfg out of range,
 * -ENOMEM, or -EFAULT if @cfg->dev cannot reach table pages by their physical
 * address.
 */
struct panthor_pgtable *
panthor_pgtable_create(const struct panthor_pgtable_cfg *cfg);

/**
 * panthor_pgtable_destroy() - free a page table, whatever is still mapped
 * @pt: Page table. The device must not walk it any more.
 *
 * Checks the books: warns, with the counts, about each table that is neither
 * in the pool, nor gathered, nor in the tree, which includes reservations that
 * were not given back. These, and @pt, are leaked then: their owner may still
 * come with them.
 *
 * Context: may sleep, also in reclaim: allocates nothing. No other call on @pt may be
 * under way or follow.
 */
void panthor_pgtable_destroy(struct panthor_pgtable *pt);

/**
 * panthor_pgtable_ttbr() - physical address of the root table
 * @pt: Page table.
 *
 * Return: what the driver programs as AS_TRANSTAB.
 */
u64 panthor_pgtable_ttbr(const struct panthor_pgtable *pt);

/**
 * panthor_pgtable_mair() - meaning of the attribute index of a leaf
 * @pt: Page table.
 *
 * Return: attributes in the format of MAIR_EL1, one byte for each index, which
 * the driver converts to AS_MEMATTR.
 */
u64 panthor_pgtable_mair(const struct panthor_pgtable *pt);

/**
 * panthor_pgtable_reserve_map() - make sure that a map cannot fail for tables
 * @pt: Page table.
 * @rsv: Reservation to add to.
 * @iova: First byte, aligned to 4 KiB.
 * @paddr: Physical address behind @iova, aligned to 4 KiB.
 * @size: Bytes, a multiple of 4 KiB, not 0.
 *
 * Pins each slot that the map touches. One that has a table in the tree keeps it,
 * empty or not; for one without, a table is held, once for all reservations that want
 * it: whatever runs on @pt before the map, it finds its tables. This also covers the
 * splits at both ends of the range, if blocks have to make place for the map. A slot
 * that whole blocks cover needs no table, and has none, unless somebody else wants it:
 * then the map may find an empty table there, and fills that instead of making a block.
 *
 * Context: may sleep, allocates. Not for the fence signalling section. May run
 * beside map and unmap.
 *
 * Return: 0, -EINVAL (alignment, size 0), -ERANGE (first or last byte out of
 * va_bits or pa_bits), -ENOMEM, or -EFAULT as panthor_pgtable_create(). On error
 * @rsv is as it was.
 */
int panthor_pgtable_reserve_map(struct panthor_pgtable *pt,
				struct panthor_pgtable_rsv *rsv,
				u64 iova, u64 paddr, u64 size);

/**
 * panthor_pgtable_reserve_map_sgt() - reserve for panthor_pgtable_map_sgt()
 * @pt: Page table.
 * @rsv: Reservation to add to.
 * @iova: First byte, aligned to 4 KiB.
 * @sgt: DMA-mapped scatter list, the one that will be mapped.
 * @offset: Bytes to skip in @sgt, a multiple of 4 KiB.
 * @size: Bytes, a multiple of 4 KiB, not 0.
 *
 * As panthor_pgtable_reserve_map(). Stretches that are contiguous and aligned
 * enough to become blocks need no table below, also if they span entries of the
 * scatter list.
 *
 * Context: may sleep, allocates. Not for the fence signalling section. May run
 * beside map and unmap.
 *
 * Return: as panthor_pgtable_reserve_map(), and -EINVAL if @sgt ends before
 * @offset + @size, or if entries that are to be mapped, joined where one continues
 * the other, are not aligned to 4 KiB.
 */
int panthor_pgtable_reserve_map_sgt(struct panthor_pgtable *pt,
				    struct panthor_pgtable_rsv *rsv, u64 iova,
				    const struct sg_table *sgt, u64 offset,
				    u64 size);

/**
 * panthor_pgtable_reserve_map_repeat() - reserve for panthor_pgtable_map_repeat()
 * @pt: Page table.
 * @rsv: Reservation to add to.
 * @iova: First byte, aligned to 4 KiB.
 * @paddr: Physical address of the repeated range, aligned to 4 KiB.
 * @period: Bytes of the repeated range, a power of two, 4 KiB at least.
 * @size: Bytes, a multiple of 4 KiB, not 0.
 *
 * Context: may sleep, allocates. Not for the fence signalling section. May run
 * beside map and unmap.
 *
 * Return: as panthor_pgtable_reserve_map(), and -EINVAL for a bad @period.
 */
int panthor_pgtable_reserve_map_repeat(struct panthor_pgtable *pt,
				       struct panthor_pgtable_rsv *rsv,
				       u64 iova, u64 paddr, u64 period,
				       u64 size);

/**
 * panthor_pgtable_reserve_unmap() - make sure that an unmap can split blocks
 * @pt: Page table.
 * @rsv: Reservation to add to.
 * @iova: First byte, aligned to 4 KiB.
 * @size: Bytes, a multiple of 4 KiB, not 0.
 *
 * Pins the slots in which an end of the range may cut through a block, as
 * panthor_pgtable_reserve_map() does; none for an end that is aligned.
 *
 * Context: may sleep, allocates. Not for the fence signalling section. May run
 * beside map and unmap.
 *
 * Return: as panthor_pgtable_reserve_map().
 */
int panthor_pgtable_reserve_unmap(struct panthor_pgtable *pt,
				  struct panthor_pgtable_rsv *rsv,
				  u64 iova, u64 size);

/**
 * panthor_pgtable_unreserve() - give up what a job pinned
 * @pt: Page table.
 * @rsv: Reservation; empty when the call returns. May be empty before.
 *
 * A table that is held for nobody else is free again. One in the tree that is empty,
 * because the job did not run or failed, waits there for the next flush:
 * panthor_pgtable_flush_range() takes it out, sooner or later.
 *
 * Context: may sleep. May run beside map and unmap.
 */
void panthor_pgtable_unreserve(struct panthor_pgtable *pt,
			       struct panthor_pgtable_rsv *rsv);

/**
 * panthor_pgtable_map() - map one physical range
 * @pt: Page table.
 * @rsv: Reservation that was made for it.
 * @iova: First byte, aligned to 4 KiB.
 * @paddr: Physical address behind @iova, aligned to 4 KiB.
 * @size: Bytes, a multiple of 4 KiB, not 0.
 * @prot: IOMMU_READ and/or IOMMU_WRITE, with any of IOMMU_CACHE, IOMMU_NOEXEC.
 *
 * Uses the largest leaves that alignment and the configured sizes allow. The
 * mapping is visible to the device's walker when the call returns, but the
 * walker may have cached that there was none: flush.
 *
 * Context: fence signalling: never allocates, never sleeps, never frees to the
 * system. Calls that change @pt are serialized by the caller.
 *
 * Return: 0, or with the tree as it was before: -EEXIST if a byte of the range
 * is mapped already, -EINVAL (alignment, size 0, @prot), -ERANGE (first or last
 * byte out of va_bits or pa_bits), -ENOMEM, with a warning, if a slot has no
 * table. After an error flush as after an unmap.
 */
int panthor_pgtable_map(struct panthor_pgtable *pt,
			struct panthor_pgtable_rsv *rsv,
			u64 iova, u64 paddr, u64 size, int prot);

/**
 * panthor_pgtable_map_sgt() - map a stretch of a scatter list
 * @pt: Page table.
 * @rsv: Reservation that was made for it.
 * @iova: First byte, aligned to 4 KiB.
 * @sgt: DMA-mapped scatter list.
 * @offset: Bytes to skip in @sgt, a multiple of 4 KiB.
 * @size: Bytes, a multiple of 4 KiB, not 0.
 * @prot: As panthor_pgtable_map().
 *
 * Entries that continue each other are mapped as one, so that a block may span
 * them.
 *
 * Context: fence signalling, as panthor_pgtable_map().
 *
 * Return: as panthor_pgtable_map(), and -EINVAL as
 * panthor_pgtable_reserve_map_sgt().
 */
int panthor_pgtable_map_sgt(struct panthor_pgtable *pt,
			    struct panthor_pgtable_rsv *rsv, u64 iova,
			    const struct sg_table *sgt, u64 offset, u64 size,
			    int prot);

/**
 * panthor_pgtable_map_repeat() - map one physical range again and again
 * @pt: Page table.
 * @rsv: Reservation that was made for it.
 * @iova: First byte, aligned to 4 KiB.
 * @paddr: Physical address of the repeated range, aligned to 4 KiB.
 * @period: Bytes of the repeated range, a power of two, 4 KiB at least.
 * @size: Bytes, a multiple of 4 KiB, not 0.
 * @prot: As panthor_pgtable_map().
 *
 * Behind an iova stands @paddr + (iova modulo @period), whatever the first iova
 * is, so that a range of 2 MiB repeats as blocks.
 *
 * Context: fence signalling, as panthor_pgtable_map().
 *
 * Return: as panthor_pgtable_map(), and -EINVAL for a bad @period.
 */
int panthor_pgtable_map_repeat(struct panthor_pgtable *pt,
			       struct panthor_pgtable_rsv *rsv, u64 iova,
			       u64 paddr, u64 period, u64 size, int prot);

/**
 * panthor_pgtable_unmap() - unmap a range, holes included
 * @pt: Page table.
 * @rsv: Reservation that was made for it, or NULL if no block can be split.
 * @iova: First byte, aligned to 4 KiB.
 * @size: Bytes, a multiple of 4 KiB, not 0.
 *
 * A block that the range covers in part is split in place: what is outside the
 * range stays mapped at every moment. The device must not use any part of such a
 * block meanwhile, see panthor_pgtable_expand().
 *
 * Context: fence signalling: never allocates, never sleeps, never frees to the
 * system. Calls that change @pt are serialized by the caller.
 *
 * Return: bytes that were mapped, @size if there was no hole. Or, with the tree
 * as it was before: -EINVAL (alignment, size 0), -ERANGE, or -ENOMEM, with a
 * warning, if a slot has no table.
 */
s64 panthor_pgtable_unmap(struct panthor_pgtable *pt,
			  struct panthor_pgtable_rsv *rsv, u64 iova, u64 size);

/**
 * panthor_pgtable_expand() - which range an unmap changes
 * @pt: Page table.
 * @iova: First byte; moved down to the start of the block it cuts, if any.
 * @size: Bytes; extended to the end of the block that the last byte cuts.
 *
 * To be called before the unmap: the result is the range that the device has to
 * be locked out of. A range that panthor_pgtable_unmap() refuses is left as it
 * is.
 *
 * Context: fence signalling. Serialized with the calls that change @pt.
 */
void panthor_pgtable_expand(struct panthor_pgtable *pt, u64 *iova, u64 *size);

/**
 * panthor_pgtable_flush_range() - add what is gathered to a flush
 * @pt: Page table.
 * @iova: First byte of the range that the caller is about to change, or has changed.
 * @size: Bytes, not 0.
 *
 * Extends the range so that it covers each table that waits for a flush. That is
 * more than what the last operation touched only if an earlier flush failed, or to get
 * rid of tables that jobs have left in the tree, empty, when they are many. Such tables
 * behind the range itself are always taken out now.
 * The flush has to drop all that the device caches about any byte of the range, walks
 * included.
 *
 * Context: fence signalling. Serialized with the calls that change @pt.
 */
void panthor_pgtable_flush_range(struct panthor_pgtable *pt, u64 *iova, u64 *size);

/**
 * panthor_pgtable_flushed() - say that the device forgot all gathered tables
 * @pt: Page table.
 *
 * To be called after the device's TLBs and walk caches were flushed for the
 * range of panthor_pgtable_flush_range(), or if the device does not use @pt.
 * Without this call gathered tables are neither used again nor freed. If the
 * flush failed, do not call it: the next flush that works is enough.
 *
 * Context: fence signalling. Serialized with the calls that change @pt.
 */
void panthor_pgtable_flushed(struct panthor_pgtable *pt);

/**
 * panthor_pgtable_iova_to_phys() - translate one address
 * @pt: Page table.
 * @iova: Address, of any alignment.
 * @paddr: Physical address of that byte. Not written on error.
 *
 * Context: any, also beside map and unmap; takes no lock.
 *
 * Return: 0, -ENOENT if @iova is not mapped, -ERANGE if it is out of va_bits.
 */
int panthor_pgtable_iova_to_phys(struct panthor_pgtable *pt, u64 iova,
				 u64 *paddr);

/**
 * panthor_pgtable_walk() - list the descriptors of one address, for dumps
 * @pt: Page table.
 * @iova: Address, of any alignment.
 * @walk: Filled in.
 *
 * Context: any, also beside map and unmap; takes no lock.
 *
 * Return: 0, or -ERANGE if @iova is out of va_bits.
 */
int panthor_pgtable_walk(struct panthor_pgtable *pt, u64 iova,
			 struct panthor_pgtable_walk *walk);

/**
 * panthor_pgtable_stats() - read the books
 * @pt: Page table.
 * @stats: Filled in. While other calls run, the cumulative counts may be late.
 *
 * Context: process or fence signalling; takes a spinlock for some instructions.
 */
void panthor_pgtable_stats(struct panthor_pgtable *pt,
			   struct panthor_pgtable_stats *stats);

#endif
