// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The model as a device: registers, interrupts and reset. Appears if the
 * device tree has a node "panthor-vmali", the interrupt controller of the GPU.
 */
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/kthread.h>
#include <linux/logic_iomem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "vmali.h"

/* How long a group is idle before the driver is told. */
#define IDLE_JIFFIES	1

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "Seed of what the caches of the model do ahead");

static char *gpu_name = "g610";
module_param_named(gpu, gpu_name, charp, 0444);
MODULE_PARM_DESC(gpu, "Which GPU it is: a name from vmali_gpus.h");

#define VMALI_GPU(_name, major, minor, product) \
	{ .name = _name, .id = (u32)(major) << 28 | (minor) << 24 | (product) },
static const struct vmali_gpu gpus[] = {
#include "vmali_gpus.h"
};

/* What is the same of all: eight groups and address spaces. */
static const struct {
	u32 reg, val;
} constants[] = {
	{ GPU_L2_FEATURES, 0x07120306 },
	{ GPU_CORE_FEATURES, 0 },
	{ GPU_TILER_FEATURES, 0x809 },
	{ GPU_MEM_FEATURES, 0x1 },
	{ GPU_MMU_FEATURES, VMALI_PA_BITS << 8 | VMALI_VA_BITS },
	{ GPU_AS_PRESENT, BIT(VMALI_AS_COUNT) - 1 },
	{ GPU_CSF_ID, 0x40 },
	/* There is never one that is no fault of an address space. */
	{ GPU_FAULT_STATUS, 0 },
	{ GPU_FAULT_ADDR, 0 },
	{ GPU_FAULT_ADDR + 4, 0 },
	/* Rays. Drivers read it also where the architecture does not have it. */
	{ GPU_FEATURES, 0 },
	{ GPU_FEATURES + 4, 0 },
	{ GPU_TIMESTAMP_OFFSET, 0 },
	{ GPU_TIMESTAMP_OFFSET + 4, 0 },
	{ GPU_THREAD_MAX_THREADS, 2048 },
	{ GPU_THREAD_MAX_WORKGROUP_SIZE, 1024 },
	{ GPU_THREAD_MAX_BARRIER_SIZE, 1024 },
	{ GPU_THREAD_FEATURES, 0x04010000 },
	{ GPU_TEXTURE_FEATURES(0), 0xc1ffff9e },
	{ GPU_TEXTURE_FEATURES(1), 0 },
	{ GPU_TEXTURE_FEATURES(2), 0 },
	{ GPU_TEXTURE_FEATURES(3), 0 },
	{ GPU_REVID, 0 },
	/* ACE lite: User Mode Linux tells the driver that its memory is coherent. */
	{ GPU_COHERENCY_FEATURES, BIT(0) },
};

/* Where the registers of each are, and its number in the device tree. */
static const struct {
	u32 reg;
	unsigned int line;
} irq_blocks[VMALI_IRQS] = {
	[VMALI_IRQ_JOB] = { JOB_IRQ, 0 },
	[VMALI_IRQ_MMU] = { MMU_IRQ, 1 },
	[VMALI_IRQ_GPU] = { GPU_IRQ, 2 },
	[VMALI_IRQ_PWR] = { PWR_IRQ, 2 },
};

static struct vmali *vmali;

void vmali_kick(struct vmali *v)
{
	v->kicked = true;
	wake_up(&v->wait);
}

/*
 * Lines are level-triggered: each change of what they depend on has them looked at
 * again. Delivery is left to a thread, for the driver holds locks now.
 */
static void irq_update(struct vmali *v, struct vmali_irq *irq)
{
	irq->due = irq->rawstat & irq->mask;
	if (irq->due)
		wake_up(&v->wait);
}

void vmali_raise(struct vmali *v, enum vmali_irq_block block, u32 bits)
{
	v->irq[block].rawstat |= bits;
	irq_update(v, &v->irq[block]);
}

void vmali_flush_caches(struct vmali *v)
{
	/* 0 means to the driver that nobody knows. */
	if (!++v->flush_id)
		v->flush_id = 1;
	WRITE_ONCE(*(u32 *)(v->window + CSF_FLUSH_ID), v->flush_id);
}

static void as_fault(void *ctx, unsigned int as)
{
	vmali_raise(ctx, VMALI_IRQ_MMU, BIT(as));
}

static void as_unlocked(void *ctx)
{
	vmali_kick(ctx);
}

