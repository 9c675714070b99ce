import { toJson } from '../../export/index.js';
import { parseArgs } from 'node:util';
import { toHex } from '../../base/index.js';
import { createSim } from '../../host/sim/index.js';
import { Collection, type CollectionProgram, CollectionSpec } from '../../loader/index.js';
import {
  BpfRuntime,
  createInterpreter,
  describeJit,
  formatWat,
  type JitFunction,
  type JitInsn,
  type JitModule,
  type JitOrigin,
} from '../../runtime/index.js';
import { engineOption } from '../engine.js';
import type { CliIo } from '../io.js';
import { UsageError } from '../usage-error.js';

const OPTIONS = { json: { type: 'boolean', short: 'j' } } as const;

/** `kscope prog dump jited`: what the JIT makes of an object's programs, as WebAssembly text. */
export function progDumpJited(args: readonly string[], io: CliIo): number {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const [file, name, extra] = positionals;
  if (file === undefined) throw new UsageError('prog dump jited takes FILE.o [PROG]');
  if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}"`);
  engineOption('jit');
  const runtime = new BpfRuntime(createSim({}), { engine: createInterpreter() });
  const options = name === undefined ? {} : { programs: [name] };
  const collection = Collection.load(CollectionSpec.parse(io.readFile(file)), runtime, options);
  const programs = [...collection.programs.values()];
  const module = describeJit(
    programs.map(({ program }) => program.executable),
    runtime,
  );
  if (values.json === true) printJson(module, io);
  else printText(programs, module, io);
  collection.close();
  return 0;
}

function printText(programs: readonly CollectionProgram[], module: JitModule, io: CliIo): void {
  for (const { name, section, program } of programs)
    io.out(`;; ${name} (${section}): ${program.executable.insns.length} instructions`);
  for (const line of formatWat(module)) io.out(line);
}

function printJson(module: JitModule, io: CliIo): void {
  io.out(toJson({ type: 'module', wasm: toHex(module.bytes) }));
  for (const each of module.functions) io.out(toJson({ type: 'function', ...functionRecord(each) }));
}

function functionRecord({ program, name, id, index, isStructured, insns }: JitFunction): Record<string, unknown> {
  return { program, name, id, index, structured: isStructured, insns: insnRecords(insns) };
}

/** Keys as bpftool's where it has them; `insn` is the slot that an instruction was made for. */
function insnRecords(insns: readonly JitInsn[]): Record<string, unknown>[] {
  let slot: number | undefined;
  return insns.map(({ pc, operation, operands, origins }) => {
    if (origins.length > 0) slot = origins.at(-1)?.slot;
    const begins = origins.length === 0 ? undefined : origins.map(originRecord);
    return { pc: `0x${pc.toString(16)}`, operation, operands, insn: slot, begins };
  });
}

function originRecord({ slot, text, line }: JitOrigin): Record<string, unknown> {
  return { insn: slot, text, src: line?.text.trim(), file: line?.file, line_num: line?.line };
}
