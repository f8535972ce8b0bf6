/** Loads the real kernel that a user names, to sweep it or to examine it. */
import { describeElfError } from '../../elf/error.js';
import { loadElf } from '../../elf/image.js';
import { fail, ok, type Result } from '../../base/result.js';
import { readBtf } from './btf.js';
import type { KernelImage } from '../kernel-image.js';
import { dwarfOffsets } from './dwarf-offsets.js';
import { loadStub } from '../stub.js';
import { readOffsetsFile } from './offsets-file.js';
import { type OffsetSource, WANTED_MEMBERS } from './structure-offsets.js';
import { checkVmlinux, unusableReason, type VmlinuxCheck } from './check.js';

/** A kernel, and where its structure offsets come from. */
export interface VmlinuxSource {
  /** As the user named it. */
  readonly file: string;
  readonly path: string;
  /** Path of an offsets file. */
  readonly offsets?: string;
}

/** Examine a kernel. Fails, with one line, only when the file cannot be read as an ELF. */
export function examineVmlinux(source: VmlinuxSource): Result<VmlinuxCheck, string> {
  const elf = loadElf(source.path);
  if (!elf.ok) return fail(describeElfError({ ...elf.error, path: source.file }));
  const given = source.offsets === undefined ? undefined : readOffsetsFile(source.offsets);
  if (given?.ok === false) return given;
  const stub = loadStub();
  if (!stub.ok) return stub;
  const sources: OffsetSource[] = given === undefined ? [] : [given.value];
  const section = elf.value.section('.BTF');
  const btf = section === undefined ? undefined : readBtf(section.data);
  if (btf?.ok === false) return fail(`${source.file}: ${btf.error}`);
  if (btf !== undefined) sources.push(btf.value);
  const unknown = Object.values(WANTED_MEMBERS).filter((member) =>
    sources.every(({ offsetOf }) => offsetOf(member) === undefined),
  );
  const dwarf = dwarfOffsets(elf.value, unknown);
  if (!dwarf.ok) return fail(`${source.file}: ${dwarf.error}`);
  if (dwarf.value !== undefined) sources.push(dwarf.value);
  const check = checkVmlinux(elf.value, sources, stub.value.stub, given?.value);
  return check.ok ? check : fail(describeElfError({ ...check.error, path: source.file }));
}

/** Load a kernel that can be run. The error is one line. */
export function loadVmlinux(source: VmlinuxSource): Result<KernelImage, string> {
  const check = examineVmlinux(source);
  if (!check.ok) return check;
  const { kernel } = check.value;
  return kernel === undefined ? fail(`${source.file}: ${unusableReason(check.value)}`) : ok(kernel);
}
