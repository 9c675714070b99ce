import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hi32, lo32 } from '../../src/base/index.js';
import type { CliIo } from '../../src/cli/io.js';
import { runOptions } from '../../src/cli/run-options.js';
import { Session } from '../../src/cli/session.js';
import { SymbolTable } from '../../src/host/index.js';
import { createSim, type SimHost } from '../../src/host/sim/index.js';

const io: CliIo = {
  out: () => undefined,
  err: () => undefined,
  readFile: (path) => readFileSync(path),
  writeFile: () => undefined,
  writeBytes: () => undefined,
  readStdin: () => Promise.resolve(''),
  signal: new AbortController().signal,
};

/** A machine that does not know one of its functions. */
function simWithout(name: string): SimHost {
  const sim = createSim();
  const symbols = new SymbolTable([...sim.symbols].filter((symbol) => symbol.name !== name));
  return Object.defineProperty(sim, 'symbols', { value: symbols });
}

function textOf(host: SimHost, name: string): Uint8Array {
  const { address = 0n, size = 0n } = host.symbols.lookup(name) ?? {};
  const bytes = new Uint8Array(Number(size));
  expect(host.memory.readKernel(lo32(address), hi32(address), bytes, 0, bytes.length)).toBe(true);
  return bytes;
}

it('a session that cannot attach all of its programs leaves no breakpoint of the others in the host', () => {
  const host = simWithout('vfs_write');
  const before = textOf(host, 'vfs_read');
  const options = runOptions('examples/funclatency.bpf.o', {});
  const opened = { host, sim: host, slice: 1_000_000n, close: () => undefined };
  expect(() => new Session(opened, options, io, () => undefined)).toThrowError(/no function vfs_write/);
  expect(textOf(host, 'vfs_read')).toEqual(before);
});
