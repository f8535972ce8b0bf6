/**
 * The two words of a function that ftrace patches (arch/arm64/kernel/ftrace.c, v7.3-rc7). As
 * linked, they are NOPs. Boot replaces the first by `mov x9, x30`. While the function is traced,
 * the second is a call of ftrace_caller.
 */
import { branchAndLinkWord, BTI_C, MOV_X9_X30, NOP } from '../../aarch64/encodings.js';
import type { Address } from '../../base/address.js';
import type { CodeWord } from '../kernel-state.js';
import type { Machine } from '../machine.js';

/**
 * Address of the first of a function's two words, after its landing pad if it has one. Undefined
 * for a function without them.
 */
export function patchSite(machine: Machine, fn: Address): Address | undefined {
  const site = machine.loadedWord(fn) === BTI_C ? fn + 4 : fn;
  return machine.loadedWord(site) === NOP && machine.loadedWord(site + 4) === NOP
    ? site
    : undefined;
}

/** The word that boot leaves in a patch site. */
export function initialisedSite(site: Address): CodeWord {
  return { address: site, word: MOV_X9_X30 };
}

/** The words that call a tracer at a patch site. The tracer must be within 128 MiB of it. */
export function enabledSite(site: Address, tracer: Address): CodeWord[] {
  return [initialisedSite(site), { address: site + 4, word: branchAndLinkWord(site + 4, tracer) }];
}
