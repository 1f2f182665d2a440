# SPDX-License-Identifier: GPL-2.0 or MIT
#
# Run tests, print a line for each, count them. To be sourced after lib.sh; "trap finish EXIT"
# prints the line "N passed, N failed" whatever happens.

passed=0
failed=0
# One line for each failure, repeated at the end of a long run.
failures=
part=

finish()
{
	local status=$?

	[[ ! $beside ]] || kill -- -"$beside" 2>/dev/null || true
	# A script that ends early has failed.
	((status == 0)) || fails 1 "ended with status $status"
	[[ ! $failures ]] || printf '\n== Failed\n%s' "$failures"
	printf '\n%s passed, %s failed\n' $passed $failed
	((passed && !failed)) || exit 1
}

section()
{
	part=$*
	printf '\n== %s\n' "$part"
}

# fails N TEXT: N tests of this section failed; TEXT lists them, a line each.
fails()
{
	: $((failed += $1))
	failures+=$(sed '/^ *$/d' <<<"$2" | head -n 20 | sed "s|^ *|  $part: |")$'\n'
}

ok()
{
	echo "  ok      $1"
	: $((passed++))
}

# bad TEST LOG: stdin says what is wrong.
bad()
{
	echo "  not ok  $1; see $2"
	sed -n '1,40s/^/          /p'
	fails 1 "$1"
}

# check TEST LOG COMMAND...: passes if the command succeeds.
check()
{
	local test=$1 log=$2

	shift 2
	if attend "$@" >"$log" 2>&1; then ok "$test"; else bad "$test" "$log" < <(tail -n 20 "$log"); fi
}

# silent TEST LOG REGEXP: passes if the log is there and none of its lines matches.
silent()
{
	local lines status=0

	lines=$(grep -aE "$3" "$2" 2>&1) || status=$?
	if ((status == 1)); then ok "$1"; else bad "$1" "$2" <<<"$lines"; fi
}

# A pipe: a program that opens /dev/stderr would truncate a file.
piped()
{
	"${@:2}" 2>&1 | cat >"$1"
}

# counted TEST LOG COMMAND...: the command prints a line "N passed, N failed", and fails if
# tests failed.
counted()
{
	local test=$1 log=$2 last p f status=0

	shift 2
	attend piped "$log" "$@" || status=$?
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1 || true)
	read -r p _ f _ <<<"${last:-0 - 0}"
	if ((p + f == 0 || (status != 0) != (f != 0))); then
		bad "$test: no result, or not the exit status $status" "$log" < <(tail -n 20 "$log")
		return
	fi
	echo "  $test: $last"
	: $((passed += p))
	((!f)) || fails $f "$(sed -n '/^== Failed$/,$p' "$log" | grep '^  ' ||
		grep -E '^ *(FAIL|not ok)' "$log" || echo "$test")"
}
