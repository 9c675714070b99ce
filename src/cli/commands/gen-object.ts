import { parseArgs } from 'node:util';
import { linkObjects } from '../../loader/index.js';
import type { CliIo } from '../io.js';
import { UsageError } from '../usage-error.js';

/** `kscope gen object OUT.o IN.o...`: links objects into one, as bpftool does. */
export function genObject(args: readonly string[], io: CliIo): number {
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true });
  const [output, ...inputs] = positionals;
  if (output === undefined || inputs.length === 0)
    throw new UsageError('gen object takes a file to write and at least one object file');
  io.writeBytes(output, linkObjects(inputs.map((name) => ({ name, bytes: io.readFile(name) }))));
  return 0;
}
