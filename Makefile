# SPDX-License-Identifier: GPL-2.0 or MIT
#
# The commands of panthor-pgtable. Each is a script in scripts/.

KVER    ?=
KDIR    ?=
O       ?= build
JOBS    ?= 20000
DRIVER  ?= pgtable
BACKEND ?= fork
GPU     ?=
MEM     ?=
STRESS  ?= 60
SAMPLES ?= 84
ROOTFS  ?=
INIT    ?=
# ARCH of the environment is for other kernels.
ARCH    := um
PAGES   ?= 4K
export KVER KDIR JOBS DRIVER BACKEND GPU MEM STRESS SAMPLES ROOTFS INIT ARCH PAGES
export O := $(abspath $(O))

COMMANDS := run boot stress bench home test kunit check series clean

help:
	@sed -n 's/^| `\(make [a-z-]*\|[A-Z]*=[^`]*\)` | \(.*\) |$$/  \1\t\2/p' README.md | \
		tr -d '`' | expand -t 22

$(COMMANDS):
	@scripts/$@

tree:
	@scripts/deps run && scripts/tree

check-fast:
	@scripts/check style

.PHONY: help $(COMMANDS) tree check-fast
