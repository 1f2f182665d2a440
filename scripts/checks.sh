# SPDX-License-Identifier: GPL-2.0 or MIT
#
# What the tools that kernel developers run on a patch say about our files; and, once
# for each, that it does say something about a file that is wrong. To be sourced after
# lib.sh and report.sh, for a tree that scripts/tree has made.

src=drivers/gpu/drm/panthor
# The benchmark is in no kernel that is tested.
ours="$src/(panthor_pgtable|tests/panthor_([a-z_]*kunit|tvm))"
# The page tables that no configuration here chooses. They want 64 bits.
backend=$src/panthor_pgtable_iopgt.o
ours_32="$src/(panthor_pgtable(\b|_(fmt|mem|pool|priv|rsv|tree))|tests/panthor_([a-z_]*kunit|tvm))"
model="$src/vmali/"
canary=$work/canary
html=$work/docs/Documentation/output

# The model is on no board: nobody has to write its bindings down. Newer kernels want
# calls that older ones do not have. And what the others ask for is not there in user
# space.
kernel_ignore=UNDOCUMENTED_DT_STRING,ALLOC_WITH_SIZEOF
user_ignore=MINMAX,PREFER_DEFINED_ATTRIBUTE_MACRO,VOLATILE
checkpatch="scripts/checkpatch.pl --strict --terse --show-types --no-summary"

# A file with one mistake for each detector.
plant()
{
	rm -rf "$canary"
	mkdir -p "$canary"
	cat >"$canary/canary.c" <<-'EOF'
	// SPDX-License-Identifier: GPL-2.0 or MIT
	#include <linux/compiler.h>
	#include <linux/types.h>

	u32 panthor_canary(const u32 __user *from, int n);

	/**
	 * panthor_canary() - do what each detector has to complain about
	 * @from: A parameter; the other is not described.
	 *
	 * Return: nothing that means anything.
	 */
	u32 panthor_canary(const u32 __user *from, int n)
	{
		int set_only;

		set_only = n;
		if(n) {
			n++;
		};

		return *from;
	}
	EOF
	printf 'Canary\n====\n\nSee :c:func:`panthor_canary`.\n' >"$canary/canary.rst"
}

# fires DETECTOR LOG REGEXP: it has found the mistake.
fires()
{
	check "canary: $1 finds a mistake" "$2.found" grep -aEm1 "$3" "$2"
}

# quiet TOOL WORD LOG PATHS: the tool has nothing to say about our files in PATHS.
# WORD is what make prints for each file. A file that the tool did not see has
# nothing to say either.
quiet()
{
	local seen files

	files=$(cd "$top" && find "$src" -name '*.c' | grep -cE "^$4")
	seen=$(grep -cE "^  $2 .*$4.*\.[co]\$" "$3" || true)
	((seen == files)) || echo "$src: $1 saw $seen of our $files files" >>"$3"
	silent "nothing from $1 in our $files files" "$3" "$4.*(warning|error)|saw [0-9]+ of our"
}

# A newer kernel may not take the sparse of this machine, and says so. That of 6.12 does.
has_sparse()
{
	[[ ! $KDIR && $KVER = 6.12 ]] || ! grep -q 'sparse is not available or not up to date' "$1" ||
		{ echo "  --      sparse: this kernel wants a newer one than there is here"; return 1; }
}

# canary_build NAME ARGUMENT...: as the driver is built there. The log is of its own.
canary_build()
{
	plant
	echo 'obj-y += canary.o' >"$canary/Makefile"
	attend "$scripts/kernel" "$1" M="$canary" W=1 "${@:2}" canary.o >/dev/null 2>&1 || true
	mv "$logs/$1-build.log" "$logs/$1-canary.log"
}

