import { JournalKind, type SimHost } from '../../src/host/sim/index.js';
import { ElfImage } from '../../src/kprobe/index.js';

/** Programs by path -> how many system calls their processes made, and how many of them were started. */
export interface ProgramCounts {
  readonly syscalls: number;
  readonly started: number;
  readonly forks: number;
}

/** What the journal knows of processes that ran `path`, from entry `from` on. */
export function programCounts(host: SimHost, path: string, from = 0): ProgramCounts {
  const programs = new Map<bigint, string>();
  const counts = { syscalls: 0, started: 0, forks: 0 };
  for (let i = 0; i < host.journal.length; i++) {
    const { kind, a, b, text } = host.journal.at(i);
    const process = a >> 32n;
    const counted = i >= from && programs.get(process) === path;
    if (kind === JournalKind.FORK) {
      programs.set(b >> 32n, programs.get(process) ?? '');
      if (counted) counts.forks++;
    } else if (kind === JournalKind.EXEC) {
      programs.set(process, text);
      if (i >= from && text === path) counts.started++;
    } else if (kind === JournalKind.SYSCALL_ENTER && counted) counts.syscalls++;
  }
  return counts;
}

/** Address that a function of a program or library is linked at, and its offset in the file. */
export function functionOf(
  host: SimHost,
  path: string,
  name: string,
): { address: bigint; offset: number; size: number } {
  const symbol = host.programs.get(path)?.lookup(name);
  if (symbol === undefined) throw new RangeError(`${path} has no function ${name}`);
  const offset = imageOf(host, path).offsetOf(symbol.address);
  if (offset === null) throw new RangeError(`${name} is not in the file ${path}`);
  return { address: symbol.address, offset, size: Number(symbol.size) };
}

/** The file as it is on the disk. */
export function imageOf(host: SimHost, path: string): ElfImage {
  const file = host.userText.open(path);
  const bytes = new Uint8Array(file?.size ?? 0);
  if (file === null || !host.userText.read(file, 0, bytes)) throw new RangeError(`no file ${path}`);
  return new ElfImage(bytes, path);
}
