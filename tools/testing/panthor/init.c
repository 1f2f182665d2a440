// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The first and only process of a test kernel: looks for leaks after the KUnit
 * suites have run, prints what it finds, and powers off.
 */
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

/* kmemleak does not report objects that are younger than five seconds. */
#define MIN_AGE 6

/* Through the kernel's log, so that no line gets in the middle of another. */
static FILE *out;

static int leaks(const char *path)
{
	char *line = NULL;
	size_t size = 0;
	FILE *file;
	int i;

	file = fopen(path, "r+");
	if (!file)
		return -1;

	sleep(MIN_AGE);
	/* An object that changed since the last scan is reported by the next. */
	for (i = 0; i < 2; i++)
		if (fputs("scan", file) < 0 || fflush(file))
			return -1;

	rewind(file);
	while (getline(&line, &size, file) > 0)
		fputs(line, out);
	return ferror(file) ? -1 : 0;
}

int main(void)
{
	out = fopen("/dev/kmsg", "w");
	if (out) {
		/* A record is one write. */
		setlinebuf(out);
		mkdir("/debug", 0700);
		if (mount("debugfs", "/debug", "debugfs", 0, NULL) || leaks("/debug/kmemleak"))
			fprintf(out, "panthor-init: no scan: %m\n");
		else
			fputs("panthor-init: scanned\n", out);
	}
	reboot(RB_POWER_OFF);
	return 1;
}