# clean_files IGNORE FILE...: checkpatch has nothing to say. What it has passed once is
# only looked at again if the file, or checkpatch, is another. It takes half a second
# to start: several files at a time.
clean_files()
{
	local marks=$work/checkpatch rules sum file

	mkdir -p "$marks"
	rules=$({ echo "$checkpatch $1"; cat scripts/checkpatch.pl scripts/spelling.txt; } | sha256sum)
	sha256sum "${@:2}" | while read -r sum file; do
		sum=$marks/${rules:0:16}-${sum:0:32}-${file//\//-}
		[[ -e $sum ]] || printf '%s\0%s\0' "$sum" "$file"
	done | xargs -0r -n 16 -P "$(nproc)" sh -c '
		command=$1 marks= files=
		shift
		while [ $# -gt 0 ]; do
			marks="$marks $1" files="$files $2"
			shift 2
		done
		$command -f $files && touch $marks' - "$checkpatch --ignore $1"
}

style()
{
	local kernel user kdoc=scripts/kernel-doc

	section "style"
	mapfile -t kernel < <(cd "$top" && find drivers -name '*.[ch]' -o -name 'Kconfig*' -o -name 'Makefile*')
	# The shim has the names of the kernel's own headers, and their macros.
	mapfile -t user < <(cd "$top" && find tools -path '*/shim' -prune -o -name '*.[ch]' -print)
	plant
	cd "$tree"
	check "checkpatch --strict: ${#kernel[@]} kernel files" "$logs/checkpatch.txt" \
		clean_files $kernel_ignore "${kernel[@]}"
	check "checkpatch --strict: ${#user[@]} user-space files" "$logs/checkpatch-user.txt" \
		clean_files $user_ignore "${user[@]}"
	$checkpatch -f "$canary/canary.c" >"$logs/checkpatch-canary.txt" 2>&1 || true
	fires checkpatch "$logs/checkpatch-canary.txt" 'canary.c:.*SPACING'

	[[ -e $kdoc ]] || kdoc=tools/docs/kernel-doc
	mapfile -t kernel < <(cd "$top" && find drivers -name '*.[ch]')
	$kdoc -none -Wall -Werror "${kernel[@]}" >"$logs/kernel-doc.txt" 2>&1 ||
		echo "kernel-doc failed" >>"$logs/kernel-doc.txt"
	silent "kernel-doc: ${#kernel[@]} files" "$logs/kernel-doc.txt" .
	$kdoc -none -Wall -Werror "$canary/canary.c" >"$logs/kernel-doc-canary.txt" 2>&1 || true
	fires kernel-doc "$logs/kernel-doc-canary.txt" "canary.c:.*'n' not described"
	cd "$top"
}

# cross NAME [sparse]: a board's kernel. Old objects would hide the warnings that they
# were built with.
cross()
{
	local flags=() targets=("$src/" "$backend") paths=$ours

	[[ $1 != arm ]] || targets=("$src/") paths=$ours_32
	[[ ! ${2-} ]] || flags=(C=2 CHECK=sparse)
	section "cross build: $1${2:+, sparse}"
	rm -rf "${work:?}/$1/$src"
	builds "the driver builds" "$1" W=1 "${flags[@]}" "${targets[@]}" || return 0
	cp "$logs/$1-build.log" "$logs/$1-checked.log"
	quiet W=1 CC "$logs/$1-checked.log" "$paths"
	[[ ${2-} ]] || return 0
	canary_build "$1" "${flags[@]}"
	fires "W=1" "$logs/$1-canary.log" 'canary.c:.*set_only.*unused-but-set'
	has_sparse "$logs/$1-checked.log" || return 0
	quiet sparse CHECK "$logs/$1-checked.log" "$paths"
	fires sparse "$logs/$1-canary.log" 'canary.c:.*dereference of noderef'
}

# Only User Mode Linux has the model. Its objects are built again with the kernel, then
# without W=1.
model()
{
	section "virtual GPU: W=1, sparse"
	rm -rf "${work:?}/um-test/$model"
	builds "the model builds" um-test W=1 C=2 CHECK=sparse "$model" || return 0
	quiet W=1 CC "$logs/um-test-build.log" "$model"
	! has_sparse "$logs/um-test-build.log" || quiet sparse CHECK "$logs/um-test-build.log" "$model"
}

# A compiler that this kernel can be built with: prints its name.
find_clang()
{
	local least cc version

	least=$("$tree/scripts/min-tool-version.sh" llvm)
	for cc in clang $(compgen -c clang- | grep -xE 'clang-[0-9]+' | sort -uV); do
		version=$("$cc" -dumpversion 2>/dev/null) || continue
		((${version%%.*} < ${least%%.*})) || { echo "$cc"; return; }
	done
	for cc in $(apt-cache search --names-only '^clang-[0-9]+$' | cut -d' ' -f1 | sort -V); do
		((${cc#clang-} < ${least%%.*})) || { echo "$cc"; return; }
	done
	die "Linux $(make -s -C "$tree" kernelversion) needs clang $least: install it, or one that came later"
}

# The whole driver, the tests and the model in one build.
with_clang()
{
	section "clang: W=1"
	CLANG=$(find_clang 2>"$logs/clang.txt") ||
		{ bad "a clang that can build this kernel" "$logs/clang.txt" <"$logs/clang.txt"; return 0; }
	export CLANG
	"$scripts/deps" "$CLANG:$CLANG"
	rm -rf "${work:?}/um-clang/$src"
	builds "the driver and the model build with $CLANG" um-clang W=1 "$src/" "$backend" || return 0
	cp "$logs/um-clang-build.log" "$logs/um-clang-checked.log"
	quiet "clang" CC "$logs/um-clang-checked.log" "$ours"
	quiet "clang" CC "$logs/um-clang-checked.log" "$model"
	canary_build um-clang
	fires "clang, W=1" "$logs/um-clang-canary.log" 'canary.c:.*set_only.*unused-but-set'
}

# What a semantic patch says and is wrong about, and why.
cocci_accepted='
kfree.cocci .*/panthor_vm_bind_workload_kunit.c: KUNIT_FAIL_AND_ABORT() does not return
mini_lock.cocci .*/vmali_mcu.c: the caller unlocks
minmax.cocci tools/.*: user space has no max()
odd_ptr_err.cocci .*/panthor_vm_bind_kunit.c: no_free_ptr() returns what was compared
orplus.cocci .*: sizes are added up to addresses
'

# cocci RULE DIR LOG: one semantic patch of the kernel, all that it says with its name.
cocci()
{
	local status=0 out

	out=$(cd "$tree" && srctree=$tree srcroot=$2 KBUILD_EXTMOD=$2 LINUXINCLUDE= MODE=report J=1 \
		COCCI=$1 scripts/coccicheck 2>&1) || status=$?
	sed -n "s,^$2/,${1##*/} ,p" <<<"$out" >"$3"
	((status == 0)) || echo "${1##*/} failed: ${out##*$'\n'}" >>"$3"
}

# The semantic patches of the kernel, but for those that need a compiler of OCaml.
coccicheck()
{
	local rules stage=$work/coccicheck accepted

	section "coccicheck"
	plant
	rm -rf "$stage" "$logs/coccicheck"
	mkdir -p "$stage" "$logs/coccicheck"
	cp -a "$top/drivers" "$top/tools" "$canary/canary.c" "$stage"
	mapfile -t rules < <(cd "$tree" && find scripts/coccinelle -name '*.cocci' -print0 | sort -z |
		xargs -0 grep -lE '^virtual.*\breport\b' | xargs grep -LE '^@.*(script|initialize|finalize):ocaml')
	export -f cocci
	export tree
	printf '%s\n' "${rules[@]}" | xargs -P "$(nproc)" -I{} \
		bash -c 'cocci "$1" "$2" "$3/$(tr / - <<<"$1").txt"' - {} "$stage" "$logs/coccicheck"
	cat "$logs"/coccicheck/*.txt >"$logs/coccicheck-all.txt"
	accepted=$(sed '/^$/d; s/: .*//' <<<"$cocci_accepted" | paste -sd'|')
	grep -vE "^($accepted):|^[a-z_]*.cocci canary.c:" "$logs/coccicheck-all.txt" \
		>"$logs/coccicheck.txt" || true
	silent "nothing from ${#rules[@]} semantic patches" "$logs/coccicheck.txt" .
	fires coccicheck "$logs/coccicheck-all.txt" 'canary.c:.*[Uu]nneeded semicolon'
	rm -rf "$stage"
}

# pages NAME PAGE...: what sphinx has to say about them, as a book of their own.
pages()
{
	local book=$tree/Documentation/panthor-$1 log=$logs/htmldocs-$1.log page

	set -- "${@:2}"
	rm -rf "$book" "$html/${book##*/}"
	mkdir -p "$book" "$work/docs"
	cp "$@" "$book"
	{
		printf '%s\n' '.. SPDX-License-Identifier: GPL-2.0 or MIT' '' panthor ======= '' \
			'.. toctree::' ''
		for page; do echo "   $(basename "$page" .rst)"; done
	} >"$book/index.rst"
	make -C "$tree" O="$work/docs" htmldocs SPHINXDIRS="${book##*/}" >"$log" 2>&1 </dev/null ||
		echo "ERROR: make htmldocs failed" >>"$log"
	rm -rf "$book"
}

# C has a name for structures, and another for functions. Old versions of sphinx think
# that it is one, and say so in two lines.
docs()
{
	local rst both page

	section "htmldocs"
	mapfile -t rst < <(find "$top/Documentation" -name '*.rst' | sort)
	plant
	pages ours "${rst[@]}"
	both=$(sed -nE 's/^struct ([a-z_]+) \{$/\1/p' "$top/$src"/panthor_pgtable.h | paste -sd'|')
	sed -E "/WARNING: Duplicate C declaration/{N;/function:: [^(]*[ *]($both) ?\(/d}" \
		"$logs/htmldocs-ours.log" >"$logs/htmldocs.txt"
	silent "make htmldocs: ${#rst[@]} pages" "$logs/htmldocs.txt" '(WARNING|ERROR|SEVERE|CRITICAL)|[Ww]arning:'
	for page in "${rst[@]}"; do
		check "$(basename "$page" .rst).html is there" "$logs/htmldocs-page.txt" \
			test -s "$html/panthor-ours/$(basename "$page" .rst).html"
	done
	pages canary "$canary/canary.rst"
	fires sphinx "$logs/htmldocs-canary.log" 'canary.*WARNING: Title underline too short'
}
