import { describe, expect, it, test } from 'vitest';
import { BpfMapType, BpfProgType, errnoName } from '../../../src/base/index.js';
import {
  alu32Imm,
  alu64Imm,
  assemble,
  BPF_COMPLEXITY_LIMIT_INSNS,
  BPF_DIV,
  BPF_LSH,
  BPF_RSH,
  BpfMemory,
  CheckError,
  checkProgram,
  encodeInsns,
  exit,
  LDIMM64,
  lineAt,
  lineText,
  mov64Imm,
  type BpfMap,
  type CheckOptions,
  type LineInfo,
  type ProgramInput,
} from '../../../src/runtime/index.js';
import { createMap } from '../../../src/runtime/map/create-map.js';
import { describeWithLinux } from '../../oracle/linux.js';

const memory = new BpfMemory();

function map(type: number, maxEntries: number): BpfMap {
  const spec = { name: 'm', type, keySize: 4, valueSize: 16, maxEntries, flags: 0, keyTypeId: 0, valueTypeId: 0 };
  return createMap({ memory, cpus: 2, id: 1 }, spec);
}

function input(text: string, more: Partial<ProgramInput> = {}): ProgramInput {
  return {
    name: 'prog',
    type: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
    expectedAttachType: 0,
    license: 'GPL',
    insns: assemble(text),
    maps: [],
    ...more,
  };
}

function refusal(program: ProgramInput, options?: CheckOptions): CheckError {
  try {
    checkProgram(program, options);
  } catch (error) {
    if (error instanceof CheckError) return error;
    throw error;
  }
  throw new Error('the program was accepted');
}

describe('a checked program', () => {
  const withFunctions = input(`
      r1 = 10
      r2 = func each ll
      call sum
      exit
    sum:
      r0 = r1
      exit
    each:
      r0 = 0
      exit`);

  it('knows its functions, and which are callbacks', () => {
    expect(checkProgram(withFunctions).subprogs).toEqual([
      { name: 'prog', start: 0, end: 5, isCallback: false },
      { name: 'subprog_1', start: 5, end: 7, isCallback: false },
      { name: 'subprog_2', start: 7, end: 9, isCallback: true },
    ]);
  });

  it('takes names of functions from the input', () => {
    const named = {
      ...withFunctions,
      functionNames: new Map([
        [0, 'main'],
        [5, 'sum'],
        [7, 'each'],
      ] as const),
    };
    expect(checkProgram(named).subprogs.map((subprog) => subprog.name)).toEqual(['main', 'sum', 'each']);
  });

  it('keeps everything of its input', () => {
    expect(checkProgram(withFunctions)).toMatchObject({ ...withFunctions, kind: 'checked' });
  });

  it('a callback may refer to itself, as timers do', () => {
    const rearming = input('r1 = func tick ll; r0 = 0; exit; tick: r2 = func tick ll; r0 = 0; exit');
    expect(checkProgram(rearming).subprogs).toHaveLength(2);
  });

  it('may have a million slots, all but the last a no-op', () => {
    const insns = Array.from({ length: BPF_COMPLEXITY_LIMIT_INSNS - 1 }, () => mov64Imm(0, 0));
    expect(checkProgram({ ...withFunctions, insns: [...insns, exit()] }).subprogs).toHaveLength(1);
  });
});

/** What the tests' programs refer to by index. */
const mapSpecs = [
  { type: BpfMapType.BPF_MAP_TYPE_ARRAY, maxEntries: 1 },
  { type: BpfMapType.BPF_MAP_TYPE_ARRAY, maxEntries: 4 },
  { type: BpfMapType.BPF_MAP_TYPE_HASH, maxEntries: 4 },
];
const end = '\nr0 = 0\nexit';

const mapReferences = [
  ['r1 = map[2] ll', 'ok', ''],
  ['r1 = map[0].value ll', 'ok', ''],
  ['r1 = map[0].value + 15 ll', 'ok', ''],
  ['r1 = map[3] ll', 'EBADF', 'fd 3 is not pointing to valid bpf_map'],
  ['ld_pseudo r1, 1, 0xffffffff', 'EBADF', 'fd -1 is not pointing to valid bpf_map'],
  ['r1 = map[3].value ll', 'EBADF', 'fd 3 is not pointing to valid bpf_map'],
  ['r1 = map[0].value + 16 ll', 'EINVAL', 'invalid access to map value pointer, value_size=16 off=16'],
  ['r1 = map[0].value + 0x20000000 ll', 'EINVAL', 'direct value offset of 536870912 is not allowed'],
  ['r1 = map[1].value ll', 'ENOTSUPP', 'invalid access to map value pointer, value_size=16 off=0'],
  ['r1 = map[2].value ll', 'EINVAL', 'no direct value access support for this map type'],
  ['ld_pseudo r1, 1, 0x100000000', 'EINVAL', 'unrecognized bpf_ld_imm64 insn'],
  [uses(64), 'ok', ''],
  [uses(65), 'E2BIG', 'The total number of maps per program has reached the limit of 64'],
] as const;

/** Loads the addresses of so many maps, 3 being the first. */
function uses(count: number): string {
  return Array.from({ length: count }, (_, i) => `r1 = map[${3 + i}] ll`).join('\n');
}

