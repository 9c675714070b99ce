import { arm64 } from '../../../src/arch/index.js';

/** What a kernel answered to a probe on an instruction. */
export interface Verdict {
  readonly word: string;
  /** 0: accepted. */
  readonly errno: number;
  /** The words before it, the nearest last; only where an exclusive access is among them. */
  readonly before: readonly string[];
}

/** File below test/testdata with one verdict per line. */
export const RECORDED_VERDICTS = 'arch/arm64-linux-verdicts.txt';

/**
 * The lines to record of what the init of test/guest/arch/arm64-verdicts printed: an accepted word of each kind,
 * or, where a kind was accepted nowhere, one that was refused.
 */
export function recordableVerdicts(told: string): string {
  const release = /^KSCOPE-KERNEL (.*)$/m.exec(told)?.[1] ?? 'of unknown release';
  const contexts = [...told.matchAll(/^KSCOPE-CONTEXT (.*)$/gm)].map(([, line]) => line);
  const kinds = new Map<string, string>();
  for (const [, kind, word, errno] of told.matchAll(/^KSCOPE-VERDICT (\w+) (\w+) (\d+) /gm)) {
    // The kernel is asked for a kind until it accepts one: the last answer counts.
    kinds.set(kind, `${word} ${errno}`);
  }
  return [`# Linux ${release}`, ...[...new Set(kinds.values())].toSorted(), ...contexts.toSorted()].join('\n');
}

export function parseVerdicts(text: string): Verdict[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [word, errno, ...before] = line.split(' ') as [string, string, ...string[]];
    return { word, errno: Number(errno), before };
  });
}

/** Where kscope answers otherwise, and why. */
export const DIFFERENT: readonly [why: string, isSo: (word: number) => boolean][] = [
  ['udf: Linux lets it trap in the slot', (word) => word >>> 16 === 0],
  // Of the place of a word nothing is recorded. In Linux' text all accesses to user memory are in its exception table.
  ['ldtr, sttr: places in the exception table', (word) => (word & 0x3b20_0c00) === 0x3800_0800],
  ['dc, ic for user addresses: places in the exception table', (word) => word >>> 12 === 0xd50b7],
];

function bytesOf(...words: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, Number.parseInt(word, 16), true));
  return bytes;
}

function isRefused({ word, before }: Verdict): boolean {
  return arm64.probing.plan(bytesOf(word), 0xffff_8000_0801_0000n, { before: bytesOf(...before) }).kind === 'refuse';
}

/** Those that kscope answers otherwise. */
export function differences(rows: readonly Verdict[]): Verdict[] {
  return rows.filter((verdict) => isRefused(verdict) !== (verdict.errno !== 0));
}

/** Why kscope answers otherwise, where that is known. */
export function reasonOf({ word }: Verdict): string | undefined {
  return DIFFERENT.find(([, isSo]) => isSo(Number.parseInt(word, 16)))?.[0];
}
