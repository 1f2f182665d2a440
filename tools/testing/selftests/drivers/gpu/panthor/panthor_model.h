/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * What only a software GPU has: a judge that compares what it has cached with the
 * page tables, memory that is contiguous on purpose, a firmware that hangs when it
 * is told to. All of it answers -ENOENT on hardware.
 */
#ifndef PANTHOR_MODEL_H
#define PANTHOR_MODEL_H

#include "panthor_client.h"

/* Errors that the judge has found so far, after a complete check. */
long long pc_model_errors(void);
/* The next answers of the firmware do not come: the driver resets the GPU. */
int pc_model_hang(void);
/* Does the firmware hang, or is it about to? 0 if not. */
int pc_model_hung(void);
/* How often that has ended in a reset. */
long long pc_model_hang_resets(void);

/* Raise the fault interrupt of the address space that the next VM gets. */
int pc_model_raise_next(void);

/*
 * Accesses of groups so far to memory that is mapped so: "cached", "uncached"; or by a
 * leaf of this kind: "block", "page". Fetches of instructions are among them.
 */
long long pc_model_accesses(const char *kind);
/* Streams that execute something now. */
int pc_model_running(void);

/* A buffer of physical pieces of @chunk bytes, each aligned to its size. */
int pc_bo_create_contig(int fd, __u64 size, __u32 chunk, struct pc_bo *bo);

/* Wait until nothing changes any mapping: what was destroyed goes away later. */
void pc_settle(void);

/* Open a file of debugfs, wherever that is mounted. */
int pc_debugfs_open(const char *name, int flags);
int pc_debugfs_write(const char *name, const char *text);

#endif