void vmali_reset(struct vmali *v)
{
	v->resets++;
	v->hang_resets += v->mcu.stuck;
	vmali_mmu_reset(v->mmu);
	vmali_mcu_reset(v);
	v->power = (struct vmali_power){};
	for (int i = 0; i < VMALI_IRQS; i++)
		v->irq[i].rawstat = 0;
}

static void gpu_command(struct vmali *v, u32 val)
{
	switch (val & GPU_COMMAND_TYPE) {
	case GPU_COMMAND_NOP:
		return;
	case GPU_COMMAND_RESET:
		if (vmali_power_commands(v))
			break;
		vmali_reset(v);
		vmali_raise(v, VMALI_IRQ_GPU, GPU_IRQ_RESET_COMPLETED);
		return;
	case GPU_COMMAND_FLUSH_CACHES:
		vmali_flush_caches(v);
		vmali_raise(v, VMALI_IRQ_GPU, GPU_IRQ_CLEAN_CACHES_COMPLETED);
		return;
	}
	vmali_mmu_complain(v->mmu, "GPU command %#x does not exist", val);
}

static const u32 *constant(u32 reg)
{
	for (int i = 0; i < ARRAY_SIZE(constants); i++)
		if (constants[i].reg == reg)
			return &constants[i].val;
	return NULL;
}

static struct vmali_irq *irq_block(struct vmali *v, u32 reg)
{
	for (int i = 0; i < VMALI_IRQS; i++)
		if ((reg & ~0xf) == irq_blocks[i].reg &&
		    (i != VMALI_IRQ_PWR || vmali_power_commands(v)))
			return &v->irq[i];
	return NULL;
}

static u32 irq_read(struct vmali_irq *irq, u32 reg)
{
	switch (reg & 0xf) {
	case IRQ_RAWSTAT:
		return irq->rawstat;
	case IRQ_MASK:
		return irq->mask;
	case IRQ_STAT:
		return irq->rawstat & irq->mask;
	default:
		return 0;
	}
}

static void irq_write(struct vmali *v, struct vmali_irq *irq, u32 reg, u32 val)
{
	if ((reg & 0xf) == IRQ_CLEAR)
		irq->rawstat &= ~val;
	else if ((reg & 0xf) == IRQ_MASK)
		irq->mask = val;
	irq_update(v, irq);
}

static bool is_as_reg(u32 reg)
{
	return reg >= MMU_AS(0) && reg < MMU_AS(VMALI_AS_COUNT);
}

static u32 read_reg(struct vmali *v, u32 reg)
{
	const u32 *val;
	u32 power;

	if (irq_block(v, reg))
		return irq_read(irq_block(v, reg), reg);
	if (is_as_reg(reg))
		return vmali_mmu_read_reg(v->mmu, (reg - MMU_AS(0)) / 0x40, reg & 0x3f);

	if (vmali_power_read(v, reg, &power))
		return power;

	switch (reg) {
	case GPU_ID:
		return v->gpu->id;
	case MCU_STATUS:
		return v->mcu_status;
	case CSF_FLUSH_ID:
		return v->flush_id;
	case GPU_COHERENCY_PROTOCOL:
		return v->coherency;
	case GPU_TIMESTAMP:
	case GPU_CYCLE_COUNT:
		return lower_32_bits(vmali_timestamp(v));
	case GPU_TIMESTAMP + 4:
	case GPU_CYCLE_COUNT + 4:
		return upper_32_bits(vmali_timestamp(v));
	}
	val = constant(reg);
	if (!val)
		vmali_mmu_complain(v->mmu, "register %#x does not exist, but is read", reg);
	return val ? *val : 0;
}

void vmali_write_reg(struct vmali *v, u32 reg, u32 val)
{
	if (irq_block(v, reg))
		irq_write(v, irq_block(v, reg), reg, val);
	else if (is_as_reg(reg))
		vmali_mmu_write_reg(v->mmu, (reg - MMU_AS(0)) / 0x40, reg & 0x3f, val);
	else if (reg >= CSF_DOORBELL(0) && reg < CSF_DOORBELL(CSF_DOORBELLS))
		vmali_mcu_doorbell(v, (reg - CSF_DOORBELL(0)) / 0x10000);
	else if (reg == GPU_COMMAND)
		gpu_command(v, val);
	else if (reg == MCU_CONTROL)
		vmali_mcu_control(v, val);
	else if (reg == GPU_COHERENCY_PROTOCOL)
		v->coherency = val;
	else if (!vmali_power_write(v, reg, val))
		vmali_mmu_complain(v->mmu, "register %#x does not exist, but %#x is written", reg,
				   val);
}

