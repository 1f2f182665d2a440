/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * A Mali CSF GPU in software, for tests of the panthor driver without hardware.
 * What its parts know of each other:
 *
 *   vmali_dev.c   registers, interrupts, reset; owns struct vmali
 *   vmali_power.c  which cores are on, and who may change that
 *   vmali_mmu.c   address spaces: translates, caches; knows vmali_walk.c only
 *   vmali_judge.c  compares their caches with memory, reports; knows these two only
 *   vmali_walk.c  descriptors and tables in memory; knows nobody
 *   vmali_inject.c  damage to tables, for tests of the judge
 *   vmali_mcu.c   what the firmware does: global, group and stream interfaces
 *   vmali_cs.c    command streams: executes instructions
 *   vmali_heap.c  tiler heaps
 *   vmali_clk.c   the clock; knows nobody else
 *   vmali_contig.c  contiguous memory for user space; knows nobody else
 *   vmali_debugfs.c  what tests ask of the model
 *
 * The model knows the driver through registers, interrupts and memory only.
 *
 * Locking: vmali::lock is held by the thread that plays the microcontroller while
 * it works, and by register accesses, which come with any of the driver's locks
 * held and in interrupt handlers. Interrupts are delivered without it.
 */
#ifndef __VMALI_H__
#define __VMALI_H__

#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "vmali_regs.h"

struct device;
struct irq_domain;
struct seq_file;
struct vmali;
struct vmali_mmu;

#define VMALI_AS_COUNT		8
#define VMALI_GROUPS		8
#define VMALI_STREAMS		8
#define VMALI_CS_REGS		96
#define VMALI_VA_BITS		48
#define VMALI_PA_BITS		40

/* Exception types: of streams, and of FAULTSTATUS. */
#define VMALI_EXC_CS_CONFIG		0x40
#define VMALI_EXC_CS_UNRECOVERABLE	0x41
#define VMALI_EXC_CS_BUS		0x48
#define VMALI_EXC_CS_INSTR		0x49
#define VMALI_EXC_CS_CALL_STACK		0x4a
#define VMALI_EXC_CS_INHERIT		0x4b
#define VMALI_EXC_DATA_INVALID		0x58
#define VMALI_EXC_OOM			0x60
#define VMALI_EXC_TRANSLATION(level)	(0xc0 + (level))
#define VMALI_EXC_PERMISSION(level)	(0xc8 + (level))
#define VMALI_EXC_ACCESS_FLAG(level)	(0xd8 + (level))
#define VMALI_EXC_ADDR_SIZE_IN		0xe0
#define VMALI_EXC_ADDR_SIZE_OUT(level)	(0xe4 + (level))
#define VMALI_EXC_MEM_ATTR(level)	(0xe8 + (level))

/* --- vmali_mmu.c --- */

/* As in bits 9:8 of FAULTSTATUS. An atomic access reads and writes. */
enum vmali_access {
	VMALI_ATOMIC,
	VMALI_EXECUTE,
	VMALI_READ,
	VMALI_WRITE,
};

/**
 * struct vmali_mmu_cfg - What an MMU of the model is made with
 * @name: in reports
 * @seed: of the generator that decides what is cached ahead and what is dropped
 * @fault: called with the lock of the MMU held when FAULTSTATUS of an address
 *	   space has been set: raises its interrupt
 * @unlocked: called likewise when accesses that were stalled may be tried again
 * @ctx: for both
 */
struct vmali_mmu_cfg {
	const char *name;
	u32 seed;
	void (*fault)(void *ctx, unsigned int as);
	void (*unlocked)(void *ctx);
	void *ctx;
};

/* All but create and destroy: any context, interrupts off included. */
struct vmali_mmu *vmali_mmu_create(const struct vmali_mmu_cfg *cfg);
void vmali_mmu_destroy(struct vmali_mmu *mmu);
void vmali_mmu_reset(struct vmali_mmu *mmu);
/* What is cached is lost, and nobody looks at it. */
void vmali_mmu_power_off(struct vmali_mmu *mmu);
u32 vmali_mmu_read_reg(struct vmali_mmu *mmu, unsigned int as, u32 reg);
void vmali_mmu_write_reg(struct vmali_mmu *mmu, unsigned int as, u32 reg, u32 val);

/**
 * vmali_mmu_access() - One access of the GPU to memory
 * @mmu: MMU
 * @as: address space
 * @va: address; the access may cross pages
 * @buf: to or from here
 * @size: bytes
 * @access: what for; VMALI_ATOMIC reads @size bytes, and the caller writes them
 *	    with the next call
 *
 * Return: 0; -EAGAIN if the region is locked, with nothing done: try again later;
 * -EFAULT if the address space is off, or a fault was raised.
 */
