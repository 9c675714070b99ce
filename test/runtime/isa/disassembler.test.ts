import { describe, expect, it, test } from 'vitest';
import { BpfPseudo } from '../../../src/base/index.js';
import {
  call,
  callSubprog,
  decodeInsns,
  encodeInsns,
  exit,
  ldImm64,
  mov64Imm,
  disassemble,
  disassembleInsn,
  INSN_FORMS,
  type Insn,
} from '../../../src/runtime/isa/index.js';
import { readGolden, recording, writeGolden } from '../../oracle/golden.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { formSamples } from './form-samples.js';
import { LinuxDisassembler } from './linux-disassembly.js';

/** Lines of `form name, instruction bytes, text of the kernel's verifier log`, made by KSCOPE_RECORD=1. */
const goldenPath = new URL('../../testdata/isa/verifier-log-text.txt', import.meta.url);

interface Row {
  readonly form: string;
  readonly insns: readonly Insn[];
  readonly text: string;
}

function rows(lines: readonly string[]): Row[] {
  return lines.map((line) => {
    const [form = '', hex = '', text = ''] = line.split('\t');
    return { form, insns: decodeInsns(Buffer.from(hex, 'hex')), text };
  });
}

/** Our text, told what only the kernel can know. */
function ourText(insns: readonly Insn[]): string {
  return disassembleInsn(insns, 0, {
    call: (insn) => (insn.src === BpfPseudo.BPF_PSEUDO_KFUNC_CALL ? 'bpf_cast_to_kern_ctx' : undefined),
    imm64: (insn) => (insn.src === 0 || insn.src === BpfPseudo.BPF_PSEUDO_FUNC ? undefined : '0x<address>'),
  });
}

function withBtfId(text: string): string {
  return text.replace(/(bpf_cast_to_kern_ctx)#-?\d+$/, '$1#<btf_id>');
}

describe('disassembler against the recorded log of the kernel', () => {
  const golden = recording() ? [] : rows(readGolden(goldenPath).lines);

  test.skipIf(recording())('every form is recorded', () => {
    const recorded = new Set(golden.map((row) => row.form));
    const missing = INSN_FORMS.map((form) => form.name).filter((name) => !recorded.has(name));
    expect(missing).toEqual([]);
  });

  test.skipIf(recording()).each(INSN_FORMS.map((form) => form.name))('%s', (name) => {
    const expected = golden.filter((row) => row.form === name);
    expect(expected.map((row) => withBtfId(ourText(row.insns)))).toEqual(expected.map((row) => row.text));
  });
});

describe('disassembler', () => {
  it('takes both slots of a 64-bit immediate as one instruction', () => {
    expect(disassemble([...ldImm64(1, 0x1122334455667788n), exit()])).toEqual([
      { index: 0, text: '(18) r1 = 0x1122334455667788' },
      { index: 2, text: '(95) exit' },
    ]);
  });

  it('shows a 64-bit immediate that lost its second slot', () => {
    const [first] = ldImm64(1, 0x55667788n);
    expect(disassembleInsn([first], 0)).toBe('(18) r1 = 0x55667788');
  });

  it('takes names of call targets and immediates from the caller', () => {
    const insns = [{ ...call(77), src: 2 }, callSubprog(3), ...ldImm64(2, 5n, 1)];
    const names = {
      call: (insn: Insn, index: number) => (insn.src === 2 ? 'bpf_rcu_read_lock' : `+3 at ${index}`),
      imm64: (insn: Insn, value: bigint) => (insn.src === 1 ? `map[${value}]` : undefined),
    };
    expect(disassemble(insns, names).map((line) => line.text)).toEqual([
      '(85) call bpf_rcu_read_lock#77',
      '(85) call pc+3 at 1',
      '(18) r2 = map[5]',
    ]);
  });

  it('names kfuncs and unknown helpers as the kernel does when it has no name', () => {
    expect(disassembleInsn([{ ...call(77), src: 2 }], 0)).toBe('(85) call kernel-function#77');
    expect(disassembleInsn([call(195896080)], 0)).toBe('(85) call unknown#195896080');
  });

  it("shows the kernel's own move to a per-CPU address, though no program may have it", () => {
    expect(disassembleInsn([{ ...mov64Imm(1, 0), code: 0xbf, src: 2, off: -1 }], 0)).toBe(
      '(bf) r1 = &(void __percpu *)(r2)',
    );
  });

  it('has a text for every code byte', () => {
    const texts = Array.from({ length: 256 }, (_, code) => disassembleInsn([{ ...mov64Imm(1, 2), code }], 0));
    expect(texts.every((text) => text.length > 0)).toBe(true);
    expect(texts[0xff]).toBe('(ff) r1 (null) r0');
    expect(texts[0x02]).toBe('BUG_st_02');
  });
});

describeWithLinux('disassembler', (linux) => {
  const samples = formSamples();

  it('prints what the verifier prints, for every sample of every form', async () => {
    const kernel = new LinuxDisassembler(linux);
    const texts = await Promise.all(samples.map(({ slots }) => kernel.textOf(slots)));
    const lines = samples.map(
      ({ form, slots }, index) => `${form.name}\t${Buffer.from(encodeInsns(slots)).toString('hex')}\t${texts[index]}`,
    );
    if (recording()) writeGolden(goldenPath, { release: linux.release, lines: [...new Set(lines)] });
    expect([...new Set(lines)]).toEqual(readGolden(goldenPath).lines);
  });
});
