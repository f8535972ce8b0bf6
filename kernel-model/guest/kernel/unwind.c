// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest's own unwinder, in the roles of arch_stack_walk_reliable() and arch_stack_walk(). What it
 * does under which variant is said in docs/kernel-facts.md, "Policies", and is done a second time,
 * independently, by unwinder/: at every point of a sweep the two must agree. It runs on an engine that
 * treats pointer authentication hints as NOPs and may meet return addresses that are signed, so it
 * strips by hand.
 */
#include "entry.h"
#include "ftrace.h"
#include "kprobes.h"
#include "unwind.h"

enum kunwind_source {
	SOURCE_CALLER,
	SOURCE_TASK,
	SOURCE_FRAME,
	SOURCE_REGS_PC,
	SOURCE_REGS_LR,
};

struct stack_info {
	u64 low; /* 0: may not be read (any more) */
	u64 high;
};

#define MAX_STACKS 5

struct kunwind_state {
	u64 pc;
	u64 fp;
	u64 sp; /* only sframe-v5 goes by it */
	enum kunwind_source source;
	const struct pt_regs *regs;
	struct task_struct *task;
	struct stack_info stack; /* the one being unwound */
	struct stack_info stacks[MAX_STACKS];
	u32 nr_stacks;
	u32 variant;
	s32 graph_idx;
	struct kretprobe_instance *kr_cur;
	bool unreliable;
	bool beyond_sdei; /* what is met there need not be a broken kernel's */
};

u32 kunwind_variant;

extern void *sdei_stack_normal_ptr, *sdei_stack_critical_ptr;
extern void *irq_stack_ptr;
extern u8 overflow_stack[];
/* The first byte behind return_to_handler (entry-ftrace.S). */
extern const u64 return_to_handler_end;
/* ... and behind __sdei_asm_handler (entry.S). */
extern const u64 sdei_asm_handler_end;
void __sdei_asm_handler(void);
#ifdef FGRAPH_RECOVER
extern const u8 return_to_handler_popped[];
#endif

#define WARN() __asm__ volatile("brk #0x800")
#define OFFSET_MASK_SIZE 0x3ff
#define RET_STACK_RETP 3
#define MAX_INSTANCES 64

/* Bits 63:48 become copies of bit 55, for a 48-bit VA without TBI (Arm ARM D8.10, XPACLRI). */
static __always_inline u64 strip_pac(u64 address)
{
	return address & (1UL << 55) ? address | 0xffff000000000000UL : address & 0x0000ffffffffffffUL;
}

/* Of the current task only: the stack of another one may change while it is walked. */
static __always_inline void warn(const struct kunwind_state *state)
{
	if (state->task == current && !state->beyond_sdei)
		WARN();
}

static __always_inline bool on_stack(const struct stack_info *stack, u64 address, u64 size)
{
	return stack->low && address >= stack->low && address + size >= address &&
	       address + size <= stack->high;
}

static __always_inline struct stack_info *find_stack(struct kunwind_state *state, u64 address, u64 size)
{
	u32 i;

	if (on_stack(&state->stack, address, size))
		return &state->stack;
	for (i = 0; i < state->nr_stacks; i++)
		if (on_stack(&state->stacks[i], address, size))
			return &state->stacks[i];
	return NULL;
}

/* Everything below the end of an object is gone, and so is the stack that was left for it. */
static __always_inline void consume_stack(struct kunwind_state *state, struct stack_info *stack,
					  u64 address, u64 size)
{
	if (stack != &state->stack) {
		state->stack = *stack;
		stack->low = 0;
	}
	state->stack.low = address + size;
}

static __always_inline void add_stack(struct kunwind_state *state, void *low, u64 size)
{
	struct stack_info *stack = &state->stacks[state->nr_stacks++];

	stack->low = (u64)low;
	stack->high = (u64)low + size;
}

