import { describe, expect, it } from 'vitest';
import { BpfFuncId, BpfMapType, BpfProgType } from '../../../src/base/index.js';
import {
  ArrayMap,
  AttachPoint,
  type AttachmentOptions,
  BpfRuntime,
  createInterpreter,
  createJit,
  type Engine,
  type Insn,
  ProgramAttachment,
} from '../../../src/runtime/index.js';
import { hitLoop } from '../../../src/runtime/dispatch/hit-code.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { instance } from '../../support/instance.js';
import { TestHost } from '../../support/test-host.js';

const { BPF_ADD, BPF_DW, BPF_W } = isa;
const { BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_RAW_TRACEPOINT } = BpfProgType;
const CONTEXT = 16;
const COOKIE = 0x1122_3344_8877_6655n;
const FUNC_IP = 0xffff_ffff_8100_0010n;
/** Eight u64 of one map. */
const SLOTS = 8;

/** Leaves r0 in a slot of the map. */
function answerTo(slot: number): Insn[] {
  return [...isa.ldImm64(9, BigInt(8 * slot) << 32n, 2), isa.stx(BPF_DW, 9, 0, 0), isa.exit()];
}

function helper(id: number, slot: number): Insn[] {
  return [isa.call(id), ...answerTo(slot)];
}

const NOTHING = [isa.mov64Imm(0, 1), isa.exit()];
const ADDS_CONTEXT = [
  isa.ldx(BPF_DW, 1, 1, 8),
  ...isa.ldImm64(2, 0n, 2),
  isa.ldx(BPF_DW, 0, 2, 0),
  isa.alu64Reg(BPF_ADD, 0, 1),
  ...answerTo(0),
];
const USES_STACK = [isa.ldx(BPF_W, 1, 1, 0), isa.stx(BPF_DW, 10, 1, -8), isa.ldx(BPF_DW, 0, 10, -8), ...answerTo(1)];
const NEVER_ENDS = [isa.mov64Imm(0, 5), isa.ja(-1)];
/** Goes round 2,000 times (the context says so), in a function that the entry calls. */
const COUNTS_IN_CALLEE = [
  isa.ldx(BPF_W, 1, 1, 0),
  isa.callSubprog(2),
  isa.mov64Imm(0, 1),
  isa.exit(),
  isa.alu64Imm(isa.BPF_MUL, 1, 2000),
  isa.mov64Imm(0, 0),
  isa.alu64Imm(BPF_ADD, 0, 1),
  isa.jmpReg(isa.BPF_JNE, 0, 1, -2),
  isa.exit(),
];
const READS_NOTHING = [isa.mov64Imm(2, 0), isa.ldx(BPF_DW, 0, 2, 16), isa.exit()];
const ASKS_CPU = helper(BpfFuncId.BPF_FUNC_get_smp_processor_id, 2);
const ASKS_TIME = helper(BpfFuncId.BPF_FUNC_ktime_get_ns, 3);
const ASKS_COOKIE = helper(BpfFuncId.BPF_FUNC_get_attach_cookie, 4);
const ASKS_IP = helper(BpfFuncId.BPF_FUNC_get_func_ip, 5);

const MIXED = [NOTHING, ADDS_CONTEXT, NEVER_ENDS, USES_STACK, ASKS_CPU, READS_NOTHING, ASKS_COOKIE, ASKS_IP];

interface Hook {
  readonly point: AttachPoint<number>;
  readonly attachments: readonly ProgramAttachment[];
  readonly runtime: BpfRuntime;
  readonly ctx: number;
  /** Of all runs that had to stop. */
  readonly faults: string[];
  /** What programs left in the map. */
  readonly answers: () => bigint[];
  /** That, and what became of the hits. */
  readonly outcome: () => unknown;
}

const prepare = (event: number): number => event;

