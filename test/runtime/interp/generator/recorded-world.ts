import { decodeInsns, encodeInsns } from '../../../../src/runtime/index.js';
import type { World, WorldProgram } from './world.js';
import type { WorldOutcome } from './world-outcome.js';

/** A world and what the kernel made of it: one line of the recorded worlds. */
export interface RecordedWorld {
  readonly world: World;
  readonly outcome: WorldOutcome;
}

const NOTHING = new Uint8Array(0);

interface ProgramText {
  readonly type: number;
  readonly insns: string;
  readonly functions: readonly number[];
  readonly value: string;
  readonly packet: string;
}

interface WorldText {
  readonly main: ProgramText;
  readonly target: ProgramText;
  readonly subjects: World['subjects'];
  readonly maps: World['maps'];
  readonly outcome: Omit<WorldOutcome, 'ring'> & {
    readonly ring: {
      readonly consumer: string;
      readonly producer: string;
      readonly size: number;
      readonly data: string;
    };
  };
}

export function formatRecordedWorld({ world, outcome }: RecordedWorld): string {
  const { main, target, subjects, maps } = world;
  const { consumer, producer, data } = outcome.ring;
  const text: WorldText = {
    main: programText(main),
    // It runs on what the first program runs on.
    target: programText({ ...target, value: NOTHING, packet: NOTHING }),
    subjects,
    maps,
    outcome: {
      ...outcome,
      // Most of a ring is still zero.
      ring: {
        consumer: String(consumer),
        producer: String(producer),
        size: data.length,
        data: data.replace(/(00)*$/, ''),
      },
    },
  };
  return JSON.stringify(text);
}

export function parseRecordedWorld(line: string): RecordedWorld {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by formatRecordedWorld
  const { main, target, subjects, maps, outcome } = JSON.parse(line) as WorldText;
  const { consumer, producer, size, data } = outcome.ring;
  return {
    world: { main: programOf(main), target: programOf(target), subjects, maps },
    outcome: {
      ...outcome,
      ring: { consumer: BigInt(consumer), producer: BigInt(producer), data: data.padEnd(size, '0') },
    },
  };
}

function programText({ type, insns, functions, value, packet }: WorldProgram): ProgramText {
  return { type, insns: base64(encodeInsns(insns)), functions, value: base64(value), packet: base64(packet) };
}

function programOf({ type, insns, functions, value, packet }: ProgramText): WorldProgram {
  return { type, insns: decodeInsns(bytesOf(insns)), functions, value: bytesOf(value), packet: bytesOf(packet) };
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
