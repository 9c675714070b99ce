import { parseArgs } from 'node:util';
import { runPlugin } from '../../runtime/index.js';
import { engineOption } from '../engine.js';
import type { CliIo } from '../io.js';
import { hexBytes } from '../options.js';

const OPTIONS = { engine: { type: 'string' } } as const;

/**
 * `kscope plugin`: the protocol of public BPF conformance suites. A program in hex on stdin, memory in hex as
 * the argument (r1 points to it, r2 is its length), r0 in hex on stdout.
 */
export async function plugin(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const engine = engineOption(values.engine);
  const memory = hexBytes('MEMORY_HEX', positionals.join(''));
  const program = hexBytes('the program on stdin', await io.readStdin());
  const result = runPlugin(program, { memory, engine });
  io.out(result.toString(16));
  return 0;
}
