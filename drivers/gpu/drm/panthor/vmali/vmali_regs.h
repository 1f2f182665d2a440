/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Registers of an Arm Mali CSF GPU, architectures 10 to 14, as far as the model has
 * them. Offsets are in bytes from the start of the register window. Facts as the
 * panthor driver uses them; written down here so that the model can be built with
 * any version of the driver, and does not share its mistakes.
 */
#ifndef __VMALI_REGS_H__
#define __VMALI_REGS_H__

#include <linux/bits.h>

/* The window: registers, the page that user space maps, doorbells. */
#define VMALI_WINDOW_SIZE		0x200000

/* GPU control. 64-bit registers are pairs, low half first. */
#define GPU_ID				0x000
#define GPU_L2_FEATURES			0x004
#define GPU_CORE_FEATURES		0x008
#define GPU_TILER_FEATURES		0x00c
#define GPU_MEM_FEATURES		0x010
#define GPU_MMU_FEATURES		0x014
#define GPU_AS_PRESENT			0x018
#define GPU_CSF_ID			0x01c
#define GPU_IRQ				0x020
#define GPU_COMMAND			0x030
#define GPU_FAULT_STATUS		0x03c
#define GPU_FAULT_ADDR			0x040
#define GPU_FEATURES			0x060
#define GPU_TIMESTAMP_OFFSET		0x088
#define GPU_CYCLE_COUNT			0x090
#define GPU_TIMESTAMP			0x098
#define GPU_THREAD_MAX_THREADS		0x0a0
#define GPU_THREAD_MAX_WORKGROUP_SIZE	0x0a4
#define GPU_THREAD_MAX_BARRIER_SIZE	0x0a8
#define GPU_THREAD_FEATURES		0x0ac
#define GPU_TEXTURE_FEATURES(n)		(0x0b0 + 4 * (n))
#define GPU_REVID			0x280
#define GPU_COHERENCY_FEATURES		0x300
#define GPU_COHERENCY_PROTOCOL		0x304

/* Up to architecture 13: each kind of core has one 64-bit register in each row. */
#define GPU_PRESENT			0x100
#define GPU_READY			0x140
#define GPU_PWRON			0x180
#define GPU_PWROFF			0x1c0
#define GPU_PWRTRANS			0x200
#define GPU_PWRACTIVE			0x240
#define GPU_CORES_SHADER		0x00
#define GPU_CORES_TILER			0x10
#define GPU_CORES_L2			0x20

/*
 * Since architecture 14, in place of these rows and of GPU_COMMAND_RESET: a block with
 * interrupts on the line of the GPU block, and commands.
 */
#define PWR_IRQ				0x800
#define   PWR_IRQ_POWER_CHANGED		BIT(0)
#define   PWR_IRQ_POWER_CHANGED_ALL	BIT(1)
#define   PWR_IRQ_DELEGATION_CHANGED	BIT(2)
#define   PWR_IRQ_RESET_COMPLETED	BIT(3)
#define   PWR_IRQ_RETRACT_COMPLETED	BIT(4)
#define   PWR_IRQ_COMMAND_NOT_ALLOWED	BIT(30)
#define   PWR_IRQ_COMMAND_INVALID	BIT(31)
#define PWR_STATUS			0x820
#define   PWR_STATUS_ALLOWED(domain)	BIT_ULL(domain)
#define   PWR_STATUS_DELEGATED(domain)	BIT_ULL(16 + (domain))
#define   PWR_STATUS_ALLOW_SOFT_RESET	BIT_ULL(33)
#define PWR_COMMAND			0x828
#define   PWR_COMMAND_TYPE		GENMASK(7, 0)
#define     PWR_COMMAND_POWER_UP	0x10
#define     PWR_COMMAND_POWER_DOWN	0x11
#define     PWR_COMMAND_DELEGATE	0x20
#define     PWR_COMMAND_RETRACT		0x21
#define     PWR_COMMAND_RESET_SOFT	0x31
#define     PWR_COMMAND_RESET_FAST	0x32
#define     PWR_COMMAND_INSPECT		0xf0
#define   PWR_COMMAND_DOMAIN		GENMASK(15, 8)
#define     PWR_DOMAIN_L2		0
#define     PWR_DOMAIN_TILER		1
#define     PWR_DOMAIN_SHADER		8
#define PWR_CMDARG			0x830
/* Four 64-bit registers for each domain. */
#define PWR_L2				0x900
#define PWR_TILER			0x940
#define PWR_SHADER			0xa00
#define   PWR_PRESENT			0x00
#define   PWR_READY			0x08
#define   PWR_PWRTRANS			0x10
#define   PWR_PWRACTIVE			0x18

