# SPDX-License-Identifier: GPL-2.0 or MIT
#
# Boot a User Mode Linux kernel and judge its log. To be sourced after lib.sh.

# boot NAME LOG SECONDS [ARGUMENT...]: fails if the kernel does not power off.
boot()
{
	local name=$1 log=$2 seconds=$3 tmp status=0

	shift 3
	# Its memory is a file, and it leaves a directory behind.
	tmp=$(mktemp -d "$work/uml.XXXXXX")
	TMPDIR=$tmp timeout --foreground -k 5 "$seconds" "$work/$name/linux" mem=1G \
		uml_dir="$tmp" console=tty0 con=null con0=null,fd:1 printk.devkmsg=on "$@" \
		</dev/null >"$log" 2>&1 || status=$?
	rm -rf "$tmp"
	grep -qa 'reboot: Power down' "$log" && return
	((status == 124 || status == 137)) && echo "panthor-boot: not done after $seconds s" >>"$log"
	return 1
}

# What no kernel may say: a regular expression for its log.
splats='WARNING: |BUG: |INFO: (possible|task|rcu|lockdep)|UBSAN: |Oops|Kernel panic|unreferenced object|panthor-boot: '
