import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type InsnCase, Layout } from './insn-case.js';

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, '..', '..', '..', '.cache', 'sim');

/** What the processor made of one instruction. */
export interface InsnResult {
  readonly regs: bigint[];
  readonly rip: bigint;
  readonly flags: bigint;
  /** Vector of the trap that ended it: 3 where the instruction completed. */
  readonly trap: number;
  readonly window: Uint8Array;
}

const CASE = 16 + 8 + 128 + 8 + Layout.WINDOW_SIZE;
const RESULT = 128 + 24 + Layout.WINDOW_SIZE;

/** Compiles a C file of native/ once per version; a string says why that is not possible here. */
export function buildNative(source: string, flags: readonly string[]): { path: string } | { unavailable: string } {
  if (process.arch !== 'x64' || process.platform !== 'linux') return { unavailable: 'needs Linux on x86_64' };
  const from = join(here, 'native', source);
  const path = join(cache, source.replace(/\.c$/, ''));
  if (existsSync(path) && statSync(path).mtimeMs > statSync(from).mtimeMs) return { path };
  mkdirSync(cache, { recursive: true });
  const scratch = `${path}.${process.pid}`;
  const built = spawnSync('gcc', [...flags, '-o', scratch, from], { encoding: 'utf8' });
  if (built.error !== undefined) return { unavailable: `no C compiler: ${built.error.message}` };
  if (built.status !== 0) return { unavailable: `gcc refused ${source}: ${built.stderr}` };
  renameSync(scratch, path);
  return { path };
}

function encodeCases(cases: readonly InsnCase[]): Uint8Array {
  const bytes = new Uint8Array(cases.length * CASE);
  const view = new DataView(bytes.buffer);
  cases.forEach((each, i) => {
    const at = i * CASE;
    bytes.set(each.code, at);
    view.setUint32(at + 16, each.code.length, true);
    each.regs.forEach((value, n) => view.setBigUint64(at + 24 + 8 * n, value, true));
    view.setBigUint64(at + 152, each.flags, true);
    bytes.set(each.window, at + 160);
  });
  return bytes;
}

/** Runs every case on the processor this test runs on. */
export function runNatively(binary: string, cases: readonly InsnCase[]): InsnResult[] {
  const run = spawnSync(binary, { input: encodeCases(cases), maxBuffer: 1 << 28, timeout: 30_000 });
  if (run.stdout.length !== cases.length * RESULT) {
    throw new Error(`${binary} answered ${run.stdout.length} bytes (status ${run.status}, signal ${run.signal})`);
  }
  const view = new DataView(run.stdout.buffer, run.stdout.byteOffset, run.stdout.length);
  return cases.map((_, i) => {
    const at = i * RESULT;
    return {
      regs: Array.from({ length: 16 }, (_unused, n) => view.getBigUint64(at + 8 * n, true)),
      rip: view.getBigUint64(at + 128, true),
      flags: view.getBigUint64(at + 136, true),
      trap: Number(view.getBigUint64(at + 144, true)),
      window: new Uint8Array(run.stdout.subarray(at + 152, at + 152 + Layout.WINDOW_SIZE)),
    };
  });
}
