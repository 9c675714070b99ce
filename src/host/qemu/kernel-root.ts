import { hi32, lo32 } from '../../base/index.js';
import type { SymbolTable } from '../index.js';
import { NO_PAGE, PageAccess, type PageTables } from '../guest/index.js';
import type { MachineControl } from './machine-control.js';
import type { TrapContext } from './trap-context.js';
import type { TrapArch } from './traps/trap-arch.js';

/**
 * How to find the physical address of the page tables that kernel addresses are looked up in: the kernel's own, or, where
 * nobody tells where those are, the ones in force on a CPU, which hold the kernel's part as well. CPU 0's registers are
 * loaded.
 */
export function kernelRootOf(
  traps: TrapArch,
  tables: PageTables,
  symbols: SymbolTable,
  control: MachineControl,
  context: () => TrapContext,
): () => number {
  const inForce = traps.root(control.cpu);
  const own = traps.kernelRoot(control.cpu, (name, at) => {
    const address = symbols.lookup(name)?.address;
    if (address === undefined) return null;
    const physical = tables.translate(at, lo32(address), hi32(address), PageAccess.read);
    return physical === NO_PAGE ? null : physical;
  });
  if (own !== null) return () => own;
  let turn = -1;
  let root = inForce;
  return () => {
    const { active, root: trapped } = context();
    if (active) return trapped;
    if (turn === control.turns || control.running) return root;
    control.cpu.load(control.threads[0]);
    root = traps.root(control.cpu);
    turn = control.turns;
    return root;
  };
}
