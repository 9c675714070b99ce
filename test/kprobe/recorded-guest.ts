import { readFileSync } from 'node:fs';
import { PtRegs, x86_64 } from '../../src/arch/index.js';
import { SymbolTable, type Host, type KernelSymbol } from '../../src/host/index.js';
import { TestHost } from '../support/test-host.js';
import { TestMemory } from '../support/test-memory.js';
import { TestText } from '../support/test-text.js';

/** One block of definitions and what the kernel answered. */
export interface RecordedCase {
  readonly title: string;
  readonly writes: readonly { readonly line: string; readonly errno: number; readonly log: string }[];
  /** Lines of `kprobe_events` afterwards. */
  readonly definitions: readonly string[];
  /** The `format` files of the events, without their ids. */
  readonly formats: string;
  /** Lines of `trace`, from the event's name on. */
  readonly hits: readonly string[];
}

export interface Recording {
  readonly release: string;
  readonly symbols: readonly KernelSymbol[];
  readonly memory: readonly { readonly address: bigint; readonly bytes: Uint8Array }[];
  readonly cases: readonly RecordedCase[];
}

/** What the kernel whose answers are recorded refuses, though its disassembly says nothing of it. */
const BLACKLIST = ['exc_int3', 'kprobe_dispatcher', 'preempt_schedule'];
const PAGE = 4096n;
const HOW = 24;

/** Reads a file of test/testdata/kprobe. */
export function readRecording(name: string): Recording {
  const [head, ...lines] = readFileSync(new URL(`../testdata/kprobe/${name}`, import.meta.url), 'utf8').split('\n');
  const symbols: KernelSymbol[] = [];
  const memory: { address: bigint; bytes: Uint8Array }[] = [];
  const blocks: string[][] = [];
  for (const line of lines) {
    const [letter, address, type, symbol, size] = line.split(' ');
    if (letter === 'C') blocks.push([]);
    else if (letter === 'S') symbols.push({ name: symbol, type, address: hex(address), size: hex(size) });
    else if (letter === 'M') memory.push({ address: hex(address), bytes: Buffer.from(type, 'hex') });
    else blocks.at(-1)?.push(line);
  }
  return {
    release: head.replace('# Linux ', ''),
    symbols,
    memory,
    cases: blocks.map(readCase).filter((one) => one.title !== ''),
  };
}

function hex(digits: string): bigint {
  return BigInt(`0x${digits}`);
}

function readCase(lines: readonly string[]): RecordedCase {
  const writes: { line: string; errno: number; log: string }[] = [];
  for (const line of lines) {
    const text = line.slice(2);
    const last = writes.at(-1);
    if (line.startsWith('W ')) writes.push({ line: text, errno: 0, log: '' });
    else if (last !== undefined && line.startsWith('E ')) last.errno = Number(text);
    else if (last !== undefined && line.startsWith('L ')) last.log += `${text}\n`;
  }
  const all = (letter: string): string[] =>
    lines.filter((line) => line === letter || line.startsWith(`${letter} `)).map((line) => line.slice(2));
  return {
    title: writes.map(({ line }) => line).join(' ⏎ '),
    writes,
    definitions: all('D'),
    formats: all('F').join('\n'),
    hits: all('H'),
  };
}

/** A host with the symbols, text and data of the recorded kernel, on which the recorded workload can be replayed. */
export class RecordedGuest {
  readonly host: Host;
  readonly #memory = new TestMemory();
  readonly #text: TestText;
  readonly #hits: ReadonlyMap<string, PtRegs>;

  constructor({ symbols, memory, cases }: Recording) {
    const table = new SymbolTable(symbols);
    const base = new TestHost({ cpus: 1 });
    this.#text = new TestText(this.#memory, table, BLACKLIST);
    this.host = {
      name: 'recorded',
      arch: x86_64,
      cpus: 1,
      capabilities: base.capabilities,
      memory: this.#memory,
      symbols: table,
      btf: null,
      clock: base.clock,
      tasks: { ...base.tasks, comm: (dst, offset) => (dst.set(Buffer.from('init'), offset), true) },
      stacks: base.stacks,
      text: this.#text,
      tracepoints: null,
      sampler: null,
      currentCpu: () => 0,
    };
    for (const { address, bytes } of memory) this.#put(address, bytes);
    this.#hits = recordedRegisters(cases);
    this.#mapWhatRegistersPointTo();
  }

  /** What the guest's init did while the events were on: an open and a read. */
  workload(): void {
    this.#trap(this.#at('do_sys_openat2'), this.#address('do_sys_openat2'));
    const regs = this.#at('vfs_read');
    const entry = this.#address('vfs_read');
    this.#trap(regs, entry);
    regs.ip = entry + 5n;
    this.#trap(regs, regs.ip);
    if (this.#memory.readU64(this.#at('vfs_read').sp) !== this.#text.returnTrampoline) return;
    this.#trap(this.#at('return'), this.#text.returnTrampoline);
  }

  #trap(regs: PtRegs, address: bigint): void {
    if (this.#memory.view(address, 1)?.[0] !== 0xcc) return;
    regs.ip = address + 1n;
    if (!this.#text.trap(0, regs)) throw new Error(`nobody takes the trap at 0x${address.toString(16)}`);
  }

  #at(name: string): PtRegs {
    const recorded = this.#hits.get(name) as PtRegs;
    return new PtRegs(x86_64.ptRegs, recorded.words.slice(), 0);
  }

  #address(name: string): bigint {
    return this.host.symbols.lookup(name)?.address ?? 0n;
  }

  /** The stacks, the name that is opened and how. */
  #mapWhatRegistersPointTo(): void {
    const open = this.#at('do_sys_openat2');
    const slot = (name: string): bigint => open.get(open.slot(name));
    this.#put(slot('si'), Buffer.from('/probe/hello.txt\0'));
    const how = new DataView(new ArrayBuffer(HOW));
    how.setBigUint64(0, 0x8000n, true);
    this.#put(slot('dx'), new Uint8Array(how.buffer));
    this.#put(open.sp, new Uint8Array(new BigUint64Array([this.#address('__x64_sys_openat') + 0x6an]).buffer));
    this.#put(this.#at('vfs_read').sp, new Uint8Array(new BigUint64Array([this.#address('ksys_read') + 0x6bn]).buffer));
  }

  /** Maps the pages of a place and puts bytes there. */
  #put(address: bigint, bytes: Uint8Array): void {
    const start = address - (address % PAGE);
    if (this.#memory.view(address, bytes.length) === undefined) this.#memory.map(start, 4 * Number(PAGE));
    this.#memory.write(address, bytes);
  }
}

/** Registers of the hits by the function they were at, `return` for those behind vfs_read. */
function recordedRegisters(cases: readonly RecordedCase[]): Map<string, PtRegs> {
  const all = cases.find(({ title }) => title.startsWith('p:regs '));
  const names = /%\w+/g;
  const order = (all?.title.split(' ⏎ ')[0].match(names) ?? []).map((name) => name.slice(1));
  const found = new Map<string, PtRegs>();
  for (const line of all?.hits ?? []) {
    const regs = new PtRegs(x86_64.ptRegs);
    for (const [, index, value] of line.matchAll(/arg(\d+)=0x([0-9a-f]+)/g)) {
      regs.put(regs.slot(order[Number(index) - 1]), hex(value));
    }
    const where = /\((\w+)\+/.exec(line)?.[1] ?? '';
    found.set(line.startsWith('rregs') ? 'return' : where, regs);
  }
  return found;
}
