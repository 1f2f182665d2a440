/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/dev_printk.h and linux/device.h: a device, and messages about
 * it.
 */
#ifndef __SHIM_LINUX_DEV_PRINTK_H__
#define __SHIM_LINUX_DEV_PRINTK_H__

#include <linux/kernel.h>

struct device {
	int node;

	/* The device sees memory at other addresses than the CPU. */
	bool dma_offset;
};

static inline int dev_to_node(struct device *dev)
{
	return dev->node;
}

#define dev_err_once(dev, ...)	((void)(dev), shim_message(__VA_ARGS__))

/* Counts each time here: a test wants to know each of them. */
#define dev_WARN_ONCE(dev, cond, ...)	((void)(dev), WARN(cond, __VA_ARGS__))

#endif
