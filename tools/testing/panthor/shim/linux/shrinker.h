/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/shrinker.h: memory is short when the test says so.
 */
#ifndef __SHIM_LINUX_SHRINKER_H__
#define __SHIM_LINUX_SHRINKER_H__

#include <linux/kernel.h>

#define SHRINK_STOP	(~0ul)

struct shrink_control {
	unsigned long nr_to_scan;
};

struct shrinker {
	unsigned long (*count_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	void *private_data;
};

struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...);
void shrinker_register(struct shrinker *shrinker);
void shrinker_free(struct shrinker *shrinker);

#endif
