import { spawn } from 'node:child_process';
import { BpfError } from '../../base/index.js';

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called for each line that the tool writes to its file descriptor 3. */
  readonly onStatus?: (line: string) => void;
}

/** Lines of a tool's complaints that an error shows. */
const SHOWN_LINES = 4;

/**
 * Runs a program to its end and gives its output. ENOENT where it is not installed, EIO with the last it said where it
 * fails, EINTR where `signal` ended it.
 */
export function runTool(program: string, args: readonly string[], options: ToolOptions = {}): Promise<string> {
  const { cwd, env, signal, onStatus } = options;
  const child = spawn(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe', onStatus === undefined ? 'ignore' : 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  });
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  if (onStatus !== undefined) eachLine(child.stdio[3] as NodeJS.ReadableStream, onStatus);
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(startError(program, error)));
    child.on('close', (code) => {
      if (code === 0) resolve(out);
      else reject(failure(program, args, code, `${out}\n${err}`));
    });
  });
}

function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}

/** A folder on PATH that may not be searched makes EACCES of every name that is found nowhere. */
const startRemedies: Readonly<Record<string, string>> = {
  ENOENT: 'it is not installed, or not on PATH',
  EACCES: 'it is not installed, or it or a folder on PATH may not be entered by this user',
};

function startError(program: string, error: NodeJS.ErrnoException): BpfError {
  if (error.name === 'AbortError') return new BpfError('EINTR', `${program} was interrupted`);
  return new BpfError('ENOENT', `cannot start ${program}`, {
    cause: error,
    remedy: startRemedies[error.code ?? ''] ?? error.message,
  });
}

function failure(program: string, args: readonly string[], code: number | null, said: string): BpfError {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const complaints = lines.filter((line) => /^(?:E:|error|.*: error)/i.test(line));
  const shown = (complaints.length > 0 ? complaints : lines).slice(-SHOWN_LINES).join(' | ');
  return new BpfError(
    'EIO',
    `${program} ${args.find((arg) => !arg.startsWith('-')) ?? ''} failed with ${code ?? 'a signal'}`,
    {
      remedy: shown === '' ? 'it said nothing' : shown,
    },
  );
}
