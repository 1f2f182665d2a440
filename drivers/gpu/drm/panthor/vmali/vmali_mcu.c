// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The microcontroller of the model: what the firmware of a CSF GPU does as far as
 * the driver sees it. Serves the global, group and stream interfaces in shared
 * memory, and lets command streams run in turns.
 */
#include <linux/bitfield.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "vmali.h"
#include "vmali_fw.h"

/* Instructions of one stream before it is the turn of the next. */
#define TURN		64
/* Where each stream of a group saves its context in the suspend buffer. */
#define CTX_STRIDE	1024

static_assert(sizeof(struct vmali_cs_ctx) <= CTX_STRIDE);

#define in(type, va, field)	((va) + (u32)offsetof(struct type, field))

/*
 * Without its memory the firmware is lost, as after a fault on hardware: the driver
 * misses the answer to its ping, and resets.
 */
static void lost(struct vmali *v, u64 va)
{
	if (v->mcu_status == MCU_STATUS_FATAL)
		return;
	pr_warn("vmali: the firmware has no access to its memory at %#llx\n", va);
	v->mcu_status = MCU_STATUS_FATAL;
	v->mcu.booted = false;
}

static void fw_read(struct vmali *v, u64 va, void *buf, size_t size)
{
	if (vmali_read(v, 0, va, buf, size)) {
		memset(buf, 0, size);
		lost(v, va);
	}
}

static void fw_write(struct vmali *v, u64 va, const void *buf, size_t size)
{
	if (vmali_write(v, 0, va, buf, size))
		lost(v, va);
}

static u32 get(struct vmali *v, u64 va)
{
	u32 val;

	fw_read(v, va, &val, sizeof(val));
	return val;
}

static u64 get64(struct vmali *v, u64 va)
{
	u64 val;

	fw_read(v, va, &val, sizeof(val));
	return val;
}

static void put(struct vmali *v, u64 va, u32 val)
{
	fw_write(v, va, &val, sizeof(val));
}

static void put64(struct vmali *v, u64 va, u64 val)
{
	fw_write(v, va, &val, sizeof(val));
}

struct vmali_stream *vmali_stream_of(struct vmali *v, unsigned int group, unsigned int index)
{
	return &v->mcu.groups[group].streams[index];
}

static unsigned int group_number(struct vmali *v, struct vmali_group *g)
{
	return g - v->mcu.groups;
}

/* Events */

/*
 * An event is pending while its bits in req and ack differ. One that is pending
 * already covers the new one, too: the driver acknowledges before it looks.
 */
static bool raise_event(struct vmali *v, u64 req_va, u64 ack_va, u32 bit)
{
	u32 req = get(v, req_va), ack = get(v, ack_va);

	if ((req ^ ack) & bit)
		return false;
	put(v, ack_va, ack ^ bit);
	return true;
}

static void group_event(struct vmali *v, unsigned int g, u32 bit)
{
	raise_event(v, in(fw_group_in, FW_GROUP_IN(g), req),
		    in(fw_group_out, FW_GROUP_OUT(g), ack), bit);
	if (get(v, in(fw_group_in, FW_GROUP_IN(g), ack_irq_mask)) & bit)
		vmali_raise(v, VMALI_IRQ_JOB, BIT(g));
}

static void stream_event(struct vmali_stream *s, u32 bit)
{
	struct vmali *v = s->v;
	u64 in_va = FW_STREAM_IN(s->group, s->index);

	raise_event(v, in(fw_stream_in, in_va, req),
		    in(fw_stream_out, FW_STREAM_OUT(s->group, s->index), ack), bit);
	if (!(get(v, in(fw_stream_in, in_va, ack_irq_mask)) & bit))
		return;
	raise_event(v, in(fw_group_in, FW_GROUP_IN(s->group), cs_irq_ack),
		    in(fw_group_out, FW_GROUP_OUT(s->group), cs_irq_req),
		    BIT(s->index));
	vmali_raise(v, VMALI_IRQ_JOB, BIT(s->group));
}

void vmali_mcu_fault(struct vmali_stream *s, u32 type, u32 data, u64 info)
{
	u64 out = FW_STREAM_OUT(s->group, s->index);

	s->ctx.error = type;
	put(s->v, in(fw_stream_out, out, fault), type | data << 8);
	put64(s->v, in(fw_stream_out, out, fault_info), info);
	stream_event(s, FW_CS_FAULT);
}

