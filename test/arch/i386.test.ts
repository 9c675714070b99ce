import { describe, expect, it } from 'vitest';
import { decodeInsn, i386, PtRegs32, ptRegsView, x86_64, X86Insn, type InsnMemory } from '../../src/arch/index.js';

const ADDRESS = 0xc100_0000n;
const { ptRegs, probing, returns } = i386;

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.split(' '), (byte) => parseInt(byte, 16));
const decode = (hex: string): X86Insn | null => decodeInsn(bytesOf(hex), 0, new X86Insn(), 32);

/** A stack of eight words at 0x1000. */
function stackMemory(): { words: Int32Array; memory: InsnMemory } {
  const words = new Int32Array(8);
  const bytes = new Uint8Array(words.buffer);
  const within = (lo: number, hi: number, length: number): boolean =>
    hi === 0 && lo >= 0x1000 && lo + length <= 0x1000 + bytes.length;
  return {
    words,
    memory: {
      read(lo, hi, dst, length) {
        if (!within(lo, hi, length)) return false;
        dst.set(bytes.subarray(lo - 0x1000, lo - 0x1000 + length));
        return true;
      },
      write(lo, hi, src, length) {
        if (!within(lo, hi, length)) return false;
        bytes.set(src.subarray(0, length), lo - 0x1000);
        return true;
      },
    },
  };
}

describe('struct pt_regs of i386', () => {
  it('is laid out as Linux does', () => {
    const { names, size, slotSize } = ptRegs;
    expect(names.join(' ')).toBe('bx cx dx si di bp ax ds es fs gs orig_ax ip cs flags sp ss');
    expect([size, slotSize, names.length]).toEqual([68, 4, 17]);
  });

  it('has arguments in ax, dx and cx, then on the stack behind the return address', () => {
    const { names, args, stackArgs, ip, sp, fp, ret } = ptRegs;
    expect(args.map((slot) => names[slot])).toEqual(['ax', 'dx', 'cx']);
    expect(stackArgs).toBe(1);
    expect([ip, sp, fp, ret].map((slot) => names[slot])).toEqual(['ip', 'sp', 'bp', 'ax']);
  });
});

describe('registers of 32-bit slots', () => {
  it('are one word each, and their high words are 0 whatever was written', () => {
    const words = new Int32Array(20);
    const regs = ptRegsView(ptRegs, words, 2);
    expect(regs).toBeInstanceOf(PtRegs32);
    regs.set(1, -2, 5);
    regs.ip = 0xffff_ffff_c100_0000n;
    expect([words[2], words[3], words[4]]).toEqual([0, -2, 0]);
    expect([regs.lo(1), regs.hi(1), regs.get(1), regs.ip]).toEqual([-2, 0, 0xffff_fffen, 0xc100_0000n]);
    expect([regs.slot('ip'), words[2 + 12]]).toEqual([12, 0xc100_0000 | 0]);
  });

  it('are copied as the 17 words they are', () => {
    const regs = ptRegsView(ptRegs);
    expect(regs.words.length).toBe(17);
    ptRegs.names.forEach((_, slot) => regs.set(slot, slot + 1, 0));
    const target = new Int32Array(20).fill(-1);
    regs.copyTo(target, 1);
    expect([...target]).toEqual([-1, ...ptRegs.names.map((_, slot) => slot + 1), -1, -1]);
  });

  it('are another view than that of 64-bit slots', () => {
    expect(ptRegsView(x86_64.ptRegs)).not.toBeInstanceOf(PtRegs32);
  });
});

