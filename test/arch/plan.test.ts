import { describe, expect, it } from 'vitest';
import { x86_64, type ProbePlan } from '../../src/arch/index.js';

const ADDRESS = 0xffff_ffff_8100_0000n;
const { probing } = x86_64;

function plan(code: string, address = ADDRESS): ProbePlan {
  return probing.plan(
    Uint8Array.from(code.split(' '), (byte) => parseInt(byte, 16)),
    address,
  );
}

function describePlan(made: ProbePlan): string {
  if (made.kind === 'refuse') return `refuse ${made.errno} ${made.length}`;
  const fallback = made.kind === 'simulate' && made.relocate !== undefined ? ', else slot' : '';
  return `${made.kind}${fallback} ${made.length}`;
}

describe('what happens to the instruction under a probe', () => {
  it.each([
    ['nop', '90', 'simulate 1'],
    ['nopl 0(%rax,%rax)', '0f 1f 44 00 00', 'simulate 5'],
    ['endbr64', 'f3 0f 1e fa', 'simulate 4'],
    ['push %rbp', '55', 'simulate 1'],
    ['push %r15', '41 57', 'simulate 2'],
    ['push $1', '6a 01', 'simulate 2'],
    ['pop %r12', '41 5c', 'simulate 2'],
    ['mov %rsp,%rbp', '48 89 e5', 'simulate 3'],
    ['mov %edi,%eax', '89 f8', 'simulate 2'],
    ['lea 8(%rdi,%rsi,4),%rax', '48 8d 44 b7 08', 'simulate 5'],
    ['lea 16(%rip),%rax', '48 8d 05 10 00 00 00', 'simulate 7'],
    ['leave', 'c9', 'simulate 1'],
    ['call +5', 'e8 05 00 00 00', 'simulate 5'],
    ['call *%rax', 'ff d0', 'simulate 2'],
    ['call *8(%rax)', 'ff 50 08', 'simulate 3'],
    ['call *(%rip)', 'ff 15 00 00 00 00', 'simulate 6'],
    ['jmp +2', 'eb 02', 'simulate 2'],
    ['jmp *%r11', '41 ff e3', 'simulate 3'],
    ['jne +2', '75 02', 'simulate 2'],
    ['je +2 (long)', '0f 84 02 00 00 00', 'simulate 6'],
    ['jrcxz +2', 'e3 02', 'simulate 2'],
    ['ret', 'c3', 'simulate 1'],
    ['ret $8', 'c2 08 00', 'simulate 3'],
    ['pushf', '9c', 'simulate 1'],
    ['popf', '9d', 'simulate 1'],
    ['cli', 'fa', 'simulate 1'],
    ['sti', 'fb', 'simulate 1'],
    ['xchg %rax,%r8 (which looks like nop)', '49 90', 'slot 2'],
    ['pause', 'f3 90', 'slot 2'],
    ['mov (%rdi),%rax', '48 8b 07', 'simulate, else slot 3'],
    ['mov %rax,8(%rip)', '48 89 05 08 00 00 00', 'simulate, else slot 7'],
    ['mov %ax,%bx', '66 89 c3', 'simulate 3'],
    ['mov %ah,(%rdi)', '88 27', 'simulate, else slot 2'],
    ['movabs $1,%rax', '48 b8 01 00 00 00 00 00 00 00', 'simulate 10'],
    ['movb $1,(%rdi)', 'c6 07 01', 'simulate, else slot 3'],
    ['movzbl (%rdi),%eax', '0f b6 07', 'simulate, else slot 3'],
    ['movslq %edi,%rdi', '48 63 ff', 'simulate 3'],
    ['lea (%rdi),%ax', '66 8d 07', 'simulate 3'],
    ['push (%rax)', 'ff 30', 'simulate, else slot 2'],
    ['pop (%rax)', '8f 00', 'simulate, else slot 2'],
    ['sub $0x18,%rsp', '48 83 ec 18', 'simulate 4'],
    ['xor %ecx,%ecx', '31 c9', 'simulate 2'],
    ['test %rdi,%rdi', '48 85 ff', 'simulate 3'],
    ['cmpl $0,(%rdi)', '83 3f 00', 'simulate, else slot 3'],
    ['incl (%rdi)', 'ff 07', 'simulate, else slot 2'],
    ['neg %rax', '48 f7 d8', 'simulate 3'],
    ['cmove %rsi,%rdi', '48 0f 44 fe', 'simulate 4'],
    ['sete %al', '0f 94 c0', 'simulate 3'],
    ['call *8(%rax) has no slot', 'ff 50 08', 'simulate 3'],
    ['push %ax', '66 50', 'slot 2'],
    ['xchg %rax,(%rdi)', '48 87 07', 'slot 3'],
    ['shl $3,%rax', '48 c1 e0 03', 'slot 4'],
    ['imul %rsi,%rdi', '48 0f af fe', 'slot 4'],
    ['enter $8,$0', 'c8 08 00 00', 'slot 4'],
    ['mov %gs:0x10,%rax', '65 48 8b 04 25 10 00 00 00', 'slot 9'],
    ['lock incl (%rdi)', 'f0 ff 07', 'slot 3'],
    ['rep movsb', 'f3 a4', 'slot 2'],
    ['rdtsc', '0f 31', 'slot 2'],
    ['invlpg (%rdi)', '0f 01 3f', 'slot 3'],
    ['int3', 'cc', 'refuse EINVAL 1'],
    ['iretq', '48 cf', 'refuse EOPNOTSUPP 2'],
    ['lret', 'cb', 'refuse EOPNOTSUPP 1'],
    ['ljmp *(%rax)', 'ff 28', 'refuse EOPNOTSUPP 2'],
    ['mov %eax,%ss', '8e d0', 'refuse EINVAL 2'],
    ['ud2', '0f 0b', 'refuse EINVAL 2'],
    ['int $0x80', 'cd 80', 'refuse EOPNOTSUPP 2'],
    ['hlt', 'f4', 'refuse EOPNOTSUPP 1'],
    ['syscall', '0f 05', 'refuse EOPNOTSUPP 2'],
    ['sysretq', '48 0f 07', 'refuse EOPNOTSUPP 3'],
    ['vmcall', '0f 01 c1', 'refuse EOPNOTSUPP 3'],
    ['swapgs', '0f 01 f8', 'refuse EINVAL 3'],
    ['call *%gs:(%rax)', '65 ff 10', 'refuse EOPNOTSUPP 3'],
    ['mov (%eip),%eax', '67 8b 05 00 00 00 00', 'refuse EOPNOTSUPP 7'],
    ['pushf (16 bits)', '66 9c', 'refuse EOPNOTSUPP 2'],
    ['no instruction', '06', 'refuse EILSEQ 0'],
    ['half an instruction', 'e8 05', 'refuse EILSEQ 0'],
  ])('%s', (_text, code, expected) => {
    expect(describePlan(plan(code))).toBe(expected);
  });
});

