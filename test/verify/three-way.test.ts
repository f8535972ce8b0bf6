import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../emulator/backend.js';
import type { EngineBackend } from '../../emulator/engine.js';
import { parseElfFile } from '../../elf/file.js';
import type { ElfSection } from '../../elf/sections.js';
import { decodeSFrame } from '../../unwinder/sframe/decode.js';
import { ruleAt } from '../../unwinder/unwind-rule.js';
import { loadProgram } from '../../verify/program.js';
import type { VerifyReport } from '../../verify/report.js';
import { Verifier } from '../../verify/verify.js';
import { fixture } from '../fixture-objects.js';

/** An object of gcc 12 with both tables, which agree. */
const OBJECT = 'frames-gcc12-v1.o';
const DW_CFA_DEF_CFA_OFFSET = 0x0e;

describe('SFrame, DWARF and execution', () => {
  let backend: EngineBackend;
  let folder = '';
  beforeAll(async () => {
    const opened = await openBackend();
    if (!opened.ok) throw new Error(opened.error.message);
    backend = opened.value;
    folder = mkdtempSync(join(tmpdir(), 'kunwind-three-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** Verify the object after a change. */
  const verify = (change: (bytes: Buffer) => void): VerifyReport => {
    const bytes = Buffer.from(fixture(OBJECT));
    change(bytes);
    const path = join(folder, 'changed.o');
    writeFileSync(path, bytes);
    const program = loadProgram(path);
    if (!program.ok) throw new Error(program.error);
    const verifier = Verifier.create(program.value, backend);
    if (!verifier.ok) throw new Error(verifier.error);
    return verifier.value.verify(() => true);
  };

  const section = (bytes: Buffer, wanted: string): ElfSection => {
    const tables = parseElfFile('object', bytes);
    const found = tables.ok
      ? tables.value.sections.find(({ name, size }) => name === wanted && size > 0)
      : undefined;
    if (found === undefined) throw new Error(`no ${wanted}`);
    return found;
  };

  const changeSFrame = (bytes: Buffer): void => {
    const { data, offset } = section(bytes, '.sframe');
    const decoded = decodeSFrame(data, 0);
    if (!decoded.ok) throw new Error('not decoded');
    const { rows, rules } = decoded.value;
    const row = rows.rule.findIndex((rule) => ruleAt(rules, rule).cfaOffset >= 16);
    const at = offset + (rows.infoOffset[row] ?? NaN) + 1;
    bytes[at] = (bytes[at] ?? 0) + 16;
  };

  const changeDwarf = (bytes: Buffer): void => {
    const { data, offset } = section(bytes, '.eh_frame');
    const at = data.findIndex((byte, i) => byte === DW_CFA_DEF_CFA_OFFSET && data[i + 1] === 32);
    expect(at).toBeGreaterThan(0);
    bytes[offset + at + 1] = 48;
  };

  it('agree at every instruction of what gcc made', () => {
    const report = verify(() => undefined);
    expect(report.comparedWithDwarf).toBe(report.instructions.total);
    expect(report.findings).toEqual([]);
  });

  it('show a change of SFrame to be the odd one out', () => {
    const { findings } = verify(changeSFrame);
    expect(findings.map(({ kind }) => kind)).toEqual(['cfa']);
    expect(findings[0]?.detail).toContain('DWARF is right here, SFrame is the odd one out');
  });

  it('show a change of DWARF to be the odd one out', () => {
    const { findings, rows, causes } = verify(changeDwarf);
    expect(findings.map(({ kind }) => kind)).toEqual(['dwarf']);
    expect(causes[0]?.explanation).toContain('DWARF is the odd one out');
    expect(rows.wrong).toBe(0);
  });
});