describe('32-bit mode', () => {
  it.each([
    ['inc %eax', '40', { length: 1, rex: 0, class: 'other' }],
    ['dec %edi', '4f', { length: 1 }],
    ['push %es', '06', { class: 'push' }],
    ['pop %ss', '17', { class: 'mov-ss' }],
    ['pusha', '60', { class: 'push' }],
    ['bound %eax,(%ecx)', '62 01', { length: 2, encoding: 'none' }],
    ['arpl %ax,(%ecx)', '63 01', { length: 2, operandSize: 4 }],
    ['addb $1,%al by 82', '82 c0 01', { length: 3, operandSize: 1, imm: 1 }],
    ['les (%eax),%ecx', 'c4 08', { length: 2, encoding: 'none' }],
    ['lds 8(%eax),%ecx', 'c5 48 08', { length: 3, encoding: 'none' }],
    ['vmovdqa %xmm1,%xmm0 (VEX)', 'c5 f9 6f c1', { length: 4, encoding: 'vex' }],
    ['vpaddd with an EVEX prefix', '62 f1 7d 48 fe c1', { length: 6, encoding: 'evex' }],
    ['lcall $0x10,$0x1234', '9a 34 12 00 00 10 00', { length: 7, class: 'far-transfer', imm: 0x1234, imm2: 0x10 }],
    ['ljmpw $8,$0x1234', '66 ea 34 12 08 00', { length: 6, class: 'far-transfer' }],
    ['into', 'ce', { class: 'int' }],
    ['aam', 'd4 0a', { length: 2 }],
    ['mov 0xc1234567,%eax', 'a1 67 45 23 c1', { length: 5, immSize: 4 }],
    ['mov 0xc1234567,%eax (no RIP there)', '8b 05 67 45 23 c1', { length: 6, ripRelative: false, base: -1 }],
    ['mov 0x1234(%bx,%si),%ax', '67 66 8b 80 34 12', { length: 6, base: 3, index: 6, disp: 0x1234, addressSize: 2 }],
    ['mov 0x1234,%eax', '67 8b 06 34 12', { length: 5, base: -1, disp: 0x1234 }],
    ['mov (%bp,%di),%al', '67 8a 03', { length: 3, base: 5, index: 7, dispSize: 0 }],
    ['jmp rel16', '66 e9 00 01', { length: 4, imm: 0x100, operandSize: 2 }],
    ['call', 'e8 fb ff ff ff', { length: 5, imm: -5, operandSize: 4 }],
    ['push $-1', '6a ff', { operandSize: 4, imm: -1 }],
    ['mov %fs:0x14,%eax', '64 a1 14 00 00 00', { length: 6, segment: 0x64 }],
    ['endbr32', 'f3 0f 1e fb', { class: 'nop', length: 4 }],
  ])('decodes %s', (_text, hex, expected) => {
    expect(decode(hex)).toMatchObject(expected);
  });

  it.each(['0f 04', '8f', 'c4', '9a 00 00 00 00 10', '67 8b 06 34', '62'])('has no instruction in %s', (hex) => {
    expect(decode(hex)).toBeNull();
  });

  it.each([
    ['push %ebp', '55', 'simulate 1'],
    ['mov %esp,%ebp', '89 e5', 'simulate 2'],
    ['lea 0(%esi,%eiz,1),%esi (a nop of five bytes)', '3e 8d 74 26 00', 'simulate 5'],
    ['push %esi', '56', 'simulate 1'],
    ['inc %eax', '40', 'simulate 1'],
    ['mov 8(%ebp),%eax', '8b 45 08', 'simulate, else slot 3'],
    ['sub $0x10,%ebx', '83 eb 10', 'simulate 3'],
    ['sub $0x28,%esp (the way out of the trap would overwrite itself)', '83 ec 28', 'slot 3'],
    ['lea -0xc(%ebp),%esp', '8d 65 f4', 'slot 3'],
    ['mov %ebp,%esp', '89 ec', 'slot 2'],
    ['pop %esp', '5c', 'slot 1'],
    ['mov 4(%esp),%eax', '8b 44 24 04', 'simulate, else slot 4'],
    ['cmp %esp,%eax', '39 e0', 'simulate 2'],
    ['call', 'e8 00 00 00 00', 'simulate 5'],
    ['call *8(%eax)', 'ff 50 08', 'simulate 3'],
    ['leave', 'c9', 'simulate 1'],
    ['ret', 'c3', 'simulate 1'],
    ['popf', '9d', 'simulate 1'],
    ['mov %fs:0x14,%eax', '64 a1 14 00 00 00', 'slot 6'],
    ['mov %bx,(%bx)', '67 66 89 1f', 'slot 4'],
    ['pusha', '60', 'slot 1'],
    ['push %fs', '0f a0', 'slot 2'],
    ['jmp *%fs:4', '64 ff 25 04 00 00 00', 'refuse EOPNOTSUPP 7'],
    ['jmp *(%bx)', '67 ff 27', 'refuse EOPNOTSUPP 3'],
    ['jmp rel16', '66 e9 00 01', 'refuse EOPNOTSUPP 4'],
    ['ret of 16 bits', '66 c3', 'refuse EOPNOTSUPP 2'],
    ['pop %ss', '17', 'refuse EINVAL 1'],
    ['pop %ds', '1f', 'refuse EINVAL 1'],
    ['lcall', '9a 34 12 00 00 10 00', 'refuse EOPNOTSUPP 7'],
    ['iret', 'cf', 'refuse EOPNOTSUPP 1'],
    ['ud2', '0f 0b', 'refuse EINVAL 2'],
  ])('plans %s', (_text, hex, expected) => {
    const plan = probing.plan(bytesOf(hex), ADDRESS);
    const kind = plan.kind === 'refuse' ? `refuse ${plan.errno}` : plan.kind;
    const fallback = plan.kind === 'simulate' && plan.relocate !== undefined ? ', else slot' : '';
    expect(`${kind}${fallback} ${plan.length}`).toBe(expected);
  });

  it('pushes return addresses of four bytes and wraps at 4 GiB', () => {
    const { words, memory } = stackMemory();
    const regs = ptRegsView(ptRegs);
    regs.sp = 0x1010n;
    const plan = probing.plan(bytesOf('e8 00 00 00 40'), 0xffff_fff0n);
    expect(plan.kind === 'simulate' && plan.simulate(regs, memory)).toBe(true);
    expect([regs.sp, regs.ip, words[3], words[4]]).toEqual([0x100cn, 0x3fff_fff5n, -11, 0]);
  });
});

