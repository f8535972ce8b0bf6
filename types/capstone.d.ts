/** @alexaltea/capstone-js 5.0.9: what the disassembler uses of it. */
declare module '@alexaltea/capstone-js' {
  export interface Instruction {
    readonly mnemonic: string;
    readonly op_str: string;
  }

  export interface Capstone {
    /** Throws a string when the first instruction cannot be decoded. */
    disasm(code: Uint8Array, address: number | bigint): Instruction[];
    close(): void;
  }

  export interface CapstoneModule {
    readonly ARCH_ARM64: number;
    readonly MODE_LITTLE_ENDIAN: number;
    readonly Capstone: new (arch: number, mode: number) => Capstone;
  }

  /** Compiles the WebAssembly module; rejects when that is impossible. */
  const createCapstone: () => Promise<CapstoneModule>;
  export default createCapstone;
}
