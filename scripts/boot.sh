# SPDX-License-Identifier: GPL-2.0 or MIT
#
# Boot a kernel, User Mode Linux or arm64 on QEMU, and judge its log. To be sourced after
# lib.sh.

# Options that add the virtual GPU. The unmodified driver flushes a part of a block that it
# splits, and frees tables before the flush: the judge lets that pass.
gpu="vmali.gpu=$GPU dtb=$work/vmali.dtb"
[[ $DRIVER != upstream ]] || gpu+=' vmali.lax_splits=1 vmali.lax_frees=1'

# The driver knows more than one if it has a file about their differences.
check_gpu()
{
	[[ $GPU = "$default_gpu" || -f $tree/$src/panthor_hw.c ]] ||
		die "GPU=$GPU: the driver of this kernel does not know it: use a newer KVER"
}

# Without address randomization: it may choose addresses that User Mode Linux needs.
fixed=
! setarch -R true 2>/dev/null || fixed='setarch -R'

# How many jobs the workload executes.
check_jobs()
{
	: "${JOBS:=20000}"
	[[ $JOBS =~ ^[1-9][0-9]{0,6}$ ]] || die "JOBS=$JOBS: use a number from 1 to 9999999"
}

# The memory of a machine, a file, and other files of it. There is one machine at a time:
# O is locked.
machine=$work/uml

# follow COMMAND...: run a machine that writes $log. Show progress: what the sed script
# $progress prints from the log.
follow()
{
	local pid

	: >"$log"
	"$@" >>"$log" 2>&1 9>&- &
	pid=$!
	[[ ! ${progress-} ]] || tail --pid=$pid -n +1 -f "$log" | sed -un "$progress" >&3
	wait $pid
}

# run_machine LOG SECONDS COMMAND...: fails if the kernel does not power off.
run_machine()
{
	local log=$1 seconds=$2 status=0

	shift 2
	# Hides the message "Aborted" of this shell.
	{
		attend follow timeout --foreground -k 5 "$seconds" "$@" </dev/null || status=$?
	} 3>&1 2>/dev/null
	# A serial line ends lines with CR LF.
	sed -i 's/\r$//' "$log"
	grep -qa 'reboot: Power down' "$log" && return
	((status == 124 || status == 137)) && echo "panthor-boot: not done after $seconds s" >>"$log"
	return 1
}

# boot NAME LOG SECONDS [ARGUMENT...]
boot()
{
	local name=$1 log=$2 seconds=$3 status=0

	shift 3
	rm -rf "$machine"
	mkdir "$machine"
	# Otherwise User Mode Linux appends a root= to the arguments of init.
	TMPDIR=$machine run_machine "$log" "$seconds" $fixed "$work/$name/linux" mem="$MEM" \
		uml_dir="$machine" console=tty0 con=null con0=null,fd:1 printk.devkmsg=on root=none \
		"$@" || status=1
	rm -rf "$machine"
	return $status
}

# emulate NAME LOG SECONDS [ARGUMENT...]: boot an arm64 kernel, which runs its KUnit
# suites. Boards with such a GPU have this CPU.
emulate()
{
	local name=$1 log=$2 seconds=$3

	shift 3
	run_machine "$log" "$seconds" qemu-system-aarch64 -machine virt -cpu cortex-a76 -smp 2 \
		-m "$MEM" -nodefaults -no-reboot -display none -serial stdio \
		-kernel "$work/$name/arch/arm64/boot/Image" \
		-append "console=ttyAMA0 panic=-1 kunit_shutdown=poweroff $*"
}

# complaints LOG [REGEXP]: prints what the kernel may not print, except warnings whose
# message matches. Fails if there is nothing.
complaints()
{
	"$scripts/log.py" complaints "$@"
}

# The warnings that the KUnit suites provoke.
provoked='
panthor_pgtable: no table reserved for
panthor_pgtable: no table reserved to unmap
'
planted=$(paste -sd'|' <<<"${provoked:1:-1}")

# accuse: prints the lines on stdin, at most 40; fails if there is one.
accuse()
{
	! sed -n '1,40s/^/  /p' | grep .
}

