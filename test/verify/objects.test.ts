import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../emulator/backend.js';
import type { EngineBackend } from '../../emulator/engine.js';
import { loadProgram } from '../../verify/program.js';
import type { VerifyReport } from '../../verify/report.js';
import { Verifier } from '../../verify/verify.js';
import { FIXTURES } from '../fixture-objects.js';

describe('verifying objects of compilers', () => {
  let backend: EngineBackend;
  beforeAll(async () => {
    const opened = await openBackend();
    if (!opened.ok) throw new Error(opened.error.message);
    backend = opened.value;
  });

  const verify = (name: string): VerifyReport => {
    const program = loadProgram(join(FIXTURES, name));
    if (!program.ok) throw new Error(program.error);
    const verifier = Verifier.create(program.value, backend);
    if (!verifier.ok) throw new Error(verifier.error);
    return verifier.value.verify(() => true);
  };

  it.each(['frames-gcc12-v1.o', 'frames-v3.o'])('finds every row of %s true', (name) => {
    const { findings, functions, instructions, rows } = verify(name);
    expect(findings).toEqual([]);
    expect(functions.total).toBe(5);
    expect(instructions.reached).toBe(instructions.total);
    expect(rows).toEqual({ total: 23, verified: 23, wrong: 0, unreached: 0 });
  });

  it('finds the function that is called outermost and returns', () => {
    const { causes } = verify('shapes-v3.o');
    expect(causes.map(({ kind, first }) => `${kind} ${first.fn}`)).toEqual([
      'outermost-returns signal_return',
    ]);
  });

  it.each([
    ['frames-clang.o', '.eh_frame'],
    ['frames-clang-debug-frame.o', '.debug_frame'],
  ])('says that %s has no .sframe', (name, other) => {
    const path = join(FIXTURES, name);
    expect(loadProgram(path)).toEqual({
      ok: false,
      error: `${path}: no .sframe section, only ${other}: nothing to verify`,
    });
  });
});
