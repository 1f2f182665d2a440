// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Writes the firmware image of the software model of a Mali GPU: the panthor
 * driver loads one before it lets the microcontroller boot. The model executes
 * nothing of it, and finds the interfaces in the shared section.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAGIC		0xc3f13a6e
#define TYPE_INTERFACE	0

#define BIT(n)		(1u << (n))

#define READ		BIT(0)
#define WRITE		BIT(1)
#define EXECUTE		BIT(2)
#define CACHED		BIT(3)
#define SHARED		BIT(30)
#define ZEROED		BIT(31)

/* Each number is 32 bits, of the endianness of this machine: little, as the GPU's. */
struct section {
	uint32_t type_and_size;
	uint32_t flags;
	uint32_t va_start, va_end;
	/* Where in the image the section's content is. */
	uint32_t data_start, data_end;
};

struct image {
	uint32_t magic;
	uint32_t version, version_hash, reserved;
	/* Without the content of sections. */
	uint32_t size;
	struct section sections[2];
	char code[76];
};

#define HEADERS		offsetof(struct image, code)

static const struct image image = {
	.magic = MAGIC,
	.size = HEADERS,
	.sections = {
		{
			.type_and_size = TYPE_INTERFACE | sizeof(struct section) << 8,
			.flags = READ | EXECUTE | CACHED,
			.va_start = 0,
			.va_end = 0x1000,
			.data_start = HEADERS,
			.data_end = sizeof(struct image),
		}, {
			.type_and_size = TYPE_INTERFACE | sizeof(struct section) << 8,
			.flags = READ | WRITE | SHARED | ZEROED,
			.va_start = 0x04000000,
			.va_end = 0x04020000,
		},
	},
	.code = "No code: firmware of the software model of a Mali GPU\n",
};

static_assert(sizeof(image) == 144, "the driver reads the image without padding");

int main(int argc, char **argv)
{
	FILE *file;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return 2;
	}

	file = fopen(argv[1], "wb");
	if (!file || fwrite(&image, sizeof(image), 1, file) != 1 || fclose(file)) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
