import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openBackend } from '../../emulator/backend.js';
import { findEngineLibrary } from '../../emulator/engine-library.js';

const empty = mkdtempSync(join(tmpdir(), 'kunwind-backend-'));
afterAll(() => {
  rmSync(empty, { recursive: true, force: true });
});

const found = findEngineLibrary();

it.skipIf(!found.ok)('opens the engine that the search finds', async () => {
  const opened = await openBackend();
  expect(opened).toMatchObject({ ok: true, value: { name: found.ok && found.value.backend } });
  expect(opened.ok && opened.value.version).toMatch(/^2\.\d+\.\d+$/);
});

it('fails with the one line of the search, where there is no engine', async () => {
  const search = { env: { KUNWIND_LIBUNICORN: join(empty, 'missing.so') }, cache: empty };
  const wanted = findEngineLibrary(search);
  expect(wanted.ok).toBe(false);
  expect(await openBackend(search)).toEqual({
    ok: false,
    error: { kind: 'library-missing', message: wanted.ok ? '' : wanted.error },
  });
});