void vmali_mcu_fatal(struct vmali_stream *s, u32 type, u32 data, u64 info)
{
	u64 out = FW_STREAM_OUT(s->group, s->index);

	s->wait = VMALI_CS_FATAL;
	put(s->v, in(fw_stream_out, out, fatal), type | data << 8);
	put64(s->v, in(fw_stream_out, out, fatal_info), info);
	stream_event(s, FW_CS_FATAL);
}

void vmali_mcu_tiler_oom(struct vmali_stream *s)
{
	u64 out = FW_STREAM_OUT(s->group, s->index);
	u32 counters[3];
	int ret = vmali_heap_counters(s, counters);

	if (ret == -EAGAIN) {
		/* Locked: the instruction is tried again. */
		s->wait = VMALI_CS_RUNNABLE;
		return;
	}
	if (ret) {
		vmali_mcu_fatal(s, VMALI_EXC_CS_BUS, 0, s->ctx.heap);
		return;
	}
	put(s->v, in(fw_stream_out, out, vt_start), counters[0]);
	put(s->v, in(fw_stream_out, out, vt_end), counters[1]);
	put(s->v, in(fw_stream_out, out, frag_end), counters[2]);
	put64(s->v, in(fw_stream_out, out, heap), s->ctx.heap);
	stream_event(s, FW_CS_TILER_OOM);
}

/* Streams that wait look at their objects in each round of work anyway. */
void vmali_mcu_sync_update(struct vmali_stream *s)
{
	group_event(s->v, s->group, FW_CSG_SYNC_UPDATE);
	vmali_kick(s->v);
}

/* Streams */

static void stream_start(struct vmali *v, struct vmali_group *g, struct vmali_stream *s)
{
	struct fw_stream_in cfg;

	fw_read(v, FW_STREAM_IN(s->group, s->index), &cfg, sizeof(cfg));
	s->ring_base = cfg.ring_base;
	s->ring_size = cfg.ring_size;
	s->ring_in = cfg.ring_in;
	s->ring_out = cfg.ring_out;
	s->doorbell = FIELD_GET(FW_CS_CONFIG_DOORBELL, cfg.config);
	s->started = true;
	s->wait = VMALI_CS_RUNNABLE;
	s->oom_denied = false;

	if (!is_power_of_2(s->ring_size) || s->ring_base % sizeof(u64) ||
	    s->doorbell >= CSF_DOORBELLS) {
		vmali_mcu_fatal(s, VMALI_EXC_CS_CONFIG, 0, s->ring_base);
		return;
	}
	if (!g->resumed) {
		memset(&s->ctx, 0, sizeof(s->ctx));
		s->ctx.frame[0].pc = get64(v, in(fw_ring_in, s->ring_in, extract));
		s->ctx.frame[0].end = s->ctx.frame[0].pc;
	}
}

/* The driver has answered: with a chunk, or without. */
static void stream_oom_answered(struct vmali_stream *s, u64 chunk)
{
	s->oom_denied = !chunk;
	if (chunk && vmali_heap_add_chunk(s, chunk))
		vmali_mcu_fatal(s, VMALI_EXC_CS_BUS, 0, chunk);
	else
		s->wait = VMALI_CS_RUNNABLE;
}

static void stream_doorbell(struct vmali *v, struct vmali_group *g, struct vmali_stream *s)
{
	u64 in_va = FW_STREAM_IN(s->group, s->index);
	u64 ack_va = in(fw_stream_out, FW_STREAM_OUT(s->group, s->index), ack);
	u32 req = get(v, in(fw_stream_in, in_va, req));
	u32 ack = get(v, ack_va), state = req & FW_CS_STATE;

	if (state == FW_CS_START && !s->started && g->running)
		stream_start(v, g, s);
	else if (state == FW_CS_STOP)
		s->started = false;

	if (s->wait == VMALI_CS_OOM && !((req ^ ack) & FW_CS_TILER_OOM))
		stream_oom_answered(s, get64(v, in(fw_stream_in, in_va, heap_start)));
	if (s->wait == VMALI_CS_EMPTY)
		s->wait = VMALI_CS_RUNNABLE;

	/* An event may have been raised since: its bit is not an answer. */
	put(v, ack_va, (get(v, ack_va) & FW_CS_EVENTS) | (req & ~FW_CS_EVENTS));
}

