# SPDX-License-Identifier: GPL-2.0 or MIT
#
# Settings and helpers shared by all scripts. To be sourced by bash.

set -euo pipefail

# Build variables from the environment (ARCH, CROSS_COMPILE, ...) are ignored.
unset MAKEFLAGS MAKELEVEL MAKEOVERRIDES MFLAGS CROSS_COMPILE LLVM LLVM_IAS KCFLAGS KCPPFLAGS \
	KCONFIG_CONFIG KCONFIG_ALLCONFIG KBUILD_EXTMOD KBUILD_OUTPUT CFLAGS CPPFLAGS LDFLAGS
export LC_ALL=C
[[ -e /proc/self/fd/0 ]] || exec </dev/null

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scripts=$top/scripts
src=drivers/gpu/drm/panthor
client=tools/testing/selftests/drivers/gpu/panthor

# die TEXT...: print one line that says what is wrong and what to do, and exit.
die()
{
	echo "error: $*" >&2
	exit 1
}

say()
{
	printf '%-9s %s\n' "$1:" "${*:2}"
}

# background COMMAND...: start COMMAND in a process group of its own; $! is the group.
background()
{
	set -m
	"$@" <&0 &
	set +m
}

# attend COMMAND...: run COMMAND such that a signal to this script is handled at once.
attended=
beside=
attend()
{
	local status=0

	background "$@"
	attended=$!
	wait "$attended" || status=$?
	attended=
	return $status
}

# Signals end the process groups of attend and of $beside, and then this script.
stop()
{
	local group

	trap '' HUP INT TERM
	for group in $attended $beside; do kill -- -"$group" || kill "$group" || true; done 2>/dev/null
	wait
	exit $((128 + $1))
}
trap 'stop 1' HUP
trap 'stop 2' INT
trap 'stop 15' TERM

# setting NAME LIST HINT...: refuse a value of NAME that is not a word of LIST.
setting()
{
	[[ ${!1} != *\ * && " $2 " = *" ${!1} "* ]] || die "$1=${!1} is not supported: use one of $2${*:3}"
}

# path NAME PATH: make, the shells that it starts and kbuild do not quote paths.
path()
{
	[[ $2 != *[][:space:]:\;\&\|\<\>\(\)\{\}\*\?\!\#=\$\\\'\"\`[]* ]] ||
		die "$1=$2: kernels cannot be built in a path with spaces, colons, quotes or the like"
}

mapfile -t kernels < <(grep -v '^#' "$scripts/kernels" | cut -f1)
# gpu_rows: name, architecture, minor revision of each GPU of the model, the default first.
gpu_rows=$(sed -n 's/^VMALI_GPU("\([^"]*\)", \([0-9]*\), \([0-9]*\),.*/\1 \2 \3/p' \
	"$top/$src/vmali/vmali_gpus.h")
gpus=$(cut -d' ' -f1 <<<"$gpu_rows" | paste -sd' ')
default_gpu=${gpus%% *}
: "${KVER:=${kernels[0]}}" "${KDIR:=}" "${O:=$top/build}" "${DRIVER:=pgtable}" "${BACKEND:=fork}"
: "${GPU:=$default_gpu}" "${MEM:=1G}"
O=$(cd "$top" && realpath -m -- "$O")
path O "$O"
[[ $O/ != "$top"/@(drivers|tools|Documentation|scripts)/* ]] ||
	die "O=$O is among the files of this project: use a directory of its own, such as build"
setting KVER "${kernels[*]}" ", or KDIR= with a kernel tree of yours"
setting DRIVER "pgtable upstream"
setting BACKEND "fork iopgt"
setting GPU "$gpus"
[[ $BACKEND = fork || $DRIVER = pgtable ]] || die "BACKEND=$BACKEND: only with DRIVER=pgtable"

# variant: name of the configuration and the logs of this driver and back end.
variant=$DRIVER
[[ $BACKEND = fork ]] || variant=$BACKEND
um=um-$variant
logged=$variant
[[ $GPU = "$default_gpu" ]] || logged+=-$GPU

[[ $MEM =~ ^[1-9][0-9]{0,6}[MG]$ ]] || die "MEM=$MEM: use a size like 512M or 2G"
mib=${MEM%?}
[[ $MEM = *M ]] || mib=$((mib << 10))
((mib >= 112)) || die "MEM=$MEM: the kernel needs at least 112M"
read -r _ total _ </proc/meminfo
((mib <= total >> 10)) || die "MEM=$MEM is more than this machine has"

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

# free_space KIB WHAT: refuse to start what would fill the disk.
free_space()
{
	local avail dir=$work

	while [[ ! -d $dir ]]; do dir=$(dirname "$dir"); done
	avail=$(df -Pk "$dir" | awk 'NR == 2 { print $4 }')
	((avail >= $1)) || die "$2 needs $(($1 >> 10)) MiB in $work, and $((avail >> 10)) MiB are free:" \
		"make room, or use another directory with O="
}

# claim DIR: create a directory in O and mark it as ours. Unmarked directories are not touched.
claim()
{
	[[ ! -e $1 || -e $1/.panthor-pgtable ]] ||
		die "$1 was not made by this project: move it, or use another directory with O="
	mkdir -p "$1" && touch "$1/.panthor-pgtable" || die "cannot write to $1"
}

# lock: only one script at a time works in O. Scripts that a script calls inherit the lock.
lock()
{
	[[ ${PANTHOR_LOCK-} != "$O" ]] || return 0
	mkdir -p "$O" 2>/dev/null && [[ -w $O ]] || die "cannot write to O=$O: use another directory"
	[[ -e $O/.panthor-pgtable || -z $(ls -A "$O") ]] ||
		die "O=$O holds files of others: use an empty directory, or a new one"
	touch "$O/.panthor-pgtable"
	exec 9>>"$O/lock"
	flock -n 9 ||
		die "another make works in $O, process $(<"$O/lock"): wait for it, or use another directory with O="
	echo $$ >"$O/lock"
	export PANTHOR_LOCK=$O
}
