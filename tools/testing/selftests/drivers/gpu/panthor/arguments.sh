#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 or MIT
#
# Do the programs say which argument is wrong, and end with status 2? Needs no GPU, but
# the directory of the programs, if they are not beside it.
cd "${1:-$(dirname "$0")}" || exit 1
failed=0
count=0

# expect STATUS TEXT PROGRAM [ARGUMENT...]: what it writes has the text in its first line.
expect()
{
	status=$1
	text=$2
	shift 2
	count=$((count + 1))
	out=$("./$@" 2>&1)
	got=$?
	out=$(printf '%s\n' "$out" | head -n1)
	case $out in
	*"$text"*) [ "$got" = "$status" ] && echo "ok $count $*" && return ;;
	esac
	echo "# status $got: $out"
	echo "not ok $count $*"
	failed=1
}

echo "TAP version 13"
for number in abc 0 -1 +1 ' 1' 1x '' 99999999999999999999; do
	expect 2 "ops: '$number' is not a number from 1 " vm_bind_random_test "$number"
done
expect 2 "seed: 'abc' is not a number from 0 " vm_bind_random_test 1 abc
expect 2 'x: unknown argument' vm_bind_random_test 1 1 x
expect 0 'usage: vm_bind_random_test' vm_bind_random_test --help
export PANTHOR_OPS=abc
expect 2 "PANTHOR_OPS: 'abc' is not a number from 1 " vm_bind_random_test
unset PANTHOR_OPS
export PANTHOR_SEED=-1
expect 2 "PANTHOR_SEED: '-1' is not a number from 0 " vm_bind_random_test
unset PANTHOR_SEED

expect 2 'nonsense: unknown argument' panthor_stress 2 nonsense
expect 2 "--seed: 'abc' is not a number from 0 " panthor_stress --seed abc
expect 2 "--children: '2x' is not a number from 1 to 32" panthor_stress --children 2x
expect 2 "--children: '33' is not a number from 1 to 32" panthor_stress --children 33
expect 2 "seconds: '0' is not a number from 1 " panthor_stress 0
expect 2 "unrecognized option '--nonsense'" panthor_stress --nonsense
expect 0 'usage: panthor_stress' panthor_stress --help

for program in panthor_judge *_test; do
	[ "$program" = vm_bind_random_test ] || expect 2 'x: unknown argument' "$program" x
done
echo "1..$count"
exit $failed
