// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * What only a software GPU has, through debugfs and /dev/vmali: see
 * panthor_model.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "panthor_model.h"
#include "vmali_uapi.h"

#define DRI_MINORS	256

int pc_debugfs_open(const char *name, int flags)
{
	static const char * const mount[] = { "/sys/kernel/debug", "/debug" };
	char path[128];
	size_t i;
	int fd;

	for (i = 0; i < PC_COUNT(mount); i++) {
		snprintf(path, sizeof(path), "%s/%s", mount[i], name);
		fd = open(path, flags | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}

	return -errno;
}

int pc_debugfs_write(const char *name, const char *text)
{
	int fd = pc_debugfs_open(name, O_WRONLY);
	ssize_t len;
	int err;

	if (fd < 0)
		return fd;

	len = write(fd, text, strlen(text));
	err = len < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* The start of the file, as a string. */
static ssize_t read_text(const char *name, char *text, size_t size)
{
	int fd = pc_debugfs_open(name, O_RDONLY);
	size_t len = 0;
	ssize_t part;

	if (fd < 0)
		return fd;

	do {
		part = read(fd, text + len, size - 1 - len);
		len += part > 0 ? part : 0;
	} while (part > 0 && len < size - 1);

	text[len] = 0;
	part = part < 0 ? -errno : (ssize_t)len;
	close(fd);
	return part;
}

static long long read_number(const char *name)
{
	char text[64];
	ssize_t len = read_text(name, text, sizeof(text));

	return len < 0 ? len : strtoll(text, NULL, 10);
}

long long pc_model_errors(void)
{
	pc_settle();
	return read_number("vmali/check");
}

long long pc_model_hang_resets(void)
{
	return read_number("vmali/hang_resets");
}

int pc_model_hung(void)
{
	return read_number("vmali/hang");
}

int pc_model_hang(void)
{
	return pc_debugfs_write("vmali/hang", "1");
}

long long pc_model_accesses(const char *kind)
{
	char text[256], name[16], *line, *next = text;
	ssize_t len = read_text("vmali/accesses", text, sizeof(text));
	long long count;

	if (len < 0)
		return len;
	while ((line = strsep(&next, "\n")))
		if (sscanf(line, "%15s %lld", name, &count) == 2 && !strcmp(name, kind))
			return count;
	return -ENOENT;
}

int pc_model_running(void)
{
	char text[1 << 13], *at = text;
	ssize_t len = read_text("vmali/state", text, sizeof(text));
	int count;

	if (len < 0)
		return len;
	for (count = 0; (at = strstr(at, ": runs")); count++)
		at++;
	return count;
}

int pc_model_raise_next(void)
{
	char text[1 << 13], *line, *next = text;
	ssize_t len = read_text("vmali/state", text, sizeof(text));
	unsigned int as, next_as = 0;
	char state[4];

	if (len < 0)
		return len;
	while ((line = strsep(&next, "\n")) && !next_as)
		if (sscanf(line, "%u %3s", &as, state) == 2 && !strcmp(state, "off"))
			next_as = as;
	snprintf(text, sizeof(text), "%u", 1 << next_as);
	return pc_debugfs_write("vmali/raise", text);
}

int pc_bo_create_contig(int fd, __u64 size, __u32 chunk, struct pc_bo *bo)
{
	struct vmali_contig args = { .size = size, .chunk = chunk };
	int dev, err;

	dev = open("/dev/vmali", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return -errno;

	err = pc_ioctl(dev, VMALI_IOC_CONTIG, &args);
	close(dev);
	if (err)
		return err;

	err = pc_bo_import(fd, args.fd, bo);
	close(args.fd);
	return err;
}

/* The list of all mappings that the driver shows. */
static ssize_t read_mappings(char *text, size_t size)
{
	static int minor = -1;
	char name[32];
	ssize_t len;
	int i;

	for (i = minor < 0 ? 0 : minor; i < DRI_MINORS; i++) {
		snprintf(name, sizeof(name), "dri/%d/gpuvas", i);
		len = read_text(name, text, size);
		if (len >= 0) {
			minor = i;
			return len;
		}
	}

	return -ENOENT;
}

void pc_settle(void)
{
	enum { SIZE = 1 << 18, SAME = 3, TRIES = 400 };
	char *now = malloc(SIZE), *before = malloc(SIZE);
	ssize_t len, old = -1;
	int same = 0, tries;

	for (tries = 0; now && before && same < SAME && tries < TRIES; tries++) {
		char *swap = before;

		usleep(5000);
		len = read_mappings(now, SIZE);
		same = len == old && len > 0 && !memcmp(now, before, len) ? same + 1 : 0;
		if (len < 0)
			break;
		before = now;
		now = swap;
		old = len;
	}

	free(now);
	free(before);
}
