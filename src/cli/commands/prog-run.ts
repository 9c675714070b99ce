import { toJson } from '../../export/index.js';
import { toHex } from '../../base/index.js';
import { parseArgs } from 'node:util';
import { createSim } from '../../host/sim/index.js';
import { Collection, CollectionSpec } from '../../loader/index.js';
import { BpfRuntime } from '../../runtime/index.js';
import { engineOption } from '../engine.js';
import type { CliIo } from '../io.js';
import { fileArgument, integerOption } from '../options.js';
import { UsageError } from '../usage-error.js';

const OPTIONS = {
  prog: { type: 'string' },
  'data-in': { type: 'string' },
  'ctx-in': { type: 'string' },
  repeat: { type: 'string' },
  engine: { type: 'string' },
  json: { type: 'boolean', short: 'j' },
} as const;

/** `kscope prog run`: one program on given bytes, as BPF_PROG_TEST_RUN, for every program type. */
export function progRun(args: readonly string[], io: CliIo): number {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const file = fileArgument(positionals);
  if (values.prog === undefined) throw new UsageError('prog run takes FILE.o --prog NAME');
  const repeat = repeatOption(values.repeat);
  const runtime = new BpfRuntime(createSim({}), { engine: engineOption(values.engine) });
  runtime.tracePrintk = (line) => io.err(line);
  const collection = Collection.load(CollectionSpec.parse(io.readFile(file)), runtime, { programs: [values.prog] });
  const program = collection.programs.get(values.prog);
  if (program === undefined) throw new UsageError(`no program "${values.prog}"`);
  const result = runtime.testRun(program.program, {
    ...(values['data-in'] === undefined ? {} : { dataIn: io.readFile(values['data-in']) }),
    ...(values['ctx-in'] === undefined ? {} : { ctxIn: io.readFile(values['ctx-in']) }),
    repeat,
  });
  const answer = {
    retval: result.retval,
    duration_ns: result.durationNs,
    data_out: toHex(result.dataOut),
    ctx_out: toHex(result.ctxOut),
  };
  if (values.json === true) io.out(toJson(answer));
  else io.out(`Return value: ${answer.retval}, duration (average): ${answer.duration_ns}ns`);
  collection.close();
  return 0;
}

/** A 32-bit number, as in bpf(2). */
function repeatOption(text: string | undefined): number {
  const repeat = integerOption('repeat', text, 1);
  if (repeat > 0xffff_ffff) throw new UsageError(`--repeat takes at most 4294967295, not ${repeat}`);
  return repeat;
}