function hookWith(
  engine: Engine,
  programs: readonly (readonly Insn[])[],
  type: number = BPF_PROG_TYPE_KPROBE,
  options: AttachmentOptions = {},
): Hook {
  const runtime = new BpfRuntime(new TestHost({ cpus: 2 }), { engine, instructionBudget: 10_000 });
  const map = runtime.createMap({
    name: 'answers',
    type: BpfMapType.BPF_MAP_TYPE_ARRAY,
    keySize: 4,
    valueSize: 8 * SLOTS,
    maxEntries: 1,
    flags: 0,
    keyTypeId: 0,
    valueTypeId: 0,
  });
  const hook = { size: CONTEXT, regs: null };
  const point = new AttachPoint({ owner: runtime, hook, prepare });
  const ctx = runtime.memory.alloc(8 * CONTEXT);
  for (let i = 0; i < 2 * CONTEXT; i++) runtime.memory.u32[(ctx >>> 2) + i] = i + 1;
  const faults: string[] = [];
  const attachments = programs.map((insns, i) => {
    const input = { name: `p${i}`, type, expectedAttachType: 0, license: 'GPL', maps: [map], insns };
    const program = runtime.loadProgram(input);
    const onFault: AttachmentOptions['onFault'] = (fault, cpu) => {
      faults.push(`${fault.program} ${fault.pc} cpu ${cpu}: ${fault.reason}; r0 ${fault.registers[0]}`);
      options.onFault?.(fault, cpu);
    };
    const attachment = new ProgramAttachment(runtime, program, hook, {
      cookie: COOKIE + BigInt(i),
      funcIp: FUNC_IP,
      onFault,
    });
    point.add(attachment);
    return attachment;
  });
  const value = instance(map, ArrayMap).lookupElem(runtime.memory.alloc(4), 0);
  const answers = (): bigint[] =>
    Array.from({ length: SLOTS }, (_, i) => runtime.memory.view.getBigUint64(value + 8 * i, true));
  const outcome = (): unknown => ({
    map: answers(),
    counts: attachments.map(({ counts }) => counts),
    faults,
  });
  return { point, attachments, runtime, ctx, faults, answers, outcome };
}

const types = [
  ['kprobe', BPF_PROG_TYPE_KPROBE],
  ['raw tracepoint', BPF_PROG_TYPE_RAW_TRACEPOINT],
] as const;

