/** What every backend must do, on a CPU. */
import { afterEach, describe, expect, it } from 'vitest';
import { openBackend } from '../../emulator/backend.js';
import { type Engine, type EngineBackend, Permission, RegisterSet } from '../../emulator/engine.js';
import { findEngineLibrary } from '../../emulator/engine-library.js';
import { Pstate, Reg, RegisterFile } from '../../emulator/registers.js';
import { loadUnicornJs } from '../../emulator/unicorn-js.js';
import { assemble } from '../assembled.js';
import { must } from '../cpu-fixture.js';
import { hostedUnicorn } from './hosted-unicorn.js';
import { createStandIn } from './wasm-stand-in.js';

const CODE = -0x6000 * 2 ** 32 + 0x8000_0000;
const DATA = CODE + 0x10000;

const found = findEngineLibrary();
const libunicorn = found.ok && found.value.backend === 'libunicorn' ? found.value.path : undefined;
const package_ = await loadUnicornJs();

type Open = () => Promise<EngineBackend>;

/** @param open undefined when this machine does not have the backend */
function contract(title: string, open: Open | undefined): void {
  describe.skipIf(open === undefined)(title, () => {
    const start: Open = () => (open as Open)();
    const opened: Engine[] = [];
    afterEach(() => {
      for (const engine of opened.splice(0)) engine.close();
    });

    function openEngine(backend: EngineBackend): Engine {
      const engine = must(backend.open());
      opened.push(engine);
      return engine;
    }

    /** Two engines over the same code and data; X1 points to the data. */
    async function two(): Promise<{
      readonly code: Uint32Array;
      readonly data: Uint32Array;
      readonly engines: readonly [Engine, Engine];
      readonly file: RegisterFile;
    }> {
      const backend = await start();
      const code = backend.allocate(4096);
      const data = backend.allocate(4096);
      const engine = (): Engine => {
        const one = openEngine(backend);
        must(one.map(CODE, code, Permission.READ | Permission.EXECUTE));
        must(one.map(DATA, data, Permission.READ | Permission.WRITE));
        one.setUp(CODE + 0x800, 0);
        return one;
      };
      const engines = [engine(), engine()] as const;
      const file = new RegisterFile();
      file.set(Reg.PC, CODE);
      file.set(Reg.X1, DATA);
      file.set(Reg.PSTATE, Pstate.EL1H);
      const words = (bytes: Uint8Array) => new Uint32Array(bytes.buffer, bytes.byteOffset, 1024);
      return { code: words(code), data: words(data), engines, file };
    }

    it('steps one instruction', async () => {
      const { code, engines, file } = await two();
      code.set(assemble('add x0, x0, #1', 'add x0, x0, #1'));
      engines[0].write(file, RegisterSet.GENERAL);
      expect(engines[0].step(CODE)).toBe(0);
      engines[0].read(file, RegisterSet.GENERAL);
      expect([file.get(Reg.X0), file.get(Reg.PC) - CODE]).toEqual([1, 4]);
    });

    it('runs to a WFI and is behind it', async () => {
      const { code, engines, file } = await two();
      code.set(assemble('add x0, x0, #1', 'add x0, x0, #1', 'wfi', 'add x0, x0, #1'));
      engines[1].write(file, RegisterSet.GENERAL);
      expect(engines[1].run(CODE)).toBe(0);
      engines[1].read(file, RegisterSet.GENERAL);
      expect([file.get(Reg.X0), file.get(Reg.PC) - CODE]).toEqual([2, 12]);
    });

    it('keeps every register that is written', async () => {
      const { engines, file } = await two();
      for (let i = 0; i <= 30; i++) file.set(i, CODE + 0x123 * i);
      file.set(Reg.SP, DATA + 0x10);
      file.set(Reg.PSTATE, Pstate.EL1H | Pstate.I | (6 << 28));
      file.set(Reg.ELR_EL1, CODE + 8);
      file.set(Reg.SPSR_EL1, Pstate.EL1H | Pstate.DAIF);
      file.set(Reg.ESR_EL1, 0x5600_0000);
      file.set(Reg.SP_EL0, DATA + 0x20);
      engines[0].write(file, RegisterSet.ALL);
      const back = new RegisterFile();
      engines[0].read(back, RegisterSet.ALL);
      expect(back.words).toEqual(file.words);
      const vector = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i);
      engines[0].writeVector(7, vector);
      const read = new Uint8Array(16);
      engines[0].readVector(7, read);
      expect(read).toEqual(vector);
    });

    it('returns from an exception with ELR_EL1 and SPSR_EL1', async () => {
      const { code, engines, file } = await two();
      code.set(assemble('eret', 'nop', 'mrs x1, spsr_el1'));
      file.set(Reg.ELR_EL1, CODE + 8);
      file.set(Reg.SPSR_EL1, Pstate.EL1H | Pstate.I);
      engines[0].write(file, RegisterSet.ALL);
      expect(engines[0].step(CODE)).toBe(0);
      engines[0].read(file, RegisterSet.EXCEPTION_RETURN);
      expect(file.get(Reg.PC)).toBe(CODE + 8);
      expect(file.get(Reg.PSTATE) & Pstate.I).toBe(Pstate.I);
      expect(engines[0].step(CODE + 8)).toBe(0);
      engines[0].read(file, RegisterSet.GENERAL);
      expect(file.get(Reg.X1)).toBe(Pstate.EL1H | Pstate.I);
    });

    it('shares memory between engines and with this process', async () => {
      const { code, data, engines, file } = await two();
      code.set(assemble('str x0, [x1]', 'wfi', 'ldr x0, [x1]'));
      file.set(Reg.X0, CODE);
      engines[1].write(file, RegisterSet.GENERAL);
      engines[1].run(CODE);
      expect([data[0], data[1]]).toEqual([0x8000_0000, 0xffffa000]);
      data[0] = 0x8000_0004;
      file.set(Reg.X0, 0);
      engines[0].write(file, RegisterSet.GENERAL);
      engines[0].step(CODE + 8);
      engines[0].read(file, RegisterSet.GENERAL);
      expect(file.get(Reg.X0)).toBe(CODE + 4);
    });

    it.each([
      ['steps', 0],
      ['runs', 1],
    ] as const)('forgets old code on flush, in an engine that %s', async (verb, index) => {
      const { code, engines, file } = await two();
      const engine = engines[index];
      const execute = () => {
        if (verb === 'steps') engine.step(CODE);
        else engine.run(CODE);
      };
      code.set(assemble('add x0, x0, #1', 'wfi'));
      engine.write(file, RegisterSet.GENERAL);
      execute();
      code.set(assemble('sub x0, x0, #1'));
      engine.read(file, RegisterSet.ALL);
      engine.flush();
      const kept = new RegisterFile();
      engine.read(kept, RegisterSet.ALL);
      expect(kept.words).toEqual(file.words);
      expect(kept.get(Reg.X0)).toBe(1);
      execute();
      engine.read(file, RegisterSet.GENERAL);
      expect(file.get(Reg.X0)).toBe(0);
    });

    it('has a status and words for a fetch from nowhere', async () => {
      const { engines, file } = await two();
      engines[0].write(file, RegisterSet.GENERAL);
      const status = engines[0].step(DATA + 0x100000);
      expect(status).not.toBe(0);
      expect(engines[0].describe(status)).toMatch(/\(UC_ERR_\w+\)/);
    });

    it('refuses to map an address twice', async () => {
      const backend = await start();
      const engine = openEngine(backend);
      must(engine.map(CODE, backend.allocate(4096), Permission.READ));
      expect(engine.map(CODE, backend.allocate(4096), Permission.READ)).toMatchObject({
        error: { kind: 'engine-error', operation: 'map' },
      });
    });
  });
}

contract(
  libunicorn === undefined ? 'libunicorn: NOT RUN, it is not on this machine' : 'libunicorn',
  libunicorn === undefined ? undefined : async () => must(await openBackend()),
);

// libunicorn's translation buffer is 1 GiB, which makes the flushes of this one slow.
contract(
  'unicorn-js, a stand-in in front of libunicorn',
  libunicorn === undefined
    ? undefined
    : async () => must(await loadUnicornJs(createStandIn(hostedUnicorn(libunicorn)).load, 2 ** 20)),
);

// One module serves the whole suite, as one serves a process.
contract(
  package_.ok ? 'unicorn-js' : `unicorn-js: NOT RUN, ${package_.error.message}`,
  package_.ok ? () => Promise.resolve(package_.value) : undefined,
);
