import { readFileSync } from 'node:fs';
import { packageFile } from '../package-file.js';

/** One of workloads/src. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Its packet: workloads/data. */
  readonly data: 'bytes' | 'event' | 'packet';
  /** What it returns, unsigned. */
  readonly result: number;
  /** How often objects of it repeat their work in a run. With more than one, the slope over them is the net time. */
  readonly repeats: readonly number[];
  /** Bytes that one repetition leaves in a ring buffer: the ring is emptied before each sample. */
  readonly ringBytes?: number;
  /** Maps or rings, which are made for concurrent writers in the kernel. */
  readonly usesMaps?: true;
}

const ONCE = [1];
const SLOPE = [1, 8, 64];

export const WORKLOADS: readonly Workload[] = [
  { name: 'empty', title: 'return 0', data: 'event', result: 0, repeats: SLOPE },
  { name: 'lcg', title: '100,000 steps of a 64-bit LCG', data: 'event', result: 295145151, repeats: ONCE },
  { name: 'sieve', title: 'sieve of 448 numbers on the stack', data: 'event', result: 10338, repeats: ONCE },
  { name: 'fnv', title: 'FNV-1a of 1500 bytes', data: 'bytes', result: 4096947068, repeats: ONCE },
  { name: 'sip', title: 'SipHash of 1496 bytes', data: 'bytes', result: 134966962, repeats: ONCE },
  { name: 'pkt', title: 'Ethernet, IPv4, TCP of a packet', data: 'packet', result: 4196096990, repeats: SLOPE },
  { name: 'trace', title: 'hash lookup, histogram', data: 'event', result: 0, repeats: SLOPE, usesMaps: true },
  { name: 'traceup', title: 'the same and a hash update', data: 'event', result: 0, repeats: SLOPE, usesMaps: true },
  { name: 'cnt', title: 'array counter', data: 'event', result: 0, repeats: SLOPE, usesMaps: true },
  { name: 'cntat', title: 'array counter, atomic', data: 'event', result: 0, repeats: SLOPE, usesMaps: true },
  {
    name: 'ring',
    title: 'ring buffer record of 32 bytes',
    data: 'event',
    result: 0,
    repeats: SLOPE,
    ringBytes: 40,
    usesMaps: true,
  },
];

/** The object that does the workload's work `repeat` times in a run. */
export function objectOf(name: string, repeat = 1): Uint8Array {
  return read(`obj/${name}${repeat === 1 ? '' : `.x${repeat}`}.o`);
}

export function packetOf(data: Workload['data']): Uint8Array {
  return read(`data/${data}.bin`);
}

/** Runs of a ring workload that fit its ring, with some room left; any number for the others. */
export function runsPerSample({ ringBytes }: Workload, repeat: number, ringSize = 1 << 22): number {
  return ringBytes === undefined ? 1 << 30 : Math.floor((0.9 * ringSize) / (ringBytes * repeat));
}

function read(path: string): Uint8Array {
  return new Uint8Array(readFileSync(packageFile(`bench/workloads/${path}`)));
}
