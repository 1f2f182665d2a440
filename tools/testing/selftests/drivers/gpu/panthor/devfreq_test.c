// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Does the driver change between operating points? It raises the clock of the GPU while
 * that is busy, and lowers it when there is less to do.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "panthor_test.h"

#define DEVFREQ	"/sys/class/devfreq"

FIXTURE(devfreq)
{
	struct pc_env env;
	char device[64];
};

FIXTURE_SETUP(devfreq)
{
	struct dirent *entry;
	DIR *dir;

	pc_env_setup(_metadata, &self->env);
	dir = opendir(DEVFREQ);
	while (dir && (entry = readdir(dir)))
		if (strstr(entry->d_name, "gpu"))
			snprintf(self->device, sizeof(self->device), "%.60s", entry->d_name);
	if (dir)
		closedir(dir);
}

FIXTURE_TEARDOWN(devfreq)
{
	pc_env_teardown(_metadata, &self->env);
}

static long frequency(const char *device, const char *which)
{
	char path[160], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), DEVFREQ "/%s/%s", device, which);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return strtol(text, NULL, 10);
}

static int spin(struct pc_gpu *gpu, __u32 rounds)
{
	struct pc_cs cs = pc_gpu_cs(gpu);
	__u32 loop;

	pc_cs_move32(&cs, 0, rounds);
	loop = cs.count;
	pc_cs_add_imm32(&cs, 0, 0, -1);
	pc_cs_branch(&cs, loop, PC_CS_NEQUAL, 0);
	return pc_gpu_run(gpu, &cs);
}

/* Jobs with pauses of @pause_us, until the clock is at @wanted or below, or at or above it. */
static void load_until(struct __test_metadata *_metadata, const char *device, struct pc_gpu *gpu,
		       __u32 rounds, __u32 pause_us, long wanted, bool below)
{
	long now = frequency(device, "cur_freq");
	time_t end = time(NULL) + 10;

	while ((below ? now > wanted : now < wanted) && time(NULL) < end) {
		ASSERT_EQ(0, spin(gpu, rounds));
		usleep(pause_us);
		now = frequency(device, "cur_freq");
	}
	EXPECT_TRUE(below ? now <= wanted : now >= wanted) {
		TH_LOG("the clock is at %ld, and should be at %ld", now, wanted);
	}
}

TEST_F_TIMEOUT(devfreq, follows_the_load, 60)
{
	struct pc_gpu *gpu = &self->env.space.gpu;
	long min, max;

	if (!self->device[0])
		SKIP(return, "no devfreq device of a GPU");
	min = frequency(self->device, "min_freq");
	max = frequency(self->device, "max_freq");
	if (min == max && self->env.errors < 0)
		SKIP(return, "this board has one operating point");
	ASSERT_LT(min, max);

	load_until(_metadata, self->device, gpu, 10, 20000, min, true);
	load_until(_metadata, self->device, gpu, 50000, 0, max, false);
	load_until(_metadata, self->device, gpu, 10, 20000, min, true);
}

TEST_HARNESS_MAIN
