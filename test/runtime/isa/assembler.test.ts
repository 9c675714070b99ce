import { describe, expect, it, test } from 'vitest';
import { BpfPseudo } from '../../../src/base/index.js';
import {
  assemble,
  AssemblyError,
  atomic,
  BPF_DW,
  BPF_LOAD_ACQ,
  BPF_STORE_REL,
  BPF_W,
  call,
  callSubprog,
  disassembleInsn,
  exit,
  gotol,
  insn,
  INSN_FORMS,
  ja,
  jmpImm,
  ldImm64,
  mov64Imm,
  type Insn,
} from '../../../src/runtime/isa/index.js';
import { formSamples } from './form-samples.js';

const { BPF_PSEUDO_FUNC, BPF_PSEUDO_KFUNC_CALL, BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } = BpfPseudo;

describe('assembler: beyond clang', () => {
  const cases: readonly (readonly [name: string, text: string, insns: readonly Insn[]])[] = [
    ['helper by name', 'call map_lookup_elem', [call(1)]],
    ['helper by its full name', 'call bpf_ktime_get_ns', [call(5)]],
    ['function by label', 'call f\nexit\nf: exit', [callSubprog(1), exit(), exit()]],
    ['a label wins over a helper', 'call loop\nexit\nloop: exit', [callSubprog(1), exit(), exit()]],
    [
      'callback',
      'r2 = func f ll\nexit\nf: exit',
      [...ldImm64(2, 2n, BPF_PSEUDO_FUNC).with(1, insn(0)), exit(), exit()],
    ],
    ['callback without func', 'f: r2 = f ll', [{ ...ldImm64(2, 0n, BPF_PSEUDO_FUNC)[0], imm: -1 }, insn(0)]],
    ['a label named func', 'func: r2 = func ll', [{ ...ldImm64(2, 0n, BPF_PSEUDO_FUNC)[0], imm: -1 }, insn(0)]],
    ['map', 'r1 = map[3] ll', ldImm64(1, 3n, BPF_PSEUDO_MAP_FD)],
    ['map value', 'r1 = map[3].value ll', ldImm64(1, 3n, BPF_PSEUDO_MAP_VALUE)],
    ['map value with offset', 'r1 = map[3].value + 0x10 ll', ldImm64(1, 0x10_0000_0003n, BPF_PSEUDO_MAP_VALUE)],
    ['pseudo load with upper word', 'ld_pseudo r1, 2, 0x1000000003', ldImm64(1, 0x10_0000_0003n, 2)],
    ['far gotol', 'gotol +70000', [gotol(70000)]],
    ['load_acquire', 'r1 = load_acquire((u64 *)(r2 + 8))', [atomic(BPF_DW, BPF_LOAD_ACQ, 1, 2, 8)]],
    ['load_acquire to w', 'w1 = load_acquire((u32 *)(r2 + 8))', [atomic(BPF_W, BPF_LOAD_ACQ, 1, 2, 8)]],
    ['store_release', 'store_release((u64 *)(r2 - 8), r1)', [atomic(BPF_DW, BPF_STORE_REL, 2, 1, -8)]],
    ['indirect packet load with offset', 'r0 = *(u16 *)skb[r7 + 4]', [insn(0x48, 0, 7, 0, 4)]],
    ['no offset', 'r1 = *(u32 *)(r2)', [insn(0x61, 1, 2)]],
    ['parenthesised number', 'r1 = (1 << 4) | 3', [mov64Imm(1, 19)]],
    ['labels on one line', 'a: b: goto a; goto b', [ja(-1), ja(-2)]],
    ['numeric labels nest', '1: 1: goto 1b\ngoto 1f\n1: exit', [ja(-1), ja(0), exit()]],
    ['empty text', ' \n ; // nothing\n', []],
  ];
  test.each(cases)('%s', (_, text, insns) => {
    expect(assemble(text)).toEqual(insns);
  });

  it('reads the verifier log: code prefixes, pc-relative jumps, names with numbers', () => {
    const log = `(b7) r1 = 5
      (15) if r1 == 0x5 goto pc+2
      (85) call bpf_get_prandom_u32#7
      (85) call unknown#195896080
      (85) call bpf_rcu_read_lock#12345
      (85) call kernel-function#12345
      (85) call pc-3
      (18) r2 = 0x100000005
      (95) exit`;
    expect(assemble(log)).toEqual([
      mov64Imm(1, 5),
      jmpImm(0x10, 1, 5, 2),
      call(7),
      call(195896080),
      insn(0x85, 0, BPF_PSEUDO_KFUNC_CALL, 0, 12345),
      insn(0x85, 0, BPF_PSEUDO_KFUNC_CALL, 0, 12345),
      callSubprog(-3),
      ...ldImm64(2, 0x1_0000_0005n),
      exit(),
    ]);
  });
});

