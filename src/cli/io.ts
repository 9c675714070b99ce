/** What commands may touch of the outside world, so that tests can run them in-process. */
export interface CliIo {
  /** Data: one line on stdout. */
  out(line: string): void;
  /** Talk: one line on stderr. */
  err(line: string): void;
  readFile(path: string): Uint8Array;
  writeFile(path: string, text: string): void;
  writeBytes(path: string, bytes: Uint8Array): void;
  readStdin(): Promise<string>;
  /** Aborted by Ctrl-C, which ends commands that do not ask for it. */
  readonly signal: AbortSignal;
}