describe('references to maps', () => {
  const maps = mapSpecs.map(({ type, maxEntries }) => map(type, maxEntries));

  test.each(mapReferences)('%s: %s', (text, code, verdict) => {
    const present = text.startsWith(uses(64)) ? [...maps, ...Array.from({ length: 65 }, () => maps[0])] : maps;
    const program = input(text + end, { maps: present });
    if (code === 'ok') expect(checkProgram(program).maps).toBe(present);
    else expect(refusal(program)).toMatchObject({ code, verdict });
  });

  it.each(['ld_pseudo r1, 5, 2', 'ld_pseudo r1, 6, 0'])('indices of the fd array mean the same maps: %s', (text) => {
    expect(checkProgram(input(text + end, { maps })).kind).toBe('checked');
  });
});

describeWithLinux('references to maps', (linux) => {
  it.each(mapReferences)('%s: %s', async (text, code, verdict) => {
    const slots = [...mapSpecs, ...Array.from({ length: text.startsWith(uses(64)) ? 65 : 0 }, () => mapSpecs[0])].map(
      (spec) => {
        const slot = linux.slot();
        void linux.mapCreate(slot, { ...spec, keySize: 4, valueSize: 16 });
        return slot;
      },
    );
    const program = linux.slot();
    const insns = assemble(text + end).map((one) =>
      one.code === LDIMM64 ? { ...one, imm: slots[one.imm] ?? 0x7fff_fff0 } : one,
    );
    const { result, log } = await linux.progLoad(program, { type: 1, insns: encodeInsns(insns), logLevel: 1 });
    await linux.close(program, ...slots);
    expect(result === 0 ? 'ok' : errnoName(result)).toBe(code);
    expect(log).toContain(verdict.replace(/^fd -?\d+/, 'fd -1'));
  });
});

describe('a refusal', () => {
  const lines: LineInfo[] = [
    { insn: 0, file: 'a.bpf.c', line: 3, column: 1, text: 'int prog(void *ctx)' },
    { insn: 1, file: 'a.bpf.c', line: 5, column: 2, text: '\treturn x;' },
  ];

  it('names program, instruction, source line and remedy', () => {
    const error = refusal(input('r0 = 0; goto +100; exit', { lines }));
    expect(error.message).toBe(
      'program prog: jump out of range from insn 1 to 102 (insn 1: (05) goto pc+100, a.bpf.c:5: return x;): EINVAL; ' +
        'function prog has insns 0 to 2',
    );
    expect(error).toMatchObject({ name: 'CheckError', code: 'EINVAL', errno: 22, insn: 1 });
  });

  it('of a program of the wrong size names no instruction', () => {
    const error = refusal(input(''));
    expect(error.message).toBe(
      'program prog: the program is empty: E2BIG; a program has 1 to 1000000 slots of 8 bytes',
    );
    expect(error.insn).toBeUndefined();
  });

  it('finds the line of an instruction as the last that starts at or before it', () => {
    expect([0, 1, 2, 9].map((insn) => lineAt(lines, insn)?.line)).toEqual([3, 5, 5, 5]);
    expect(lineAt(lines.slice(1), 0)).toBeUndefined();
    expect(lineAt([], 0)).toBeUndefined();
    expect(lineAt(undefined, 0)).toBeUndefined();
    expect(lineText(lines[1])).toBe('a.bpf.c:5: return x;');
  });
});

describe('the plugin option', () => {
  const plugin = { plugin: true };
  const withInsn = (...insns: ProgramInput['insns']): ProgramInput => ({
    ...input('exit'),
    insns: [mov64Imm(0, 1), ...insns, exit()],
  });
  const policy = [
    ['callx', withInsn(...assemble('callx r3'))],
    ['shift of 64', withInsn(alu64Imm(BPF_LSH, 0, 64))],
    ['shift of -1', withInsn(alu64Imm(BPF_RSH, 0, -1))],
    ['32-bit shift of 32', withInsn(alu32Imm(BPF_LSH, 0, 32))],
    ['division by 0', withInsn(alu64Imm(BPF_DIV, 0, 0))],
  ] as const;

  test.each(policy)('accepts what only policy forbids: %s', (_, program) => {
    expect(checkProgram(program, plugin).kind).toBe('checked');
    expect(refusal(program).code).toBe('EINVAL');
  });

  test.each([
    ['unknown opcode 8f', withInsn({ ...mov64Imm(0, 0), code: 0x8f })],
    ['BPF_CALL uses reserved fields', withInsn({ ...assemble('callx r3')[0], imm: 1 })],
    ['BPF_CALL uses reserved fields', withInsn({ ...assemble('callx r3')[0], src: 1 })],
    ['R11 is invalid', withInsn(...assemble('callx r11'))],
    ['BPF_ALU uses reserved fields', withInsn({ ...alu64Imm(BPF_LSH, 0, 64), off: 1 })],
    ['BPF_EXIT uses reserved fields', { ...input('exit'), insns: [mov64Imm(0, 0), { ...exit(), off: 1 }] }],
  ])('refuses still: %s', (verdict, program) => {
    expect(refusal(program, plugin).verdict).toBe(verdict);
  });
});
