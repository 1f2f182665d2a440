// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * GPU faults and job time-outs in the kernel's log: see panthor_log.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "panthor_log.h"

/* Longer than any record of the log. */
#define RECORD	8192

static struct pc_log own;
static struct pc_log *counts = &own;
/* Processes that inherit it go on where another one has stopped. */
static int log_fd = -1;

void pc_log_init(void)
{
	void *map = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return;
	counts = map;
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd >= 0)
		lseek(log_fd, 0, SEEK_END);
}

bool pc_log_works(void)
{
	return log_fd >= 0;
}

static void count(const char *record)
{
	const char *text = strchr(record, ';');

	if (!text || strncmp(text, ";panthor ", 9))
		return;
	counts->faults += !!strstr(text, "Unhandled Page fault in AS");
	counts->timeouts += !!strstr(text, "] job timeout");
}

const struct pc_log *pc_log_read(void)
{
	char record[RECORD];
	ssize_t len;

	if (!pc_log_works())
		return counts;
	do {
		len = read(log_fd, record, sizeof(record) - 1);
		if (len > 0) {
			record[len] = 0;
			count(record);
		}
		/* EPIPE: records were overwritten, and the next read finds what is left. */
	} while (len > 0 || errno == EPIPE);
	return counts;
}

void pc_log_settle(void)
{
	counts->faults_provoked = counts->faults;
	counts->timeouts_provoked = counts->timeouts;
}

bool pc_log_report(void)
{
	const struct pc_log *log = pc_log_read();

	printf("# GPU faults: %u, provoked: %u, job time-outs: %u, provoked: %u\n", log->faults,
	       log->faults_provoked, log->timeouts, log->timeouts_provoked);
	fflush(stdout);
	return log->faults == log->faults_provoked && log->timeouts == log->timeouts_provoked;
}

void pc_provoke_fault(void)
{
	if (pc_log_works())
		__atomic_add_fetch(&counts->faults_provoked, 1, __ATOMIC_RELAXED);
}

void pc_provoke_timeout(void)
{
	if (pc_log_works())
		__atomic_add_fetch(&counts->timeouts_provoked, 1, __ATOMIC_RELAXED);
}

void pc_provoked_faults(void)
{
	counts->faults_provoked = pc_log_read()->faults;
}

void pc_provoked_timeouts(void)
{
	counts->timeouts_provoked = pc_log_read()->timeouts;
}
