# SPDX-License-Identifier: GPL-2.0 or MIT
#
# What every script here starts with: where things are, and how to complain.
# To be sourced by bash.

set -euo pipefail

# Ours are the variables below, and neither what make hands down to makes, nor what a
# kernel developer has set for builds of another kernel.
unset MAKEFLAGS MAKELEVEL MAKEOVERRIDES MFLAGS CROSS_COMPILE LLVM LLVM_IAS KCFLAGS KCPPFLAGS \
	KCONFIG_CONFIG KCONFIG_ALLCONFIG KBUILD_EXTMOD KBUILD_OUTPUT CFLAGS CPPFLAGS LDFLAGS
export LC_ALL=C
[[ -e /proc/self/fd/0 ]] || exec </dev/null

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scripts=$top/scripts
: "${KVER:=6.12}" "${KDIR:=}" "${O:=$top/build}" "${DRIVER:=pgtable}" "${BACKEND:=fork}" "${GPU:=g610}" "${MEM:=1G}"

# One line that says what is wrong and what to do, then the end.
die()
{
	echo "error: $*" >&2
	exit 1
}

say()
{
	printf '%-9s %s\n' "$1:" "${*:2}"
}

watch_terminal()
{
	while [[ -t 0 ]] && kill -0 "$attended"; do sleep 1; done
	[[ -t 0 ]] || ! kill -0 "$attended" || kill -HUP $$
}

# attend COMMAND...: run it; a signal that ends this script ends it too, with all that
# it has started. While a command runs in the foreground, a shell hears of no signal.
# So it does to $beside, which nobody waits for yet.
attended=
beside=
attend()
{
	local status=0

	"$@" <&0 &
	attended=$!
	# The end of a terminal is told to the first process on it only, that may be make.
	if [[ -t 0 ]]; then watch_terminal <&0 >/dev/null 2>&1 9>&- & fi
	wait "$attended" || status=$?
	attended=
	return $status
}

