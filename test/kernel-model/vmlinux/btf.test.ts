import { describe, expect, it } from 'vitest';
import { readBtf } from '../../../kernel-model/vmlinux/btf.js';
import { parseOffsets } from '../../../kernel-model/vmlinux/offsets-file.js';
import {
  findOffsets,
  type OffsetSource,
  WANTED_MEMBERS,
} from '../../../kernel-model/vmlinux/structure-offsets.js';

const STRUCT = 4 << 24;
const UNION = 5 << 24;
const TYPEDEF = 8 << 24;

/** A section with these types, each as 32-bit words; names are offsets into `strings`. */
function btf(types: readonly (readonly number[])[], strings: string): Uint8Array {
  const words = types.flat();
  const text = Buffer.from(strings, 'latin1');
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  for (const [i, value] of [24, 0, 4 * words.length, 4 * words.length, text.length].entries()) {
    header.writeUInt32LE(value, 4 + 4 * i);
  }
  const body = Buffer.from(Uint32Array.from(words).buffer);
  return new Uint8Array(Buffer.concat([header, body, text]));
}

const STRINGS = ['', 'task_struct', 'thread_info', 'preempt_count', 'stack', 'info_t'];
const at = (name: string): number => STRINGS.slice(0, STRINGS.indexOf(name)).join('\0').length + 1;

/** task_struct { u64 a; info_t thread_info @64; <anonymous union> @16 { ... stack @8 } } */
const TYPES = [
  [0, (1 << 24) >>> 0, 8, 64], // 1: an int
  [at('thread_info'), STRUCT | 1, 16, at('preempt_count'), 1, 64], // 2
  [at('info_t'), TYPEDEF, 2], // 3
  [0, UNION | 1, 16, at('stack'), 1, 64], // 4
  [at('task_struct'), STRUCT | 2, 96, at('thread_info'), 3, 512, 0, 4, 128], // 5
];

function offset(source: OffsetSource, name: keyof typeof WANTED_MEMBERS): number | undefined {
  return source.offsetOf(WANTED_MEMBERS[name]);
}

describe('BTF', () => {
  it('gives offsets through typedefs and anonymous unions', () => {
    const source = readBtf(btf(TYPES, `${STRINGS.join('\0')}\0`));
    if (!source.ok) throw new Error(source.error);
    expect(offset(source.value, 'taskPreemptCount')).toBe(72);
    expect(offset(source.value, 'taskStack')).toBe(24);
    expect(offset(source.value, 'kprobeAddress')).toBeUndefined();
  });

  it('that is broken is one line', () => {
    const whole = btf(TYPES, `${STRINGS.join('\0')}\0`);
    const wrongKind = whole.slice();
    wrongKind[24 + 7] = 31;
    expect(readBtf(whole.subarray(0, 10))).toMatchObject({
      error: '.BTF: 10 bytes are too few for a header',
    });
    expect(readBtf(whole.subarray(0, 60))).toMatchObject({
      error: expect.stringMatching(/asks for/) as string,
    });
    expect(readBtf(wrongKind)).toMatchObject({
      error: expect.stringMatching(/unknown kind 31 of type 1/) as string,
    });
  });

  it('that would be gone through for ever is given up', () => {
    // Type i is a structure with two anonymous members of type i - 1.
    const pair = (i: number): number[] => [0, STRUCT | 2, 16, 0, i - 1, 0, 0, i - 1, 64];
    const types = Array.from({ length: 31 }, (_, i) => pair(i + 1));
    types.push([at('task_struct'), STRUCT | 1, 16, 0, 31, 0]);
    const source = readBtf(btf(types, `${STRINGS.join('\0')}\0`));
    if (!source.ok) throw new Error(source.error);
    expect(offset(source.value, 'taskStack')).toBeUndefined();
  });

  it('of any bytes never throws', () => {
    const whole = btf(TYPES, `${STRINGS.join('\0')}\0`);
    for (let i = 0; i < 8 * whole.length; i++) {
      const mutant = whole.slice();
      mutant[i >> 3] = (mutant[i >> 3] as number) ^ (1 << (i & 7));
      const source = readBtf(mutant);
      if (source.ok) offset(source.value, 'taskPreemptCount');
    }
  });
});

describe('an offsets file', () => {
  it('is what the build of a kernel writes', () => {
    const text =
      '#define TSK_STACK 32 /* offsetof(struct task_struct, stack) */\n#define PT_REGS_SIZE 320\n';
    const file = parseOffsets('o.h', text);
    if (!file.ok) throw new Error(file.error);
    expect(offset(file.value, 'taskStack')).toBe(32);
    expect(file.value.ptRegsSize).toBe(320);
  });

  it.each([
    ['int main;', "o.h: no '#define NAME VALUE' line: not an offsets file"],
    ['\n#define TSK_STACK -8', "o.h: line 2: TSK_STACK is '-8', not an offset in bytes"],
  ])('that is wrong is one line', (text, error) => {
    expect(parseOffsets('o.h', text)).toMatchObject({ ok: false, error });
  });
});

it('offsets that nobody gives are found in init_task, or unknown', () => {
  const offsets = findOffsets([], { words: [0, 1, 0, -4096], stack: -4096 });
  expect(offsets.taskStack).toEqual({ value: 24, origin: 'init_task' });
  expect(offsets.taskPreemptCount).toEqual({ value: 8, origin: 'init_task' });
  expect(offsets.taskRetStack).toEqual({ value: NaN, origin: 'unknown' });
});
