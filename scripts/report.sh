# SPDX-License-Identifier: GPL-2.0 or MIT
#
# Run tests, print a line for each, count them. To be sourced after lib.sh; the last
# line that is printed says how many passed and failed, whatever happens.

passed=0
failed=0
# What failed, a line each: of a long run, somebody may see the end only.
failures=
part=
# Whether O/summary gets the last line, too.
summary=

finish()
{
	local status=$?

	[[ ! $beside ]] || kill $(descendants "$beside") 2>/dev/null || true
	# Half-way is not a success, whatever was counted until then.
	((status == 0)) || fails 1 "ended with status $status"
	[[ ! $failures ]] || printf '\n== Failed\n%s' "$failures"
	echo
	echo "$passed passed, $failed failed"
	[[ ! $summary || ${PANTHOR_LOCK-} != "$O" ]] || echo "$passed passed, $failed failed" >"$O/summary"
	((passed && !failed)) || exit 1
}

section()
{
	part=$*
	printf '\n== %s\n' "$part"
}

# fails N [TEXT...]: N of this section failed. The first lines of TEXT are said again at
# the end.
fails()
{
	local n=$1 most=8 lines line

	shift
	: $((failed += n))
	mapfile -t lines < <(printf '%s\n' "$@" | sed '/^ *$/d; s/^ *//')
	((${#lines[@]})) || lines=("$n failed")
	((${#lines[@]} <= most)) ||
		lines=("${lines[@]:0:most}" "and $((${#lines[@]} - most)) lines more")
	for line in "${lines[@]}"; do failures+="  ${part:+$part: }$line"$'\n'; done
}

ok()
{
	echo "  ok      $1"
	: $((passed++))
}

# bad TEST LOG: the lines on stdin say what is wrong.
bad()
{
	echo "  not ok  $1; see $2"
	sed -n '1,40s/^/          /p'
	fails 1 "$1"
}

# check TEST LOG COMMAND...: passes if the command does.
check()
{
	local test=$1 log=$2

	shift 2
	if attend "$@" >"$log" 2>&1; then ok "$test"; else bad "$test" "$log" <<<"$(tail -n 20 "$log")"; fi
}

# silent TEST LOG REGEXP: passes if no line of the log matches.
silent()
{
	local lines status=0

	lines=$(grep -aE "$3" "$2" 2>&1) || status=$?
	if ((status == 1)); then ok "$1"; else bad "$1" "$2" <<<"$lines"; fi
}

# A pipe, because some write to /dev/stderr, which would truncate a file.
piped()
{
	"${@:2}" 2>&1 | cat >"$1"
}

# counted TEST LOG COMMAND...: for a command that says itself: N passed, N failed.
counted()
{
	local test=$1 log=$2 last lines status=0

	shift 2
	attend piped "$log" "$@" || status=$?
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1 || true)
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] &&
		((BASH_REMATCH[1] + BASH_REMATCH[2] && (status != 0) == (BASH_REMATCH[2] != 0))); then
		echo "  $test: $last"
		: $((passed += BASH_REMATCH[1]))
		if ((status)); then
			grep -E --no-group-separator -A2 '^ *(FAIL|not ok)' "$log" |
				sed -n '1,40s/^/        /p' || true
			# A log that ends with a list of them has told all.
			lines=$(sed '1,/^== Failed$/d; /^$/,$d' "$log")
			[[ $lines ]] || lines=$(grep -E '^ *(FAIL|not ok)' "$log" || true)
			fails ${BASH_REMATCH[2]} "$lines"
		fi
	else
		bad "$test" "$log" <<<"$(tail -n 20 "$log")"
	fi
}

# builds TEST NAME ARGUMENT...: one kernel, with progress on the screen.
builds()
{
	local test=$1

	shift
	attend "$scripts/kernel" "$@" && ok "$test" && return
	bad "$test" "$logs/$1-build.log" </dev/null
	return 1
}
