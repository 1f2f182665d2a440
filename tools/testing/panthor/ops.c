// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The interpreter: turns bytes into operations on one page table and checks
 * each. The same bytes do the same, so a fuzzer can feed it, and records can be
 * left out to shorten a failing sequence.
 */

#include <linux/iommu.h>
#include <string.h>

#include "ops.h"
#include "vm.h"

#define NR_JOBS		8

/* More leaves than this make the checks slow. */
#define MAX_LEAVES	4096

/* One operation. All values of all fields have a meaning. */
struct record {
	u8 kind;
	u8 anchor;
	u8 where;
	u8 extent;
	s16 offset;
	u16 count;
	u8 source;
	u8 flags;
	u8 prot;
	u8 job;
	u32 random;
};

static_assert(sizeof(struct record) == OPS_RECORD_SIZE);

enum flags {
	/* Run without the reservation. */
	FLAG_NO_TABLES = 0x01,

	/* The flush fails: the next one that works has to do. */
	FLAG_NO_FLUSH = 0x02,

	/* Unmap what is in the way of a map first. */
	FLAG_REPLACE = 0x0c,
};

/* A VM_BIND job: a map, with or without an unmap before, or an unmap. */
struct job {
	bool used;
	bool maps;
	bool unmaps;
	u64 iova;
	u64 size;
	struct map_args map;
	struct vm_rsv rsv;
};

struct run {
	struct vm vm;
	struct job jobs[NR_JOBS];
};

static u64 choose_iova(const struct run *run, const struct record *r)
{
	u64 space = 1ull << run->vm.cfg.va_bits;
	u64 anchors[] = {
		0, space, space / 2, SZ_1G, 3ull * SZ_2M, 512ull * SZ_1G, 2ull * SZ_1G, space / 4,
	};
	u64 iova = anchors[r->anchor % ARRAY_SIZE(anchors)];
	s64 n = r->offset;

	switch (r->where % 8) {
	case 0:
	case 1:
	case 2:
		iova += n % 1100 * SZ_4K;
		break;
	case 3:
		iova += n % 32 * SZ_4K;
		break;
	case 4:
	case 5:
		iova += n % 6 * (s64)SZ_2M;
		break;
	case 6:
		iova += n % 3 * (s64)SZ_1G;
		break;
	case 7:
		iova += n % 3 * (s64)SZ_1G + n % 7 * (s64)SZ_4K;
		break;
	}
	return iova & (space - 1);
}

static u64 choose_size(const struct run *run, const struct record *r, u64 iova)
{
	u64 left = (1ull << run->vm.cfg.va_bits) - iova, size;
	u64 n = r->count;

	switch (r->extent % 12) {
	default:
		size = (1 + n % 24) * SZ_4K;
		break;
	case 3:
		size = SZ_4K;
		break;
	case 4:
		size = (500 + n % 24) * SZ_4K;
		break;
	case 5:
	case 6:
		size = (1 + n % 4) * SZ_2M;
		break;
	case 7:
		size = (1 + n % 4) * SZ_2M + (1 + n % 3) * SZ_4K;
		break;
	case 8:
		size = (1 + n % 2) * SZ_1G;
		break;
	case 9:
		size = SZ_1G + n % 5 * SZ_2M + n % 3 * SZ_4K;
		break;
	case 10:
		size = (1 + n % 1100) * SZ_4K;
		break;
	case 11:
		/* Up to the next boundary. */
		size = n & 1 ? ENTRY_BYTES(2) - iova % ENTRY_BYTES(2) :
			       ENTRY_BYTES(1) - iova % ENTRY_BYTES(1);
		break;
	}
	return min(size, left);
}

/* A physical address for @size bytes at @iova, outside of the arena of tables. */
static u64 choose_paddr(const struct run *run, const struct record *r, u32 random, u64 iova,
			u64 size)
{
	u64 top = 1ull << run->vm.cfg.pa_bits, paddr;

	paddr = (random * 0x9e3779b97f4a7c15ull) % top;
	switch (r->source % 4) {
	case 0:
	case 1:
		paddr = ALIGN_DOWN(paddr, SZ_1G) + iova % SZ_1G;
		break;
	case 2:
		paddr = ALIGN_DOWN(paddr, SZ_2M) + iova % SZ_2M;
		break;
	case 3:
		paddr = ALIGN_DOWN(paddr, SZ_4K);
		break;
	}

	/* Up to the last byte there is. */
	if (paddr > top - size)
		paddr = top - size;

	if (paddr < shim.arena + SHIM_ARENA_SIZE && shim.arena < paddr + size)
		paddr = iova % SZ_1G;
	return paddr;
}