int vmali_mmu_access(struct vmali_mmu *mmu, unsigned int as, u64 va, void *buf,
		     size_t size, enum vmali_access access);

/* Is some region of @as locked? */
bool vmali_mmu_locked(struct vmali_mmu *mmu, unsigned int as);

/**
 * vmali_mmu_check() - Compare all that is cached with the tables in memory
 * @mmu: MMU
 *
 * For a moment at which the driver has finished all its operations: what differs
 * then was changed without a flush, and is reported, as are regions that are locked.
 *
 * Return: number of errors reported since the MMU was made.
 */
u64 vmali_mmu_check(struct vmali_mmu *mmu);
u64 vmali_mmu_errors(struct vmali_mmu *mmu);
void vmali_mmu_show(struct vmali_mmu *mmu, struct seq_file *m);
/* Accesses of groups that succeeded, by attribute and by level of the leaf. */
void vmali_mmu_show_accesses(struct vmali_mmu *mmu, struct seq_file *m);

/* --- vmali_judge.c --- */

/* Counts an error that is about no address space. Any context. */
__printf(2, 3) void vmali_mmu_complain(struct vmali_mmu *mmu, const char *fmt, ...);

/* --- vmali_inject.c --- */

/* Damage page tables as @cmd says. Returns 0 or -errno. */
int vmali_mmu_inject(struct vmali_mmu *mmu, const char *cmd);

/* --- vmali_cs.c --- */

/* Calls of a stream into others: what returns where. */
#define VMALI_CS_FRAMES		8

struct vmali_cs_frame {
	u64 pc;
	u64 end;
};

/**
 * enum vmali_cs_wait - Why a stream does not go on
 * @VMALI_CS_RUNNABLE: it does
 * @VMALI_CS_EMPTY: all of the ring buffer is executed
 * @VMALI_CS_SYNC: waits for a sync object in memory
 * @VMALI_CS_PROGRESS: waits for the progress of another stream of the group
 * @VMALI_CS_OOM: has asked the driver for a chunk for its tiler heap
 * @VMALI_CS_HANDLER: was denied that, and waits until a handler has made room
 * @VMALI_CS_FATAL: broken, until it is stopped and started
 */
enum vmali_cs_wait {
	VMALI_CS_RUNNABLE,
	VMALI_CS_EMPTY,
	VMALI_CS_SYNC,
	VMALI_CS_PROGRESS,
	VMALI_CS_OOM,
	VMALI_CS_HANDLER,
	VMALI_CS_FATAL,
};

/**
 * struct vmali_cs_ctx - What of a stream survives a suspension in memory
 * @regs: its registers
 * @frame: frame[depth] is executed; frame[0] is the ring buffer, where pc and end
 *	   are not addresses but what the extract and insert pointers hold
 * @depth: calls under way
 * @heap: address of the heap context, or 0
 * @progress: value of PROGRESS_STORE
 * @error: an error since the last ERROR_BARRIER (exception type), or 0
 * @exception_handler: instructions that may make room in a full tiler heap: address,
 * @exception_handler_size: and bytes, 0 without a handler
 * @tiler_remaining: bytes that the tiler job under way still has to get
 * @new_chunk: the chunk that comes next in its heap, not linked yet, or 0
 * @oom_handled: a handler has been called, and there was no chunk since
 * @handler_depth: the handler is frame[@handler_depth]; 0 if it does not run
 */
struct vmali_cs_ctx {
	u32 regs[VMALI_CS_REGS];
	struct vmali_cs_frame frame[VMALI_CS_FRAMES + 1];
	u32 depth;
	u32 error;
	u64 heap;
	u64 progress;
	u64 exception_handler;
	u32 exception_handler_size;
	u32 tiler_remaining;
	u64 new_chunk;
	u32 oom_handled;
	u32 handler_depth;
};

/**
 * struct vmali_stream - One command stream slot
 * @v: model
 * @group: number of its group
 * @index: number within that
 * @as: address space of the group
 * @started: between CS_STATE_START and CS_STATE_STOP
 * @wait: why it does not go on
 * @sync_va: VMALI_CS_SYNC: where the sync object is,
 * @sync_value: what it is compared with,
 * @sync_cond: and how (encoding of the instruction)
 * @sync_64: it has 64 bits
 * @cmd_ptr: address of the instruction that is executed
 * @ring_base: ring buffer: address in @as,
 * @ring_size: bytes, a power of two,
 * @ring_in: address in address space 0 of insert (u64) and extract (u64),
 * @ring_out: and of extract (u64) and active (u32)
 * @doorbell: number of its doorbell
 * @oom_denied: the driver's answer to VMALI_CS_OOM was that there is no chunk
 * @ctx: the rest
 */