describe('assembler inverts the disassembler', () => {
  // The text of a 64-bit immediate does not say what kind of address it is, nor that of a kfunc its module.
  const ambiguous = /^ld_(map|btf|func)|^call_kfunc$/;
  // An exit has no operands: its offset, which Linux ignores, is not in the text.
  const samples = formSamples().filter(({ form, slots }) => !ambiguous.test(form.name) && slots[0].code !== 0x95);

  test.each(INSN_FORMS.map((form) => form.name).filter((name) => !ambiguous.test(name) && name !== 'exit'))(
    '%s',
    (name) => {
      const slots = samples.filter(({ form }) => form.name === name).map((one) => one.slots);
      const again = slots.map((one) => assemble(disassembleInsn(one, 0)));
      expect(again).toEqual(slots);
    },
  );
});

describe('assembler: mistakes', () => {
  const mistakes: readonly (readonly [text: string, line: number, column: number, token: string, message: RegExp])[] = [
    ['nop', 1, 1, 'nop', /no instruction begins like this/],
    ['r1 = 1\n  .text', 2, 3, '.text', /directives are not taken/],
    ['r1', 1, 3, '', /expected '=' at the end of the statement/],
    ['r1 = 1 2', 1, 8, '2', /unexpected token/],
    ['r12 = 1', 1, 1, 'r12', /no instruction begins/],
    ['r1 = r12', 1, 6, 'r12', /no register, no number.*r0 to r10/],
    ['r1 = w2', 1, 6, 'w2', /cannot be mixed.*take r2/],
    ['w1 += r2', 1, 7, 'r2', /cannot be mixed.*take w2/],
    ['r1 = 0x100000000', 1, 6, '0x100000000', /4294967296 does not fit 32 bits.*r1 = VALUE ll/],
    ['r1 = 18446744073709551616 ll', 1, 6, '18446744073709551616', /does not fit 64 bits/],
    ['w1 = 5 ll', 1, 1, 'w1', /expected a 64-bit register/],
    ['r1 = *(u32 *)(r2 + 32768)', 1, 18, '+', /32768 does not fit the signed 16-bit/],
    ['r1 = *(u31 *)(r2 + 0)', 1, 8, 'u31', /expected a type/],
    ['r1 = *(s64 *)(r2 + 0)', 1, 8, 's64', /there is no s64/],
    ['w1 = *(u64 *)(r2 + 0)', 1, 1, 'w1', /u64 needs a 64-bit register/],
    ['w1 = *(s8 *)(r2 + 0)', 1, 1, 'w1', /s8 needs a 64-bit register/],
    ['r1 = *(u32 *)(w2 + 0)', 1, 15, 'w2', /expected a 64-bit register.*take r2/],
    ['*(s8 *)(r1 + 0) = 5', 1, 3, 's8', /stores are unsigned/],
    ['*(u64 *)(r1 + 0) = w5', 1, 20, 'w5', /u64 needs a 64-bit register/],
    ['*(u32 *)(r1 + 0) += r5', 1, 18, '+', /expected '='/],
    ['lock *(u16 *)(r1 + 0) += r2', 1, 8, 'u16', /u32 and u64/],
    ['lock *(u64 *)(r1 + 0) -= r2', 1, 23, '-', /one of \+= \|= &= \^=/],
    ['r3 = atomic_fetch_add((u64 *)(r1 + 0), r4)', 1, 40, 'r4', /must be the same.*write r3/],
    ['r3 = atomic_fetch_sub((u64 *)(r1 + 0), r3)', 1, 6, 'atomic_fetch_sub', /no operation/],
    ['r1 = cmpxchg_64(r1 + 0, r0, r3)', 1, 1, 'r1', /goes to r0/],
    ['w3 = xchg_64(r1 + 0, w3)', 1, 1, 'w3', /expected a 64-bit register/],
    ['r1 = -r2', 1, 7, 'r2', /must be the same/],
    ['r1 = be16 r2', 1, 11, 'r2', /must be the same/],
    ['w1 = be16 w1', 1, 1, 'w1', /64-bit register/],
    ['w1 = (s32)w2', 1, 7, 's32', /take s8 or s16/],
    ['r1 = (u8)r2', 1, 7, 'u8', /take s8, s16 or s32/],
    ['r1 = *(u8 *)skb[12]', 1, 1, 'r1', /packet loads go to r0/],
    ['if r1 ~ 5 goto +1', 1, 7, '~', /expected a comparison/],
    ['if w1 == r2 goto +1', 1, 10, 'r2', /cannot be mixed/],
    ['if r1 == 5 exit', 1, 12, 'exit', /expected 'goto'/],
    ['goto nowhere', 1, 6, 'nowhere', /there is no such label.*'nowhere:'/],
    ['goto 1b', 1, 6, '1b', /there is no such label/],
    ['goto +32768', 1, 6, '+', /does not fit the signed 16-bit/],
    ['a: exit\na: exit', 2, 1, 'a', /defined twice/],
    ['call nothing', 1, 6, 'nothing', /neither a label nor a helper/],
    ['r1 = nowhere ll', 1, 6, 'nowhere', /there is no such label/],
    ['r1 = 5 / 0', 1, 8, '/', /5 \/ 0 has no value/],
    ['r1 = 1 << 64', 1, 8, '<', /has no value/],
    ['r1 = 09', 1, 6, '09', /octal/],
    ['r1 = 0x', 1, 6, '0x', /no token/],
    ['r1 = $5', 1, 6, '$5', /no number/],
    ['r1 = map[0]', 1, 12, '', /expected 'll'.*end with ll/],
    ['r1 = "5"', 1, 6, '"', /no token/],
    ['/* open', 1, 1, '/*', /comment does not end/],
    ['\n\n\tr1 = é', 3, 7, 'é', /no token/],
    [`r1 = ${'('.repeat(200)}1`, 1, 71, '(', /nests too deeply/],
  ];
  test.each(mistakes)('%j', (text, line, column, token, message) => {
    const error = errorOf(text);
    expect(error).toBeInstanceOf(AssemblyError);
    expect(error).toMatchObject({ code: 'EINVAL', line, column, token });
    expect(error?.message).toMatch(message);
    expect(error?.message).toContain(`line ${line}, column ${column}: `);
  });

  it('a label too far for 16 bits names the way out', () => {
    const text = `goto end\n${'r0 = 0\n'.repeat(40_000)}end: exit`;
    expect(errorOf(text)?.message).toMatch(/40000 instructions away.*use gotol/);
    expect(assemble(text.replace('goto', 'gotol'))[0]).toEqual(gotol(40_000));
  });
});

function errorOf(text: string): AssemblyError | undefined {
  try {
    assemble(text);
  } catch (error) {
    if (error instanceof AssemblyError) return error;
    throw error;
  }
  return undefined;
}