static void stream_status(struct vmali_stream *s)
{
	struct vmali *v = s->v;
	u64 out = FW_STREAM_OUT(s->group, s->index);
	u32 blocked = FW_CS_BLOCKED_NOT, wait = 0;

	switch (s->started ? s->wait : VMALI_CS_EMPTY) {
	case VMALI_CS_SYNC:
		blocked = FW_CS_BLOCKED_SYNC;
		wait = FW_CS_WAIT_SYNC | (s->sync_64 ? FW_CS_WAIT_64 : 0) |
		       (s->sync_cond ? FW_CS_WAIT_COND_GT : 0);
		break;
	case VMALI_CS_PROGRESS:
		blocked = FW_CS_BLOCKED_PROGRESS;
		wait = FW_CS_WAIT_PROGRESS;
		break;
	case VMALI_CS_OOM:
	case VMALI_CS_HANDLER:
		blocked = FW_CS_BLOCKED_RESOURCE;
		break;
	default:
		break;
	}
	put(v, in(fw_stream_out, out, wait), wait);
	put64(v, in(fw_stream_out, out, sync_ptr), s->sync_va);
	put(v, in(fw_stream_out, out, sync_value), lower_32_bits(s->sync_value));
	put(v, in(fw_stream_out, out, sync_value_hi), upper_32_bits(s->sync_value));
	put(v, in(fw_stream_out, out, scoreboards), 0);
	put(v, in(fw_stream_out, out, blocked), blocked);
	put64(v, in(fw_stream_out, out, cmd_ptr), s->cmd_ptr);
}

/* Groups */

static bool stream_is_idle(struct vmali_stream *s)
{
	return !s->started || s->wait == VMALI_CS_EMPTY || s->wait == VMALI_CS_SYNC;
}

static void group_look_if_idle(struct vmali *v, struct vmali_group *g)
{
	g->idle = true;
	for (int i = 0; i < VMALI_STREAMS; i++)
		g->idle &= stream_is_idle(&g->streams[i]);
	if (!g->idle) {
		g->idle_said = false;
		v->mcu.idle_said = false;
	}
}

static void group_status(struct vmali *v, struct vmali_group *g)
{
	for (int i = 0; i < VMALI_STREAMS; i++)
		stream_status(&g->streams[i]);
	group_look_if_idle(v, g);
	put(v, in(fw_group_out, FW_GROUP_OUT(group_number(v, g)), status_state),
	    g->idle ? FW_CSG_STATUS_IDLE : 0);
}

static void group_start(struct vmali *v, struct vmali_group *g, bool resume)
{
	u64 in_va = FW_GROUP_IN(group_number(v, g));
	u64 buf = get64(v, in(fw_group_in, in_va, suspend_buf));
	u32 as = FIELD_GET(FW_CSG_CONFIG_AS, get(v, in(fw_group_in, in_va, config)));

	for (int i = 0; i < VMALI_STREAMS; i++) {
		struct vmali_stream *s = &g->streams[i];

		s->as = as;
		s->started = false;
		if (resume)
			fw_read(v, buf + i * CTX_STRIDE, &s->ctx, sizeof(s->ctx));
	}
	g->resumed = resume;
	g->running = true;
	g->idle_said = false;
}

static void group_stop(struct vmali_group *g)
{
	for (int i = 0; i < VMALI_STREAMS; i++)
		g->streams[i].started = false;
	g->running = false;
}

static void group_suspend(struct vmali *v, struct vmali_group *g)
{
	u64 in_va = FW_GROUP_IN(group_number(v, g));
	u64 buf = get64(v, in(fw_group_in, in_va, suspend_buf));

	if (!g->running)
		return;
	group_status(v, g);
	for (int i = 0; i < VMALI_STREAMS; i++)
		fw_write(v, buf + i * CTX_STRIDE, &g->streams[i].ctx,
			 sizeof(g->streams[i].ctx));
	group_stop(g);
}