struct vmali_stream {
	struct vmali *v;
	unsigned int group, index, as;
	bool started;
	enum vmali_cs_wait wait;
	u64 sync_va, sync_value;
	u32 sync_cond;
	bool sync_64;
	u64 cmd_ptr;
	u64 ring_base, ring_in, ring_out;
	u32 ring_size;
	u32 doorbell;
	bool oom_denied;
	struct vmali_cs_ctx ctx;
};

/*
 * Execute up to @budget instructions, or one that takes long; lock held. Sets
 * vmali_stream::wait. Returns true if it got anywhere: false means that nothing
 * changes until somebody else does something (memory unlocked, sync object
 * signalled, doorbell).
 */
bool vmali_cs_run(struct vmali_stream *s, unsigned int budget);

/* --- vmali_heap.c --- */

/*
 * Take @size bytes from the heap of the tiler descriptor at @tiler, or go on with what was
 * begun. Returns 0, -EINPROGRESS if there is more to take than is done at once,
 * -ENOSPC if a new chunk is needed, -EINVAL if what describes the heap makes no
 * sense, or what vmali_mmu_access() does.
 */
int vmali_heap_alloc(struct vmali_stream *s, u64 tiler, u32 size);
/*
 * A chunk that the driver has given (address and size as in a chunk header), for the
 * next vmali_heap_alloc(). Returns 0, or -EINVAL if it has no size.
 */
int vmali_heap_add_chunk(struct vmali_stream *s, u64 chunk);
/* HEAP_OPERATION: count a render pass; 0 and 1: start and end of tiling, 3: end of all. */
int vmali_heap_operation(struct vmali_stream *s, u32 operation);
/*
 * FINISH_FRAGMENT: count the end of a pass if @count, and give the chunks from @first to
 * @last back to the heap (address and size as in a chunk header; 0 and 0: none).
 */
int vmali_heap_finish(struct vmali_stream *s, bool count, u64 first, u64 last);
/* The counters for the driver: vt_start, vt_end, frag_end. */
int vmali_heap_counters(struct vmali_stream *s, u32 counters[3]);

/* --- vmali_mcu.c --- */

/**
 * struct vmali_group - One group slot
 * @streams: its streams
 * @running: between a start or resume, and a suspension or termination
 * @resumed: it was a resume: streams go on with what was saved
 * @idle: nothing to do for any stream
 * @idle_said: and the driver has been told
 */
struct vmali_group {
	struct vmali_stream streams[VMALI_STREAMS];
	bool running, resumed, idle, idle_said;
};

/**
 * struct vmali_mcu - The microcontroller
 * @booted: the interfaces are there
 * @hung: once it has booted, it does nothing until it is reset: for tests of the
 *	  driver's recovery
 * @stuck: and the driver has asked for something in vain
 * @idle_said: the driver knows that all groups are idle
 * @doorbells: those that were rung, a bit each
 * @groups: group slots
 */
struct vmali_mcu {
	bool booted, hung, stuck, idle_said;
	u32 doorbells;
	struct vmali_group groups[VMALI_GROUPS];
};

/* All: vmali::lock held. */

/* What streams tell the driver. @info is an address or 0. */
void vmali_mcu_fault(struct vmali_stream *s, u32 type, u32 data, u64 info);
void vmali_mcu_fatal(struct vmali_stream *s, u32 type, u32 data, u64 info);
void vmali_mcu_tiler_oom(struct vmali_stream *s);
void vmali_mcu_sync_update(struct vmali_stream *s);

struct vmali_stream *vmali_stream_of(struct vmali *v, unsigned int group, unsigned int index);

void vmali_mcu_init(struct vmali *v);
void vmali_mcu_reset(struct vmali *v);
void vmali_mcu_control(struct vmali *v, u32 val);
void vmali_mcu_doorbell(struct vmali *v, unsigned int doorbell);

/**
 * enum vmali_more - When vmali_mcu_work() is to be called again
 * @VMALI_NOW: at once
 * @VMALI_SOON: in a while
 * @VMALI_KICKED: when something has happened
 */
enum vmali_more {
	VMALI_NOW,
	VMALI_SOON,
	VMALI_KICKED,
};

/* @waited: nothing happened since it returned VMALI_SOON. Drops the lock for moments. */
enum vmali_more vmali_mcu_work(struct vmali *v, bool waited);
void vmali_mcu_show(struct vmali *v, struct seq_file *m);

/* --- vmali_power.c --- */