/* GPU_COMMAND: a type, and what it acts on above. */
#define GPU_COMMAND_TYPE		GENMASK(7, 0)
#define   GPU_COMMAND_NOP		0
#define   GPU_COMMAND_RESET		1
#define   GPU_COMMAND_FLUSH_CACHES	4

/* Interrupts of the GPU block. */
#define GPU_IRQ_RESET_COMPLETED		BIT(8)
#define GPU_IRQ_POWER_CHANGED		BIT(9)
#define GPU_IRQ_POWER_CHANGED_ALL	BIT(10)
#define GPU_IRQ_CLEAN_CACHES_COMPLETED	BIT(17)
#define GPU_IRQ_MCU_STATUS_CHANGED	BIT(19)

/* The microcontroller. */
#define MCU_CONTROL			0x700
#define   MCU_CONTROL_DISABLE		0
#define MCU_STATUS			0x704
#define   MCU_STATUS_DISABLED		0
#define   MCU_STATUS_ENABLED		1
#define   MCU_STATUS_HALT		2
#define   MCU_STATUS_FATAL		3

/* Interrupts of the microcontroller, and of the address spaces. */
#define JOB_IRQ				0x1000
#define   JOB_IRQ_GLOBAL		BIT(31)
#define MMU_IRQ				0x2000

/* Each interrupt block. */
#define IRQ_RAWSTAT			0x0
#define IRQ_CLEAR			0x4
#define IRQ_MASK			0x8
#define IRQ_STAT			0xc

/* Address spaces: 64 bytes each. 64-bit registers are pairs. */
#define MMU_AS(n)			(0x2400 + 0x40 * (n))
#define AS_TRANSTAB			0x00
#define AS_MEMATTR			0x08
#define AS_LOCKADDR			0x10
#define AS_COMMAND			0x18
#define   AS_COMMAND_NOP		0
#define   AS_COMMAND_UPDATE		1
#define   AS_COMMAND_LOCK		2
#define   AS_COMMAND_UNLOCK		3
#define   AS_COMMAND_FLUSH_PT		4
#define   AS_COMMAND_FLUSH_MEM		5
#define AS_FAULTSTATUS			0x1c
#define AS_FAULTADDRESS			0x20
#define AS_STATUS			0x28
#define AS_TRANSCFG			0x30
#define   AS_TRANSCFG_ADRMODE		GENMASK_ULL(3, 0)
#define     AS_ADRMODE_UNMAPPED		1
#define     AS_ADRMODE_IDENTITY		2
#define     AS_ADRMODE_AARCH64_4K	6
#define   AS_TRANSCFG_INA_BITS		GENMASK_ULL(10, 6)
#define   AS_TRANSCFG_OUTA_BITS		GENMASK_ULL(18, 14)
#define   AS_TRANSCFG_PTW_MEMATTR	GENMASK_ULL(25, 24)
#define   AS_TRANSCFG_PTW_SH		GENMASK_ULL(29, 28)
#define   AS_TRANSCFG_PTW_RA		BIT_ULL(30)

/* What user space maps: the number of the last cache flush. */
#define CSF_FLUSH_ID			0x10000

/* Doorbell 0 belongs to the global interface. */
#define CSF_DOORBELL(n)			(0x80000 + 0x10000 * (n))
#define CSF_DOORBELLS			24

#endif
