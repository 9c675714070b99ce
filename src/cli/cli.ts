import { readFileSync } from 'node:fs';
import { BpfError } from '../base/index.js';
import { btfDump } from './commands/btf-dump.js';
import { btfGen } from './commands/btf-gen.js';
import { doctor } from './commands/doctor.js';
import { genObject } from './commands/gen-object.js';
import { guestUp } from './commands/guest-up.js';
import { iter } from './commands/iter.js';
import { list } from './commands/list.js';
import { mapDump } from './commands/map-dump.js';
import { plugin } from './commands/plugin.js';
import { progDumpJited } from './commands/prog-dump-jited.js';
import { progDumpLinked } from './commands/prog-dump-linked.js';
import { progShow } from './commands/prog-show.js';
import { mapShow } from './commands/map-show.js';
import { progLoad } from './commands/prog-load.js';
import { progRun } from './commands/prog-run.js';
import { run } from './commands/run.js';
import type { CliIo } from './io.js';
import { UsageError } from './usage-error.js';
import { USAGE } from './usage.js';

/** A command: takes the words after its name, gives the exit code. */
export type Command = (args: readonly string[], io: CliIo) => Promise<number> | number;

/** Commands by their leading words, longest first where one is the start of another. */
const COMMANDS: readonly (readonly [words: string, command: Command])[] = [
  ['run', run],
  ['prog load', progLoad],
  ['prog dump linked', progDumpLinked],
  ['prog dump jited', progDumpJited],
  ['prog run', progRun],
  ['plugin', plugin],
  ['list', list],
  ['map dump', mapDump],
  ['map show', mapShow],
  ['prog show', progShow],
  ['btf dump', btfDump],
  ['btf gen', btfGen],
  ['iter', iter],
  ['gen object', genObject],
  ['guest up', guestUp],
  ['doctor', doctor],
];

/** Runs one command line (without `node` and the script). Exit codes: 0 ok, 1 failed, 2 bad usage. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const wantsHelp = argv[0] === 'help' || argv.includes('--help') || argv.includes('-h');
  if (wantsHelp || argv.length === 0) {
    io.out(USAGE);
    return wantsHelp ? 0 : 2;
  }
  if (argv[0] === 'version' || argv[0] === '--version') {
    io.out(`kscope ${packageVersion()}`);
    return 0;
  }
  try {
    const found = COMMANDS.find(([words]) => startsWith(argv, words.split(' ')));
    if (found === undefined) throw new UsageError(`there is no command "${argv.slice(0, 2).join(' ')}"`);
    const [words, command] = found;
    return await command(argv.slice(words.split(' ').length), io);
  } catch (error) {
    return report(error, io);
  }
}

/** package.json is two folders up, in the sources as in what is published. */
function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

function startsWith(argv: readonly string[], words: readonly string[]): boolean {
  return words.every((word, i) => argv[i] === word);
}

function report(error: unknown, io: CliIo): number {
  if (error instanceof UsageError || isParseArgsError(error)) {
    io.err(`kscope: ${error.message}`);
    io.err('Try "kscope help".');
    return 2;
  }
  if (error instanceof BpfError || isFileError(error)) {
    io.err(`kscope: ${error.message}`);
    return 1;
  }
  throw error;
}

function isParseArgsError(error: unknown): error is Error {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

function isFileError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}