static void group_doorbell(struct vmali *v, struct vmali_group *g)
{
	unsigned int nr = group_number(v, g);
	u64 in_va = FW_GROUP_IN(nr), out_va = FW_GROUP_OUT(nr);
	u32 req = get(v, in(fw_group_in, in_va, req));
	u64 ack_va = in(fw_group_out, out_va, ack);
	u32 changed = (req ^ get(v, ack_va)) & ~FW_CSG_EVENTS, streams;

	if (changed & FW_CSG_STATE) {
		switch (req & FW_CSG_STATE) {
		case FW_CSG_START:
		case FW_CSG_RESUME:
			group_start(v, g, (req & FW_CSG_STATE) == FW_CSG_RESUME);
			break;
		case FW_CSG_SUSPEND:
			group_suspend(v, g);
			break;
		case FW_CSG_TERMINATE:
			group_stop(g);
			break;
		default:
			vmali_mmu_complain(v->mmu, "group %u is asked for state %lu", nr,
					   req & FW_CSG_STATE);
			changed &= ~FW_CSG_STATE;
		}
	}

	streams = get(v, in(fw_group_in, in_va, doorbell_req));
	for (unsigned long pending = streams ^ get(v, in(fw_group_out, out_va, doorbell_ack));
	     pending; pending &= pending - 1) {
		unsigned int i = __ffs(pending);

		if (i < VMALI_STREAMS)
			stream_doorbell(v, g, &g->streams[i]);
	}
	put(v, in(fw_group_out, out_va, doorbell_ack), streams);

	if (changed & FW_CSG_STATUS_UPDATE)
		group_status(v, g);
	if (changed) {
		put(v, ack_va, get(v, ack_va) ^ changed);
		if (changed & get(v, in(fw_group_in, in_va, ack_irq_mask)))
			vmali_raise(v, VMALI_IRQ_JOB, BIT(nr));
	}
}

/* Global */

static void halt(struct vmali *v)
{
	put(v, in(fw_global_out, FW_GLOBAL_OUT, halt_status), 0);
	v->mcu.booted = false;
	vmali_power_mcu(v, false);
	v->mcu_status = MCU_STATUS_HALT;
	vmali_raise(v, VMALI_IRQ_GPU, GPU_IRQ_MCU_STATUS_CHANGED);
}

static void global_doorbell(struct vmali *v)
{
	u32 req = get(v, in(fw_global_in, FW_GLOBAL_IN, req));
	u64 ack_va = in(fw_global_out, FW_GLOBAL_OUT, ack);
	u32 changed = (req ^ get(v, ack_va)) & ~(FW_GLB_EVENTS | FW_GLB_HALT);
	u32 groups, pending;

	if (changed & req & FW_GLB_PROTM_ENTER)
		pr_warn("vmali: protected mode is refused\n");

	groups = get(v, in(fw_global_in, FW_GLOBAL_IN, doorbell_req));
	pending = groups ^ get(v, in(fw_global_out, FW_GLOBAL_OUT, doorbell_ack));
	/* Before they are served: the driver may ring again for what it sees then. */
	put(v, in(fw_global_out, FW_GLOBAL_OUT, doorbell_ack), groups);
	for (int i = 0; i < VMALI_GROUPS; i++)
		if (pending & BIT(i))
			group_doorbell(v, &v->mcu.groups[i]);

	if (changed) {
		put(v, ack_va, get(v, ack_va) ^ changed);
		if (changed & get(v, in(fw_global_in, FW_GLOBAL_IN, ack_irq_mask)))
			vmali_raise(v, VMALI_IRQ_JOB, JOB_IRQ_GLOBAL);
	}
}

/* Nothing is pending when the firmware comes up: what was asked before is void. */
static void boot_interfaces(struct vmali *v)
{
	struct fw_global_control global = {
		.version = FW_VERSION, .in = FW_GLOBAL_IN, .out = FW_GLOBAL_OUT,
		.groups = VMALI_GROUPS, .stride = FW_GROUP_STRIDE,
	};

	fw_write(v, FW_SHARED, &global, sizeof(global));
	put(v, in(fw_global_out, FW_GLOBAL_OUT, ack),
	    get(v, in(fw_global_in, FW_GLOBAL_IN, req)));
	put(v, in(fw_global_out, FW_GLOBAL_OUT, doorbell_ack),
	    get(v, in(fw_global_in, FW_GLOBAL_IN, doorbell_req)));

	for (int g = 0; g < VMALI_GROUPS; g++) {
		struct fw_group_control group = {
			.in = FW_GROUP_IN(g), .out = FW_GROUP_OUT(g),
			.suspend_size = VMALI_STREAMS * CTX_STRIDE,
			/* Never used, but the driver allocates it. */
			.protm_suspend_size = CTX_STRIDE,
			.streams = VMALI_STREAMS, .stride = FW_STREAM_STRIDE,
		};
		u64 in_va = FW_GROUP_IN(g), out_va = FW_GROUP_OUT(g);

		fw_write(v, FW_GROUP_CONTROL(g), &group, sizeof(group));
		put(v, in(fw_group_out, out_va, ack), get(v, in(fw_group_in, in_va, req)));
		put(v, in(fw_group_out, out_va, doorbell_ack),
		    get(v, in(fw_group_in, in_va, doorbell_req)));
		put(v, in(fw_group_out, out_va, cs_irq_req),
		    get(v, in(fw_group_in, in_va, cs_irq_ack)));

		for (int s = 0; s < VMALI_STREAMS; s++) {
			struct fw_stream_control stream = {
				.features = FW_STREAM_FEATURES,
				.in = FW_STREAM_IN(g, s), .out = FW_STREAM_OUT(g, s),
			};

			fw_write(v, FW_STREAM_CONTROL(g, s), &stream, sizeof(stream));
			put(v, in(fw_stream_out, FW_STREAM_OUT(g, s), ack),
			    get(v, in(fw_stream_in, FW_STREAM_IN(g, s), req)));
		}
	}
}

