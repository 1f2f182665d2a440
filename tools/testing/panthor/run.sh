#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 or MIT
#
# Run test programs one after the other and sum up what they passed and failed. Options
# are for the programs that follow, up to the next "--".
#
#   run.sh [--option ...] program ... [-- [--option ...] program ...] ...

options=
passed=0
failed=0
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT

for arg; do
	case $arg in
	--)
		options=
		continue
		;;
	--*)
		options="$options $arg"
		continue
		;;
	esac

	# shellcheck disable=SC2086 # one word an option
	"$arg" $options 2>&1 | tee "$log"

	# A program that dies before its last line is one more failure.
	last=$(tail -n 1 "$log")
	case $last in
	'# '*' passed, '*' failed')
		last=${last##*: }
		passed=$((passed + ${last%% passed*}))
		last=${last##*passed, }
		failed=$((failed + ${last%% failed*}))
		;;
	*)
		echo "not ok - $arg ended without a result"
		failed=$((failed + 1))
		;;
	esac
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
