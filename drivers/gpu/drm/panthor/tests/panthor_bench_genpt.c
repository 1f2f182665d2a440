// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The benchmark's variant "generic_pt": the kernel's generic page tables in the
 * format of x86-64, which has the same shape, four levels of 512.
 */

#include <linux/generic_pt/iommu.h>
#include <linux/mmzone.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include <iommu-pages.h>

#include "panthor_bench.h"

#define LEVELS	4

struct genpt {
	struct bench_vm base;

	/* But for the root. */
	unsigned long tables;

	union {
		struct iommu_domain domain;
		struct pt_iommu_x86_64 pt;
	};
};

PT_IOMMU_CHECK_DOMAIN(struct genpt, pt.iommu, domain);

static struct genpt *to_genpt(struct bench_vm *vm)
{
	return container_of(vm, struct genpt, base);
}

static void genpt_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	iommu_put_pages_list(&gather->freelist);
}

static const struct iommu_domain_ops domain_ops = {
	IOMMU_PT_DOMAIN_OPS(x86_64),
	.iotlb_sync = genpt_sync,
};

static struct bench_vm *genpt_create(struct device *dev, bool coherent,
				     const struct bench_case *c)
{
	struct pt_iommu_x86_64_cfg cfg = {
		.common = {
			.features = BIT(PT_FEAT_SIGN_EXTEND) | BIT(PT_FEAT_FLUSH_RANGE) |
				    (coherent ? 0 : BIT(PT_FEAT_DMA_INCOHERENT)),
			.hw_max_vasz_lg2 = BENCH_VA_BITS,
			.hw_max_oasz_lg2 = BENCH_PA_BITS,
		},
		.top_level = LEVELS - 1,
	};
	struct genpt *genpt = kzalloc(sizeof(*genpt), GFP_KERNEL);

	if (!genpt)
		return NULL;

	genpt->domain.ops = &domain_ops;
	genpt->pt.iommu.nid = NUMA_NO_NODE;
	genpt->pt.iommu.iommu_device = dev;
	if (pt_iommu_x86_64_init(&genpt->pt, &cfg, GFP_KERNEL)) {
		kfree(genpt);
		return NULL;
	}

	return &genpt->base;
}

static void genpt_destroy(struct bench_vm *vm)
{
	struct genpt *genpt = to_genpt(vm);

	pt_iommu_deinit(&genpt->pt.iommu);
	kfree(genpt);
}

static int map_sgt(struct pt_iommu *pt, u64 iova, const struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;
	int err;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		size_t mapped = 0;

		err = pt->ops->map_range(pt, iova, sg_dma_address(sg), sg_dma_len(sg),
					 BENCH_PROT, GFP_KERNEL, &mapped);
		if (err)
			return err;
		iova += mapped;
	}
	return 0;
}

static int map_repeat(struct pt_iommu *pt, const struct bench_op *op)
{
	int err = 0;

	for (u64 done = 0; done < op->size && !err; done += SZ_2M)
		err = map_sgt(pt, op->iova + done, &op->sgt);
	return err;
}

/* Of everybody, but only one variant works at a time. */
static unsigned long all_tables(void)
{
	return global_node_page_state(NR_SECONDARY_PAGETABLE);
}

static int genpt_map(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct genpt *genpt = to_genpt(vm);
	unsigned long before = all_tables();
	int err = 0;

	for (unsigned int i = 0; i < n && !err; i++) {
		if (ops[i].c->layout == BENCH_REPEAT)
			err = map_repeat(&genpt->pt.iommu, &ops[i]);
		else
			err = map_sgt(&genpt->pt.iommu, ops[i].iova, &ops[i].sgt);
	}
	genpt->tables += all_tables() - before;
	return err;
}

static int genpt_unmap(struct bench_vm *vm, const struct bench_op *ops, unsigned int n)
{
	struct genpt *genpt = to_genpt(vm);
	struct pt_iommu *pt = &genpt->pt.iommu;
	unsigned long before = all_tables();
	int err = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct iommu_iotlb_gather gather;

		iommu_iotlb_gather_init(&gather);
		if (pt->ops->unmap_range(pt, ops[i].iova, ops[i].size, &gather) != ops[i].size)
			err = -EINVAL;
		genpt_sync(&genpt->domain, &gather);
	}
	genpt->tables += all_tables() - before;
	return err;
}

static u64 genpt_lookup(struct bench_vm *vm, u64 iova)
{
	phys_addr_t paddr = pt_iommu_x86_64_iova_to_phys(&to_genpt(vm)->domain, iova);

	/* No buffer is at address 0, which is a hole as well. */
	return paddr ?: BENCH_HOLE;
}

static unsigned long genpt_tables(struct bench_vm *vm)
{
	return to_genpt(vm)->tables + 1;
}

const struct bench_ops bench_genpt = {
	.name = "generic_pt",
	.create = genpt_create,
	.destroy = genpt_destroy,
	.map = genpt_map,
	.unmap = genpt_unmap,
	.lookup = genpt_lookup,
	.tables = genpt_tables,
};
