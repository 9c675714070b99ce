import { expect } from 'vitest';
import { type Arch, type ProbePlan, ptRegsView } from '../../src/arch/index.js';

const RETURN_ADDRESS = 0x9000_0000_8000_2222n;
const STACK = 0xff20_0001_0000_3f00n;
const [SP_LO, SP_HI] = [0x3f00, 0xff20_0001 | 0];

/** Bytes of a text like `93 82 12 00`. */
export function bytesOf(code: string): Uint8Array {
  return Uint8Array.from(code.split(' ').filter(Boolean), (byte) => parseInt(byte, 16));
}

/** What a plan comes to: its kind, the errno if it refuses, its length. */
export function describePlan(made: ProbePlan): string {
  return `${made.kind === 'refuse' ? `refuse ${made.errno}` : made.kind} ${made.length}`;
}

/** Return addresses are in the register of slot `link`, and calls are told apart by the stack pointer. */
export function expectReturnsByLinkRegister({ returns, ptRegs }: Arch, link: number): void {
  const regs = ptRegsView(ptRegs);
  const memory = { read: () => false, write: () => false };
  const out = new Int32Array(4);
  regs.put(link, RETURN_ADDRESS);
  regs.sp = STACK;
  expect(returns.readEntry(regs, memory, out)).toBe(true);
  expect([...out]).toEqual([0x8000_2222 | 0, 0x9000_0000 | 0, SP_LO, SP_HI]);
  expect(returns.redirect(regs, memory, 0x1234, 0x5678)).toBe(true);
  expect(regs.get(link)).toBe(0x5678_0000_1234n);
  out.fill(0);
  returns.readReturn(regs, out);
  expect([...out]).toEqual([0, 0, SP_LO, SP_HI]);
  returns.resume(regs, 0x8000_2222 | 0, 0x9000_0000 | 0);
  expect([regs.ip, regs.get(link)]).toEqual([RETURN_ADDRESS, RETURN_ADDRESS]);
}

/** Interrupts are masked in a slot by clearing `bit` of the register of slot `status`, and nothing else. */
export function expectMasksOneBit({ probing, ptRegs }: Arch, status: number, bit: bigint): void {
  const regs = ptRegsView(ptRegs);
  const others = ~bit & 0x8000_0002_0000_01ffn;
  for (const before of [others | bit, others, bit, 0n]) {
    regs.put(status, before);
    const saved = probing.maskInterrupts(regs);
    expect(regs.get(status)).toBe(before & ~bit);
    probing.restoreInterrupts(regs, saved);
    expect(regs.get(status)).toBe(before);
  }
}
