// SPDX-License-Identifier: GPL-2.0-or-later
/* Software delegated exceptions: one event of each priority. Facts: arch/arm64/kernel/sdei.c. */
#include "entry.h"
#include "kunwind.h"

struct sdei_registered_event {
	struct pt_regs interrupted_regs; /* x0..x3 stay with the firmware */
	void (*callback)(struct pt_regs *regs);
	void *callback_arg;
	u32 event_num;
	u8 priority; /* 1: critical */
};
KW_ASSERT_OFFSET(struct sdei_registered_event, interrupted_regs, SDEI_EVENT_INTREGS);
KW_ASSERT_OFFSET(struct sdei_registered_event, priority, SDEI_EVENT_PRIORITY);

static noinline void kunwind_sdei_callback(struct pt_regs *regs)
{
	kunwind_request_walk(regs);
}

struct sdei_registered_event kw_sdei_event_normal = {
	.callback = kunwind_sdei_callback,
	.event_num = 0,
	.priority = 0,
};
struct sdei_registered_event kw_sdei_event_critical = {
	.callback = kunwind_sdei_callback,
	.event_num = 1,
	.priority = 1,
};

static u8 sdei_stack_normal[KW_SDEI_STACK_SIZE] __section(".bss..stacks")
	__aligned(2 * KW_SDEI_STACK_SIZE);
static u8 sdei_stack_critical[KW_SDEI_STACK_SIZE] __section(".bss..stacks")
	__aligned(2 * KW_SDEI_STACK_SIZE);
void *sdei_stack_normal_ptr = sdei_stack_normal;
void *sdei_stack_critical_ptr = sdei_stack_critical;

/* Called on the event's stack with everything masked. Returns an SDEI status, 0: completed. */
noinstr u64 __sdei_handler(struct pt_regs *regs, struct sdei_registered_event *event)
{
	irqentry_nmi_enter(regs);
	event->callback(regs);
	irqentry_nmi_exit(regs);
	return 0;
}
