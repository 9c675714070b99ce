import { readFileSync } from 'node:fs';
import { runCli } from '../../src/cli/cli.js';
import type { CliIo } from '../../src/cli/io.js';

export interface CliResult {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly files: ReadonlyMap<string, string>;
  readonly binaries: ReadonlyMap<string, Uint8Array>;
}

export interface CliInput {
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** In the place of keeping what is written. */
  readonly writeFile?: CliIo['writeFile'];
}

/** Runs one command line in this process and gives what it printed. */
export async function kscope(argv: readonly string[], input: CliInput = {}): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const files = new Map<string, string>();
  const binaries = new Map<string, Uint8Array>();
  const io: CliIo = {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    readFile: (path) => readFileSync(path),
    writeFile: input.writeFile ?? ((path, text) => void files.set(path, text)),
    writeBytes: (path, bytes) => binaries.set(path, bytes),
    readStdin: () => Promise.resolve(input.stdin ?? ''),
    signal: input.signal ?? new AbortController().signal,
  };
  const code = await runCli(argv, io);
  return { code, out, err, files, binaries };
}
