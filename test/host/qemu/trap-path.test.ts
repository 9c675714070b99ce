import { describe, expect, it } from 'vitest';
import type { KernelSymbol } from '../../../src/host/index.js';
import { SymbolTable } from '../../../src/host/index.js';
import type { MachineControl } from '../../../src/host/qemu/machine-control.js';
import { loongarch64Traps } from '../../../src/host/qemu/traps/loongarch64-traps.js';
import { TrapPath } from '../../../src/host/qemu/traps/trap-path.js';

const HANDLER = 0x1000n;
const ELSEWHERE = 0x8000n;

const symbols = new SymbolTable([
  { name: 'do_bp', address: HANDLER, size: 0x40n, type: 'T' } satisfies KernelSymbol,
  { name: 'work', address: ELSEWHERE, size: 0x100n, type: 'T' } satisfies KernelSymbol,
]);

/** Two CPUs that one host thread runs in turn: whoever is not at its turn stands before an interrupt whenever it is looked at. */
class Turns {
  readonly threads = ['1', '2'];
  readonly ended = null;
  readonly ran: (string | undefined)[] = [];
  readonly pcs = new Map([
    ['1', ELSEWHERE],
    ['2', HANDLER],
  ]);
  #loaded = '1';
  readonly cpu = {
    load: (thread: string): void => {
      this.#loaded = thread;
    },
    get: (): bigint => this.pcs.get(this.#loaded) ?? 0n,
  };

  halt(): void {
    // It stands still.
  }

  runOn = (_ms: number, thread?: string): void => {
    this.ran.push(thread);
    if (thread !== undefined) this.pcs.set(thread, ELSEWHERE);
    else for (const [each, pc] of this.pcs) this.pcs.set(each, pc === HANDLER ? ELSEWHERE : HANDLER);
  };
}

function pathOf(turns: Turns): TrapPath {
  const control = turns as unknown as MachineControl;
  return new TrapPath({ control, traps: loongarch64Traps, runOn: turns.runOn, served: () => 0 }, symbols);
}

describe('the way of a trap', () => {
  it('becomes clear where CPUs take turns: who stands on it is let run alone every other time', () => {
    const turns = new Turns();
    expect(pathOf(turns).whenClear(() => [...turns.pcs.values()].every((pc) => pc === ELSEWHERE))).toBe(true);
    expect(turns.ran).toEqual([undefined, '1']);
  });

  it('is drained when each CPU was seen off it once', () => {
    const turns = new Turns();
    pathOf(turns).drain();
    expect(turns.ran).toEqual([undefined]);
  });
});
