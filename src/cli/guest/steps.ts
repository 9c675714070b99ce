import type { CliIo } from '../io.js';
import type { FetchProgress } from './apt-archive.js';

/** Says what is being done: a line per step, and on a terminal a bar while it lasts. */
export class StepReporter {
  readonly #say: (line: string) => void;
  readonly #bar: ((text: string) => void) | undefined;

  /** `bar` rewrites the present line of a terminal; absent where stderr is none. */
  constructor(say: (line: string) => void, bar?: (text: string) => void) {
    this.#say = say;
    this.#bar = bar;
  }

  done(what: string): void {
    this.#say(what);
  }

  async run<T>(what: string, work: (progress: FetchProgress) => Promise<T>): Promise<T> {
    const started = performance.now();
    this.#bar?.(`${what} ...`);
    const result = await work((percent) => this.#bar?.(`${what} ${barText(percent)}`));
    this.#bar?.('');
    this.#say(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return result;
  }
}

const WIDTH = 24;

/** `[######------------------]  25 %` */
export function barText(percent: number): string {
  const share = Math.min(100, Math.max(0, percent));
  const filled = Math.round((share / 100) * WIDTH);
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${String(Math.round(share)).padStart(3)} %`;
}

/** Steps on stderr of a command; the bar only where that is a terminal. */
export function stepsOf(io: CliIo): StepReporter {
  const bar = process.stderr.isTTY ? (text: string) => void process.stderr.write(`\r\u001b[K${text}`) : undefined;
  return new StepReporter((line) => io.err(line), bar);
}
