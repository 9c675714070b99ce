import { bootV86, restoreV86, type V86Constructor, type V86Host, type V86Parts } from '../../../src/host/v86/index.js';
import { Machine } from '../../../src/machine/index.js';
import { CountingProgram } from './counting-program.js';
import { GuestSession } from './guest-session.js';
import { type HitRate, measureHits } from './hit-rate.js';

/** What runs in the browser; the tests call it by name. */

let prepared: { readonly parts: V86Parts; readonly saved: Uint8Array } | undefined;

const AX = 6;
const CX = 1;

/** What a guest did, and what programs saw of it. */
export interface PageCounts {
  readonly entries: number;
  readonly asked: number;
  readonly returns: number;
  readonly read: number;
  readonly sigtraps: number;
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
export async function restoreAndCount(reads: number, calls: number): Promise<PageCounts> {
  await prepare();
  if (prepared === undefined) throw new Error('nothing was fetched');
  return count(await restoreV86(prepared.parts, prepared.saved), reads, calls);
}

/** Boots the kernel that is served, and counts. */
export async function bootAndCount(reads: number, calls: number): Promise<PageCounts> {
  const parts = await fetchParts();
  const [kernel, initrd] = [await bytesAt('/kernel'), await bytesAt('/initrd')];
  const breathe = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 0));
  const host = await bootV86(parts, { kernel, initrd }, { ready: /KSCOPE-COUNTS ready 1/, breathe });
  return count(host, reads, calls);
}

/** Entries and returns of `reads` reads, with breakpoints of the guest's own among them; then the rate of `calls` hits, best of five. */
function count(host: V86Host, reads: number, calls: number): PageCounts {
  const session = new GuestSession(host);
  const machine = new Machine(host);
  const entries = new CountingProgram(machine, 'entries', CX);
  const returns = new CountingProgram(machine, 'returns', AX);
  machine.attach(entries.program, { kind: 'kprobe', symbol: 'read_zero', offset: 0 });
  machine.attach(returns.program, { kind: 'kretprobe', symbol: 'read_zero', maxactive: 0 });
  const sigtraps = session.command('t 100', 'sigtrap');
  session.command(`r ${reads}`, 'read');
  machine.close();
  const rates = Array.from({ length: calls > 0 ? 5 : 0 }, () => measureHits(host, calls));
  const counts = {
    entries: entries.runs,
    asked: entries.sum,
    returns: returns.runs,
    read: returns.sum,
    sigtraps,
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
