import { hi32, lo32 } from '../../../src/base/index.js';
import type { HostText } from '../../../src/host/index.js';
import { addressOf, breakpointOf, bugIn, override, type PlantedBug } from './planted-bug.js';

const INT3 = 0xcc;

export const textBugs: readonly PlantedBug[] = [
  bugIn(
    'text',
    'a patch does not compare',
    'text: a patch that expects other bytes is refused and writes nothing',
    (text, { host }) => ({
      patch(address, expected, bytes) {
        const found = new Uint8Array(expected.length);
        host.memory.readKernel(lo32(address), hi32(address), found, 0, found.length);
        return text.patch(address, found, bytes);
      },
    }),
  ),
  bugIn('text', 'data can be patched', 'text: what is not text cannot be patched', (text, { host }) => ({
    patch: (address, expected, bytes) =>
      text.patch(address, expected, bytes) ||
      (text.blacklisted(address) === 'not kernel text' &&
        host.memory.writeKernel(lo32(address), hi32(address), bytes, 0, bytes.length)),
  })),
  {
    name: 'CPUs go on executing what stood there before a patch',
    finds: 'traps: CPUs meet a breakpoint that was put in',
    plant: (subject) => withStaleText(subject, true),
  },
  {
    name: 'CPUs go on executing a breakpoint that was taken out',
    finds: 'traps: none come once the breakpoint was taken out',
    plant: (subject) => withStaleText(subject, false),
  },
  bugIn(
    'text',
    'executable memory is given out twice',
    'text: executable memory is aligned and pieces are disjoint',
    (text) => {
      let last: bigint | null = null;
      return {
        allocExec(size) {
          if (last !== null) return last + 16n;
          last = text.allocExec(size);
          return last;
        },
        freeExec(address, size) {
          if (address !== last) return;
          text.freeExec(address, size);
          last = null;
        },
      };
    },
  ),
  bugIn(
    'text',
    'executable memory begins anywhere',
    'text: executable memory is aligned and pieces are disjoint',
    (text) => ({
      allocExec(size) {
        const address = text.allocExec(size + 16);
        return address === null ? null : address + 4n;
      },
      freeExec: (address, size) => text.freeExec(address - 4n, size + 16),
    }),
  ),
  bugIn(
    'text',
    'executable memory is never taken back',
    'text: executable memory that was freed is given out again',
    () => ({ freeExec: () => {} }),
  ),
  bugIn('text', 'executable memory cannot be patched', 'text: executable memory can be written by patch', (text) => ({
    patch: (address, expected, bytes) =>
      text.blacklisted(address) !== 'room for displaced instructions' && text.patch(address, expected, bytes),
  })),
  bugIn('text', 'the trampoline is no breakpoint', 'text: the return trampoline is a breakpoint', (text) => ({
    returnTrampoline: (text.returnTrampoline ?? 0n) + 1n,
  })),
  bugIn(
    'text',
    'the trampoline may be probed',
    'text: probes are refused where they would end the machine, and only there',
    (text) => ({ blacklisted: (address) => (address === text.returnTrampoline ? null : text.blacklisted(address)) }),
  ),
];

/** Memory shows a patch at once; CPUs see it late (`goingIn`: breakpoints put in; else: those taken out). */
function withStaleText(subject: Parameters<PlantedBug['plant']>[0], goingIn: boolean): ReturnType<PlantedBug['plant']> {
  const { host } = subject;
  const text = host.text as HostText;
  const shown = new Map<bigint, number>();
  let traps = 0;
  let late: { address: bigint; expected: Uint8Array; bytes: Uint8Array } | null = null;
  const isSlot = (address: bigint): boolean => text.blacklisted(address) === 'room for displaced instructions';
  const patch: HostText['patch'] = (address, expected, bytes) => {
    const found = new Uint8Array(expected.length);
    memory.readKernel(lo32(address), hi32(address), found, 0, found.length);
    if (expected.length !== bytes.length || found.some((byte, i) => byte !== expected[i])) return false;
    const delayed = !isSlot(address) && (goingIn ? bytes[0] === INT3 : expected[0] === INT3);
    if (shown.has(address)) {
      shown.delete(address);
      late = null;
      return true;
    }
    if (!delayed) return text.patch(address, expected, bytes);
    shown.set(address, bytes[0] ?? 0);
    late = { address, expected: expected.slice(), bytes: bytes.slice() };
    return true;
  };
  const catchUp = (address: bigint): void => {
    if (late === null || late.address !== address || ++traps < 3) return;
    text.patch(late.address, late.expected, late.bytes);
    shown.delete(address);
    late = null;
  };
  const memory = override(host.memory, {
    readKernel(lo, hi, dst, offset, length) {
      const ok = host.memory.readKernel(lo, hi, dst, offset, length);
      const from = addressOf(lo, hi);
      for (const [address, byte] of shown) {
        const at = Number(address - from);
        if (ok && at >= 0 && at < length) dst[offset + at] = byte;
      }
      return ok;
    },
  });
  const broken = override(text, {
    patch,
    setTrapHandler(handler) {
      if (handler === null && late !== null) text.patch(late.address, late.expected, late.bytes);
      text.setTrapHandler(
        handler === null
          ? null
          : (frame) => {
              catchUp(breakpointOf(frame.regs));
              return handler(frame);
            },
      );
    },
  });
  return { ...subject, host: override(host, { memory, text: broken }) };
}