describe.each(types)('programs of type %s on an attach point', (_name, type) => {
  const closed = [NOTHING, ADDS_CONTEXT, NEVER_ENDS, USES_STACK, ASKS_CPU, READS_NOTHING, COUNTS_IN_CALLEE];
  const all = type === BPF_PROG_TYPE_KPROBE ? [...MIXED, ASKS_TIME] : closed;

  it.each([
    ['one that does nothing', [NOTHING]],
    ['programs that call nothing', closed],
    ['programs of all kinds', all],
    ['more than are put into one function', Array.from({ length: 70 }, (_, i) => all[i % all.length])],
  ])('generated code, the loop and the interpreter leave the same: %s', (_title, programs) => {
    const generated = hookWith(createJit(), programs, type);
    const looped = hookWith(createJit(), programs, type);
    const interpreted = hookWith(createInterpreter(), programs, type);
    const loop = hitLoop(prepare, looped.attachments);
    for (let i = 0; i < 3; i++) {
      generated.point.hit(null, generated.ctx, i % 2);
      loop(null, looped.ctx, i % 2);
      interpreted.point.hit(null, interpreted.ctx, i % 2);
    }
    expect(generated.outcome()).toEqual(interpreted.outcome());
    expect(looped.outcome()).toEqual(interpreted.outcome());
  });

  it.each([
    ['calls nothing', ADDS_CONTEXT],
    ['has to stop', NEVER_ENDS],
    ['asks for its CPU', ASKS_CPU],
  ])('a batch is as many hits: a program that %s', (_title, insns) => {
    const [batched, single] = [createJit, createInterpreter].map((create) => hookWith(create(), [insns], type));
    batched.attachments[0].batch(batched.ctx, 1, 5, CONTEXT);
    for (let i = 0; i < 5; i++) single.point.hit(null, single.ctx + i * CONTEXT, 1);
    expect(batched.outcome()).toEqual(single.outcome());
    expect(batched.attachments[0].counts.hits).toBe(5);
  });

  it('a batch of none is no hit', () => {
    const { attachments, ctx } = hookWith(createJit(), [NOTHING], type);
    attachments[0].batch(ctx, 0, 0, CONTEXT);
    expect(attachments[0].counts.hits).toBe(0);
  });

  it('a hit that has to stop is told of, counted, and leaves the way clear for the next one', () => {
    const hook = hookWith(createJit(), [NEVER_ENDS, NOTHING], type);
    for (let i = 0; i < 2; i++) hook.point.hit(null, hook.ctx, 0);
    expect(hook.faults).toEqual(Array(2).fill('p0 1 cpu 0: the instruction budget of the run is used up; r0 5'));
    expect(hook.attachments.map(({ counts }) => counts)).toEqual([
      { hits: 2, runs: 2, recursion: 0, nesting: 0, faults: 2 },
      { hits: 2, runs: 2, recursion: 0, nesting: 0, faults: 0 },
    ]);
  });

  it('a program detached by who hears of a fault is passed by, in hits and in batches', () => {
    const detached: ProgramAttachment[] = [];
    const onFault = (): void => detached.forEach((attachment) => attachment.dispose());
    const hook = hookWith(createJit(), [NEVER_ENDS, NOTHING], type, { onFault });
    const [ending, next] = hook.attachments;
    detached.push(next);
    hook.point.hit(null, hook.ctx, 0);
    expect(next.counts.hits).toBe(0);
    detached.push(ending);
    ending.batch(hook.ctx, 0, 4, 0);
    expect(ending.counts).toEqual({ hits: 2, runs: 2, recursion: 0, nesting: 0, faults: 2 });
  });

  it('who still calls the function of before passes by what is gone', () => {
    const { point, attachments, ctx } = hookWith(createJit(), [NOTHING, ADDS_CONTEXT], type);
    const { hit } = point;
    const [first, second] = attachments;
    point.remove(first);
    first.dispose();
    hit(null, ctx, 0);
    expect([first.counts.hits, second.counts.hits]).toEqual([0, 1]);
  });

  it.each([
    ['while a run is under way hits go on, unless it is one of theirs', 1, 0],
    ['where no run context is left they are missed', 4, 1],
  ])('%s', (_title, depth, nesting) => {
    for (const create of [createJit, createInterpreter]) {
      const { point, attachments, runtime, ctx } = hookWith(create(), [USES_STACK], type);
      for (let i = 0; i < depth; i++) runtime.enter(0);
      point.hit(null, ctx, 0);
      point.hit(null, ctx, 1);
      expect(attachments[0].counts).toMatchObject({ hits: 2, nesting, recursion: 0 });
    }
  });

  it('a hit inside a run of the same program is missed', () => {
    for (const create of [createJit, createInterpreter]) {
      const { point, attachments, ctx } = hookWith(create(), [NOTHING], type);
      const run = attachments[0].begin(ctx, 0);
      point.hit(null, ctx, 0);
      expect(attachments[0].counts).toMatchObject({ hits: 2, runs: 1, recursion: 1 });
      if (run !== null) attachments[0].close(run);
      point.hit(null, ctx, 0);
      expect(attachments[0].counts).toMatchObject({ hits: 3, runs: 2 });
    }
  });
});

describe.each([
  ['interp', createInterpreter],
  ['jit', () => createJit()],
])('a program asks, with %s', (_engine, create) => {
  it.each([
    ['bpf_get_attach_cookie', ASKS_COOKIE, 4, COOKIE],
    ['bpf_get_func_ip', ASKS_IP, 5, FUNC_IP],
  ])('%s', (_helper, insns, slot, answer) => {
    const { point, ctx, runtime, answers } = hookWith(create(), [insns]);
    point.hit(null, ctx, 0);
    expect(answers()[slot]).toBe(answer);
    expect(runtime.depth(0)).toBe(0);
  });
});
