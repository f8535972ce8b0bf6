/** Where CFA, RA and FP really are, as text for a report. */
import { signedOffset } from '../base/signed-offset.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';
import { type SyntheticFrame, Tag } from './synthetic-frame.js';

/** The current state, for example `CFA = SP+32, RA in *(CFA-24), FP in x29 and *(CFA-32)`. */
export function frameText(registers: RegisterFile, frame: SyntheticFrame): string {
  const sp = registers.get(Reg.SP);
  const cfa = frame.holds(sp, 0)
    ? `CFA = SP${signedOffset(frame.entrySp - sp)}`
    : 'SP is on another stack';
  const ra = placeText('RA', places(registers, frame, Tag.RA));
  const fp = placeText('FP', places(registers, frame, Tag.FP));
  return [cfa, ra, fp].join(', ');
}

function placeText(what: string, found: readonly string[]): string {
  return found.length === 0 ? `${what} is nowhere` : `${what} in ${found.join(' and ')}`;
}

/** Registers and stack words that have a tag. For RA also those that hold it signed. */
function places(registers: RegisterFile, frame: SyntheticFrame, tag: number): string[] {
  const same = (found: number): boolean =>
    tag === Tag.RA ? found === Tag.RA || found >= Tag.SIGNED : found === tag;
  const signed = (found: number): string =>
    found < Tag.SIGNED ? '' : frame.isKeyB(found) ? ' signed B' : ' signed A';
  const found: string[] = [];
  for (const i of [30, 29, ...Array.from({ length: 29 }, (_, r) => r)]) {
    const its = frame.registerTag(registers, i);
    if (same(its)) found.push(`x${i}${signed(its)}`);
  }
  for (let i = 0; i < frame.slotCount; i++) {
    const its = frame.slotTag[i] as number;
    const offset = (frame.slotAddress[i] as number) - frame.entrySp;
    if (same(its)) found.push(`*(CFA${signedOffset(offset)})${signed(its)}`);
  }
  return found;
}
