import { describe, expect, it } from 'vitest';
import { x86_64 } from '../../src/arch/index.js';
import { BpfError } from '../../src/base/index.js';
import { createSim, type SimHost } from '../../src/host/sim/index.js';
import { insnBoundaries, type Uprobe, UprobeRegistry } from '../../src/kprobe/index.js';

const OP = '/bin/op';
/** Nothing here depends on time or on which CPU runs what. */
const SCRIPT = [
  'op open:/etc/passwd read:100 lseek:10 read:5 fstat close getpid getppid clock',
  'op create:/tmp/x write:5000 fsync lseek:0 drop close unlink:/tmp/x mkdir:/tmp/d stat:/tmp/d',
  'op touch:3 brk:2 fork yield compute:30 sleep:100 open2:/etc/passwd close connect:99 exit:3',
].join('\n');
const LINKED_AT = 0x40_0000;

interface Boundary {
  readonly name: string;
  readonly offset: number;
}

/** Every instruction of the program, of its library and start code too. */
function boundaries(): Boundary[] {
  const host = createSim();
  const file = host.userText.open(OP);
  const symbols = [...(host.programs.get(OP) ?? [])].filter(({ type, size }) => /^[tT]$/.test(type) && size > 0n);
  return symbols.flatMap(({ name, address, size }) => {
    const offset = Number(address) - LINKED_AT;
    const code = new Uint8Array(Number(size));
    if (file === null || !host.userText.read(file, offset, code)) throw new Error(`no text of ${name}`);
    return insnBoundaries(x86_64.probing, code).map((at) => ({
      name: `${name}+0x${at.toString(16)}`,
      offset: offset + at,
    }));
  });
}

/** How often the processor executes each instruction of the program, up to `end`, by offset in the file: a run without probes. */
function executions(end: number): { counts: Map<number, number>; console: string } {
  const host = createSim({ script: SCRIPT });
  const counts = new Map<number, number>();
  const comm = new Uint8Array(16);
  host.traceInstructions((_cpu, lo, hi) => {
    if (hi !== 0 || lo < LINKED_AT || lo - LINKED_AT > end) return;
    host.tasks.comm(comm, 0);
    // Only processes of this program: 'op' and NUL.
    if (comm[0] !== 0x6f || comm[1] !== 0x70 || comm[2] !== 0) return;
    counts.set(lo - LINKED_AT, (counts.get(lo - LINKED_AT) ?? 0) + 1);
  });
  expect(host.run()).toBe('finished');
  return { counts, console: host.console };
}

function place(host: SimHost, batch: readonly Boundary[]): { probes: Map<string, Uprobe>; refused: string[] } {
  const uprobes = new UprobeRegistry(host);
  const probes = new Map<string, Uprobe>();
  const refused: string[] = [];
  for (const { name, offset } of batch) {
    try {
      probes.set(name, uprobes.register({ path: OP, offset }));
    } catch (error) {
      expect(error).toBeInstanceOf(BpfError);
      refused.push(name);
    }
  }
  return { probes, refused };
}

const all = boundaries();
const BATCHES = 6;
const batches = Array.from({ length: BATCHES }, (_, i) => all.filter((_boundary, at) => at % BATCHES === i));

describe('a uprobe on every instruction of a program', () => {
  const plain = executions(Math.max(...all.map(({ offset }) => offset)));

  it.each(batches.map((batch, i) => ({ batch, i })))(
    'is met as often as it is executed without: part $i',
    ({ batch }) => {
      const host = createSim({ script: SCRIPT });
      const { probes, refused } = place(host, batch);
      expect(host.run()).toBe('finished');
      expect(host.console).toBe(plain.console);
      const offsets = new Map(batch.map(({ name, offset }) => [name, offset]));
      const hits = [...probes].map(([name, { nhit }]) => `${name}: ${nhit}`);
      expect(hits).toEqual(
        [...probes.keys()].map((name) => `${name}: ${plain.counts.get(offsets.get(name) ?? -1) ?? 0}`),
      );
      // ud2, hlt and the program's own int3.
      expect(refused.length).toBeLessThan(batch.length / 10);
      expect([...probes.values()].filter(({ nhit }) => nhit > 0).length).toBeGreaterThan(batch.length / 2);
    },
  );

  it('takes in all that a program consists of', () => {
    expect(all.length).toBeGreaterThan(500);
  });
});