/* In the order of their registers. */
enum vmali_cores {
	VMALI_SHADER,
	VMALI_TILER,
	VMALI_L2,
	VMALI_CORES,
};

/**
 * struct vmali_power - Power of the GPU
 * @ready: cores that are on, of each kind
 * @delegated: kinds of cores that are left to the microcontroller, a bit each
 * @arg: PWR_CMDARG
 */
struct vmali_power {
	u64 ready[VMALI_CORES];
	u32 delegated;
	u64 arg;
};

/* All: vmali::lock held. */

/* Return false if @reg is none of theirs. */
bool vmali_power_read(struct vmali *v, u32 reg, u32 *val);
bool vmali_power_write(struct vmali *v, u32 reg, u32 val);
/*
 * The microcontroller has come up, or halts: turns on, or off, what is left to it.
 * Complains if it has come up without what it needs.
 */
void vmali_power_mcu(struct vmali *v, bool up);

/* --- vmali_clk.c --- */

/* Make @dev the provider of the GPU's clock. Returns 0 or -errno. */
int vmali_clk_init(struct device *dev);

/* --- vmali_dev.c --- */

/**
 * struct vmali_gpu - One of the GPUs that the model can be: a row of vmali_gpus.h
 * @name: as the parameter of the module says it
 * @id: GPU_ID
 */
struct vmali_gpu {
	const char *name;
	u32 id;
};

enum vmali_irq_block {
	VMALI_IRQ_JOB,
	VMALI_IRQ_MMU,
	VMALI_IRQ_GPU,
	VMALI_IRQ_PWR,
	VMALI_IRQS,
};

#define VMALI_IRQ_LINES		3

/**
 * struct vmali_irq - One interrupt block: raised while @rawstat & @mask is not 0
 * @rawstat: what happened
 * @mask: what the driver wants to hear of
 * @due: to be delivered
 */
struct vmali_irq {
	u32 rawstat, mask;
	bool due;
};

/**
 * struct vmali - The GPU
 * @lock: for everything here; register accesses and the threads take it
 * @gpu: which GPU it is
 * @mmu: address spaces
 * @mcu: microcontroller
 * @power: power
 * @irq: interrupts
 * @mcu_status: MCU_STATUS
 * @flush_id: number of the last cache flush
 * @resets: how many there were
 * @hang_resets: and of these, while the firmware was hung
 * @coherency: GPU_COHERENCY_PROTOCOL
 * @window: memory behind the registers, of which user space maps a page
 * @domain: interrupts of the GPU
 * @wait: where the threads wait
 * @kicked: there is work for the microcontroller
 */
struct vmali {
	spinlock_t lock; /* for all of it */
	const struct vmali_gpu *gpu;
	struct vmali_mmu *mmu;
	struct vmali_mcu mcu;
	struct vmali_power power;
	struct vmali_irq irq[VMALI_IRQS];
	u32 mcu_status;
	u32 flush_id;
	u32 coherency;
	u64 resets, hang_resets;
	void *window;
	struct irq_domain *domain;
	wait_queue_head_t wait;
	bool kicked;
};

/* All: vmali::lock held. */
void vmali_raise(struct vmali *v, enum vmali_irq_block block, u32 bits);
void vmali_kick(struct vmali *v);
void vmali_flush_caches(struct vmali *v);
void vmali_reset(struct vmali *v);
void vmali_write_reg(struct vmali *v, u32 reg, u32 val);

/* Not held: have the handlers of the driver called. Complains if none took it. */
void vmali_deliver(struct vmali *v, enum vmali_irq_block block);

/* Power and reset are commands to a block of their own. */
static inline bool vmali_power_commands(const struct vmali *v)
{
	return v->gpu->id >> 28 >= 14;
}

static inline u32 vmali_flush_id(struct vmali *v)
{
	return v->flush_id;
}

/* Both at 1 GHz. */
static inline u64 vmali_timestamp(struct vmali *v)
{
	return ktime_get_ns();
}

static inline u64 vmali_cycles(struct vmali *v)
{
	return ktime_get_ns();
}

/* Memory as the microcontroller sees it, and a group: address space 0, or its own. */
static inline int vmali_read(struct vmali *v, unsigned int as, u64 va, void *buf, size_t size)
{
	return vmali_mmu_access(v->mmu, as, va, buf, size, VMALI_READ);
}

static inline int vmali_write(struct vmali *v, unsigned int as, u64 va, const void *buf,
			      size_t size)
{
	return vmali_mmu_access(v->mmu, as, va, (void *)buf, size, VMALI_WRITE);
}

/* --- vmali_debugfs.c --- */

void vmali_debugfs_init(struct vmali *v);

#endif