static u64 choose_period(const struct record *r)
{
	static const u64 periods[] = { SZ_2M, SZ_4K, SZ_64K, 2 * SZ_2M, SZ_2M / 2, SZ_1G };

	return periods[r->random % ARRAY_SIZE(periods)];
}

/* Entries of all kinds: in line with the iova, in line with the last one, empty. */
static void choose_sgt(const struct run *run, const struct record *r, struct map_args *map)
{
	u64 state = r->random | 1ull << 40, bytes = 0, next = 0;
	struct scatterlist *sg;
	unsigned int n;

	map->offset = r->random % 4 ? 0 : r->random % 700 * SZ_4K;
	for (n = 0; n < MAP_MAX_SG && bytes < map->offset + map->size; n++) {
		u64 random = test_random(&state) >> 8;
		u64 len = map->offset + map->size - bytes;

		switch (random % 8) {
		case 0:
			len = 0;
			break;
		case 1:
			len = min(len, 512ull * SZ_4K);
			break;
		case 2:
			len = min(len, (u64)SZ_1G);
			break;
		case 3:
			/* More than is asked for. */
			len = min(len + SZ_64K, (u64)SZ_1G);
			break;
		default:
			len = min(len, (1 + (random >> 8) % 300) * SZ_4K);
			break;
		}
		if (n == MAP_MAX_SG - 1)
			len = min(map->offset + map->size - bytes, (u64)SZ_1G);

		sg = &map->sg[n];
		if (n && (random >> 3) % 2 && next + len <= 1ull << run->vm.cfg.pa_bits)
			sg->dma_address = next;
		else
			sg->dma_address = choose_paddr(run, r, random >> 16,
						       map->iova + bytes - map->offset,
						       len + SZ_4K);
		sg->dma_length = len;
		next = sg->dma_address + len;
		bytes += len;
	}

	/* What entries there are must do. */
	if (bytes < map->offset + map->size) {
		map->offset = 0;
		map->size = min(bytes, map->size);
	}
	sg_mark_end(&map->sg[n - 1]);
	map->sgt = (struct sg_table){ .sgl = map->sg, .nents = n, .orig_nents = n };
}

static bool sgt_touches_arena(const struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (sg_dma_address(sg) < shim.arena + SHIM_ARENA_SIZE &&
		    shim.arena < sg_dma_address(sg) + sg_dma_len(sg))
			return true;
	}
	return false;
}

static void choose_range(const struct run *run, const struct record *r, u64 *iova, u64 *size)
{
	*iova = choose_iova(run, r);
	*size = choose_size(run, r, *iova);
}

static void choose_map(const struct run *run, const struct record *r, struct map_args *map)
{
	static const u8 access[] = { IOMMU_READ | IOMMU_WRITE, IOMMU_READ, IOMMU_WRITE };
	u64 blocks = run->vm.cfg.pgsizes & ~(u64)SZ_4K, limit;

	*map = (struct map_args){};
	map->prot = access[r->prot % 3] | (r->prot & 0x40 ? IOMMU_CACHE : 0) |
		    (r->prot & 0x80 ? IOMMU_NOEXEC : 0);
	choose_range(run, r, &map->iova, &map->size);

	switch (r->source / 4 % 8) {
	case 0:
	case 1:
	case 2:
		map->kind = MAP_SGT;
		break;
	case 3:
		map->kind = MAP_REPEAT;
		map->period = choose_period(r);
		break;
	default:
		map->kind = MAP_RANGE;
		break;
	}

	/* Not more leaves than one can watch. */
	limit = 3ull * SZ_2M;
	if (blocks && r->source % 4 < 3)
		limit = 3ull * SZ_1G;
	if (map->kind == MAP_SGT)
		limit = 8ull * SZ_2M;
	if (map->kind == MAP_REPEAT && map->period < SZ_2M)
		limit = 3ull * SZ_2M;
	map->size = min(map->size, limit);

	switch (map->kind) {
	case MAP_RANGE:
		map->paddr = choose_paddr(run, r, r->random, map->iova, map->size);
		break;
	case MAP_REPEAT:
		map->paddr = choose_paddr(run, r, r->random, 0, map->period);
		break;
	case MAP_SGT:
		choose_sgt(run, r, map);
		if (!sgt_touches_arena(&map->sgt) && map->size)
			break;
		map->kind = MAP_RANGE;
		map->size = max_t(u64, map->size, SZ_4K);
		map->paddr = choose_paddr(run, r, r->random, map->iova, map->size);
		break;
	}
}