describe('returns of i386', () => {
  it('have their address in the word on top of the stack', () => {
    const { words, memory } = stackMemory();
    const out = new Int32Array(4);
    const regs = ptRegsView(ptRegs);
    regs.sp = 0x1008n;
    words[2] = 0xc1fe_dcba | 0;
    words[3] = 77;
    expect(returns.readEntry(regs, memory, out)).toBe(true);
    expect([...out]).toEqual([0xc1fe_dcba | 0, 0, 0x1008, 0]);
    expect(returns.redirect(regs, memory, 0xc000_0000 | 0, 0)).toBe(true);
    expect([words[2], words[3]]).toEqual([0xc000_0000 | 0, 77]);

    regs.sp = 0x100cn;
    regs.put(regs.slot('gs'), 0x33n);
    returns.readReturn(regs, out);
    expect([out[2], out[3]]).toEqual([0x1008, 0]);
    expect([regs.get(regs.slot('orig_ax')), regs.get(regs.slot('gs'))]).toEqual([0xffff_ffffn, 0n]);
    returns.resume(regs, 0xc1fe_dcba | 0, 0);
    expect(regs.ip).toBe(0xc1fe_dcban);
  });

  it('fault where the stack is not there', () => {
    const { memory } = stackMemory();
    const regs = ptRegsView(ptRegs);
    expect(returns.readEntry(regs, memory, new Int32Array(4))).toBe(false);
    expect(returns.redirect(regs, memory, 1, 0)).toBe(false);
  });

  it('break with int3, and mask interrupts in flags', () => {
    expect([...probing.breakpoint(5)]).toEqual([0xcc]);
    expect([probing.trapPcBias, probing.boundaryErrno]).toEqual([1, 'EILSEQ']);
    const regs = ptRegsView(ptRegs);
    regs.put(regs.slot('flags'), 0x246n);
    const saved = probing.maskInterrupts(regs);
    expect(regs.get(regs.slot('flags'))).toBe(0x46n);
    probing.restoreInterrupts(regs, saved);
    expect(regs.get(regs.slot('flags'))).toBe(0x246n);
  });
});
