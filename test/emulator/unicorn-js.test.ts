/** How the WebAssembly backend talks to its module; no CPU is behind these functions. */
import { describe, expect, it } from 'vitest';
import { type Engine, type EngineBackend, Permission, RegisterSet } from '../../emulator/engine.js';
import { Reg, RegisterFile } from '../../emulator/registers.js';
import { UC_REG } from '../../emulator/unicorn-constants.js';
import { loadUnicornJs } from '../../emulator/unicorn-js.js';
import { must } from '../cpu-fixture.js';
import { RecordingCpu } from './recording-cpu.js';
import { createStandIn, type StandInOptions } from './wasm-stand-in.js';

/** 0xffffa00080000000, the address of the guest kernel. */
const KERNEL = -0x6000 * 2 ** 32 + 0x8000_0000;
const MIB = 2 ** 20;
const SPSR_VALUE = 0x3c5;

interface Opened {
  readonly cpu: RecordingCpu;
  readonly standIn: ReturnType<typeof createStandIn>;
  readonly backend: EngineBackend;
  readonly engine: Engine;
}

async function open(options: StandInOptions = {}): Promise<Opened> {
  const cpu = new RecordingCpu();
  const standIn = createStandIn(cpu, options);
  const backend = must(await loadUnicornJs(standIn.load, MIB));
  const engine = must(backend.open());
  cpu.calls.length = 0;
  return { cpu, standIn, backend, engine };
}

