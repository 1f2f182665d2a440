/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * A VM together with what is expected to be mapped in it: maps and unmaps go to
 * the driver and into a list, and the GPU's view of the one is compared with the
 * CPU's view of the other. Also a gate: a fence that stays unsignaled until told.
 */
#ifndef PANTHOR_SPACE_H
#define PANTHOR_SPACE_H

#include "panthor_gpu.h"

#define PC_PIECES	512

/**
 * struct pc_piece - Part of an address space with one buffer behind it
 * @va: start
 * @size: bytes
 * @map: where the CPU sees the same memory
 */
struct pc_piece {
	__u64 va;
	__u64 size;
	const char *map;
};

/**
 * struct pc_space - A VM and what should be in it
 * @gpu: how to look at it; its own buffer is not in the list
 * @user_va: end of the part that is ours
 * @count: how many @piece there are
 * @overflow: there were more, and nothing can be checked any longer
 * @piece: none overlap, in no order
 */
struct pc_space {
	struct pc_gpu gpu;
	__u64 user_va;
	__u32 count;
	bool overflow;
	struct pc_piece piece[PC_PIECES];
};

int pc_space_init(struct pc_space *space, int fd);
/* With its VM. */
void pc_space_fini(struct pc_space *space);

int pc_space_map(struct pc_space *space, const struct pc_bo *bo, __u64 offset, __u64 va,
		 __u64 size, __u32 flags);
int pc_space_unmap(struct pc_space *space, __u64 va, __u64 size);

/* Only the list: for what was mapped and unmapped in other ways. */
void pc_space_expect(struct pc_space *space, const struct pc_bo *bo, __u64 offset, __u64 va,
		     __u64 size);
void pc_space_expect_nothing(struct pc_space *space, __u64 va, __u64 size);

/*
 * Compare all that is in the list, one line of each page. 0, a negative errno
 * (-EOVERFLOW if it did not fit into the list), or 1 with the address of the first
 * difference in *@va.
 */
int pc_space_check(struct pc_space *space, __u64 *va);

/*
 * Read at @va, which must fault: 0 if the job has ended as after a fault, and its group
 * is dead; -EBADMSG if it has read something, -EPROTO if only one of both is true, or if
 * the group was dead before. The group is replaced.
 */
int pc_space_faults(struct pc_space *space, __u64 va);

/**
 * struct pc_gate - A fence under control of the test
 * @gpu: its own VM
 * @group: two queues: one waits, one ends that
 * @fence: sync object with the fence
 * @opener: what the second queue signals
 */
struct pc_gate {
	struct pc_gpu gpu;
	__u32 group;
	__u32 fence;
	__u32 opener;
};

int pc_gate_init(struct pc_gate *gate, int fd);
void pc_gate_fini(struct pc_gate *gate);
/* A new unsignaled fence. The driver lets it fail after 5 s. */
int pc_gate_close(struct pc_gate *gate);
/* Signal it, and wait until that has happened. */
int pc_gate_open(struct pc_gate *gate);

#endif
