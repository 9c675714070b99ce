import type { Kprobe, KprobeMultiLink, Kretprobe, MultiOn } from '../../src/kprobe/index.js';

/** What the handler of a probe does besides being called. */
export type Behaviour =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unregister' | 'disable' | 'enable'; readonly victim: number }
  | { readonly kind: 'call'; readonly symbol: string }
  | { readonly kind: 'return' };

/** What the model knows of a probe: is it there, and how often its address was met while it was enabled. */
export interface ModelProbe {
  readonly real: Kprobe;
  readonly addr: bigint;
  readonly behaviour: Behaviour;
  readonly returnProbe: ModelReturnProbe | null;
  /** Whether it has a handler that runs behind the instruction. */
  readonly hasPost: boolean;
  registered: boolean;
  enabled: boolean;
  hits: number;
  recursion: number;
  redirected: number;
  posts: number;
}

export interface ModelReturnProbe {
  readonly real: Kretprobe;
  readonly maxactive: number;
  readonly skipsOdd: boolean;
  entries: number;
  active: number;
  returned: number;
  skipped: number;
  registered: boolean;
  readonly missed: { maxactive: number; unwound: number; exited: number; unregistered: number };
}

/** A program on many functions: the model adds up what it knows of their probes. */
export interface ModelLink {
  readonly real: KprobeMultiLink;
  readonly on: MultiOn;
  readonly probes: readonly ModelProbe[];
}

/** Runs of a link's program, as the model expects them, if they are others. */
export function checkLink({ real, on, probes }: ModelLink): string[] {
  const runs = probes.reduce((sum, probe) => sum + runsOf(on, probe), 0);
  const { counts } = real;
  if (counts.runs === runs && counts.hits === runs) return [];
  return [
    `a program on ${probes.length} functions, ${on}: ${counts.runs} runs of ${counts.hits} hits, the model says ${runs}`,
  ];
}

function runsOf(on: MultiOn, { hits, returnProbe }: ModelProbe): number {
  if (returnProbe === null) return hits;
  const entered = hits - returnProbe.missed.maxactive;
  return returnProbe.returned + (on === 'session' ? entered : 0);
}

/** Where counters and model differ. */
export function checkProbe({ real, hits, recursion, redirected, posts }: ModelProbe): string[] {
  const actual = { hits: real.nhit, ...real.missed, posts: 0 };
  const expected = { hits, recursion, redirected, posts };
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  return a === b
    ? []
    : [`probe ${real.symbolName}+${real.offset}: ${a}, the model says ${b} (posts: handlers still owed)`];
}

/** Where counters and model differ, or calls are not accounted for. */
export function checkReturn({ real, active, returned, skipped, missed }: ModelReturnProbe): string[] {
  const { maxactive, fault, unwound, exited, unregistered } = real.missed;
  const actual = {
    active: real.nactive,
    returned: real.nreturned,
    skipped: real.nskipped,
    maxactive,
    unwound,
    exited,
    unregistered,
  };
  const expected = { active, returned, skipped, ...missed };
  const sum = actual.active + actual.returned + actual.skipped + maxactive + fault + unwound + exited + unregistered;
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  return [
    ...(a === b ? [] : [`return probe ${real.entry.symbolName}: ${a}, the model says ${b}`]),
    ...(sum === real.entry.nhit
      ? []
      : [`return probe ${real.entry.symbolName}: ${sum} accounted of ${real.entry.nhit}`]),
  ];
}