static void boot(struct vmali *v)
{
	u64 code;

	/* What the driver loaded is not code, but it has to be where code would be. */
	if (vmali_mmu_access(v->mmu, 0, 0, &code, sizeof(code), VMALI_EXECUTE) || !code) {
		lost(v, 0);
		return;
	}
	for (int i = 0; i < VMALI_GROUPS; i++)
		group_stop(&v->mcu.groups[i]);
	boot_interfaces(v);
	if (v->mcu_status == MCU_STATUS_FATAL)
		return;
	v->mcu.booted = true;
	vmali_power_mcu(v, true);
	v->mcu.idle_said = true;
	vmali_raise(v, VMALI_IRQ_JOB, JOB_IRQ_GLOBAL);
}

/*
 * Groups that have been idle for a while are reported, as by the firmware, so that
 * the driver is not told after each of many short jobs.
 */
static void say_idle(struct vmali *v)
{
	bool all = true;

	for (int i = 0; i < VMALI_GROUPS; i++) {
		struct vmali_group *g = &v->mcu.groups[i];

		if (!g->running)
			continue;
		if (g->idle && !g->idle_said) {
			g->idle_said = true;
			put(v, in(fw_group_out, FW_GROUP_OUT(i), status_state),
			    FW_CSG_STATUS_IDLE);
			group_event(v, i, FW_CSG_IDLE);
		}
		all &= g->idle;
	}
	if (all && !v->mcu.idle_said &&
	    get(v, in(fw_global_in, FW_GLOBAL_IN, req)) & FW_GLB_IDLE_EN) {
		v->mcu.idle_said = true;
		raise_event(v, in(fw_global_in, FW_GLOBAL_IN, req),
			    in(fw_global_out, FW_GLOBAL_OUT, ack), FW_GLB_IDLE);
		vmali_raise(v, VMALI_IRQ_JOB, JOB_IRQ_GLOBAL);
	}
}

static void user_doorbells(struct vmali *v, u32 doorbells)
{
	for (int g = 0; g < VMALI_GROUPS; g++)
		for (int i = 0; i < VMALI_STREAMS; i++) {
			struct vmali_stream *s = &v->mcu.groups[g].streams[i];

			if (s->started && s->wait == VMALI_CS_EMPTY &&
			    doorbells & BIT(s->doorbell))
				s->wait = VMALI_CS_RUNNABLE;
		}
}

/* All has to wait while it is off, or until the driver unlocks its memory. */
static bool can_work(struct vmali *v)
{
	return v->mcu_status == MCU_STATUS_ENABLED && !vmali_mmu_locked(v->mmu, 0);
}

static bool stream_can_run(struct vmali_group *g, struct vmali_stream *s)
{
	return g->running && s->started && s->wait != VMALI_CS_EMPTY &&
	       s->wait != VMALI_CS_OOM && s->wait != VMALI_CS_FATAL;
}

/*
 * A turn for each stream; between turns, the driver may do anything. Returns true if
 * one got anywhere, or all have to be looked at again.
 */
static bool run_streams(struct vmali *v)
{
	bool progress = false;

	for (int g = 0; g < VMALI_GROUPS; g++) {
		struct vmali_group *group = &v->mcu.groups[g];

		for (int i = 0; i < VMALI_STREAMS; i++) {
			struct vmali_stream *s = &group->streams[i];

			if (!stream_can_run(group, s))
				continue;
			progress |= vmali_cs_run(s, TURN);
			spin_unlock_irq(&v->lock);
			cond_resched();
			spin_lock_irq(&v->lock);
			if (!can_work(v) || !v->mcu.booted)
				return true;
		}
		if (group->running)
			group_look_if_idle(v, group);
	}
	return progress;
}

