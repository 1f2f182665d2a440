# SPDX-License-Identifier: GPL-2.0 or MIT
#
# Boot a kernel and judge its log: User Mode Linux, or arm64 on QEMU. To be sourced after
# lib.sh.

# The options that put the virtual GPU into the machine. The driver as it came splits
# a block and flushes a part of it, and frees tables before it flushes: the judge is
# told to let that pass.
gpu="vmali.gpu=$GPU dtb=$work/vmali.dtb"
[[ $DRIVER != upstream ]] || gpu+=' vmali.lax_splits=1 vmali.lax_frees=1'

# The driver knows more than one if it has a file about their differences.
check_gpu()
{
	[[ $GPU = g610 || -f $tree/drivers/gpu/drm/panthor/panthor_hw.c ]] ||
		die "GPU=$GPU: the driver of this kernel does not know it: use KVER=7.3"
}

# The same addresses in each boot, and none that User Mode Linux keeps for itself.
fixed=
! setarch -R true 2>/dev/null || fixed='setarch -R'

# Where a machine has its memory, a file, and what it leaves behind: one at a time, for
# O is locked.
machine=$work/uml

# follow COMMAND...: run a machine that writes $log, and show what it is at: what a sed
# script, $progress, makes of the log.
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
	# It is this shell that would say "Aborted".
	{
		attend follow timeout --foreground -k 5 "$seconds" "$@" </dev/null || status=$?
	} 3>&1 2>/dev/null
	# A serial line ends its lines twice.
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
	# Without root=, one would follow the arguments of init.
	TMPDIR=$machine run_machine "$log" "$seconds" $fixed "$work/$name/linux" mem="$MEM" \
		uml_dir="$machine" console=tty0 con=null con0=null,fd:1 printk.devkmsg=on root=none \
		"$@" || status=1
	rm -rf "$machine"
	return $status
}

# emulate NAME LOG SECONDS [ARGUMENT...]: boot an arm64 kernel, and with it its KUnit
# suites. The CPU is that of a board with such a GPU.
emulate()
{
	local name=$1 log=$2 seconds=$3

	shift 3
	run_machine "$log" "$seconds" qemu-system-aarch64 -machine virt -cpu cortex-a76 -smp 2 \
		-m "$MEM" -nodefaults -no-reboot -display none -serial stdio \
		-kernel "$work/$name/arch/arm64/boot/Image" \
		-append "console=ttyAMA0 panic=-1 kunit_shutdown=poweroff $*"
}

# What no kernel may say: a regular expression for its log.
splats='WARNING: |BUG: |INFO: (possible|task|rcu|lockdep)|UBSAN: |Oops|Kernel panic|unreferenced object|panthor-boot: |vmali: judge: '

# The judge's own tests make it say something.
accepted='vmali: judge: test: '

# The driver of 6.12, also as it came, warns when it resets the GPU while a group has no
# slot. That is no mistake, and the driver of 7.3 says nothing. A host that does not run
# the machine for 100 ms is enough for a reset.
excused='drm_WARN_ON[(]!list_empty[(]&sched->groups[.]runnable[[]i[]][)][)]'

# complaints LOG [REGEXP]: what the kernel said that it may not, but for what is excused,
# and for warnings whose message, in the line after or, on arm64, before, matches. Fails
# if there is nothing.
complaints()
{
	awk -v splats="$splats" -v accepted="$accepted" -v excused="$excused" -v provoked="${2-}" '
		complaint && $0 !~ excused &&
		!(provoked && ($0 ~ provoked || before ~ provoked)) {
			print complaint
			if ($0 !~ splats)
				print
			n++
		}
		{
			complaint = $0 ~ splats && $0 !~ accepted ? $0 : ""
			before = last
			last = $0
		}
		END { if (complaint) { print complaint; n++ } exit !n }' "$1"
}

# The warnings that the KUnit suites plant.
provoked='
panthor_pgtable: no table reserved for
panthor_pgtable: no table reserved to unmap
'
planted=$(paste -sd'|' <<<"${provoked:1:-1}")

