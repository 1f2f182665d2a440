// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Arguments of the client programs: see panthor_args.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "panthor_args.h"

void pc_refuse(const char *argument, const char *why, const char *usage)
{
	fprintf(stderr, "%s: %s: %s\n%s", program_invocation_short_name, argument, why,
		usage ? usage : "");
	exit(2);
}

void pc_no_more_arguments(int argc, char **argv, int first, const char *usage)
{
	if (first < argc)
		pc_refuse(argv[first], "unknown argument", usage);
}

unsigned long long pc_number(const char *what, const char *text, unsigned long long least,
			     unsigned long long most, const char *usage)
{
	unsigned long long number;
	char why[128], *end;

	errno = 0;
	number = strtoull(text, &end, strncasecmp(text, "0x", 2) ? 10 : 16);
	/* A sign and blanks are fine with strtoull(). */
	if (isdigit((unsigned char)*text) && !*end && !errno && number >= least && number <= most)
		return number;

	snprintf(why, sizeof(why), "'%.32s' is not a number from %llu to %llu", text, least, most);
	pc_refuse(what, why, usage);
}