static void init_state(struct kunwind_state *state, struct task_struct *task)
{
	state->task = task;
	state->regs = NULL;
	state->sp = 0;
	state->stack.low = 0;
	state->stack.high = 0;
	state->nr_stacks = 0;
	state->variant = kunwind_variant;
	state->graph_idx = 0;
	state->kr_cur = NULL;
	state->unreliable = false;
	state->beyond_sdei = false;
	add_stack(state, task->stack, KW_THREAD_SIZE);
	if (task != current)
		return;
	add_stack(state, irq_stack_ptr, KW_IRQ_STACK_SIZE);
	add_stack(state, overflow_stack, KW_OVERFLOW_STACK_SIZE);
	if (!((u32)current->thread_info.preempt_count & KW_NMI_MASK))
		return;
	add_stack(state, sdei_stack_normal_ptr, KW_SDEI_STACK_SIZE);
	add_stack(state, sdei_stack_critical_ptr, KW_SDEI_STACK_SIZE);
}

static __always_inline void take_regs(struct kunwind_state *state, const struct pt_regs *regs)
{
	state->regs = regs;
	state->pc = strip_pac(regs->pc);
	state->fp = regs->regs[29];
	state->sp = regs->sp;
	state->source = SOURCE_REGS_PC;
}

static int next_metadata_record(struct kunwind_state *state)
{
	const struct frame_record_meta *meta = (const struct frame_record_meta *)state->fp;
	struct stack_info *stack = find_stack(state, state->fp, sizeof(*meta));
	u64 regs;

	if (!stack)
		return -EINVAL;
	switch (READ_ONCE(meta->type)) {
	case KW_FRAME_META_FINAL:
		if (meta == &task_pt_regs(state->task)->stackframe)
			return -ENOENT;
		break;
	case KW_FRAME_META_PT_REGS:
		regs = state->fp - S_STACKFRAME;
		stack = find_stack(state, regs, PT_REGS_SIZE);
		if (!stack)
			return -EINVAL;
		consume_stack(state, stack, regs, PT_REGS_SIZE);
		take_regs(state, (const struct pt_regs *)regs);
		return 0;
	}
	warn(state);
	return -EINVAL;
}

static int next_frame_record(struct kunwind_state *state)
{
	const struct frame_record *record = (const struct frame_record *)state->fp;
	struct stack_info *stack;
	u64 fp, lr;

	if (state->fp & 7)
		return -EINVAL;
	stack = find_stack(state, state->fp, sizeof(*record));
	if (!stack)
		return -EINVAL;
	fp = READ_ONCE(record->fp);
	lr = READ_ONCE(record->lr);
	if (!fp && !lr)
		return next_metadata_record(state);
	consume_stack(state, stack, state->fp, sizeof(*record));
	state->sp = state->fp;
	state->fp = fp;
	state->pc = strip_pac(lr);
	state->source = SOURCE_FRAME;
	return 0;
}

static __always_inline u64 register_value(const struct pt_regs *regs, u32 number)
{
	return number == 31 ? regs->sp : regs->regs[number];
}

