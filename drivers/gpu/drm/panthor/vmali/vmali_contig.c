// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * Physically contiguous memory for user space, as DMA buffers that the driver can
 * import: without huge pages, blocks of 2 MiB would come about by luck only. Knows
 * nothing of the model.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/iosys-map.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "vmali_uapi.h"

static bool no_contig;
module_param(no_contig, bool, 0444);
MODULE_PARM_DESC(no_contig, "No /dev/vmali, for a driver that does not bear buffers of others");

#define CONTIG_MAX_SIZE		SZ_256M
#define CONTIG_MAX_CHUNK	SZ_4M

static_assert(PAGE_SIZE << MAX_PAGE_ORDER >= CONTIG_MAX_CHUNK);

/**
 * struct contig - Memory behind a DMA buffer
 * @chunks: the first page of each chunk, in the order in which they are in the buffer
 * @count: how many
 * @order: each has PAGE_SIZE << order bytes
 */
struct contig {
	struct page **chunks;
	unsigned int count, order;
};

static struct page *contig_page(struct contig *c, pgoff_t nr)
{
	return c->chunks[nr >> c->order] + (nr & ((1ul << c->order) - 1));
}

static void contig_free(struct contig *c)
{
	for (unsigned int i = 0; i < c->count; i++)
		if (c->chunks[i])
			__free_pages(c->chunks[i], c->order);
	kvfree(c->chunks);
	kfree(c);
}

static struct contig *contig_alloc(const struct vmali_contig *args)
{
	struct contig *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	c->order = get_order(args->chunk);
	c->count = args->size >> ilog2(args->chunk);
	c->chunks = kvcalloc(c->count, sizeof(*c->chunks), GFP_KERNEL_ACCOUNT);
	if (!c->chunks) {
		kfree(c);
		return NULL;
	}
	for (unsigned int i = 0; i < c->count; i++) {
		c->chunks[i] = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_COMP | __GFP_ZERO |
					   __GFP_NOWARN | __GFP_RETRY_MAYFAIL, c->order);
		if (!c->chunks[i]) {
			contig_free(c);
			return NULL;
		}
	}
	return c;
}

/* DMA buffer */

static struct sg_table *contig_map(struct dma_buf_attachment *attachment,
				   enum dma_data_direction dir)
{
	struct contig *c = attachment->dmabuf->priv;
	struct scatterlist *sg;
	struct sg_table *sgt;
	int i, err;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	err = sg_alloc_table(sgt, c->count, GFP_KERNEL);
	if (err)
		goto err_free;
	for_each_sgtable_sg(sgt, sg, i)
		sg_set_page(sg, c->chunks[i], PAGE_SIZE << c->order, 0);
	err = dma_map_sgtable(attachment->dev, sgt, dir, 0);
	if (err)
		goto err_free_table;
	return sgt;

err_free_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(err);
}

static void contig_unmap(struct dma_buf_attachment *attachment, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	dma_unmap_sgtable(attachment->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

/* The caller has checked that the area lies within the buffer. */
static int contig_mmap(struct dma_buf *buf, struct vm_area_struct *vma)
{
	struct contig *c = buf->priv;
	pgoff_t nr = vma->vm_pgoff;
	int err = 0;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	for (unsigned long va = vma->vm_start; va < vma->vm_end && !err; va += PAGE_SIZE)
		err = remap_pfn_range(vma, va, page_to_pfn(contig_page(c, nr++)), PAGE_SIZE,
				      vma->vm_page_prot);
	return err;
}

static int contig_vmap(struct dma_buf *buf, struct iosys_map *map)
{
	pgoff_t count = buf->size >> PAGE_SHIFT;
	struct contig *c = buf->priv;
	struct page **pages;
	void *va;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	for (pgoff_t i = 0; i < count; i++)
		pages[i] = contig_page(c, i);
	va = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!va)
		return -ENOMEM;
	iosys_map_set_vaddr(map, va);
	return 0;
}

static void contig_vunmap(struct dma_buf *buf, struct iosys_map *map)
{
	vunmap(map->vaddr);
}

static void contig_release(struct dma_buf *buf)
{
	contig_free(buf->priv);
}

static const struct dma_buf_ops contig_ops = {
	.map_dma_buf = contig_map,
	.unmap_dma_buf = contig_unmap,
	.mmap = contig_mmap,
	.vmap = contig_vmap,
	.vunmap = contig_vunmap,
	.release = contig_release,
};

/* Device */

static bool contig_args_valid(const struct vmali_contig *args)
{
	return is_power_of_2(args->chunk) && args->chunk >= PAGE_SIZE &&
	       args->chunk <= CONTIG_MAX_CHUNK && args->size &&
	       args->size <= CONTIG_MAX_SIZE && !(args->size & (args->chunk - 1)) &&
	       !args->flags && !args->pad;
}

static struct dma_buf *contig_export(const struct vmali_contig *args)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *buf;
	struct contig *c;

	c = contig_alloc(args);
	if (!c)
		return ERR_PTR(-ENOMEM);
	info.ops = &contig_ops;
	info.size = args->size;
	info.flags = O_RDWR;
	info.priv = c;
	buf = dma_buf_export(&info);
	if (IS_ERR(buf))
		contig_free(c);
	return buf;
}

static long contig_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vmali_contig __user *uargs = (void __user *)arg;
	struct vmali_contig args;
	struct dma_buf *buf;
	int fd;

	if (cmd != VMALI_IOC_CONTIG)
		return -ENOTTY;
	if (copy_from_user(&args, uargs, sizeof(args)))
		return -EFAULT;
	if (!contig_args_valid(&args))
		return -EINVAL;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	buf = contig_export(&args);
	if (IS_ERR(buf)) {
		put_unused_fd(fd);
		return PTR_ERR(buf);
	}
	/* The descriptor becomes visible only when nothing can fail any more. */
	if (put_user(fd, &uargs->fd)) {
		put_unused_fd(fd);
		dma_buf_put(buf);
		return -EFAULT;
	}
	fd_install(fd, buf->file);
	return 0;
}

static const struct file_operations contig_fops = {
	.unlocked_ioctl = contig_ioctl,
};

static struct miscdevice contig_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vmali",
	.fops = &contig_fops,
};

static int __init contig_init(void)
{
	return no_contig ? 0 : misc_register(&contig_device);
}
device_initcall(contig_init);
