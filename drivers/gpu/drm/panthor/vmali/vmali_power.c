// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Power of the model: which cores are on, and who may change that. Up to architecture
 * 13, the driver turns them on and off in rows of registers. Since 14, it sends commands,
 * and leaves shader cores and tiler to the microcontroller. Power changes at once.
 */
#include <linux/bitfield.h>
#include <linux/wordpart.h>

#include "vmali.h"

static const u64 present[VMALI_CORES] = {
	[VMALI_SHADER] = 0x50005, [VMALI_TILER] = 0x1, [VMALI_L2] = 0x1,
};

/* Since architecture 14: numbers in commands and PWR_STATUS, and registers. */
static const struct {
	unsigned int nr;
	u32 regs;
} domain[VMALI_CORES] = {
	[VMALI_SHADER] = { PWR_DOMAIN_SHADER, PWR_SHADER },
	[VMALI_TILER] = { PWR_DOMAIN_TILER, PWR_TILER },
	[VMALI_L2] = { PWR_DOMAIN_L2, PWR_L2 },
};

static u32 half(u32 reg, u64 val)
{
	return reg & 4 ? upper_32_bits(val) : lower_32_bits(val);
}

static u64 whole(u32 reg, u32 val)
{
	return reg & 4 ? (u64)val << 32 : val;
}

static void set_ready(struct vmali *v, unsigned int cores, u64 ready)
{
	v->power.ready[cores] = ready;
	if (cores == VMALI_L2 && !ready)
		vmali_mmu_power_off(v->mmu);
}

/* Rows of registers */

/* The kind of cores that @reg is about, or VMALI_CORES. */
static unsigned int cores_of_row(u32 reg)
{
	if (reg < GPU_PRESENT || reg >= GPU_REVID || reg & 8)
		return VMALI_CORES;
	return min_t(unsigned int, (reg & 0x3f) / 0x10, VMALI_CORES);
}

static bool read_row(struct vmali *v, u32 reg, u32 *val)
{
	unsigned int cores = cores_of_row(reg);

	if (cores == VMALI_CORES)
		return false;
	switch (reg & ~0x3f) {
	case GPU_PRESENT:
		*val = half(reg, present[cores]);
		return true;
	case GPU_READY:
		*val = half(reg, v->power.ready[cores]);
		return true;
	case GPU_PWRTRANS:
	case GPU_PWRACTIVE:
		*val = 0;
		return true;
	}
	return false;
}

static bool write_row(struct vmali *v, u32 reg, u32 val)
{
	unsigned int cores = cores_of_row(reg);

	if (cores == VMALI_CORES)
		return false;
	switch (reg & ~0x3f) {
	case GPU_PWRON:
		set_ready(v, cores, v->power.ready[cores] | (whole(reg, val) & present[cores]));
		break;
	case GPU_PWROFF:
		if (cores == VMALI_L2 && v->mcu.booted)
			vmali_mmu_complain(v->mmu, "the L2 cache goes off while the firmware runs");
		set_ready(v, cores, v->power.ready[cores] & ~whole(reg, val));
		break;
	default:
		return false;
	}
	vmali_raise(v, VMALI_IRQ_GPU, GPU_IRQ_POWER_CHANGED | GPU_IRQ_POWER_CHANGED_ALL);
	return true;
}

/* Commands */

static void change(struct vmali *v, unsigned int cores, u64 ready)
{
	set_ready(v, cores, ready);
	vmali_raise(v, VMALI_IRQ_PWR, PWR_IRQ_POWER_CHANGED | PWR_IRQ_POWER_CHANGED_ALL);
}

void vmali_power_mcu(struct vmali *v, bool up)
{
	struct vmali_power *p = &v->power;

	if (up && !p->ready[VMALI_L2])
		vmali_mmu_complain(v->mmu, "the firmware runs without the L2 cache");
	if (!vmali_power_commands(v))
		return;
	for (int i = 0; i < VMALI_L2; i++) {
		if (p->delegated & BIT(i))
			change(v, i, up ? present[i] : 0);
		else if (up && !p->ready[i])
			vmali_mmu_complain(v->mmu, "the firmware has no power over domain %u",
					   domain[i].nr);
	}
}

/*
 * The L2 cache is the driver's, is on while other cores are, and while the firmware runs.
 * What is delegated is the firmware's until it stops.
 */
static bool allowed(struct vmali *v, unsigned int type, unsigned int cores)
{
	struct vmali_power *p = &v->power;
	bool delegated = p->delegated & BIT(cores);

	switch (type) {
	case PWR_COMMAND_POWER_UP:
		return !delegated && (cores == VMALI_L2 || p->ready[VMALI_L2]);
	case PWR_COMMAND_POWER_DOWN:
		return !delegated && (cores != VMALI_L2 ||
				      (!p->ready[VMALI_SHADER] && !p->ready[VMALI_TILER] &&
				       !v->mcu.booted));
	case PWR_COMMAND_DELEGATE:
		return !delegated && cores != VMALI_L2;
	case PWR_COMMAND_RETRACT:
		return delegated && !v->mcu.booted;
	}
	/* PWR_COMMAND_INSPECT and PWR_COMMAND_RESET_FAST, which this GPU does not allow. */
	return false;
}