static void log_map(const char *what, const struct map_args *map)
{
	struct scatterlist *sg;
	unsigned int i;

	switch (map->kind) {
	case MAP_RANGE:
		test_log("%s iova %#llx size %#llx paddr %#llx prot %#x", what, map->iova,
			 map->size, map->paddr, map->prot);
		break;
	case MAP_REPEAT:
		test_log("%s_repeat iova %#llx size %#llx paddr %#llx period %#llx prot %#x", what,
			 map->iova, map->size, map->paddr, map->period, map->prot);
		break;
	case MAP_SGT:
		test_log("%s_sgt iova %#llx size %#llx offset %#llx prot %#x, %u entries:", what,
			 map->iova, map->size, map->offset, map->prot, map->sgt.nents);
		for_each_sgtable_dma_sg(&map->sgt, sg, i) {
			if (i < 8)
				test_log("    sg %#llx + %#x", sg_dma_address(sg), sg_dma_len(sg));
		}
		break;
	}
}

/* The ioctl: decide, and reserve. */
static int prepare(struct run *run, struct job *job, const struct record *r, bool maps)
{
	int err;

	*job = (struct job){ .used = true, .maps = maps, .unmaps = !maps };
	if (maps) {
		choose_map(run, r, &job->map);
		job->iova = job->map.iova;
		job->size = job->map.size;
		job->unmaps = r->flags & FLAG_REPLACE;
		log_map("reserve_map", &job->map);
		err = vm_reserve_map(&run->vm, &job->rsv, &job->map);
	} else {
		choose_range(run, r, &job->iova, &job->size);
		test_log("reserve_unmap iova %#llx size %#llx", job->iova, job->size);
		err = vm_reserve_unmap(&run->vm, &job->rsv, job->iova, job->size);
	}
	job->used = !err;
	return err;
}

/* The signalling section, and the cleanup after it. */
static void execute(struct run *run, struct job *job, const struct record *r)
{
	struct vm *vm = &run->vm;
	int err = 0;

	/* The list moved with the job. */
	job->map.sgt.sgl = job->map.sg;

	vm->may_lack_tables = (r->flags & FLAG_NO_TABLES) && r->job % 4 == 0;
	if (vm->may_lack_tables || shim.broken == SHIM_BREAK_RESERVATION) {
		test_log("unreserve");
		vm_unreserve(vm, &job->rsv);
	}

	if (job->unmaps) {
		test_log("unmap iova %#llx size %#llx, %u slots reserved", job->iova, job->size,
			 job->rsv.rsv.count);
		err = vm_unmap(vm, &job->rsv, job->iova, job->size);
	}
	if (!err && job->maps) {
		log_map("map", &job->map);
		vm_map(vm, &job->rsv, &job->map);
	}
	vm->may_lack_tables = false;

	if (!(r->flags & FLAG_NO_FLUSH) || r->job % 4 != 1) {
		test_log("flush");
		vm_flush(vm, job->iova, job->size);
	}
	vm_unreserve(vm, &job->rsv);
	job->used = false;
}

static void unmap_now(struct run *run, u64 iova, u64 size)
{
	struct vm_rsv rsv = {};
	struct vm *vm = &run->vm;

	test_log("reserve, unmap and flush iova %#llx size %#llx", iova, size);
	vm_reserve_unmap(vm, &rsv, iova, size);
	vm_unmap(vm, rsv.rsv.count ? &rsv : NULL, iova, size);
	vm_flush(vm, iova, size);
	vm_unreserve(vm, &rsv);
}

