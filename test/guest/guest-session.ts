/** The console of a guest whose /init is test/guest/init, whatever runs it. */
export interface GuestLine {
  /** All that was printed so far. */
  readonly text: string;
  write(text: string): void;
}

/** Lets the guest run for a while; delivers its traps if it is a host's. */
export type LetRun = () => void;

const TIMEOUT_MS = 60_000;

/** Commands to the init of a test guest, and what it counted. */
export class GuestSession {
  readonly #line: GuestLine;
  readonly #letRun: LetRun;
  #read = 0;

  constructor(line: GuestLine, letRun: LetRun) {
    this.#line = line;
    this.#letRun = letRun;
  }

  /** Waits for the guest to take commands. */
  boot(): void {
    this.#await(/KSCOPE-READY/, 'the guest to boot');
  }

  /** Types a command without waiting for its end. */
  start(command: string): void {
    this.#line.write(`${command}\n`);
  }

  /** Waits for the end of the command that was started; its counts. An errno it ends with is thrown. */
  finish(command: string): ReadonlyMap<string, number> {
    const text = this.#await(/KSCOPE-(?:END|ERROR \d+)\r?\n/, `"${command}"`);
    const failed = /KSCOPE-ERROR (\d+)/.exec(text);
    if (failed !== null) throw new Error(`the guest answers errno ${failed[1]} to "${command}"`);
    return new Map(
      [...text.matchAll(/KSCOPE-COUNTS (\S+) (-?\d+)/g)].map(([, name = '', value]) => [name, Number(value)]),
    );
  }

  run(command: string): ReadonlyMap<string, number> {
    this.start(command);
    return this.finish(command);
  }

  /** The text of a file in the guest. */
  cat(path: string): string {
    this.start(`cat ${path}`);
    const text = this.#await(/KSCOPE-(?:END|ERROR \d+)\r?\n/, `"cat ${path}"`);
    return (/KSCOPE-FILE\r?\n([\s\S]*)KSCOPE-END/.exec(text)?.[1] ?? '').replaceAll('\r\n', '\n');
  }

  #await(pattern: RegExp, what: string): string {
    const end = performance.now() + TIMEOUT_MS;
    for (;;) {
      const rest = this.#line.text.slice(this.#read);
      const match = pattern.exec(rest);
      if (match !== null) {
        const text = rest.slice(0, match.index + match[0].length);
        this.#read += text.length;
        return text;
      }
      if (performance.now() > end) throw new Error(`waiting for ${what} in vain; the guest said: ${rest.slice(-600)}`);
      this.#letRun();
    }
  }
}
