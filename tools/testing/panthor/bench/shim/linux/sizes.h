/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * linux/sizes.h for counting: sizes that the workloads use, and those of other granules,
 * which io-pgtable names.
 */
#ifndef __BENCH_LINUX_SIZES_H__
#define __BENCH_LINUX_SIZES_H__

#include_next <linux/sizes.h>

#ifndef SZ_16K
#define SZ_16K	0x00004000
#endif
#ifndef SZ_1M
#define SZ_1M	0x00100000
#endif
#ifndef SZ_32M
#define SZ_32M	0x02000000
#endif
#ifndef SZ_64M
#define SZ_64M	0x04000000
#endif
#ifndef SZ_512M
#define SZ_512M	0x20000000
#endif

#endif
