/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Arguments of the client programs. What they do not understand, they refuse, with
 * one line that says what is wrong, and exit status 2.
 */
#ifndef PANTHOR_ARGS_H
#define PANTHOR_ARGS_H

#include <stdnoreturn.h>

/* @usage: a line or more, after the one about @argument; may be NULL. */
noreturn void pc_refuse(const char *argument, const char *why, const char *usage);

/* Refuse all from @argv[@first] on. */
void pc_no_more_arguments(int argc, char **argv, int first, const char *usage);

/* @text, all of which is a decimal number, or a hexadecimal one after 0x, in that range. */
unsigned long long pc_number(const char *what, const char *text, unsigned long long least,
			     unsigned long long most, const char *usage);

#endif