/* A large reservation that fails somewhere, or one that the pool has to trim after. */
static void refuse(struct run *run, const struct record *r)
{
	struct vm_rsv rsv = {};
	struct vm *vm = &run->vm;
	struct map_args map = { .kind = MAP_RANGE, .prot = IOMMU_READ };
	u64 space = 1ull << vm->cfg.va_bits;

	map.iova = choose_iova(run, r);
	map.size = min(space - map.iova, r->count % 4 ? (r->count % 64 + 1) * SZ_2M : 4ull * SZ_1G);
	map.paddr = SZ_4K;
	if (map.size + map.paddr > 1ull << vm->cfg.pa_bits)
		map.size = SZ_2M;
	shim.refuse_nth = r->random % 3 ? 1 + r->random % 200 : 0;
	test_log("reserve_map iova %#llx size %#llx, request %lu refused, and unreserve", map.iova,
		 map.size, shim.refuse_nth);
	vm_reserve_map(vm, &rsv, &map);
	shim.refuse_nth = 0;
	vm_unreserve(vm, &rsv);
}

/* One argument is wrong: an error, and nothing happens. */
static void misuse(struct run *run, const struct record *r)
{
	struct vm *vm = &run->vm;
	struct vm_rsv rsv = {};
	u64 space = 1ull << vm->cfg.va_bits, top = 1ull << vm->cfg.pa_bits;
	u64 first, size;
	struct map_args map, wrong;
	bool both = true;
	int expect = -EINVAL, err;
	s64 ret;

	choose_map(run, r, &map);
	wrong = map;
	wrong.sgt.sgl = wrong.sg;
	switch (r->count % 10) {
	case 0:
		wrong.iova += 1 + r->random % (SZ_4K - 1);
		break;
	case 1:
		wrong.size += 1 + r->random % (SZ_4K - 1);
		break;
	case 2:
		wrong.size = 0;
		break;
	case 3:
		wrong.prot = r->random & 1 ? IOMMU_CACHE : wrong.prot | IOMMU_PRIV;
		both = false;
		break;
	case 4:
		/* The last byte is one page too far. */
		wrong.iova = space + SZ_4K - wrong.size;
		expect = -ERANGE;
		break;
	case 5:
		wrong.iova = r->random & 1 ? space : -(u64)SZ_4K;
		expect = -ERANGE;
		break;
	case 6:
		if (wrong.kind == MAP_SGT)
			wrong.offset += 1 + r->random % (SZ_4K - 1);
		else
			wrong.paddr += 1 + r->random % (SZ_4K - 1);
		break;
	case 7:
		wrong.kind = MAP_RANGE;
		wrong.paddr = r->random & 1 ? top + SZ_4K - wrong.size : -(u64)SZ_4K;
		if (wrong.size == SZ_4K && !(r->random & 1))
			wrong.paddr = top;
		expect = -ERANGE;
		break;
	case 8:
		wrong.kind = MAP_REPEAT;
		wrong.period = r->random & 1 ? 3 * SZ_4K : r->random & 2 ? SZ_4K / 2 : 0;
		wrong.paddr = 0;
		break;
	case 9:
		/* The list is one page too short. */
		if (wrong.kind != MAP_SGT)
			return;
		wrong.sg[0].dma_length = wrong.offset + wrong.size - SZ_4K;
		wrong.sg[0].dma_address = 0;
		sg_mark_end(&wrong.sg[0]);
		wrong.sgt.nents = 1;
		both = false;

		/* An entry is in the way before the end of the list is found. */
		if (model_overlaps(&vm->model, wrong.iova, wrong.size))
			return;
		err = vm_call_reserve(vm, &rsv, &wrong);
		check(err == -EINVAL, "API", "reserve_map_sgt() of a short list returned %d", err);
		break;
	}

	log_map("wrong map", &wrong);
	if (both) {
		err = vm_call_reserve(vm, &rsv, &wrong);
		check(err == expect && !rsv.rsv.count && !rsv.rsv.room, "API",
		      "reserve of a wrong map returned %d; expected %d", err, expect);
	}

	/* The map must not fail for want of tables: hold what single pages take. */
	map.kind = MAP_REPEAT;
	map.paddr = 0;
	map.period = SZ_4K;
	map.size = min(map.size, 8ull * SZ_2M);
	vm_reserve_map(vm, &rsv, &map);
	device_expect_change(wrong.iova, wrong.size);
	err = vm_call_map(vm, &rsv, &wrong);
	device_expect_change(0, 0);
	check(err == expect, "API", "wrong map returned %d; expected %d", err, expect);
	device_check_unchanged();

	first = wrong.iova;
	size = wrong.size;
	if (r->count % 10 < 6 && r->count % 10 != 3) {
		ret = panthor_pgtable_unmap(vm->pt, NULL, first, size);
		check(ret == expect, "API", "wrong unmap returned %lld; expected %d", ret, expect);
		err = panthor_pgtable_reserve_unmap(vm->pt, &rsv.rsv, first, size);
		check(err == expect, "API", "wrong reserve_unmap returned %d", err);
		panthor_pgtable_expand(vm->pt, &first, &size);
		check(first == wrong.iova && size == wrong.size, "API", "wrong expand");
		device_check_unchanged();
	}
	vm_check(vm);
	vm_lookup(vm, wrong.iova);
	vm_unreserve(vm, &rsv);
	vm_flush(vm, map.iova, map.size);
}