# judge_suites LOG: tells what was wrong with the KUnit suites; fails if something was.
judge_suites()
{
	local wrong

	wrong=$(
		complaints "$1" "$planted"
		grep -a '\bnot ok ' "$1"
		grep -qaE '\bok [0-9]+ panthor_pgtable$' "$1" || echo "the suite panthor_pgtable did not run"
	) || true
	[[ ! $wrong ]] || sed -n '1,40s/^/  /p' <<<"$wrong"
	[[ ! $wrong ]]
}

# judge LOG [REGEXP]: tells what was wrong with a boot that ran clients, but for what
# they say themselves; fails if something was.
judge()
{
	local wrong

	wrong=$(
		complaints "$@"
		grep -qa 'panthor-init: judge errors: 0$' "$1" ||
			echo "the GPU has found mistakes of the driver, or gave no verdict"
		grep -qa 'panthor-init: scanned' "$1" || echo "nobody looked for leaks"
	) || true
	[[ ! $wrong ]] || sed -n '1,40s/^/  /p' <<<"$wrong"
	[[ ! $wrong ]]
}

clients=$tree/tools/testing/selftests/drivers/gpu/panthor

# The client programs, for the initramfs: each that ends in _test is a test.
build_clients()
{
	local log=$logs/clients-build.log

	mkdir -p "$work/clients"
	make -C "$clients" OUTPUT="$work/clients" -j"$(nproc)" all >"$log" 2>&1 ||
		die "the client programs do not build: $(grep -m1 -E 'error|\*\*\*' "$log"); see $log"
}

# The names of those that are tests.
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
	# Most of it is the same C library in each program.
	"$work/$um/usr/gen_init_cpio" "$work/$name.list" | xz --check=crc32 >"$work/$name.cpio.xz" ||
		die "could not make $work/$name.cpio.xz"
}

# The initramfs of a boot that runs tests, and ends with a scan for leaks.
init_tests()
{
	gcc -static -O2 -Wall -Wextra -Werror -o "$work/init" "$top/tools/testing/panthor/init.c"
	build_clients
	pack tests "file /init $work/init 755 0 0"

	# To unmap part of a block, the driver of Linux 7.3, as it came, looks at the pages of
	# the buffer. Of buffers from elsewhere, it has none, and dies.
	[[ $DRIVER != upstream ]] || ! grep -qw iova_mapped_as_huge_page \
		"$tree/drivers/gpu/drm/panthor/upstream/panthor_mmu.c" || gpu+=' vmali.no_contig=1'
}

# Where kmemleak finds the address of an object, it takes it for in use. The memory of the
# initramfs is kept: if it is freed, kmemleak goes on to read what is there then, its own
# list of all objects among it. The allocator checks its objects, and keeps none in sheaves
# (7.x): what was the last object in one stays written there.
tests="initrd=$work/tests.cpio.xz retain_initrd slab_debug=F"

# tap LOG PROGRAM...: a line for each: passed, failed, skipped, its name, seconds.
# What ends early or says another number of cases than it has has failed once more.
tap()
{
	local log=$1

	shift
	awk -v names="$*" '
		match($0, /panthor-(test|init): [a-z_]+: /) {
			line = substr($0, RSTART + RLENGTH)
			split(substr($0, RSTART, RLENGTH), word, ": ")
			p = word[2]
			if (word[1] == "panthor-init") {
				end[p] = line
			} else if (line ~ /^1\.\.[0-9]+$/) {
				plan[p] = substr(line, 4)
			} else if (line ~ /^ok [0-9]+.*# SKIP/) {
				skipped[p]++
			} else if (line ~ /^(not )?ok [0-9]+/) {
				line ~ /^not/ ? failed[p]++ : passed[p]++
			}
		}
		END {
			for (i = 1; i <= split(names, list, " "); i++) {
				p = list[i]
				ran = passed[p] + failed[p] + skipped[p]
				note = ""
				if (end[p] !~ /^status /)
					note = end[p] ? end[p] : "did not run"
				else if (plan[p] != ran)
					note = "has " plan[p] + 0 " cases, ran " ran
				else if (!passed[p] || !failed[p] && end[p] !~ /^status 0/)
					note = end[p]
				if (note && !failed[p])
					failed[p]++
				sub(/.* after /, "", end[p])
				print passed[p] + 0, failed[p] + 0, skipped[p] + 0, p, note ? note : end[p]
			}
		}' "$log"
}
