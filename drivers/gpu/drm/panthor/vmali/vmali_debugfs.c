// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * What tests ask of the model, in debugfs: its verdict and its state; and what they
 * do to it: hang it, damage page tables, raise interrupts.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "vmali.h"

/* Compares caches and tables first, so the driver must have nothing under way. */
static int check_get(void *data, u64 *val)
{
	struct vmali *v = data;

	*val = vmali_mmu_check(v->mmu);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(check_fops, check_get, NULL, "%llu\n");

static int errors_get(void *data, u64 *val)
{
	struct vmali *v = data;

	*val = vmali_mmu_errors(v->mmu);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(errors_fops, errors_get, NULL, "%llu\n");

static int hang_set(void *data, u64 val)
{
	struct vmali *v = data;

	if (val != 1)
		return -EINVAL;
	spin_lock_irq(&v->lock);
	v->mcu.hung = true;
	spin_unlock_irq(&v->lock);
	return 0;
}

static int hang_get(void *data, u64 *val)
{
	struct vmali *v = data;

	*val = READ_ONCE(v->mcu.hung);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(hang_fops, hang_get, hang_set, "%llu\n");

/* As if these address spaces had a fault that nobody has handled. */
static int raise_set(void *data, u64 val)
{
	struct vmali *v = data;

	if (val >= BIT(VMALI_AS_COUNT))
		return -EINVAL;
	spin_lock_irq(&v->lock);
	vmali_raise(v, VMALI_IRQ_MMU, val);
	spin_unlock_irq(&v->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(raise_fops, NULL, raise_set, "%llu\n");

static int resets_get(void *data, u64 *val)
{
	struct vmali *v = data;

	*val = READ_ONCE(v->resets);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(resets_fops, resets_get, NULL, "%llu\n");

static int hang_resets_get(void *data, u64 *val)
{
	struct vmali *v = data;

	*val = READ_ONCE(v->hang_resets);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(hang_resets_fops, hang_resets_get, NULL, "%llu\n");

static int state_show(struct seq_file *m, void *unused)
{
	struct vmali *v = m->private;

	spin_lock_irq(&v->lock);
	seq_printf(m, "resets: %llu, flush ID: %u\n", v->resets, v->flush_id);
	vmali_mcu_show(v, m);
	spin_unlock_irq(&v->lock);
	vmali_mmu_show(v->mmu, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int accesses_show(struct seq_file *m, void *unused)
{
	struct vmali *v = m->private;

	vmali_mmu_show_accesses(v->mmu, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(accesses);

static ssize_t inject_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	/* There is one injection at a time. */
	static DEFINE_MUTEX(lock);
	struct vmali *v = file_inode(file)->i_private;
	char cmd[80];
	int ret;

	if (size >= sizeof(cmd))
		return -EINVAL;
	if (copy_from_user(cmd, buf, size))
		return -EFAULT;
	cmd[size] = 0;
	mutex_lock(&lock);
	ret = vmali_mmu_inject(v->mmu, strim(cmd));
	mutex_unlock(&lock);
	return ret ?: size;
}

static const struct file_operations inject_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = inject_write,
};

void vmali_debugfs_init(struct vmali *v)
{
	struct dentry *dir = debugfs_create_dir("vmali", NULL);

	debugfs_create_file("accesses", 0400, dir, v, &accesses_fops);
	debugfs_create_file("check", 0400, dir, v, &check_fops);
	debugfs_create_file("errors", 0400, dir, v, &errors_fops);
	debugfs_create_file("hang", 0600, dir, v, &hang_fops);
	debugfs_create_file("hang_resets", 0400, dir, v, &hang_resets_fops);
	debugfs_create_file("inject", 0200, dir, v, &inject_fops);
	debugfs_create_file("raise", 0200, dir, v, &raise_fops);
	debugfs_create_file("resets", 0400, dir, v, &resets_fops);
	debugfs_create_file("state", 0400, dir, v, &state_fops);
}
