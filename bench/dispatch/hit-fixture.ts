import { BpfProgType } from 'kscope/base';
import {
  alu64Imm,
  AttachPoint,
  BPF_ADD,
  BPF_W,
  BpfRuntime,
  createBareHost,
  exit,
  type Insn,
  ldx,
  mov64Imm,
  ProgramAttachment,
} from 'kscope/runtime';
import type { EngineRow } from '../engines.js';

const CONTEXT = { size: 16, regs: null };

/** Programs on an attach point whose context stands in memory. */
export class HitFixture {
  readonly point: AttachPoint<number>;
  readonly attachments: readonly ProgramAttachment[];
  readonly ctx: number;

  constructor(engine: EngineRow, count: number) {
    const memory = engine.memory?.();
    const runtime = new BpfRuntime(createBareHost(), {
      engine: engine.create(),
      ...(memory === undefined ? {} : { memory }),
    });
    this.ctx = runtime.memory.alloc(CONTEXT.size);
    this.point = new AttachPoint({ owner: this, hook: CONTEXT, prepare: (event: number) => event });
    this.attachments = Array.from({ length: count }, (_, i) => attachment(runtime, i));
    for (const attached of this.attachments) this.point.add(attached);
  }
}

function attachment(runtime: BpfRuntime, i: number): ProgramAttachment {
  const program = runtime.loadProgram({
    name: `p${i}`,
    type: BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT,
    expectedAttachType: 0,
    license: 'GPL',
    insns: mixed(i),
    maps: [],
  });
  return new ProgramAttachment(runtime, program, CONTEXT);
}

/** The first does nothing; of the others no two are alike, and every second one looks at its context. */
function mixed(i: number): Insn[] {
  if (i % 2 === 0) return [mov64Imm(0, i), exit()];
  return [ldx(BPF_W, 0, 1, (4 * i) % CONTEXT.size), alu64Imm(BPF_ADD, 0, i), exit()];
}