/* A word of any alignment. */
static __always_inline u64 load_word(u64 address)
{
	u64 value;

	__asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static __always_inline u64 base_value(const struct kunwind_state *state, const struct sframe_value *value,
				      u64 cfa)
{
	return value->base == SFRAME_BASE_CFA ? cfa : register_value(state->regs, value->base);
}

/* Which low bits of a CFA must be clear. */
static __always_inline u64 cfa_mask(u32 variant)
{
	if (variant == KUNWIND_SFRAME_V5)
		return 7;
	return variant == KUNWIND_SFRAME_V6 ? 0x15 : 0xf;
}

/* The caller's CFA by the row's first rule. */
static int find_cfa(struct kunwind_state *state, const struct sframe_value *rule, u64 *cfa)
{
	if (rule->base == 31) {
		*cfa = state->sp;
	} else if (rule->base == 29) {
		if (state->fp < state->sp)
			return -EINVAL;
		*cfa = state->fp;
	} else {
		if (!state->regs)
			return -EINVAL;
		*cfa = register_value(state->regs, rule->base);
	}
	*cfa += (u64)(s64)rule->offset;
	if (rule->where == SFRAME_LOAD) {
		if (!find_stack(state, *cfa, 8))
			return -EINVAL;
		*cfa = load_word(*cfa);
	}
	return *cfa & cfa_mask(state->variant) ? -EINVAL : 0;
}

/* Whether a value can be had: all but those in memory beside the CFA need registers. */
static bool value_known(const struct kunwind_state *state, const struct sframe_value *rule)
{
	if (rule->where == SFRAME_LOAD && rule->base == SFRAME_BASE_CFA)
		return true;
	return state->regs && !(rule->where == SFRAME_VALUE && rule->base == SFRAME_BASE_CFA);
}

static int next_by_sframe(struct kunwind_state *state)
{
	bool v5 = state->variant == KUNWIND_SFRAME_V5;
	enum kunwind_source source = SOURCE_FRAME;
	struct stack_info *stack;
	struct sframe_row row;
	u64 cfa, at;
	u64 fp = state->fp;
	u64 pc;

	if (v5) {
		if (state->sp & 7)
			return -EINVAL;
	} else {
		if (!state->regs) {
			if (!state->beyond_sdei)
				WARN();
			return -EINVAL;
		}
		state->sp = state->regs->sp;
	}
	if (state->fp & 7)
		return -EINVAL;
	if (!sframe_find(state->pc, &row))
		return v5 ? next_metadata_record(state) : -EINVAL;
	if (row.ra.where == SFRAME_UNDEFINED)
		return v5 ? -ENOENT : -EINVAL;
	if (find_cfa(state, &row.cfa, &cfa))
		return -EINVAL;
	if (!value_known(state, &row.ra))
		return -EINVAL;

	/* FP before RA is consumed: a frame record has it at the lower address. */
	if (row.fp.where != SFRAME_IN_REGISTER) {
		if (!value_known(state, &row.fp))
			return -EINVAL;
		fp = base_value(state, &row.fp, cfa) + (u64)(s64)row.fp.offset;
		if (row.fp.where == SFRAME_LOAD) {
			if (!find_stack(state, fp, 8))
				return -EINVAL;
			fp = load_word(fp);
		}
	}
	if (row.ra.where == SFRAME_IN_REGISTER) {
		pc = state->regs->regs[30];
		source = SOURCE_REGS_LR;
	} else {
		at = base_value(state, &row.ra, cfa) + (u64)(s64)row.ra.offset;
		pc = at;
		if (row.ra.where == SFRAME_LOAD) {
			stack = find_stack(state, at, 8);
			if (!stack)
				return -EINVAL;
			pc = load_word(at);
			consume_stack(state, stack, at, 8);
		}
	}
	state->pc = strip_pac(pc);
	state->fp = fp;
	state->sp = cfa;
	state->source = source;
	return 0;
}

/* The entry of the return stack below index `top`, in words; negative when there is none. */
static __always_inline s32 ret_stack_below(const struct task_struct *task, s32 top)
{
	s32 size;

	if (top <= 1)
		return -1;
	size = (s32)(task->ret_stack[top - 1] & OFFSET_MASK_SIZE);
	return size == 0 || size > top - 1 ? -1 : top - 1 - size;
}

/* The address that return_to_handler stands for in the frame with this fp, or 0. */
static u64 graph_return_address(struct kunwind_state *state)
{
	const struct task_struct *task = state->task;
	s32 at = state->graph_idx ? state->graph_idx : READ_ONCE(task->curr_ret_stack);

	while ((at = ret_stack_below(task, at)) >= 0) {
		const struct ftrace_ret_stack *entry =
			(const struct ftrace_ret_stack *)&task->ret_stack[at];

		if (entry->retp == state->fp && entry->ret != (u64)return_to_handler) {
			state->graph_idx = at;
			return entry->ret;
		}
	}
	return 0;
}

static __always_inline bool in_return_to_handler(u64 pc)
{
	return pc >= (u64)return_to_handler && pc < return_to_handler_end;
}

static int recover_graph(struct kunwind_state *state, bool any_byte)
{
	u64 pc;

	if (!state->task->ret_stack) {
		if (any_byte)
			state->unreliable = true;
		return 0;
	}
	pc = graph_return_address(state);
	if (!pc) {
		if (state->pc != (u64)return_to_handler) {
			state->unreliable = true;
			return 0;
		}
		warn(state);
		return -EINVAL;
	}
	state->pc = pc;
	if (any_byte && state->source == SOURCE_REGS_PC) {
		/* The function that was traced had been called, so its caller has a frame record. */
		state->source = SOURCE_FRAME;
		state->regs = NULL;
	}
	return 0;
}

static __always_inline bool is_kretprobe_trampoline(u64 pc)
{
	return pc == (u64)__kretprobe_trampoline || pc == (u64)__kretprobe_trampoline_regs;
}

static int recover_kretprobe(struct kunwind_state *state)
{
	struct kretprobe_instance *ri;
	u32 n = 0;

	ri = state->kr_cur ? state->kr_cur->next : READ_ONCE(state->task->kretprobe_instances);
	for (; ri && n < MAX_INSTANCES; ri = ri->next, n++) {
		if (is_kretprobe_trampoline(ri->ret_addr) || ri->fp != state->fp)
			continue;
		state->kr_cur = ri;
		state->pc = ri->ret_addr;
		return 0;
	}
	return -EINVAL;
}

/* A PC that is a trampoline's stands for the return address that it has replaced. */
static int recover_return_address(struct kunwind_state *state)
{
	bool any_byte = state->variant >= KUNWIND_FGRAPH_DETECT;

	if (state->pc == (u64)return_to_handler || (any_byte && in_return_to_handler(state->pc))) {
#ifdef FGRAPH_RECOVER
		if (state->variant == KUNWIND_FGRAPH_RECOVER &&
		    state->pc >= (u64)return_to_handler_popped) {
			/* x30 of the registers is the address; without registers it is not to be had. */
			if (state->source != SOURCE_REGS_PC)
				state->unreliable = true;
			return 0;
		}
#endif
		if (recover_graph(state, any_byte))
			return -EINVAL;
	}
	if (is_kretprobe_trampoline(state->pc)) {
		if (recover_kretprobe(state))
			return -EINVAL;
		if (any_byte && in_return_to_handler(state->pc))
			state->unreliable = true;
	}
	return 0;
}

static int kunwind_next(struct kunwind_state *state)
{
	int err;

	/* The record of an SDEI handler is plain: whether the interrupted function had one, it does not say. */
	if (state->variant >= KUNWIND_FGRAPH_DETECT && state->pc >= (u64)__sdei_asm_handler &&
	    state->pc < sdei_asm_handler_end) {
		state->unreliable = true;
		state->beyond_sdei = true;
	}
	if (state->variant && state->source == SOURCE_REGS_PC) {
		err = next_by_sframe(state);
		if (err && err != -ENOENT) {
			state->unreliable = true;
			err = next_frame_record(state);
		}
		state->regs = NULL;
	} else {
		err = next_frame_record(state);
		if (state->variant == KUNWIND_SFRAME_V5 && err && err != -ENOENT)
			err = next_by_sframe(state);
	}
	return err ? err : recover_return_address(state);
}

/* Where the walk begins: the caller of the function with that frame record, a blocked task, or registers. */
static void init_walk(struct kunwind_state *state, struct task_struct *task, const struct pt_regs *regs,
		      const struct frame_record *frame)
{
	init_state(state, task);
	if (regs) {
		take_regs(state, regs);
	} else if (task == current) {
		state->pc = strip_pac(frame->lr);
		state->fp = frame->fp;
		state->sp = (u64)frame;
		state->source = SOURCE_CALLER;
	} else {
		state->pc = task->cpu_context.pc;
		state->fp = task->cpu_context.fp;
		state->source = SOURCE_TASK;
	}
}

/* The rest of arch_stack_walk_reliable(), whose frame record is given. */
int kunwind_walk_reliable(stack_trace_consume_fn consume_entry, void *cookie, struct task_struct *task,
			  const struct frame_record *frame)
{
	struct kunwind_state state;
	int err;

	init_walk(&state, task, NULL, frame);
	err = recover_return_address(&state);
	while (!err) {
		if (state.unreliable)
			return -EINVAL;
		if (!state.variant && state.source == SOURCE_REGS_PC)
			return -EINVAL;
		if (!consume_entry(cookie, state.pc))
			return -EINVAL;
		err = kunwind_next(&state);
	}
	if (state.variant >= KUNWIND_FGRAPH_DETECT && state.unreliable)
		return -EINVAL;
	if (err == -ENOENT || state.variant == KUNWIND_SFRAME_V5 || state.variant == KUNWIND_SFRAME_V6)
		return 0;
	return err;
}

/* The rest of arch_stack_walk(). */
void kunwind_walk(stack_trace_consume_fn consume_entry, void *cookie, struct task_struct *task,
		  const struct pt_regs *regs, const struct frame_record *frame)
{
	struct kunwind_state state;
	int err;

	init_walk(&state, task, regs, frame);
	err = recover_return_address(&state);
	while (!err && consume_entry(cookie, state.pc))
		err = kunwind_next(&state);
}