static bool exists(u32 val)
{
	switch (FIELD_GET(PWR_COMMAND_TYPE, val)) {
	case PWR_COMMAND_POWER_UP:
	case PWR_COMMAND_POWER_DOWN:
	case PWR_COMMAND_DELEGATE:
	case PWR_COMMAND_RETRACT:
	case PWR_COMMAND_INSPECT:
		/* There is a subdomain only where there is a unit for rays. */
		return !(val & ~(PWR_COMMAND_TYPE | PWR_COMMAND_DOMAIN));
	case PWR_COMMAND_RESET_SOFT:
	case PWR_COMMAND_RESET_FAST:
		return !(val & ~PWR_COMMAND_TYPE);
	}
	return false;
}

static void execute(struct vmali *v, u32 val)
{
	unsigned int type = FIELD_GET(PWR_COMMAND_TYPE, val), cores = 0;
	struct vmali_power *p = &v->power;

	while (cores < VMALI_CORES && domain[cores].nr != FIELD_GET(PWR_COMMAND_DOMAIN, val))
		cores++;
	if (cores == VMALI_CORES || !exists(val)) {
		vmali_mmu_complain(v->mmu, "power command %#x does not exist", val);
		vmali_raise(v, VMALI_IRQ_PWR, PWR_IRQ_COMMAND_INVALID);
		return;
	}
	if (type == PWR_COMMAND_RESET_SOFT) {
		vmali_reset(v);
		vmali_raise(v, VMALI_IRQ_PWR, PWR_IRQ_RESET_COMPLETED);
		return;
	}
	if (!allowed(v, type, cores)) {
		vmali_mmu_complain(v->mmu, "power command %#x is not allowed now", val);
		vmali_raise(v, VMALI_IRQ_PWR, PWR_IRQ_COMMAND_NOT_ALLOWED);
		return;
	}

	switch (type) {
	case PWR_COMMAND_POWER_UP:
		change(v, cores, p->ready[cores] | (p->arg & present[cores]));
		break;
	case PWR_COMMAND_POWER_DOWN:
		change(v, cores, p->ready[cores] & ~p->arg);
		break;
	case PWR_COMMAND_DELEGATE:
		p->delegated |= BIT(cores);
		vmali_raise(v, VMALI_IRQ_PWR, PWR_IRQ_DELEGATION_CHANGED);
		if (v->mcu.booted)
			change(v, cores, present[cores]);
		break;
	case PWR_COMMAND_RETRACT:
		p->delegated &= ~BIT(cores);
		vmali_raise(v, VMALI_IRQ_PWR, PWR_IRQ_DELEGATION_CHANGED |
			    PWR_IRQ_RETRACT_COMPLETED);
		break;
	}
}

static u64 status(struct vmali *v)
{
	u64 val = PWR_STATUS_ALLOW_SOFT_RESET;

	for (int i = 0; i < VMALI_CORES; i++)
		val |= v->power.delegated & BIT(i) ? PWR_STATUS_DELEGATED(domain[i].nr) :
						     PWR_STATUS_ALLOWED(domain[i].nr);
	return val;
}

static bool read_block(struct vmali *v, u32 reg, u32 *val)
{
	if ((reg & ~4) == PWR_STATUS) {
		*val = half(reg, status(v));
		return true;
	}
	for (int i = 0; i < VMALI_CORES; i++) {
		switch ((reg & ~4) - domain[i].regs) {
		case PWR_PRESENT:
			*val = half(reg, present[i]);
			return true;
		case PWR_READY:
			*val = half(reg, v->power.ready[i]);
			return true;
		case PWR_PWRTRANS:
		case PWR_PWRACTIVE:
			*val = 0;
			return true;
		}
	}
	return false;
}

static bool write_block(struct vmali *v, u32 reg, u32 val)
{
	struct vmali_power *p = &v->power;

	if (reg == PWR_COMMAND)
		execute(v, val);
	else if ((reg & ~4) == PWR_CMDARG)
		p->arg = (p->arg & ~whole(reg, U32_MAX)) | whole(reg, val);
	else
		return false;
	return true;
}

/* Called by registers */

bool vmali_power_read(struct vmali *v, u32 reg, u32 *val)
{
	return vmali_power_commands(v) ? read_block(v, reg, val) : read_row(v, reg, val);
}

bool vmali_power_write(struct vmali *v, u32 reg, u32 val)
{
	return vmali_power_commands(v) ? write_block(v, reg, val) : write_row(v, reg, val);
}
