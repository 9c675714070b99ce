import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { CORE_POISON_IMM } from '../../src/btf/index.js';
import { Collection, type CoreDiagnostic, linkProgram } from '../../src/loader/index.js';
import { BpfRuntime, type LineInfo } from '../../src/runtime/index.js';
import { TestHost } from '../support/test-host.js';
import { parseObject, readBtf } from './objects.js';

const linux = readBtf('linux-min');

const poisoned = (file: string, program: string): readonly CoreDiagnostic[] =>
  linkProgram(parseObject(file), program, { btf: linux }).core.filter((diagnostic) => diagnostic.poisoned);

describe('a CO-RE relocation that finds nothing', () => {
  it('leaves a call of a helper that does not exist, and says what is missing', () => {
    const spec = parseObject('field_offset-clang-19-v3.o');
    const linked = linkProgram(spec, 'absent', { btf: linux });
    const [load] = linked.core.filter((diagnostic) => diagnostic.poisoned && diagnostic.type === 'struct task_struct');
    expect(linked.insns[load.insn]).toEqual({ code: 0x85, dst: 0, src: 0, off: 0, imm: CORE_POISON_IMM });
    expect(load).toMatchObject({ kind: 'field_byte_offset', access: '.utime_nowhere', value: 0n });
    expect(load.message).toMatch(
      /^CO-RE relocation field_byte_offset of struct task_struct\.utime_nowhere failed: the target has struct task_struct \[\d+\], but no matching utime_nowhere$/,
    );
  });

  it('says so where the whole type is missing', () => {
    const messages = poisoned('field_offset-clang-19-v3.o', 'absent').map(({ message }) => message);
    expect(messages).toContain(
      'CO-RE relocation field_byte_offset of struct no_such_struct.field failed: the target has no struct no_such_struct',
    );
  });

  it('says so where a load cannot take the width of the field', () => {
    const messages = poisoned('field_size-clang-19-v3.o', 'signed_here').map(({ message }) => message);
    expect(messages[0]).toMatch(
      /^CO-RE relocation field_byte_offset of struct inode___signed\.i_size failed: the field has 8 bytes in struct inode \[\d+\] instead of 4/,
    );
  });

  it('is accepted in code that never runs', () => {
    const runtime = new BpfRuntime(new TestHost());
    const collection = Collection.load(parseObject('field_offset-clang-19-v3.o'), runtime, {
      btf: linux,
      programs: ['absent'],
    });
    const program = collection.programs.get('absent')?.program;
    expect(program === undefined ? undefined : runtime.testRun(program, { ctxIn: new Uint8Array(64) }).retval).toBe(0);
  });
});

it('a run that reaches a poisoned instruction stops with what is missing', () => {
  const runtime = new BpfRuntime(new TestHost());
  const spec = parseObject('field_size-clang-19-v3.o');
  const collection = Collection.load(spec, runtime, { btf: linux, programs: ['signed_here'] });
  const program = collection.programs.get('signed_here')?.program;
  const stop = (): unknown => program && runtime.testRun(program, { ctxIn: new Uint8Array(64) });
  expect(stop).toThrow(
    /struct inode___signed\.i_size failed: the field has 8 bytes in struct inode \[\d+\] instead of 4/,
  );
});

describe('an ambiguous CO-RE relocation', () => {
  const ambiguity = (): BpfError => {
    try {
      linkProgram(parseObject('laid_out-clang-19-v3.o'), 'ambiguous_field_byte_offset', { btf: readBtf('target') });
    } catch (error) {
      if (error instanceof BpfError) return error;
    }
    throw new Error('links all the same');
  };

  it('names function, type, field and candidates with what each would give', () => {
    const error = ambiguity();
    expect(error.code).toBe('EINVAL');
    expect(error.message).toContain(
      'function ambiguous_field_byte_offset in section ?raw_tp/ambiguous_field_byte_offset, instruction 0',
    );
    expect(error.message).toMatch(
      /field_byte_offset of struct twin\.where is ambiguous .*struct twin___one \[\d+\] gives 4, struct twin___two \[\d+\] gives 16/,
    );
  });

  it('does not keep the other programs from linking', () => {
    const spec = parseObject('laid_out-clang-19-v3.o');
    expect(linkProgram(spec, 'same_in_both', { btf: readBtf('target') }).core).not.toHaveLength(0);
  });
});

describe('a linked program', () => {
  it('knows the line of each instruction, subprograms included', () => {
    const linked = linkProgram(parseObject('subprograms-clang-19-v3.o'), 'second', { btf: linux });
    const starts = [...linked.functionNames.keys()];
    const lineAt = (insn: number): LineInfo | undefined => linked.lines.find((line) => line.insn === insn);
    expect(starts.map((start) => lineAt(start)?.text)).toEqual([
      'return global_leaf(5) + (int)middle(6);',
      'return value + threshold;',
      'static NOINLINE u64 middle(u64 value)',
      'static NOINLINE u64 leaf(u64 value)',
    ]);
    expect(lineAt(0)).toMatchObject({ file: './src/subprograms.c', line: 81 });
    expect(linked.lines.every((line) => line.insn < linked.insns.length)).toBe(true);
  });

  it('cannot be linked by a name that the object does not have', () => {
    expect(() => linkProgram(parseObject('control-clang-19-v3.o'), 'nothing', { btf: null })).toThrow(
      /ENOENT; the object has hash_words, swaps/,
    );
  });

  it('asks for the target types if it needs them, and only then', () => {
    expect(() => linkProgram(parseObject('enumval-clang-19-v3.o'), 'values', { btf: null })).toThrow(
      /give the BTF of the kernel/,
    );
    expect(linkProgram(parseObject('control-clang-19-v3.o'), 'swaps', { btf: null }).insns.length).toBeGreaterThan(5);
  });
});
