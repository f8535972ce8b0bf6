/**
 * A scenario: code under test, how it is called, and what each unwinder policy promises there.
 * There are only types here: scenarios are data for `sweep/`, and import nothing of ours that runs.
 */
import type { ExceptionKind } from '../kernel-model/exception-kind.js';
import type { Verdict } from './verdict.js';
import type { PolicyName } from '../unwinder/policy.js';

export type { ExceptionKind, PolicyName, Verdict };

/** The points that a promise is about. An absent field means all of them. */
export interface PointFilter {
  /** Functions (symbol names) in which the innermost interrupted PC lies. */
  readonly in?: readonly string[];
  /** Kinds of the innermost exception. */
  readonly kinds?: readonly ExceptionKind[];
  /** 1 for depth-1 points, 2 for points inside the handling of a first exception. */
  readonly depth?: 1 | 2;
}

/** A verdict that is accepted at the points of the filter, besides `exact`. */
export interface AllowedVerdict extends PointFilter {
  readonly verdict: Exclude<Verdict, 'exact'>;
  /** Why the unwinder may have this verdict, in one line for the reader of `list`. */
  readonly reason: string;
}

/** A verdict that at least `atLeast` (default 1) of the filter's points must have. */
export interface RequiredVerdict extends PointFilter {
  readonly verdict: Verdict;
  readonly atLeast?: number;
  /** True: every point of the filter must have this verdict. */
  readonly everywhere?: boolean;
  readonly reason: string;
}

/**
 * What one policy promises in one scenario. Without a promise, or without `allow`, `exact` and
 * `unreliable` are accepted. When given, `allow` lists everything that is accepted besides `exact`.
 */
export interface PolicyPromise {
  readonly allow?: readonly AllowedVerdict[];
  readonly require?: readonly RequiredVerdict[];
}

/** The guest kernels: one like Linux, and one with a reordered return path of function graph. */
export type GuestKernelName = 'linux' | 'fgraph-recover';

/** One argument of the entry function, x0..x7: a number, or a buffer whose address is passed. */
export type ScenarioArgument =
  | { readonly number: number }
  | {
      /** Bytes in guest memory; the argument is their address (16-byte aligned). */
      readonly buffer: { readonly size: number; readonly text?: string; readonly fill?: number };
    }
  | {
      /**
       * A buffer of that many bytes, whose 64-bit words all hold its own address. Whatever pointer
       * a function follows then leads back into it, and a list head in its first words is an empty
       * list.
       */
      readonly self: { readonly size: number };
    }
  | {
      /** A symbol of the scenario's ELF or of the guest kernel; its address is passed. */
      readonly symbol: string;
    };

/** A kprobe that is armed while the scenario runs. */
export interface KprobeSite {
  /** A function of the scenario's ELF or of the guest kernel. */
  readonly symbol: string;
  /** Bytes from its first instruction; default 0. */
  readonly offset?: number;
  /**
   * Guest function that the breakpoint runs. The default is `kprobe_walk_handler`, which asks for a
   * walk.
   */
  readonly handler?: string;
}

/**
 * A kretprobe that is armed while the scenario runs. `brk`: the trampoline of current kernels, a
 * breakpoint. `regs`: the older trampoline, which saves a pt_regs and calls its handler.
 */
export interface KretprobeSite {
  readonly symbol: string;
  readonly style: 'brk' | 'regs';
}

/** How a function of a real kernel is traced: by function graph, or with a kretprobe. */
export type RealTracer = 'fgraph' | 'kretprobe';

/** What is traced, by the kernel's own code, while a function of a real kernel runs. */
export interface Tracing {
  readonly by: RealTracer;
  /** A name or, for function graph, a pattern with `*`. Absent: the entry function. */
  readonly functions?: string;
}

/** One scenario: an entry function, its arguments and the promises. */
export interface Scenario {
  /** `family/name`, lower case with dashes. */
  readonly name: string;
  /** One line: what it demonstrates. */
  readonly summary: string;
  /**
   * The function that is called in a kernel thread. The sweep covers it from its first instruction
   * to its return.
   */
  readonly entry: string;
  readonly args?: readonly ScenarioArgument[];
  /** Expected x0 on return, so that a miscompiled or misdriven scenario is noticed. */
  readonly result?: number;
  /** Functions traced by function graph (their patch site is enabled) while the scenario runs. */
  readonly traced?: readonly string[];
  /**
   * Not allowed in code that interrupt handlers run: a sweep executes that code freely, and reports
   * a breakpoint there as a problem.
   */
  readonly kprobes?: readonly KprobeSite[];
  readonly kretprobes?: readonly KretprobeSite[];
  /** Only on a real kernel. */
  readonly tracing?: Tracing;
  /** The guest kernel; the default is the one like Linux. */
  readonly kernel?: GuestKernelName;
  /**
   * Function of the scenario's ELF that kthread() calls, with the call to make as its argument. The
   * default is kunwind_thread.
   */
  readonly thread?: string;
  /** Kinds to sweep. The default is all that are possible at each point. */
  readonly kinds?: readonly ExceptionKind[];
  /** Depth of the default sweep; default 1. */
  readonly depth?: 1 | 2;
  /**
   * Also walk this blocked task, named by the symbol of its task_struct, at each point, instead of
   * the current one.
   */
  readonly walkTask?: string;
  /** In the catalogue these are built when they are first read; see with-promises.ts. */
  readonly promises?: Partial<Record<PolicyName, PolicyPromise>>;
  /**
   * Functions (names, or patterns with `*`) in which `unreliable` is not accepted, whatever the promises say:
   * what the user of an image or a kernel expects of it.
   */
  readonly expectExact?: readonly string[];
  /** Functions whose SFrame rows are wrong: the sweep must find at least one in each. */
  readonly wrongRows?: readonly string[];
  readonly topics?: readonly string[];
}

/** A folder of scenarios built into one ELF. */
export interface ScenarioFamily {
  readonly name: string;
  readonly summary: string;
  /**
   * File name of the built ELF in the family's folder. The ELF for the fgraph-recover kernel has
   * `-recover` before its suffix. Absent: the code is in the guest kernel itself.
   */
  readonly elf?: string;
  readonly scenarios: readonly Scenario[];
}