static unsigned long iomem_read(void *priv, unsigned int offset, int size)
{
	struct vmali *v = priv;
	unsigned long flags;
	u64 val;

	spin_lock_irqsave(&v->lock, flags);
	val = read_reg(v, offset);
	if (size == 8)
		val |= (u64)read_reg(v, offset + 4) << 32;
	spin_unlock_irqrestore(&v->lock, flags);
	return val;
}

static void iomem_write(void *priv, unsigned int offset, int size, unsigned long val)
{
	struct vmali *v = priv;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	vmali_write_reg(v, offset, val);
	if (size == 8)
		vmali_write_reg(v, offset + 4, upper_32_bits(val));
	spin_unlock_irqrestore(&v->lock, flags);
}

static const struct logic_iomem_ops iomem_ops = {
	.read = iomem_read,
	.write = iomem_write,
};

static long iomem_map(unsigned long offset, size_t size, const struct logic_iomem_ops **ops,
		      void **priv)
{
	*ops = &iomem_ops;
	*priv = vmali;
	return offset;
}

static const struct logic_iomem_region_ops region_ops = {
	.map = iomem_map,
};

/* The first block that is due, or -1. */
static int next_irq(struct vmali *v)
{
	int next = -1;

	spin_lock_irq(&v->lock);
	for (int i = 0; i < VMALI_IRQS && next < 0; i++)
		if (v->irq[i].due)
			next = i;
	if (next >= 0)
		v->irq[next].due = false;
	spin_unlock_irq(&v->lock);
	return next;
}

void vmali_deliver(struct vmali *v, enum vmali_irq_block block)
{
	struct vmali_irq *irq = &v->irq[block];

	generic_handle_domain_irq_safe(v->domain, irq_blocks[block].line);

	/* A handler masks or clears it: either has it looked at again. */
	spin_lock_irq(&v->lock);
	if (irq->rawstat & irq->mask && !irq->due)
		vmali_mmu_complain(v->mmu, "nobody takes interrupts %#x of block %#x",
				   irq->rawstat & irq->mask, irq_blocks[block].reg);
	spin_unlock_irq(&v->lock);
}

static int irq_thread(void *data)
{
	struct vmali *v = data;
	int irq;

	while (!kthread_should_stop()) {
		wait_event_interruptible(v->wait,
					 (irq = next_irq(v)) >= 0 || kthread_should_stop());
		if (irq >= 0)
			vmali_deliver(v, irq);
	}
	return 0;
}

static int mcu_thread(void *data)
{
	struct vmali *v = data;
	enum vmali_more more = VMALI_KICKED;
	bool waited;

	while (!kthread_should_stop()) {
		waited = false;
		if (more == VMALI_KICKED)
			wait_event_interruptible(v->wait,
						 READ_ONCE(v->kicked) || kthread_should_stop());
		else if (more == VMALI_SOON)
			waited = !wait_event_interruptible_timeout(v->wait,
								   READ_ONCE(v->kicked) ||
								   kthread_should_stop(),
								   IDLE_JIFFIES);
		else
			cond_resched();

		spin_lock_irq(&v->lock);
		v->kicked = false;
		more = vmali_mcu_work(v, waited);
		spin_unlock_irq(&v->lock);
	}
	return 0;
}

static int irq_map(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	irq_set_chip_and_handler(virq, &dummy_irq_chip, handle_simple_irq);
	return 0;
}

static const struct irq_domain_ops irq_domain_ops = {
	.map = irq_map,
	.xlate = irq_domain_xlate_onecell,
};

/*
 * The window is memory of the kernel, for user space maps the page with the flush
 * ID. It must not be where another I/O region pretends to be: User Mode Linux puts
 * some at addresses that its memory has as well.
 */
static struct page *alloc_window(void)
{
	struct page *page, *other, *next;
	LIST_HEAD(unfit);

	do {
		page = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN,
				   get_order(VMALI_WINDOW_SIZE));
		if (!page || region_intersects(page_to_phys(page), VMALI_WINDOW_SIZE,
					       IORESOURCE_MEM, IORES_DESC_NONE) == REGION_DISJOINT)
			break;
		list_add(&page->lru, &unfit);
	} while (true);

	list_for_each_entry_safe(other, next, &unfit, lru)
		__free_pages(other, get_order(VMALI_WINDOW_SIZE));
	return page;
}