static void look_up(struct run *run, const struct record *r)
{
	u64 iova = choose_iova(run, r);

	test_log("look up %#llx and others", iova);
	vm_lookup(&run->vm, iova + r->count);
	vm_lookup(&run->vm, iova - 1);
	vm_lookup(&run->vm, ~0ull);
	vm_lookup(&run->vm, 1ull << run->vm.cfg.va_bits);
	vm_lookup(&run->vm, (1ull << run->vm.cfg.va_bits) - 1);
}

static void operate(struct run *run, const struct record *r)
{
	struct job *job = &run->jobs[r->job % NR_JOBS];
	struct vm *vm = &run->vm;
	struct job now;

	switch (r->kind % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
		if (!prepare(run, &now, r, true))
			execute(run, &now, r);
		break;
	case 4:
	case 5:
	case 6:
		if (!prepare(run, &now, r, false))
			execute(run, &now, r);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
		/* Jobs are executed in any order. */
		if (job->used)
			execute(run, job, r);
		else
			prepare(run, job, r, r->random % 4);
		break;
	case 11:
		if (job->used) {
			test_log("cancel a job");
			vm_unreserve(vm, &job->rsv);
			job->used = false;
		}
		break;
	case 12:
		misuse(run, r);
		break;
	case 13:
		if (r->count % 4 == 0)
			refuse(run, r);
		else
			look_up(run, r);
		break;
	case 14:
		if (r->count % 2) {
			test_log("memory is short");
			shim_shrink(r->random % 256);
		}
		test_log("run work");
		shim_run_work();
		vm_check(vm);
		break;
	case 15:
		/* A wide unmap, over all that is behind some address. */
		if (r->count % 4 == 0) {
			u64 iova = choose_iova(run, r);

			unmap_now(run, iova, (1ull << vm->cfg.va_bits) - iova);
		} else {
			look_up(run, r);
		}
		break;
	}

	if (vm->model.count > MAX_LEAVES) {
		u64 iova = vm->model.leaves[vm->model.count / 2].iova;

		unmap_now(run, iova, (1ull << vm->cfg.va_bits) - iova);
	}
}

void ops_run(const struct test_cfg *cfg, const u8 *bytes, size_t count,
	     struct ops_result *result)
{
	/* Too large for a stack with red zones in it. */
	static struct run run;
	struct record r;
	size_t i;

	run = (struct run){ .vm.random = 1 };
	vm_open(&run.vm, cfg);
	for (i = 0; i < count; i++) {
		memcpy(&r, bytes + i * OPS_RECORD_SIZE, sizeof(r));
		operate(&run, &r);
		result->ops++;
	}
	for (i = 0; i < NR_JOBS; i++)
		vm_unreserve(&run.vm, &run.jobs[i].rsv);

	test_log("destroy");
	result->calls += run.vm.calls;
	result->compared += run.vm.compared;
	vm_close(&run.vm);
}