describe.each([
  ['a module that exports its heap', { exportsHeap: true }],
  ['a module that does not, as the published one', {}],
] as const)('%s', (_title, options) => {
  it('has a name and a version', async () => {
    const { backend } = await open(options);
    expect(backend).toMatchObject({ name: 'unicorn-js', version: '2.1.4' });
  });

  it('allocates zeroed pages of the module and maps them at all 64 bits of an address', async () => {
    const { backend, standIn, engine, cpu } = await open(options);
    const before = backend.allocate(100).fill(0xff);
    const bytes = backend.allocate(5000);
    expect(before.length).toBe(4096);
    expect(bytes.length).toBe(8192);
    expect(bytes.buffer).toBe(standIn.memory.buffer);
    expect(bytes.byteOffset % 4096).toBe(0);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    must(engine.map(KERNEL, bytes, Permission.READ | Permission.EXECUTE));
    expect(cpu.calls).toEqual([['map', 0x100, 0xffffa00080000000n, 8192n, 5, bytes.byteOffset]]);
  });

  it('gives several engines the same bytes', async () => {
    const { backend, engine, cpu } = await open(options);
    const other = must(backend.open());
    const bytes = backend.allocate(4096);
    must(engine.map(KERNEL, bytes, Permission.READ));
    must(other.map(0x1000, bytes, Permission.READ));
    expect(cpu.calls).toEqual([
      ['map', 0x100, 0xffffa00080000000n, 4096n, 1, bytes.byteOffset],
      ['map', 0x101, 0x1000n, 4096n, 1, bytes.byteOffset],
    ]);
  });

  it('starts at all 64 bits of an address, counted for a step only', async () => {
    const { engine, cpu } = await open(options);
    expect(engine.step(KERNEL)).toBe(0);
    expect(engine.run(KERNEL + 4)).toBe(0);
    expect(cpu.calls).toEqual([
      ['start', 0x100, 0xffffa00080000000n, 0xfffffffffffff000n, 1],
      ['start', 0x100, 0xffffa00080000004n, 0xfffffffffffff000n, 0],
    ]);
  });

  it('moves exactly the registers of a set', async () => {
    const { engine, cpu } = await open(options);
    const file = new RegisterFile();
    for (let index = 0; index < file.words.length / 2; index++) file.set(index, KERNEL + index);
    file.set(Reg.PSTATE, 0x3c5);
    engine.write(file, RegisterSet.GENERAL);
    expect(cpu.registers.size).toBe(34);
    expect(cpu.registers.get(UC_REG.X0 + 28)).toEqual([0x8000_001c, 0xffffa000]);
    expect(cpu.registers.get(UC_REG.X30)).toEqual([0x8000_001e, 0xffffa000]);
    expect(cpu.registers.has(UC_REG.ELR_EL1)).toBe(false);

    cpu.registers.clear();
    engine.write(file, RegisterSet.EXCEPTION_RETURN);
    expect([...cpu.registers.keys()]).toEqual([
      UC_REG.PC,
      UC_REG.PSTATE,
      UC_REG.ELR_EL1,
      UC_REG.CP_REG,
    ]);
    cpu.registers.set(UC_REG.CP_REG, [SPSR_VALUE, 1]);
    const back = new RegisterFile();
    engine.read(back, RegisterSet.EXCEPTION_RETURN);
    expect(back.get(Reg.PC)).toBe(KERNEL + Reg.PC);
    expect(back.get(Reg.SPSR_EL1)).toBe(2 ** 32 + SPSR_VALUE);
    expect(back.get(Reg.X0)).toBe(0);

    const call = new RegisterFile();
    engine.write(file, RegisterSet.ALL);
    engine.read(call, RegisterSet.CALL);
    const read = [Reg.X0, Reg.X29, Reg.X30, Reg.SP, Reg.PC];
    for (let index = 0; index < file.words.length / 2; index++) {
      expect(call.get(index)).toBe(read.includes(index as never) ? KERNEL + index : 0);
    }

    engine.read(back, RegisterSet.ALL);
    expect(back.words).toEqual(file.words);
  });

  it('writes vectors, and the registers that are set once', async () => {
    const { engine, cpu } = await open(options);
    const vector = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
    engine.writeVector(31, vector);
    expect(cpu.registers.get(UC_REG.Q0 + 31)).toEqual([0x04030201, 0x08070605]);
    const read = new Uint8Array(16);
    engine.readVector(31, read);
    expect(read).toEqual(vector);
    engine.setUp(KERNEL, -8);
    expect(cpu.registers.get(UC_REG.VBAR_EL1)).toEqual([0x8000_0000, 0xffffa000]);
    expect(cpu.registers.get(UC_REG.TPIDR_EL1)).toEqual([0xffff_fff8, 0xffff_ffff]);
    expect(cpu.registers.get(UC_REG.CPACR_EL1)).toEqual([3 << 20, 0]);
  });

  it('refuses bytes of another origin, and says what Unicorn refuses', async () => {
    const { backend, engine, cpu } = await open(options);
    expect(engine.map(KERNEL, new Uint8Array(4096), Permission.READ)).toMatchObject({
      error: { kind: 'engine-error', operation: 'map', message: /allocator of this backend/ },
    });
    expect(cpu.calls).toEqual([]);
    cpu.mapStatus = 11;
    expect(engine.map(KERNEL, backend.allocate(1), Permission.READ)).toEqual({
      ok: false,
      error: {
        kind: 'engine-error',
        operation: 'map',
        message: 'Invalid memory mapping (UC_ERR_MAP)',
      },
    });
  });

  it('survives growth of the memory while no guest memory is in it', async () => {
    const { standIn, engine, backend, cpu } = await open(options);
    cpu.duringStart = () => {
      standIn.grow(1);
    };
    expect(engine.step(KERNEL)).toBe(0);
    const file = new RegisterFile();
    file.set(Reg.X0, KERNEL);
    engine.write(file, RegisterSet.ALL);
    expect(cpu.registers.get(UC_REG.X0)).toEqual([0x8000_0000, 0xffffa000]);
    expect(backend.allocate(1).buffer).toBe(standIn.memory.buffer);
  });

  it('reports growth of the memory under guest memory, from then on', async () => {
    const { standIn, engine, backend, cpu } = await open(options);
    const bytes = backend.allocate(4096);
    cpu.duringStart = () => {
      standIn.grow(1);
    };
    const status = engine.step(KERNEL);
    expect(bytes.length).toBe(0);
    expect(status).not.toBe(0);
    expect(engine.describe(status)).toContain('had to grow');
    cpu.duringStart = () => undefined;
    expect(engine.run(KERNEL)).toBe(status);
    const lost = { error: { kind: 'engine-error', message: /had to grow/ } };
    expect(engine.map(KERNEL, bytes, Permission.READ)).toMatchObject(lost);
    expect(backend.open()).toMatchObject(lost);
  });

  it('keeps guest memory in place up to the reserve', async () => {
    const { backend } = await open(options);
    const views = Array.from({ length: 60 }, () => backend.allocate(8192));
    expect(new Set(views.map((view) => view.buffer)).size).toBe(1);
    expect(views.every((view) => view.length === 8192)).toBe(true);
  });

  it('leaves typed arrays as they were', async () => {
    const before = Object.getOwnPropertyDescriptor(
      Object.getPrototypeOf(Int8Array.prototype),
      'set',
    );
    await open(options);
    const after = Object.getOwnPropertyDescriptor(
      Object.getPrototypeOf(Int8Array.prototype),
      'set',
    );
    expect(after).toEqual(before);
    expect(Object.hasOwn(Int8Array.prototype, 'set')).toBe(false);
  });

  it('closes the engine', async () => {
    const { engine, cpu } = await open(options);
    engine.close();
    expect(cpu.calls).toEqual([['close', 0x100]]);
  });
});

