/**
 * Functions that only a booted kernel can run: memory allocation, waiting, contended locks, the
 * console, patching of code. A breakpoint in the first word of each stops execution there. The
 * function can then be reported by name, instead of running on the uninitialised memory of a kernel
 * that was never booted.
 */
import { brkWord } from '../../aarch64/encodings.js';
import type { Address } from '../../base/address.js';
import type { ElfSymbol } from '../../elf/symbols.js';
import type { BootedFunctions } from '../kernel-image.js';

/** Not used by anything in arch/arm64/include/asm/brk-imm.h (v7.3-rc7). */
const TRAP_BRK_IMM = 0xfd1;

/** The instruction that replaces the first word of each function. */
export const TRAP_WORD: number = brkWord(TRAP_BRK_IMM);

/** Names in v5.15 to v7.3-rc7. A suffix that the compiler or alloc tags add may follow. */
const NAMES: ReadonlySet<string> = new Set([
  // The console, and the ways to end a kernel.
  ...['printk', '_printk', 'vprintk', 'vprintk_emit', 'console_unlock', 'warn_slowpath_fmt'],
  ...[
    'panic',
    'vpanic',
    'nmi_panic',
    'die',
    'oops_enter',
    'dump_stack',
    'show_regs',
    'arm64_serror_panic',
  ],
  ...[
    'do_exit',
    'make_task_dead',
    'machine_restart',
    'machine_halt',
    'machine_power_off',
    'emergency_restart',
  ],
  // Memory.
  ...['__kmalloc', '__kmalloc_large', '__kmalloc_large_node', '__kmalloc_node', '__kmalloc_flags'],
  ...['__kmalloc_node_track_caller', '__kmalloc_track_caller', '__kmalloc_nolock'],
  ...['__kmalloc_cache', '__kmalloc_cache_node', 'kmalloc_trace', 'kmem_cache_alloc'],
  ...['kmem_cache_alloc_from_sheaf', 'kmem_cache_alloc_bulk', 'kmem_cache_alloc_lru'],
  ...[
    'kmem_cache_alloc_node',
    'kmem_cache_alloc_trace',
    'kmem_cache_free',
    'kfree',
    'kvfree',
    'vfree',
  ],
  ...['kmem_cache_free_bulk', '__alloc_pages', '__alloc_frozen_pages', 'alloc_pages_bulk'],
  ...[
    '__free_pages',
    'free_frozen_pages',
    'free_unref_page',
    '__vmalloc_node_range',
    '__vmalloc_node',
  ],
  ...['pcpu_alloc', '__alloc_percpu', 'free_percpu', 'memblock_alloc_try_nid', 'handle_mm_fault'],
  // The scheduler, and functions that wait.
  ...[
    'schedule',
    '__schedule',
    'preempt_schedule',
    'preempt_schedule_notrace',
    'preempt_schedule_irq',
  ],
  ...[
    'schedule_timeout',
    'io_schedule',
    'msleep',
    'usleep_range_state',
    'try_to_wake_up',
    'wake_up_process',
  ],
  ...[
    'wait_for_completion',
    'wait_for_completion_timeout',
    '__wait_rcu_gp',
    'synchronize_rcu',
    'call_rcu',
  ],
  ...['copy_process', 'kthread_create_on_node', 'cpu_do_idle', 'rcu_note_context_switch'],
  // Contended locks.
  ...['queued_spin_lock_slowpath', 'queued_read_lock_slowpath', 'queued_write_lock_slowpath'],
  ...['__mutex_lock_slowpath', '__down', 'rwsem_down_read_slowpath', 'rwsem_down_write_slowpath'],
  ...['osq_lock', 'rt_mutex_slowlock', '__percpu_down_read', 'rtlock_slowlock'],
  // Deferred work, timers, other CPUs, devices.
  ...['handle_softirqs', '__do_softirq', 'queue_work_on', '__queue_work', 'mod_timer', 'add_timer'],
  ...['__mod_timer', 'smp_call_function_single', 'smp_call_function_many_cond', 'smp_call_on_cpu'],
  ...['stop_machine', 'stop_machine_cpuslocked', 'request_threaded_irq', 'aarch64_insn_patch_text'],
  ...[
    'aarch64_insn_patch_text_nosync',
    'aarch64_text_poke',
    'efi_call_virt_save_flags',
    '__arm_smccc_smc',
  ],
  ...['__arm_smccc_hvc', 'do_mem_abort', 'do_el1_undef', 'bad_mode', '__panic_unhandled'],
]);

/** The functions of an image at which to stop. Several static functions may have the same name. */
export function bootedFunctions(symbols: readonly ElfSymbol[]): BootedFunctions {
  const found = new Map<Address, string>();
  for (const { name, kind, address, absolute } of symbols) {
    if (kind === 'object' || absolute || address % 4 !== 0) continue;
    const plain = name.replace(/_noprof$/, '');
    if (
      NAMES.has(plain) ||
      NAMES.has(plain.replace(/_noprof(?=\.)/, '').replace(/\.(isra|constprop|part)\.\d+.*$/, ''))
    ) {
      found.set(address, plain);
    }
  }
  return found;
}
