/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The firmware interface in memory: what the microcontroller of the model and the
 * driver share. Layouts are those that the driver expects of version 1.1; where
 * in the shared region each part lies is the model's choice.
 */
#ifndef __VMALI_FW_H__
#define __VMALI_FW_H__

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

/* Addresses in address space 0. */
#define FW_SHARED		0x04000000u
#define FW_SHARED_SIZE		0x20000u
#define FW_GROUP_CONTROL(g)	(FW_SHARED + 0x1000u * (1 + (g)))
#define FW_GROUP_STRIDE		0x1000u
#define FW_STREAM_CONTROL(g, s)	(FW_GROUP_CONTROL(g) + 0x40u + FW_STREAM_STRIDE * (s))
#define FW_STREAM_STRIDE	0x10u
#define FW_GLOBAL_IN		(FW_SHARED + 0x9000u)
#define FW_GLOBAL_OUT		(FW_SHARED + 0x9800u)
#define FW_GROUP_IN(g)		(FW_SHARED + 0xa000u + 0x1000u * (g))
#define FW_GROUP_OUT(g)		(FW_GROUP_IN(g) + 0x80u)
#define FW_STREAM_IN(g, s)	(FW_GROUP_IN(g) + 0x100u + 0x180u * (s))
#define FW_STREAM_OUT(g, s)	(FW_STREAM_IN(g, s) + 0x80u)

#define FW_VERSION		0x01010000u
/* Registers less one, scoreboard entries, and compute, fragment, tiler. */
#define FW_STREAM_FEATURES	(95 | 8 << 8 | BIT(16) | BIT(17) | BIT(18))

struct fw_global_control {
	u32 version, features, in, out, groups, stride, perfcnt_size, instr_features;
};

struct fw_global_in {
	u32 req;
#define FW_GLB_HALT		BIT(0)
#define FW_GLB_PROTM_ENTER	BIT(4)
#define FW_GLB_IDLE_EN		BIT(10)
#define FW_GLB_IDLE		BIT(26)
#define FW_GLB_EVENTS		GENMASK(26, 20)
	u32 ack_irq_mask, doorbell_req;
};

struct fw_global_out {
	u32 ack, reserved1, doorbell_ack, reserved2, halt_status;
};

struct fw_group_control {
	u32 features, in, out, suspend_size, protm_suspend_size, streams, stride;
};

struct fw_group_in {
	u32 req;
#define FW_CSG_STATE		GENMASK(2, 0)
#define   FW_CSG_TERMINATE	0
#define   FW_CSG_START		1
#define   FW_CSG_SUSPEND	2
#define   FW_CSG_RESUME		3
#define FW_CSG_STATUS_UPDATE	BIT(5)
#define FW_CSG_SYNC_UPDATE	BIT(28)
#define FW_CSG_IDLE		BIT(29)
#define FW_CSG_EVENTS		(GENMASK(29, 28) | BIT(31))
	u32 ack_irq_mask, doorbell_req, cs_irq_ack, reserved1[4];
	u64 allow_compute, allow_fragment;
	u32 allow_other, endpoint_req, reserved2[2];
	u64 suspend_buf, protm_suspend_buf;
	u32 config;
#define FW_CSG_CONFIG_AS	GENMASK(3, 0)
	u32 iter_trace_config;
};

struct fw_group_out {
	u32 ack, reserved1, doorbell_ack, cs_irq_req, endpoint_current, endpoint_req;
	u32 status_state;
#define FW_CSG_STATUS_IDLE	BIT(0)
	u32 resource_dep;
};

struct fw_stream_control {
	u32 features, in, out;
};

struct fw_stream_in {
	u32 req;
#define FW_CS_STATE		GENMASK(2, 0)
#define   FW_CS_STOP		0
#define   FW_CS_START		1
#define FW_CS_TILER_OOM		BIT(26)
#define FW_CS_FATAL		BIT(30)
#define FW_CS_FAULT		BIT(31)
#define FW_CS_EVENTS		(GENMASK(27, 26) | GENMASK(31, 30))
	u32 config;
#define FW_CS_CONFIG_DOORBELL	GENMASK(15, 8)
	u32 reserved1, ack_irq_mask;
	u64 ring_base;
	u32 ring_size, reserved2;
	u64 heap_start, heap_end, ring_in, ring_out;
};

struct fw_stream_out {
	u32 ack, reserved1[15];
	u64 cmd_ptr;
	u32 wait;
#define FW_CS_WAIT_COND_GT	BIT(24)
#define FW_CS_WAIT_PROGRESS	BIT(28)
#define FW_CS_WAIT_64		BIT(30)
#define FW_CS_WAIT_SYNC		BIT(31)
	u32 req_resource;
	u64 sync_ptr;
	u32 sync_value, scoreboards;
	u32 blocked;
#define FW_CS_BLOCKED_NOT	0
#define FW_CS_BLOCKED_PROGRESS	2
#define FW_CS_BLOCKED_SYNC	3
#define FW_CS_BLOCKED_RESOURCE	5
	u32 sync_value_hi, reserved2[6];
	u32 fault, fatal;
	u64 fault_info, fatal_info;
	u32 reserved3[10];
	u32 vt_start, vt_end, reserved4, frag_end;
	u64 heap;
};

/* The ring buffer's pages in address space 0. */
struct fw_ring_in {
	u64 insert, extract;
};

struct fw_ring_out {
	u64 extract;
	u32 active;
};

static_assert(offsetof(struct fw_group_in, suspend_buf) == 0x40);
static_assert(offsetof(struct fw_group_in, config) == 0x50);
static_assert(offsetof(struct fw_stream_in, ring_base) == 0x10);
static_assert(offsetof(struct fw_stream_in, ring_out) == 0x38);
static_assert(offsetof(struct fw_stream_out, cmd_ptr) == 0x40);
static_assert(offsetof(struct fw_stream_out, blocked) == 0x60);
static_assert(offsetof(struct fw_stream_out, fault) == 0x80);
static_assert(offsetof(struct fw_stream_out, heap) == 0xd0);
static_assert(sizeof(struct fw_group_in) <= 0x80);
static_assert(sizeof(struct fw_group_out) <= 0x80);
static_assert(sizeof(struct fw_stream_in) <= 0x80);
static_assert(sizeof(struct fw_stream_out) <= 0x100);

#endif
