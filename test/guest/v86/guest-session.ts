import type { V86Host } from '../../../src/host/v86/index.js';

/** Milliseconds a command may take on a slow machine. */
const PATIENCE_MS = 120_000;

/** Has the program of init.c do things, and reads its counts. Portable: runs in pages, too. */
export class GuestSession {
  readonly host: V86Host;
  #read: number;

  constructor(host: V86Host) {
    this.host = host;
    this.#read = host.console.length;
  }

  /** Sends a command and runs the guest until it has said `KSCOPE-COUNTS name value`: the value. */
  command(line: string, name: string): number {
    this.host.send(`${line}\n`);
    return this.await(name);
  }

  /** Runs the guest until it has said `KSCOPE-COUNTS name value`: the value. */
  await(name: string): number {
    const counts = new RegExp(`KSCOPE-COUNTS ${name} ([0-9]+)\n`);
    const end = performance.now() + PATIENCE_MS;
    let found: RegExpExecArray | null = null;
    const stopped = this.host.run({
      until: () => {
        found = counts.exec(this.unread);
        return found !== null || performance.now() > end;
      },
    });
    if (found === null) throw new Error(`the guest did not say ${name}: ${stopped}\n${this.host.console.slice(-2000)}`);
    return Number((found as RegExpExecArray)[1]);
  }

  /** What the guest has printed since `skip`. */
  get unread(): string {
    return this.host.console.slice(this.#read);
  }

  /** Nothing up to now is looked at any more. */
  skip(): void {
    this.#read = this.host.console.length;
  }

  /** Does `work` while the guest does `load` in the background; how often it did. */
  underLoad(work: () => void): number {
    this.command('s', 'started');
    work();
    this.skip();
    return this.command('S', 'background');
  }
}
