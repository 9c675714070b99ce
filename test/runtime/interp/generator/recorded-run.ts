import { decodeInsns, encodeInsns } from '../../../../src/runtime/index.js';
import type { Outcome, Run } from './runners.js';

/** A program, what it ran on, and what the kernel made of it: one line of the recorded corpus. */
export interface RecordedRun {
  readonly run: Run;
  readonly outcome: Outcome;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

export function formatRecordedRun({ run, outcome }: RecordedRun): string {
  return [
    run.type,
    base64(encodeInsns(run.insns)),
    base64(run.value),
    base64(run.packet),
    outcome.retval,
    base64(outcome.value),
    base64(outcome.packet),
  ].join(' ');
}

export function parseRecordedRun(line: string): RecordedRun {
  const [type, insns, value, packet, retval, valueAfter, packetAfter] = line.split(' ');
  return {
    run: {
      type: Number(type),
      insns: decodeInsns(bytesOf(insns)),
      value: bytesOf(value),
      packet: bytesOf(packet),
    },
    outcome: { retval: Number(retval), value: bytesOf(valueAfter), packet: bytesOf(packetAfter) },
  };
}

export function sameOutcome(a: Outcome, b: Outcome): boolean {
  return a.retval === b.retval && Buffer.compare(a.value, b.value) === 0 && Buffer.compare(a.packet, b.packet) === 0;
}
