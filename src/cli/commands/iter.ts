import { toJson } from '../../export/index.js';
import { parseArgs } from 'node:util';
import { openHost } from '../hosts/open-host.js';
import type { CliIo } from '../io.js';
import { RUN_OPTIONS, runOptions } from '../run-options.js';
import { type IterText, Session } from '../session.js';
import { UsageError } from '../usage-error.js';

/** How long the host runs before it is looked at, unless told: enough for a few processes to be under way. */
const DEFAULT_NS = 5_000_000n;

/** `kscope iter FILE.o [PROG]`: runs the host for a while, then prints what the object's iterators write of it. */
export async function iter(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options: RUN_OPTIONS, allowPositionals: true });
  const [file, program, extra] = positionals;
  if (file === undefined) throw new UsageError('which object file?');
  if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}"`);
  const options = runOptions(file, values);
  const opened = await openHost({ ...options, spec: options.host }, io);
  try {
    const session = new Session(opened, { ...options, duration: options.duration ?? DEFAULT_NS }, io, () => undefined);
    try {
      await session.run();
      print(chosen([...session.iterators()], program), values.json === true, io);
    } finally {
      session.close();
    }
  } finally {
    opened.close();
  }
  return 0;
}

function chosen(texts: readonly IterText[], program: string | undefined): readonly IterText[] {
  const found = texts.filter((text) => program === undefined || text.program === program);
  if (found.length > 0) return found;
  const names = texts.map((text) => text.program).join(', ');
  throw new UsageError(
    program === undefined ? 'the object has no iterators' : `no iterator "${program}"; there are: ${names}`,
  );
}

function print(texts: readonly IterText[], json: boolean, io: CliIo): void {
  for (const { program, target, text } of texts) {
    if (json) io.out(toJson({ type: 'iter', data: { program, target, text } }));
    else for (const line of text.replace(/\n$/, '').split('\n')) io.out(line);
  }
}
