/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * GPU faults and job time-outs, which the driver reports in the kernel's log only. A test
 * announces those that it provokes; any other is a mistake, even if all jobs have ended.
 * The counts are shared by all processes of a program.
 */
#ifndef PANTHOR_LOG_H
#define PANTHOR_LOG_H

#include <stdbool.h>

/**
 * struct pc_log - What the log has had since the start of the program
 * @faults: GPU faults
 * @timeouts: jobs that the driver has given up
 * @faults_provoked: those that tests have announced
 * @timeouts_provoked: likewise
 */
struct pc_log {
	unsigned int faults, timeouts;
	unsigned int faults_provoked, timeouts_provoked;
};

/* Once, before there is another process. */
void pc_log_init(void);
/* Whether faults and time-outs are counted: a program without rights cannot read the log. */
bool pc_log_works(void);
/* Read what is new. Without the right to read the log, all counts are 0. */
const struct pc_log *pc_log_read(void);
/* Report a difference once: what comes next is compared on its own. */
void pc_log_settle(void);

/* Print all counts. Returns true if nothing happened that no test has announced. */
bool pc_log_report(void);

void pc_provoke_fault(void);
void pc_provoke_timeout(void);
/* Nobody knows how many there should have been up to now. */
void pc_provoked_faults(void);
void pc_provoked_timeouts(void);

#endif
