import { parseArgs } from 'node:util';
import { createSim } from '../host/sim/index.js';
import { Collection, CollectionSpec } from '../loader/index.js';
import { BpfRuntime } from '../runtime/index.js';
import type { CliIo } from './io.js';
import { UsageError } from './usage-error.js';

const OPTIONS = { json: { type: 'boolean', short: 'j' }, pretty: { type: 'boolean', short: 'p' } } as const;

/** What the `show` commands begin with: an object loaded on the simulator, attached to nothing. */
export function showObject(
  command: string,
  args: readonly string[],
  io: CliIo,
): { readonly collection: Collection; readonly style: 'text' | 'json' | 'pretty' } {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0) throw new UsageError(`${command} takes one object file`);
  const collection = Collection.load(CollectionSpec.parse(io.readFile(file)), new BpfRuntime(createSim({})));
  return { collection, style: values.pretty === true ? 'pretty' : values.json === true ? 'json' : 'text' };
}
