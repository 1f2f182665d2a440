/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * What the children of the stress program and their parent share: counters, what
 * they were told to do, and whether the firmware hangs.
 */
#ifndef PANTHOR_STRESS_H
#define PANTHOR_STRESS_H

#include <stdbool.h>
#include <linux/types.h>

#define STRESS_CHILDREN	32
#define STRESS_ERRNOS	134

/**
 * struct stress_child - What one child has done; its successors go on counting
 * @binds: ops of VM_BIND
 * @jobs: that ended
 * @lost: that ended with an error
 * @checked: bytes read through the GPU
 * @wrong: of them, lines that were not what they should be
 * @wrong_va: where the last of them was
 * @vms: made
 * @unexpected: errors for which there was no reason
 * @errors: by errno, expected or not
 * @progress: when it last did something, of the monotonic clock in ns
 * @injecting: an allocation of it fails soon: do not kill it now, for what cleans up
 *	       after it must not fail
 * @well: the last epoch without a hang in which it submitted a job that went well
 */
struct stress_child {
	__u64 binds;
	__u64 jobs;
	__u64 lost;
	__u64 checked;
	__u64 wrong;
	__u64 wrong_va;
	__u64 vms;
	__u64 unexpected;
	__u64 errors[STRESS_ERRNOS];
	__s64 progress;
	bool injecting;
	__u32 well;
};

/**
 * struct stress - All of it, in shared memory
 * @children: how many there are
 * @seed: of everything
 * @hog: one more child takes all memory
 * @inject: let allocations of the children fail
 * @no_resets: do not hang the firmware
 * @no_kills: do not kill children
 * @epoch: odd while the firmware hangs, and the GPU has not been reset yet
 * @settled: the last even one in which a job went well that was submitted in it: the
 *	     driver is done with all resets before. The GPU counts one long before that.
 * @child: the children
 */
struct stress {
	__u32 children;
	__u64 seed;
	bool hog;
	bool inject;
	bool no_resets;
	bool no_kills;
	__u32 epoch;
	__u32 settled;
	struct stress_child child[STRESS_CHILDREN];
};

__s64 stress_now(void);
void stress_write(const char *path, const char *text);

/* Work until killed; returns an exit status if that is not possible. */
int stress_work(struct stress *stress, struct stress_child *child, __u64 seed);

#endif