describe('an instruction in a slot', () => {
  function relocate(code: string, slot: bigint): string | null {
    const made = plan(code);
    if (made.kind === 'refuse' || made.relocate === undefined) throw new Error(made.kind);
    const bytes = made.relocate(slot);
    return bytes === null ? null : Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  }

  it('keeps its bytes where nothing depends on the pc', () => {
    expect(relocate('48 8b 07', 0x1000n)).toBe('48 8b 07');
  });

  it('reaches the same address through the pc', () => {
    expect(relocate('48 8b 05 10 00 00 00', ADDRESS + 0x100n)).toBe('48 8b 05 10 ff ff ff');
    expect(relocate('48 8b 05 10 00 00 00', ADDRESS - 0x100n)).toBe('48 8b 05 10 01 00 00');
    expect(relocate('81 05 10 00 00 00 78 56 34 12', ADDRESS + 0x10n)).toBe('81 05 00 00 00 00 78 56 34 12');
  });

  it.each([
    [0x7fff_fff0n, 'f0 ff ff 7f'],
    [0x7fff_ffffn, 'ff ff ff 7f'],
    [0x8000_0000n, null],
    [-0x8000_0000n, '00 00 00 80'],
    [-0x8000_0001n, null],
  ])('at a distance of %d is moved or out of reach', (distance, displacement) => {
    const expected = displacement === null ? null : `48 8b 05 ${displacement}`;
    expect(relocate('48 8b 05 00 00 00 00', ADDRESS - distance)).toBe(expected);
  });
});

describe('the architecture', () => {
  it('lays struct pt_regs out as Linux does', () => {
    const { names, size, args, ip, sp, fp, ret } = x86_64.ptRegs;
    expect(names.join(' ')).toBe('r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip cs flags sp ss');
    expect(size).toBe(168);
    expect(args.map((slot) => names[slot])).toEqual(['di', 'si', 'dx', 'cx', 'r8', 'r9']);
    expect([ip, sp, fp, ret].map((slot) => names[slot])).toEqual(['ip', 'sp', 'bp', 'ax']);
  });

  it('breaks with one byte and traps behind it', () => {
    for (let length = 1; length <= probing.maxInsnLength; length++)
      expect([...probing.breakpoint(length)]).toEqual([0xcc]);
    expect(probing.trapPcBias).toBe(1);
    expect(probing.isBreakpoint(Uint8Array.of(0xcc))).toBe(true);
    expect(probing.isBreakpoint(Uint8Array.of(0xcd, 3))).toBe(false);
  });
});
