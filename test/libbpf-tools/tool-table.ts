import { BpfError, BpfMapType } from '../../src/base/index.js';
import type { SimHost } from '../../src/host/sim/index.js';
import { Collection, type CollectionSpec, Linker, type ProgramSpec } from '../../src/loader/index.js';
import { Machine } from '../../src/machine/index.js';
import type { Tool } from './tool.js';

/** A row of the table in docs/libbpf-tools.md. */
export interface ToolRow {
  readonly name: string;
  readonly programs: number;
  /** Fields and types that its relocations name and the simulator's BTF does not have. */
  readonly types: readonly string[];
  /** Hooks of its programs that the simulator does not have. */
  readonly hooks: readonly string[];
  readonly attaches: boolean;
  /** All that it delivers is compared. */
  readonly counts: boolean;
  readonly delivers: string;
}

/** What an object asks for and the simulator lacks, of the programs that its user space would load. */
export function lacking(spec: CollectionSpec, tool: Tool | undefined, host: SimHost): Pick<ToolRow, 'types' | 'hooks'> {
  const programs = spec.programs.filter(({ name, autoload }) => autoload && tool?.without?.includes(name) !== true);
  const linker = new Linker(spec, { btf: host.btf, kallsyms: host.symbols });
  const types = programs.flatMap((program) =>
    linker.link(program).core.flatMap(({ poisoned, message }) => (poisoned ? [relocated(message)] : [])),
  );
  return { types: distinct(types), hooks: distinct(missingHooks(host, spec, programs, tool)) };
}

/** `request___x.rq_disk` of "CO-RE relocation ... of struct request___x.rq_disk failed: ..." */
function relocated(message: string): string {
  return /of (?:struct|union|enum|typedef) (\S+)/.exec(message)?.[1] ?? message;
}

/** Sections of the programs that cannot be attached, each tried alone. */
function missingHooks(
  host: SimHost,
  spec: CollectionSpec,
  programs: readonly ProgramSpec[],
  tool: Tool | undefined,
): string[] {
  // Sizes that user space sets before it loads: any will do here.
  for (const { name, maxEntries, type } of spec.maps) {
    if (maxEntries > 0 || type === BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY) continue;
    const stack = type === BpfMapType.BPF_MAP_TYPE_STACK_TRACE ? { keySize: 4, valueSize: 8 } : {};
    spec.changeMap(name, { maxEntries: 1, ...stack });
  }
  const machine = new Machine(host);
  const collection = Collection.load(spec, machine.runtime, { programs: programs.map(({ name }) => name) });
  try {
    return [...collection.programs.values()].flatMap(({ name, program, section, attach }) => {
      try {
        machine.attach(program, tool?.targets?.[name] ?? attach).detach();
        return [];
      } catch (error) {
        if (!(error instanceof BpfError)) throw error;
        return [section];
      }
    });
  } finally {
    collection.close();
    machine.close();
  }
}

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)].toSorted();

const HEAD = `# libbpf-tools on the simulator

The objects are those of Debian 12's \`libbpf-tools\` (bcc 0.26), which carries them inside of its programs;
\`scripts/fetch-libbpf-tools.mjs\` takes them out. They are not part of this repository. Every one of them opens, and links
as libbpf links it: against the running kernel and against the simulator, byte for byte.

A tool delivers if all programs that its user space would load are attached and what comes out of its rings, maps
and variables is exactly what the simulator's own records have: every field of every event, every key and value, ten at least. What its
user space configures (constants, sizes of maps, which of several alternatives it loads, where it attaches) is in
\`test/libbpf-tools/tools/\`. A "no" in the column of counts with something behind it is a tool of which only a part is compared.

The records are the journal, which the kernel writes by itself, and the trace of the instructions that the CPUs executed
(\`host.traceInstructions\`), which knows calls, arguments and memory at their moment and owes nothing to breakpoints. A program's time is not the
journal's but that of the instruction that hands over to it, and is compared to the nanosecond: on a tracepoint the \`vmcall\` in its
\`__traceiter_*\`, which the CPU executes beside the entry; on a function the \`vmcall\` in \`exc_int3\`, which the CPU
executes next after the breakpoint of the first instruction or of the return, later by the turns that other CPUs took. Names, parents and kinds of tasks are replayed from the journal (\`test/libbpf-tools/story.ts\`). Stacks are what frame pointers in
memory lead to at that moment; two stacks that fall into one bucket of a stack map are one stack and an error, as in Linux.

Programs with a "no" that lack nothing have no comparison with the journal; of these, llcstat counts misses of a cache that the simulated CPU does not
have. Types in parentheses are asked for by programs that first test whether they are there. The table is made by
\`test/libbpf-tools/libbpf-tools.test.ts\`.
`;

/** What the last column says of a tool that delivers. The number is rounded down: it changes with every change of the kernel. */
export function describeDelivery(count: number, { compares, leavesOut }: Tool): string {
  return `${10 ** Math.floor(Math.log10(count))}+: ${compares}${leavesOut === undefined ? '' : `; not compared: ${leavesOut}`}`;
}

export function formatTable(rows: readonly ToolRow[]): string {
  const lines = rows.map(({ name, programs, types, hooks, attaches, counts, delivers }) => {
    const named = types.length === 0 ? '' : types.map((each) => `\`${each}\``).join(' ');
    const wanted = attaches && named !== '' ? `(${named})` : named;
    const hookText = hooks.map((each) => `\`${each}\``).join(' ');
    return `| ${name} | ${programs} | ${wanted} | ${hookText} | ${counts ? 'yes' : 'no'} | ${delivers} |`;
  });
  const summary = [
    `${rows.length} objects open`,
    `${rows.filter(({ counts }) => counts).length} attach and deliver`,
    `${rows.filter(({ attaches, types }) => !attaches && types.length > 0).length} of the others lack a type or field`,
  ].join(', ');
  const head =
    '| tool | programs | types and fields that the simulator lacks | hooks that it lacks | counts | delivers |\n| --- | --- | --- | --- | --- | --- |';
  return `${HEAD}\n${summary}.\n\n${head}\n${lines.join('\n')}\n`;
}
