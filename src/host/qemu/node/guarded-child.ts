import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { Socket } from 'node:net';
import { delimiter, join } from 'node:path';

/**
 * A shell that runs the program and a reader beside it, who waits for the other end of the shell's input to close, which
 * the kernel does for a process however it ends, and then ends the program. The folders go when the program has ended.
 */
const GUARD = `
one=$1 other=$2
shift 2
exec 3<&0
"$@" 3<&- &
program=$!
{ read -r _; kill -9 $program; } <&3 &
exec 3<&-
wait $program
kill $! 2>/dev/null
rm -rf "$one" "$other"
`;

export interface GuardedProgram {
  readonly program: string;
  readonly args: readonly string[];
  /** Removed when it ends. */
  readonly folders: readonly [string, string];
  /** Open file that takes what it prints. */
  readonly log: number;
}

/**
 * A program that does not outlive this process, not even one that is killed. It is in a session of its own: keys typed at a
 * terminal do not reach it.
 */
export class GuardedChild {
  readonly #guard: ChildProcess;

  constructor({ program, args, folders, log }: GuardedProgram) {
    this.#guard = spawn('/bin/sh', ['-c', GUARD, 'sh', ...folders, program, ...args], {
      stdio: ['pipe', log, log],
      detached: true,
    });
    this.#guard.unref();
    (this.#guard.stdin as Socket).unref();
    // Whoever waits for the program sees that it is not there; without a listener a missing shell would be thrown here.
    this.#guard.on('error', () => undefined);
    this.#guard.stdin?.on('error', () => undefined);
  }

  /** Ends the program and removes its folders; returns before both are done. */
  end(): void {
    this.#guard.stdin?.destroy();
  }
}

/** Whether a program of that name can be started. */
export function isInstalled(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
