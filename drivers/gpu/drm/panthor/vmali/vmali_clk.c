// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The clock of the model, at any rate that is asked for, so that the driver can change
 * between operating points. Nothing gets faster or slower by that.
 */
#include <linux/clk-provider.h>
#include <linux/device.h>
#include <linux/types.h>

#include "vmali.h"

/* That of the fastest operating point. */
#define BOOT_RATE	1000000000

static unsigned long rate = BOOT_RATE;

static unsigned long recalc_rate(struct clk_hw *hw, unsigned long parent_rate)
{
	return rate;
}

static int determine_rate(struct clk_hw *hw, struct clk_rate_request *req)
{
	return 0;
}

static int set_rate(struct clk_hw *hw, unsigned long new_rate, unsigned long parent_rate)
{
	rate = new_rate;
	return 0;
}

static const struct clk_ops ops = {
	.recalc_rate = recalc_rate,
	.determine_rate = determine_rate,
	.set_rate = set_rate,
};

int vmali_clk_init(struct device *dev)
{
	static struct clk_hw hw;
	int ret;

	hw.init = &(const struct clk_init_data){ .name = "vmali", .ops = &ops };
	ret = devm_clk_hw_register(dev, &hw);
	return ret ?: devm_of_clk_add_hw_provider(dev, of_clk_hw_simple_get, &hw);
}