static bool idle_unsaid(const struct vmali_group *g)
{
	return g->running && g->idle && !g->idle_said;
}

/* The CPU may write to a sync object without ringing a doorbell. */
static bool waits_for_memory(const struct vmali_group *g)
{
	for (int i = 0; i < VMALI_STREAMS; i++)
		if (g->running && g->streams[i].started && g->streams[i].wait == VMALI_CS_SYNC)
			return true;
	return false;
}

enum vmali_more vmali_mcu_work(struct vmali *v, bool waited)
{
	struct vmali_mcu *mcu = &v->mcu;
	u32 doorbells = mcu->doorbells;

	if (!can_work(v))
		return VMALI_KICKED;

	if (!mcu->booted) {
		boot(v);
		return VMALI_KICKED;
	}
	if (mcu->hung)
		return VMALI_KICKED;
	mcu->doorbells = 0;
	if (doorbells & BIT(0))
		global_doorbell(v);
	user_doorbells(v, doorbells & ~BIT(0));

	if (run_streams(v) || mcu->doorbells)
		return VMALI_NOW;
	if (waited)
		say_idle(v);
	for (int i = 0; i < VMALI_GROUPS; i++)
		if (idle_unsaid(&mcu->groups[i]) || waits_for_memory(&mcu->groups[i]))
			return VMALI_SOON;
	return VMALI_KICKED;
}

/* Called by registers */

/*
 * A halt is answered within the write: drivers poll for it without sleeping, which
 * on one processor would keep the microcontroller's thread from running.
 */
void vmali_mcu_doorbell(struct vmali *v, unsigned int doorbell)
{
	u32 req;

	if (!v->mcu.booted)
		return;
	if (v->mcu.hung) {
		v->mcu.stuck = true;
		return;
	}
	if (!doorbell &&
	    !vmali_read(v, 0, in(fw_global_in, FW_GLOBAL_IN, req), &req, sizeof(req)) &&
	    req & FW_GLB_HALT) {
		halt(v);
		return;
	}
	v->mcu.doorbells |= BIT(doorbell);
	vmali_kick(v);
}

void vmali_mcu_control(struct vmali *v, u32 val)
{
	if (val == MCU_CONTROL_DISABLE) {
		v->mcu.booted = false;
		v->mcu.doorbells = 0;
		v->mcu_status = MCU_STATUS_DISABLED;
		return;
	}
	v->mcu_status = MCU_STATUS_ENABLED;
	vmali_kick(v);
}

void vmali_mcu_reset(struct vmali *v)
{
	for (int i = 0; i < VMALI_GROUPS; i++)
		group_stop(&v->mcu.groups[i]);
	/* A hang that nobody has met yet is still to come. */
	if (v->mcu.stuck)
		v->mcu.hung = false;
	v->mcu.stuck = false;
	vmali_mcu_control(v, MCU_CONTROL_DISABLE);
}

void vmali_mcu_init(struct vmali *v)
{
	for (int g = 0; g < VMALI_GROUPS; g++)
		for (int i = 0; i < VMALI_STREAMS; i++)
			v->mcu.groups[g].streams[i] = (struct vmali_stream){
				.v = v, .group = g, .index = i,
			};
}

void vmali_mcu_show(struct vmali *v, struct seq_file *m)
{
	static const char * const wait[] = {
		[VMALI_CS_RUNNABLE] = "runs", [VMALI_CS_EMPTY] = "empty",
		[VMALI_CS_SYNC] = "waits for a sync object",
		[VMALI_CS_PROGRESS] = "waits for progress",
		[VMALI_CS_OOM] = "asks for heap memory",
		[VMALI_CS_HANDLER] = "waits for a handler to make room",
		[VMALI_CS_FATAL] = "fatal",
	};

	seq_printf(m, "microcontroller: %s%s\n", v->mcu.booted ? "booted" : "off",
		   v->mcu.hung ? ", hung" : "");
	for (int g = 0; g < VMALI_GROUPS; g++)
		for (int i = 0; i < VMALI_STREAMS; i++) {
			struct vmali_stream *s = &v->mcu.groups[g].streams[i];

			if (v->mcu.groups[g].running && s->started)
				seq_printf(m, "  group %d stream %d, AS %u: %s, at %#llx\n",
					   g, i, s->as, wait[s->wait], s->cmd_ptr);
		}
}