# missing_suites LOG DIR...: prints the KUnit suites of the sources in DIR that have no result.
missing_suites()
{
	local log=$1 name

	shift
	for name in $(cd "$top/$src" && grep -rhA1 'struct kunit_suite .* = {' "$@" |
		sed -n 's/.*name = "\(.*\)",/\1/p'); do
		grep -qaE "\bok [0-9]+ $name( |\$)" "$log" || echo "the suite $name did not run"
	done
}

# judge_suites LOG DIR...: prints what is wrong with a boot that ran the KUnit suites in DIR;
# fails if something is.
judge_suites()
{
	{
		complaints "$1" "$planted" || true
		grep -a '\bnot ok ' "$1" || true
		missing_suites "$@"
	} | accuse
}

# judge LOG [REGEXP]: the same for a boot that ran clients, whose own results are not
# looked at.
judge()
{
	{
		complaints "$@" || true
		grep -qa 'panthor-init: judge errors: 0$' "$1" ||
			echo "the GPU found mistakes of the driver, or gave no verdict"
		grep -qa 'panthor-init: scanned' "$1" || echo "nobody looked for leaks"
	} | accuse
}

clients=$tree/$client

# The client programs, for the initramfs: each that ends in _test is a test.
build_clients()
{
	local log=$logs/clients-build.log

	mkdir -p "$work/clients"
	make -C "$clients" OUTPUT="$work/clients" -j"$(nproc)" all >"$log" 2>&1 ||
		die "the client programs do not build: $(grep -m1 -E 'error|\*\*\*' "$log"); see $log"
}

# The names of the tests among them.
client_tests()
{
	(cd "$clients" && ls -- *_test.c) | sed 's/\.c$//'
}

# pack NAME LINE...: make initramfs NAME of lines for gen_init_cpio.
pack()
{
	local name=$1 program

	shift
	{
		printf '%s\n' 'dir /dev 755 0 0' 'nod /dev/kmsg 600 0 0 c 1 11' 'dir /panthor 755 0 0' "$@"
		for program in $(client_tests) panthor_stress panthor_judge; do
			echo "file /panthor/$program $work/clients/$program 755 0 0"
		done
	} >"$work/$name.list"
	# Each program contains the same C library: it compresses well.
	"$work/$um/usr/gen_init_cpio" "$work/$name.list" | xz --check=crc32 >"$work/$name.cpio.xz" ||
		die "could not make $work/$name.cpio.xz"
}

# The initramfs of a boot that runs tests and then scans for leaks.
init_tests()
{
	gcc -static -O2 -Wall -Wextra -Werror -o "$work/init" "$top/tools/testing/panthor/init.c"
	build_clients
	pack tests "file /init $work/init 755 0 0"

	# To unmap part of a block, the unmodified driver of Linux 7.3 reads the pages of the
	# buffer. Imported buffers have none, and it crashes.
	[[ $DRIVER != upstream ]] || ! grep -qw iova_mapped_as_huge_page \
		"$tree/$src/upstream/panthor_mmu.c" || gpu+=' vmali.no_contig=1'
}

# kmemleak takes an object for used if it finds its address anywhere it scans. It scans the
# memory of the initramfs even after that was freed, when it may hold kmemleak's own list of
# objects: keep the initramfs. Sheaves of the allocator (7.x) keep addresses of objects that
# left them: slab_debug=F disables sheaves.
tests="initrd=$work/tests.cpio.xz retain_initrd slab_debug=F"

# tap LOG PROGRAM...: for each, a line with passed, failed, skipped, its name, a note.
tap()
{
	"$scripts/log.py" tap "$@"
}

# clients_passed LOG: prints a line for each client; fails if one of them did.
clients_passed()
{
	local p f s name note status=0

	while read -r p f s name note; do
		printf '  %-24s %4d passed, %d failed, %d skipped  %s\n' "$name" "$p" "$f" "$s" "$note"
		((f == 0)) || status=1
	done < <(tap "$1" $(client_tests))
	return $status
}
