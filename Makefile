# SPDX-License-Identifier: GPL-2.0 or MIT
#
# The commands of panthor-pgtable. Each is a script of its own in scripts/.

KVER    ?=
KDIR    ?=
O       ?= build
JOBS    ?= 20000
DRIVER  ?= pgtable
BACKEND ?= fork
GPU     ?= g610
MEM     ?=
STRESS  ?= 60
SAMPLES ?= 84
ROOTFS  ?=
INIT    ?=
# What the environment has is for other kernels.
ARCH    := um
PAGES   ?= 4K
export KVER KDIR JOBS DRIVER BACKEND GPU MEM STRESS SAMPLES ROOTFS INIT ARCH PAGES
export O := $(abspath $(O))

help:
	@echo 'Page tables for the panthor driver, on a real kernel with a virtual GPU.'
	@echo ''
	@echo '  make run     boot a kernel, run a VM_BIND workload through the library, and'
	@echo '               client programs through the driver on the virtual GPU'
	@echo '  make boot    a shell on a kernel with the virtual GPU, or a program of yours'
	@echo '  make stress  clients that compete for little memory, with injected failures'
	@echo '  make bench   measure the library against io-pgtable-arm and generic_pt'
	@echo '  make test    run every test'
	@echo '  make check   what checkpatch, sparse, coccinelle, sphinx and compilers say about'
	@echo '               our files; make check-fast leaves out what takes longer'
	@echo '  make series  write patches for review into build/series, and check them'
	@echo '  make kunit   run the KUnit suites with the kernel'\''s own kunit.py'
	@echo '  make home    take the fork of the walker out, run the driver on io-pgtable, and'
	@echo '               show what that costs'
	@echo '  make tree    only make the kernel tree with the library in it'
	@echo '  make clean   remove all that was built'
	@echo ''
	@echo '  DRIVER=pgtable   run, boot, stress: the driver on the library; or'
	@echo '                   upstream: the driver as the kernel came with it'
	@echo '  BACKEND=fork     run, boot, stress, kunit: the page tables that are ours; or'
	@echo '                   iopgt: the same API on io-pgtable-arm'
	@echo '  GPU=g610         run, boot, stress: which GPU the model is; with KVER=7.3 also'
	@echo '                   g615, g620, g625, g1-pro'
	@echo '  KVER=6.12        kernel source of the distribution to build on, or 7.3; bench: 7.3'
	@echo '  KDIR=/path       a kernel tree of yours instead (with the driver of 6.12 or'
	@echo '                   7.3, but for bench; not modified)'
	@echo '  O=/path          where output goes: an empty directory, or a new one (build)'
	@echo '  ARCH=um          kunit: User Mode Linux, or arm64, on QEMU; there, with'
	@echo '  PAGES=4K         pages of 4K, 16K or 64K'
	@echo '  MEM=             memory of the machine that is booted (1G; stress: 256M)'
	@echo '  JOBS=20000       run: number of VM_BIND jobs of the workload'
	@echo '  STRESS=60        stress: seconds, 20 or more'
	@echo '  SAMPLES=84       bench: samples of each time, 10 or more'
	@echo '  ROOTFS=/path     boot: a root folder of yours, and'
	@echo '  INIT=/path       the program of it that is started (/sbin/init or /bin/sh)'

run boot stress bench test check series kunit home clean:
	@scripts/$@

check-fast:
	@scripts/check fast

tree:
	@scripts/deps run && scripts/tree

.PHONY: help run boot stress bench test check check-fast series kunit home tree clean
