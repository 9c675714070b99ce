import { bootV86, restoreV86, type V86Constructor, type V86Host, type V86Parts } from '../../../src/host/v86/index.js';
import { Machine } from '../../../src/machine/index.js';
import { CountingProgram } from './counting-program.js';
import { type HitRate, measureHits } from './hit-rate.js';
import { V86Session } from './v86-session.js';

/** What runs in the browser; the tests call it by name. */

let prepared: { readonly parts: V86Parts; readonly saved: Uint8Array } | undefined;

/** What a guest did by its own count, and what programs saw of it. */
export interface PageCounts {
  readonly opens: number | undefined;
  readonly breaks: number | undefined;
  readonly sigtraps: number | undefined;
  readonly entries: number;
  /** Sum of the sequence numbers that the guest puts into an argument. */
  readonly sequence: number;
  readonly returns: number;
  readonly pristine: boolean;
  readonly oops: string | null;
  readonly rates: readonly HitRate[];
}

/** Fetches what a guest is restored from, for `restore`. */
export async function prepare(): Promise<void> {
  prepared = { parts: await fetchParts(), saved: await bytesAt('/state') };
}

/** Goes on with the state that is served, does nothing with it and ends it. */
export async function restore(): Promise<void> {
  if (prepared === undefined) throw new Error('prepare() comes first');
  (await restoreV86(prepared.parts, prepared.saved)).close();
}

/** Goes on with the state that is served, and counts. */
export async function restoreAndCount(opens: number, calls: number): Promise<PageCounts> {
  await prepare();
  if (prepared === undefined) throw new Error('nothing was fetched');
  return count(await restoreV86(prepared.parts, prepared.saved), opens, calls);
}

/** Boots the kernel that is served, and counts. */
export async function bootAndCount(opens: number, calls: number): Promise<PageCounts> {
  const parts = await fetchParts();
  const [kernel, initrd] = [await bytesAt('/kernel'), await bytesAt('/initrd')];
  const breathe = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 0));
  const host = await bootV86(parts, { kernel, initrd }, { ready: /KSCOPE-READY/, breathe });
  return count(host, opens, calls);
}

/** Entries and returns of `opens` opens, among breakpoints of the guest's own; then the rate of `calls` hits, five times. */
function count(host: V86Host, opens: number, calls: number): PageCounts {
  const machine = new Machine(host);
  const entries = new CountingProgram(machine, 'entries', 'ax');
  const returns = new CountingProgram(machine, 'returns', 'ax');
  machine.attach(entries.program, { kind: 'kprobe', symbol: 'do_sys_openat2', offset: 0 });
  machine.attach(returns.program, { kind: 'kretprobe', symbol: 'do_sys_openat2', maxactive: 0 });
  const done = new V86Session(host).run(`open ${opens} 1 50`);
  machine.close();
  const rates = Array.from({ length: calls > 0 ? 5 : 0 }, () => measureHits(host, calls));
  const counts = {
    opens: done.get('opens'),
    breaks: done.get('breaks'),
    sigtraps: done.get('sigtraps'),
    entries: entries.runs,
    sequence: entries.sum,
    returns: returns.runs,
    pristine: host.text.pristine,
    oops: host.oops?.message ?? null,
    rates,
  };
  host.close();
  return counts;
}

async function fetchParts(): Promise<V86Parts> {
  const path = '/v86/libv86.mjs';
  const { V86 } = (await import(path)) as { V86: V86Constructor };
  const [wasm, bios, vgaBios] = await Promise.all(['/v86/v86.wasm', '/bios.bin', '/vgabios.bin'].map(bytesAt));
  return { V86, wasm, bios, vgaBios };
}

async function bytesAt(path: string): Promise<Uint8Array> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