it('flushes by a counted and an uncounted run of nothing, and keeps the PC', async () => {
  const { engine, cpu } = await open();
  cpu.registers.set(UC_REG.PC, [4, 5]);
  cpu.duringStart = () => cpu.registers.set(UC_REG.PC, [0, 0]);
  engine.flush();
  const nowhere = 0xfffffffffffff000n;
  expect(cpu.calls).toEqual([
    ['start', 0x100, nowhere, nowhere, 1],
    ['start', 0x100, nowhere, nowhere, 0],
  ]);
  expect(cpu.registers.get(UC_REG.PC)).toEqual([4, 5]);
});

describe('a package that cannot be used', () => {
  const reasonOf = async (load: () => Promise<unknown>, reserve?: number): Promise<string> => {
    const loaded = await loadUnicornJs(load, reserve);
    expect(loaded).toMatchObject({ ok: false, error: { kind: 'library-missing' } });
    const message = loaded.ok ? '' : loaded.error.message;
    expect(message).toMatch(/^@alexaltea\/unicorn-js cannot be used: .*; install libunicorn 2/);
    expect(message).not.toContain('\n');
    return message;
  };

  it('is not there, or its WebAssembly does not start', async () => {
    const absent = () => Promise.reject(new Error('Cannot find package\nsomewhere'));
    expect(await reasonOf(absent)).toContain('Cannot find package');
    const broken = () =>
      Promise.resolve({ default: () => Promise.reject(new Error('Aborted(x)')) });
    expect(await reasonOf(broken)).toContain('Aborted(x)');
    expect(await reasonOf(() => Promise.resolve({}))).toContain('no factory function');
  });

  it('has no uc_mem_map_ptr', async () => {
    const { module, load } = createStandIn(new RecordingCpu());
    delete module._uc_mem_map_ptr;
    expect(await reasonOf(load)).toContain('does not export _uc_mem_map_ptr;');
  });

  it('is Unicorn 1', async () => {
    const { load } = createStandIn(new RecordingCpu(), { version: 0x01000300 });
    expect(await reasonOf(load)).toContain('it is Unicorn 1.0.3');
  });

  it('has too little memory, or hides it', async () => {
    const small = createStandIn(new RecordingCpu(), { maximum: 2 });
    expect(await reasonOf(small.load, MIB)).toContain('cannot grow by 1 MiB');
    const hidden = createStandIn(new RecordingCpu());
    delete hidden.module.writeArrayToMemory;
    expect(await reasonOf(hidden.load, MIB)).toContain('cannot be reached');
  });
});

it('throws RangeError when guest memory does not fit, as an ArrayBuffer does', async () => {
  const { backend } = await open({ maximum: 32 });
  expect(() => backend.allocate(4 * MIB)).toThrow(RangeError);
});