# descendants PID: and itself. Those of a machine are in a session of their own.
descendants()
{
	local pid

	echo "$1"
	for pid in $(cat /proc/"$1"/task/*/children); do descendants "$pid"; done
}

# birth PID: when it started. A number may be somebody else's a moment later.
birth()
{
	sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20
}

stop()
{
	local pids pid i births=()

	trap '' HUP INT TERM
	if [[ $attended$beside ]]; then
		pids=$(for pid in $attended $beside; do descendants "$pid"; done)
		for pid in $pids; do births[pid]=$(birth $pid || true); done
		kill $pids || true
		for ((i = 0; i < 50; i++)); do
			kill -0 $pids || break
			sleep 0.1
		done
		for pid in $pids; do
			[[ ! ${births[pid]} || $(birth $pid) != "${births[pid]}" ]] || kill -KILL $pid || true
		done
		rm -rf "${machine:-}"
	fi 2>/dev/null
	exit $((128 + $1))
}
trap 'stop 1' HUP
trap 'stop 2' INT
trap 'stop 15' TERM

O=$(cd "$top" && realpath -m -- "$O")
# path NAME PATH: neither make nor the shells that it starts quote it.
path()
{
	[[ $2 != *[][:space:]:\;\&\|\<\>\(\)\{\}\*\?\!\#=\$\\\'\"\`[]* ]] ||
		die "$1=$2: kernels cannot be built in a path with spaces, colons, quotes or the like"
}
path O "$O"
[[ $O/ != "$top"/@(drivers|tools|Documentation|scripts)/* ]] ||
	die "O=$O is among the files of this project: use a directory of its own, such as build"
[[ $KVER =~ ^(6\.12|7\.[0-9]{1,2})$ ]] ||
	die "KVER=$KVER is not supported: use KVER=6.12, KVER=7.3, or KDIR= with a kernel tree of yours"

case $DRIVER in
pgtable) um=um-test ;;
upstream) um=um-upstream ;;
*) die "DRIVER=$DRIVER: use pgtable (ours), or upstream (the driver as it came)" ;;
esac
# logged: what logs are called by.
logged=$DRIVER
case $BACKEND in
fork) ;;
iopgt)
	[[ $DRIVER = pgtable ]] || die "BACKEND=$BACKEND: only with DRIVER=pgtable"
	um=um-iopgt logged=iopgt
	;;
*) die "BACKEND=$BACKEND: use fork (the page tables that are ours), or iopgt (io-pgtable-arm)" ;;
esac
case $GPU in
g610) ;;
g615 | g620 | g625 | g1-pro)
	[[ $KDIR || $KVER != 6.12 ]] ||
		die "GPU=$GPU: the driver of Linux 6.12 does not know it: use KVER=7.3"
	logged+=-$GPU
	;;
*) die "GPU=$GPU: use g610, or with KVER=7.3 g615, g620, g625 or g1-pro" ;;
esac
[[ $MEM =~ ^[1-9][0-9]{0,6}[MG]$ ]] || die "MEM=$MEM: use a size like 512M or 2G"
mib=${MEM%?}
[[ $MEM = *M ]] || mib=$((mib << 10))
((mib >= 112)) || die "MEM=$MEM: the kernel needs at least 112M"
read -r _ total _ </proc/meminfo
((mib <= total >> 10)) ||
	die "MEM=$MEM is more than this machine has"

if [[ $KDIR ]]; then
	[[ -d $KDIR ]] || die "KDIR=$KDIR: no such directory"
	KDIR=$(cd "$KDIR" && pwd -P)
	path KDIR "$KDIR"
	[[ $O/ != "$KDIR"/* ]] || die "O=$O is inside of KDIR=$KDIR, which is not to be changed"
	work=$O/$(basename "$KDIR")-$(cksum <<<"$KDIR" | cut -d' ' -f1)
else
	work=$O/$KVER
fi
tree=$work/tree
logs=$work/log

# Of the kernels that Debian has, those that scripts/switch-driver knows the driver of.
# Of others, it may be the same.
driver_known()
{
	[[ ! $KDIR && $KVER =~ ^(6\.12|7\.3)$ ]]
}

# free_space KIB WHAT: stop now rather than half-way.
free_space()
{
	local avail dir=$work

	while [[ ! -d $dir ]]; do dir=$(dirname "$dir"); done
	avail=$(df -Pk "$dir" | awk 'NR == 2 { print $4 }')
	((avail >= $1)) || die "$2 needs $(($1 >> 10)) MiB in $work, and $((avail >> 10)) MiB are free:" \
		"make room, or use another directory with O="
}

# claim DIR: make a directory in O, and mark it as ours. What has no mark belongs
# to somebody, who wants to keep it.
claim()
{
	[[ ! -e $1 || -e $1/.panthor-pgtable ]] ||
		die "$1 was not made by this project: move it, or use another directory with O="
	mkdir -p "$1" && touch "$1/.panthor-pgtable" || die "cannot write to $1"
}

# The directories in O that claim made. What has a lock is the O of somebody else.
claimed()
{
	local mark

	for mark in "$O"/*/.panthor-pgtable; do
		[[ ! -e $mark || -e ${mark%/*}/lock ]] || echo "${mark%/*}"
	done
}

# One at a time in O, or one takes apart what the other makes. The scripts that a
# script calls inherit the lock. O is ours if it was empty.
lock()
{
	[[ ${PANTHOR_LOCK-} != "$O" ]] || return 0
	mkdir -p "$O" 2>/dev/null && [[ -w $O ]] || die "cannot write to O=$O: use another directory"
	[[ -e $O/.panthor-pgtable || -z $(ls -A "$O") || ($(claimed) && ! -s $O/lock) ]] ||
		die "O=$O holds what this project did not make: use an empty directory, or a new one"
	exec 9>>"$O/lock"
	flock -n 9 ||
		die "another make works in $O, process $(<"$O/lock"): wait for it, or use another directory with O="
	echo $$ >"$O/lock"
	touch "$O/.panthor-pgtable"
	export PANTHOR_LOCK=$O
}