/* The GPU's device, which has no driver yet, is told where the window is. */
static int place_gpu(struct device *dev, const struct resource *res)
{
	struct device_node *np;
	struct platform_device *gpu;
	int ret = 0;

	np = of_find_compatible_node(NULL, NULL, "arm,mali-valhall-csf");
	gpu = np ? of_find_device_by_node(np) : NULL;
	of_node_put(np);
	if (!gpu)
		return dev_err_probe(dev, -ENODEV, "no GPU in the device tree\n");

	if (gpu->dev.driver || !gpu->num_resources) {
		ret = dev_err_probe(dev, -EBUSY, "the GPU cannot be placed\n");
	} else {
		gpu->resource[0].start = res->start;
		gpu->resource[0].end = res->end;
	}
	put_device(&gpu->dev);
	return ret;
}

static const struct vmali_gpu *find_gpu(void)
{
	for (int i = 0; i < ARRAY_SIZE(gpus); i++)
		if (!strcmp(gpus[i].name, gpu_name))
			return &gpus[i];
	return NULL;
}

static int vmali_probe(struct platform_device *pdev)
{
	static struct resource res = { .name = "vmali", .flags = IORESOURCE_MEM };
	const struct vmali_gpu *gpu = find_gpu();
	struct device *dev = &pdev->dev;
	struct task_struct *irq, *mcu;
	struct page *window;
	struct vmali *v;
	int ret;

	if (vmali)
		return -EBUSY;
	if (!gpu)
		return dev_err_probe(dev, -EINVAL,
				     "no GPU is called %s: see vmali_gpus.h\n", gpu_name);

	/* Lives as long as the kernel: I/O regions cannot be removed. */
	v = kzalloc(sizeof(*v), GFP_KERNEL);
	window = alloc_window();
	if (!v || !window) {
		ret = dev_err_probe(dev, -ENOMEM, "no memory that is not under an I/O region\n");
		goto err_free;
	}
	v->gpu = gpu;
	v->window = page_address(window);
	res.start = page_to_phys(window);
	res.end = res.start + VMALI_WINDOW_SIZE - 1;
	ret = place_gpu(dev, &res);
	if (ret)
		goto err_free;

	spin_lock_init(&v->lock);
	init_waitqueue_head(&v->wait);
	vmali_mcu_init(v);
	vmali_flush_caches(v);

	v->mmu = vmali_mmu_create(&(struct vmali_mmu_cfg){
		.name = "gpu", .seed = seed, .fault = as_fault, .unlocked = as_unlocked, .ctx = v,
	});
	if (IS_ERR(v->mmu)) {
		ret = PTR_ERR(v->mmu);
		goto err_free;
	}
	ret = vmali_clk_init(dev);
	if (ret)
		goto err_mmu;
	v->domain = irq_domain_create_linear(dev_fwnode(dev), VMALI_IRQ_LINES, &irq_domain_ops, v);
	irq = kthread_create(irq_thread, v, "vmali-irq");
	mcu = kthread_create(mcu_thread, v, "vmali-mcu");
	if (!v->domain || IS_ERR(irq) || IS_ERR(mcu)) {
		ret = -ENOMEM;
		goto err_threads;
	}
	vmali = v;
	ret = logic_iomem_add_region(&res, &region_ops);
	if (ret)
		goto err_threads;

	sched_set_fifo(irq);
	wake_up_process(irq);
	wake_up_process(mcu);
	vmali_debugfs_init(v);
	dev_info(dev, "software model of a Mali CSF GPU, %s, seed %u\n", v->gpu->name,
		 seed);
	return 0;

err_threads:
	vmali = NULL;
	if (!IS_ERR(mcu))
		kthread_stop(mcu);
	if (!IS_ERR(irq))
		kthread_stop(irq);
	if (v->domain)
		irq_domain_remove(v->domain);
err_mmu:
	vmali_mmu_destroy(v->mmu);
err_free:
	if (window)
		__free_pages(window, get_order(VMALI_WINDOW_SIZE));
	kfree(v);
	return ret;
}

static const struct of_device_id vmali_match[] = {
	{ .compatible = "panthor-vmali" },
	{}
};

static struct platform_driver vmali_driver = {
	.probe = vmali_probe,
	.driver = {
		.name = "vmali",
		.of_match_table = vmali_match,
		.suppress_bind_attrs = true,
	},
};

/* The GPU is probed after this: device links hold it back until its interrupts are there. */
builtin_platform_driver(vmali_driver);
