/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * Shim of linux/workqueue.h: work waits until the test lets it run, or until
 * somebody waits for it.
 */
#ifndef __SHIM_LINUX_WORKQUEUE_H__
#define __SHIM_LINUX_WORKQUEUE_H__

#include <linux/list.h>

struct workqueue_struct;
struct work_struct;

typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	struct list_head node;
	work_func_t func;
	bool pending;
};

#define system_long_wq	((struct workqueue_struct *)NULL)
#define INIT_WORK(work, fn)	(*(work) = (struct work_struct){ .func = (fn) })

bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);

/* Time does not pass. */
struct delayed_work {
	struct work_struct work;
};

#define INIT_DELAYED_WORK(dwork, fn)		INIT_WORK(&(dwork)->work, fn)
#define queue_delayed_work(wq, dwork, delay)	queue_work(wq, &(dwork)->work)
#define mod_delayed_work(wq, dwork, delay)	queue_work(wq, &(dwork)->work)
#define cancel_delayed_work_sync(dwork)		cancel_work_sync(&(dwork)->work)

#endif
