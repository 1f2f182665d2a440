// SPDX-License-Identifier: GPL-2.0 or MIT
/*
 * The physical memory behind a map, one contiguous run at a time: out of a scatter
 * list, a range, or a range that repeats.
 */

#include <linux/errno.h>

#include "panthor_pgtable_mem.h"

/* Is the physical memory of a map in reach? A scatter list is looked at as it is mapped. */
int panthor_pa_check(const struct panthor_pgtable *pt, const struct pa_cursor *pa)
{
	if (pa->period)
		return pa->period & (pa->period - 1) ? -EINVAL :
		       check_range(pa->base, pa->period, pt->pa_bits);
	if (pa->len)
		return check_range(pa->paddr, pa->len, pt->pa_bits);

	return IS_ALIGNED(pa->skip, SZ_4K) ? 0 : -EINVAL;
}

static void cursor_step(struct pa_cursor *pa)
{
	if (--pa->nents)
		pa->sg = next_entry(pa->sg);
}

/*
 * Join entries that continue the run, and empty ones, until it has @size bytes. What is
 * out of reach is not joined: it is found when it is loaded.
 */
void panthor_pa_join(const struct panthor_pgtable *pt, struct pa_cursor *pa, u64 size)
{
	u64 end = 1ull << pt->pa_bits;

	while (pa->len < size && pa->nents &&
	       (!sg_dma_len(pa->sg) || (sg_dma_address(pa->sg) == pa->paddr + pa->len &&
					sg_dma_len(pa->sg) <= end - (pa->paddr + pa->len)))) {
		pa->len += sg_dma_len(pa->sg);
		cursor_step(pa);
	}
}

/* Load the run behind @iova, of which at most @left bytes are looked at. */
int panthor_pa_next(const struct panthor_pgtable *pt, struct pa_cursor *pa, u64 iova, u64 left)
{
	u64 len;

	if (pa->period) {
		u64 offset = iova & (pa->period - 1);

		pa->paddr = pa->base + offset;
		pa->len = pa->period - offset;
		return 0;
	}

	do {
		if (!pa->nents)
			return -EINVAL;

		pa->paddr = sg_dma_address(pa->sg) + pa->skip;
		len = sg_dma_len(pa->sg);
		pa->len = len - min(len, pa->skip);
		pa->skip -= len - pa->len;
		cursor_step(pa);
	} while (!pa->len);
	pa->skip = 0;

	/* An entry need not end at a page if the next one continues it. */
	if (!IS_ALIGNED(pa->len, SZ_4K))
		panthor_pa_join(pt, pa, left);

	len = min(pa->len, left);
	if (!IS_ALIGNED(pa->paddr | len, SZ_4K))
		return -EINVAL;
	if ((pa->paddr | (pa->paddr + len - 1)) >> pt->pa_bits)
		return -ERANGE;

	return 0;
}

/* Go on by up to @count entries of one page. Returns how many. */
static u64 skip_single_pages(const struct panthor_pgtable *pt, struct pa_cursor *pa, u64 count)
{
	u64 pa_last = last_page(pt), done;
	struct scatterlist *sg = pa->sg;

	count = min_t(u64, count, pa->nents);
	for (done = 0; done < count && is_single_page(sg, pa_last); ) {
		if (++done == pa->nents)
			break;
		sg = next_entry(sg);
	}

	pa->sg = sg;
	pa->nents -= done;
	return done;
}

/* Go on by @size of @left bytes. */
int panthor_pa_skip(const struct panthor_pgtable *pt, struct pa_cursor *pa, u64 left, u64 size)
{
	u64 done;
	int err;

	if (pa->period) {
		pa->len = 0;
		return 0;
	}

	while (pa->len < size) {
		done = pa->len;
		if (!pa->skip)
			done += skip_single_pages(pt, pa, (size - done) / SZ_4K) * SZ_4K;
		size -= done;
		left -= done;
		pa->len = 0;
		if (!size)
			return 0;
		err = panthor_pa_next(pt, pa, 0, left);
		if (err)
			return err;
	}
	pa->paddr += size;
	pa->len -= size;
	return 0;
}
