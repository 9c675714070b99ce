import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Errno } from '../../src/base/index.js';
import { type Btf, parseBtf } from '../../src/btf/index.js';
import type { SymbolTable } from '../../src/host/index.js';
import { CollectionSpec } from '../../src/loader/index.js';
import { linesOf } from '../loader/linked-lines.js';
import type { LibbpfTools } from '../oracle/libbpf-tools.js';

const RUNNING = '/sys/kernel/btf/vmlinux';

/** Read when libbpf has refused something. */
let running: Btf | undefined;

const keyed = (line: string): [string, string] => {
  const { file, program } = JSON.parse(line) as { file: string; program: string };
  return [`${file} ${program}`, line];
};

/**
 * Every program, by object and name, as it is linked for `btf` and as libbpf links it; gives their number. libbpf refuses programs whose
 * function or tracepoint the running kernel has no type of, whatever kernel it links for, before it has instructions: such a program is
 * compared by that it is one.
 */
export function compareLinked(
  { folder, objects }: LibbpfTools,
  btf: Btf,
  expected: readonly string[],
  kallsyms?: SymbolTable,
): number {
  const parse = (object: string): CollectionSpec => CollectionSpec.parse(readFileSync(join(folder, object)));
  const actual = new Map(objects.flatMap((object) => linesOf(parse(object), object, btf, kallsyms)).map(keyed));
  const refused = expected.filter((line) => line.includes(`"error":${-Errno.ESRCH}`));
  for (const line of refused) {
    running ??= parseBtf(readFileSync(RUNNING));
    const [, hook = '', name = ''] = /"section":"([a-z_]+)\/(\w+)"/.exec(line) ?? [];
    const type =
      hook === 'tp_btf' ? running.findByName(`btf_trace_${name}`, 'typedef') : running.findByName(name, 'func');
    expect([line, type]).toEqual([line, undefined]);
    actual.delete(keyed(line)[0]);
  }
  const linked = new Map(expected.filter((line) => !refused.includes(line)).map(keyed));
  const different = [...linked].filter(([key, line]) => actual.get(key) !== line).map(([key]) => key);
  expect(different).toEqual([]);
  expect(actual.size).toBe(linked.size);
  return linked.size;
}
