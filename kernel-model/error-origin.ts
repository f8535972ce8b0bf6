/**
 * Which function an error comes from: of the calls that are executed, the innermost one that
 * returned it and whose callers, up to the outermost, returned the same.
 */
import type { Address } from '../base/address.js';
import { InstructionClass } from '../aarch64/instruction.js';
import { Reg } from '../emulator/registers.js';
import type { SteppingCpu } from '../emulator/stepping-cpu.js';

/** Follows one call, instruction by instruction. */
export class ErrorOrigin {
  /** Where the call's error was first returned: address of a RET; undefined while it has not. */
  get returnedAt(): Address | undefined {
    return this.origins[0];
  }

  private depth = 0;
  /** By depth: the RET that the error of the last call there, if it failed, comes from. */
  private readonly origins: (Address | undefined)[] = [];

  /** @param error the result whose origin is looked for: the low 32 bits of x0, signed */
  constructor(private readonly error: number) {}

  /** An instruction was executed. @param pc its address */
  executed(cpu: SteppingCpu, pc: Address): void {
    const { origins, depth } = this;
    switch (cpu.instructionClass) {
      case InstructionClass.BL:
      case InstructionClass.BLR:
        this.depth++;
        break;
      case InstructionClass.RET:
      case InstructionClass.RET_AUTH: {
        const failed = ((cpu.registers.words[2 * Reg.X0] as number) | 0) === this.error;
        if (failed) origins[depth] = origins[depth + 1] ?? pc;
        origins[depth + 1] = undefined;
        if (depth > 0) this.depth--;
        break;
      }
      default:
    }
  }
}
