/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * What /dev/vmali offers to tests in user space: memory with a physical layout that
 * they choose, for import into the driver.
 */
#ifndef __VMALI_UAPI_H__
#define __VMALI_UAPI_H__

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct vmali_contig - Memory in physically contiguous chunks
 * @size: bytes, a multiple of @chunk, 256 MiB at most
 * @chunk: bytes of each chunk, and what it is aligned to: a power of two from 4 KiB
 *	   to 4 MiB
 * @flags: 0
 * @fd: returned: a DMA buffer
 * @pad: 0
 */
struct vmali_contig {
	__u64 size;
	__u32 chunk;
	__u32 flags;
	__s32 fd;
	__u32 pad;
};

#define VMALI_IOC_CONTIG	_IOWR('V', 0x80, struct vmali_contig)

#endif
