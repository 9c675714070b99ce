import { toJson } from '../../export/index.js';
import { parseArgs } from 'node:util';
import { BpfError } from '../../base/index.js';
import { CollectionSpec, Linker, liveMapSpec, programInput, type ProgramSpec } from '../../loader/index.js';
import { createSim } from '../../host/sim/index.js';
import {
  type BpfMap,
  BpfRuntime,
  CheckError,
  checkProgram,
  createInterpreter,
  type MapSpec,
  unstructuredFunctions,
} from '../../runtime/index.js';
import type { CliIo } from '../io.js';
import { progTypeName } from '../output/prog-type-name.js';
import { type LinkTarget, linkTarget } from '../target.js';
import { UsageError } from '../usage-error.js';

const OPTIONS = {
  json: { type: 'boolean', short: 'j' },
  btf: { type: 'string' },
  kallsyms: { type: 'string' },
} as const;

/** One line of the answer. Until there is a verifier a sound program has stage `check`, never `ok`. */
interface Verdict {
  readonly file: string;
  readonly program: string;
  readonly section: string;
  readonly type: string;
  readonly insns: number;
  readonly verdict: 'ok' | 'err';
  readonly stage: 'ok' | 'check' | 'open' | 'load' | 'verify';
  readonly errno: number;
  readonly msg: string;
}

/** `kscope prog load`: links and checks every program of every object on its own. */
export function progLoad(args: readonly string[], io: CliIo): number {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  if (positionals.length === 0) throw new UsageError('prog load takes at least one object file');
  const host = createSim({});
  const target = linkTarget(values, io, host);
  const runtime = new BpfRuntime(host, { engine: createInterpreter() });
  for (const file of positionals) {
    for (const verdict of verdicts(runtime, file, io, target)) {
      io.out(values.json === true ? toJson(verdict) : verdictText(verdict));
    }
  }
  return 0;
}

function verdicts(runtime: BpfRuntime, file: string, io: CliIo, target: LinkTarget): Verdict[] {
  const bytes = io.readFile(file);
  let spec: CollectionSpec;
  try {
    spec = CollectionSpec.parse(bytes);
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return [{ file, program: '', section: '', type: '', insns: 0, ...failure('open', error) }];
  }
  const linker = new Linker(spec, target);
  const warn = (text: string): void => io.err(`${file}: ${text}`);
  return spec.programs.map((program) => ({ file, ...judge(runtime, spec, linker, program, warn) }));
}

function judge(
  runtime: BpfRuntime,
  spec: CollectionSpec,
  linker: Linker,
  program: ProgramSpec,
  warn: (text: string) => void,
): Omit<Verdict, 'file'> {
  const about = { program: program.name, section: program.section, type: progTypeName(program.type), insns: 0 };
  let insns = 0;
  let stage: 'load' | 'check' = 'load';
  try {
    const linked = linker.link(program);
    insns = linked.insns.length;
    withMaps(runtime, spec, linked.maps, (maps) => {
      const input = programInput(spec, linked, maps);
      stage = 'check';
      const executable = checkProgram(input);
      for (const { name } of unstructuredFunctions(executable, runtime.helpers))
        warn(unstructuredText(program.name, name));
    });
    return { ...about, insns, verdict: 'ok', stage, errno: 0, msg: '' };
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return { ...about, insns, ...failure(stage, error) };
  }
}

function unstructuredText(program: string, name: string): string {
  return `${program}: a loop of ${name} has several entries: compiled, it takes 1 to 3 times as long`;
}

/** The program's maps for as long as `use` runs: creating them is part of loading. */
function withMaps(
  runtime: BpfRuntime,
  spec: CollectionSpec,
  used: readonly MapSpec[],
  use: (maps: readonly BpfMap[]) => void,
): void {
  const maps: BpfMap[] = [];
  try {
    for (const map of used) maps.push(runtime.createMap(liveMapSpec(spec, map, runtime)));
    use(maps);
  } finally {
    for (const map of maps) map.release();
  }
}

function failure(stage: Verdict['stage'], error: BpfError): Pick<Verdict, 'verdict' | 'stage' | 'errno' | 'msg'> {
  const msg = error instanceof CheckError ? error.verdict : error.message;
  return { verdict: 'err', stage, errno: -error.errno, msg };
}

function verdictText({ file, program, stage, verdict, errno, msg }: Verdict): string {
  const result = verdict === 'ok' ? stage : `${stage} failed (${errno}): ${msg}`;
  return `${file}: ${program}: ${result}`;
}
