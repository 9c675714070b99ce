import { PtRegs, X86Flag, X86Slot } from '../../../src/arch/index.js';
import { hi32, lo32 } from '../../../src/base/index.js';
import type { HostText, TrapHandler } from '../../../src/host/index.js';
import { breakpointOf, bugIn, bugInTraps, frameLike, override, type PlantedBug } from './planted-bug.js';

const CPUS = 'cpus: currentCpu is the CPU of the trap, in range and the same throughout a handler';
const MAX_INSN = 15;

export const trapBugs: readonly PlantedBug[] = [
  bugInTraps(
    'the pc is that of the breakpoint',
    'traps: the pc is where the architecture puts it',
    (handler) => (frame) => {
      if (frame.kind !== 'breakpoint') return handler(frame);
      frame.regs.ip -= 1n;
      const handled = handler(frame);
      if (!handled) frame.regs.ip += 1n;
      return handled;
    },
  ),
  bugInTraps(
    'breakpoints come as steps',
    'traps: a breakpoint comes as kind breakpoint',
    (handler) => (frame) => handler(frameLike(frame, { kind: 'step' })),
  ),
  bugInTraps('registers are a copy', 'traps: registers are a live view, both ways', (handler) => (frame) => {
    const words = new Int32Array(frame.regs.layout.size >> 2);
    frame.regs.copyTo(words, 0);
    return handler(frameLike(frame, { regs: new PtRegs(frame.regs.layout, words) }));
  }),
  bugInTraps('only the pc comes back', 'traps: registers are a live view, both ways', (handler) => (frame) => {
    const words = new Int32Array(frame.regs.layout.size >> 2);
    frame.regs.copyTo(words, 0);
    const handled = handler(frame);
    const { ip } = frame.regs;
    frame.regs.words.set(words, frame.regs.base);
    frame.regs.ip = ip;
    return handled;
  }),
  bugInTraps('the second CPU keeps its hits to itself', 'traps: each call is one hit', onlyFirstCpu),
  bugInTraps(
    'the user flag is always false',
    'traps: the user flag tells where the trap came from',
    (handler) => (frame) => handler(frameLike(frame, { user: false })),
  ),
  bugInTraps(
    'breakpoints of others are swallowed',
    'traps: what the handler does not take goes on to the machine',
    (handler) => (frame) => handler(frame) || frame.user,
  ),
  bugInTraps('each trap is one of CPU 0', CPUS, (handler) => (frame) => handler(frameLike(frame, { cpu: 0 }))),
  {
    name: 'CPU 0 is always current',
    finds: CPUS,
    plant: (subject) => ({ ...subject, host: override(subject.host, { currentCpu: () => 0 }) }),
  },
  {
    name: 'the current CPU is remembered when nothing happens any more',
    finds: 'cpus: there is one, and currentCpu is 0 outside of events',
    plant: (subject) => ({
      ...subject,
      host: override(subject.host, { currentCpu: () => subject.host.currentCpu() || 1 }),
    }),
  },
  bugInTraps(
    'after a step interrupts stay off',
    'traps: a single step executes one instruction and leaves no trace in the registers',
    (handler) => (frame) => {
      const { regs } = frame;
      if (frame.kind === 'step') regs.set(X86Slot.flags, regs.lo(X86Slot.flags) & ~X86Flag.IF, regs.hi(X86Slot.flags));
      return handler(frame);
    },
  ),
  bugIn(
    'text',
    'a step is forgotten',
    'traps: a single step executes one instruction and leaves no trace in the registers',
    () => ({ singleStep: () => {} }),
  ),
  bugInTraps(
    'the stack pointer at the trampoline is that of the call',
    'traps: returns sent to the trampoline arrive, each once',
    (handler, text) => (frame) => {
      const { regs } = frame;
      if (breakpointOf(regs) !== text.returnTrampoline) return handler(frame);
      regs.sp -= 8n;
      const handled = handler(frame);
      regs.sp += 8n;
      return handled;
    },
  ),
  {
    name: 'drain does not wait for a CPU that has met the breakpoint',
    finds: 'traps: drain returns when the last trap under way was delivered',
    plant(subject) {
      const text = subject.host.text as HostText;
      let handler: TrapHandler | null = null;
      let removed: bigint | null = null;
      const broken = override(text, {
        drain: () => {},
        patch(address, expected, bytes) {
          if (expected[0] === 0xcc) removed = address;
          return text.patch(address, expected, bytes);
        },
        setTrapHandler(given) {
          handler = given;
          text.setTrapHandler(given);
        },
      });
      // The trap is delivered when the machine goes on, with registers that nobody will resume with.
      const interlude = (): void => {
        const regs = new PtRegs(subject.host.arch.ptRegs);
        if (removed !== null) {
          regs.ip = removed + 1n;
          removed = null;
          handler?.({ cpu: 0, kind: 'breakpoint', user: false, regs });
        }
        subject.facts.interlude?.();
      };
      return { host: override(subject.host, { text: broken }), facts: { ...subject.facts, interlude } };
    },
  },
];

/** Hits of other CPUs are dealt with before the handler hears of them. */
function onlyFirstCpu(
  handler: TrapHandler,
  _text: HostText,
  { host, facts }: Parameters<PlantedBug['plant']>[0],
): TrapHandler {
  const address = host.symbols.lookup(facts.function)?.address ?? 0n;
  const insn = new Uint8Array(MAX_INSN);
  host.memory.readKernel(lo32(address), hi32(address), insn, 0, MAX_INSN);
  const plan = host.arch.probing.plan(insn, address);
  return (frame) => {
    if (frame.cpu === 0 || breakpointOf(frame.regs) !== address || plan.kind !== 'simulate') return handler(frame);
    return plan.simulate(frame.regs, {
      read: (lo, hi, dst, length) => host.memory.readKernel(lo, hi, dst, 0, length),
      write: (lo, hi, src, length) => host.memory.writeKernel(lo, hi, src, 0, length),
    });
  };
}
