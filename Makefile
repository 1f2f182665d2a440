# SPDX-License-Identifier: GPL-2.0 or MIT
#
# The commands of panthor-pgtable. Each is a script of its own in scripts/.

KVER ?= 6.12
KDIR ?=
O    ?= build
JOBS ?= 20000
export KVER KDIR JOBS
export O := $(abspath $(O))

help:
	@echo 'Page tables for the panthor driver, on a real kernel.'
	@echo ''
	@echo '  make run    boot a kernel and run a VM_BIND workload through the library'
	@echo '  make test   run every test'
	@echo '  make kunit  run the KUnit suites with the kernel'\''s own kunit.py'
	@echo '  make tree   only make the kernel tree with the library in it'
	@echo '  make clean  remove all that was built'
	@echo ''
	@echo '  KVER=6.12   kernel source of the distribution to build on'
	@echo '  KDIR=/path  a kernel tree of yours instead (with the driver of 6.12; not modified)'
	@echo '  O=/path     where output goes (build)'
	@echo '  JOBS=20000  number of VM_BIND jobs of make run'

run:
	@scripts/run

test:
	@scripts/test

kunit:
	@scripts/kunit

tree:
	@scripts/deps run && scripts/tree

clean:
	@scripts/clean

.PHONY: help run test kunit tree clean
