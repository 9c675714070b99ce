import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Host, HostUserText, UserFile } from '../../src/host/index.js';
import { createSim, JournalKind, type SimHost } from '../../src/host/sim/index.js';
import { Collection, CollectionSpec, parseSectionName } from '../../src/loader/index.js';
import { Machine } from '../../src/machine/index.js';
import type { AttachTarget } from '../../src/runtime/index.js';
import { RingBufferMap } from '../../src/runtime/index.js';
import { instance } from '../support/instance.js';
import { override } from '../testing/planted-bugs/planted-bug.js';

const OP = '/bin/op';
const SCRIPT = ['op open:/etc/passwd read:10 close', 'op getpid open:/etc/none'].join('\n');
const OPERATIONS = ['open:/etc/passwd', 'read:10', 'close', 'getpid', 'open:/etc/none'];
const object = readFileSync('test/testdata/usdt/snoop.bpf.o');

interface Seen {
  readonly kind: number;
  readonly ip: bigint;
  readonly first: bigint;
  readonly second: bigint;
  readonly cookie: bigint;
  readonly text: string;
}

function decode(bytes: Uint8Array): Seen {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [ip, first, second, cookie] = [8, 16, 24, 32].map((at) => view.getBigUint64(at, true));
  const text = String.fromCharCode(...bytes.subarray(40, bytes.indexOf(0, 40)));
  return { kind: Number(view.getBigUint64(0, true)), ip, first, second, cookie, text };
}

/** The program's functions by name. */
function addressOf(host: SimHost, name: string): bigint {
  return host.programs.get(OP)?.lookup(name)?.address ?? 0n;
}

/** The machine with one program of the object attached; runs to its end. */
function session(
  sim: SimHost,
  host: Host,
  name: string,
  target?: AttachTarget,
): { machine: Machine; run: () => Seen[] } {
  const machine = new Machine(host);
  const collection = Collection.load(CollectionSpec.parse(object), machine.runtime);
  const each = collection.programs.get(name);
  if (each === undefined) throw new Error(`no program ${name}`);
  machine.attach(each.program, target ?? each.attach, { cookie: 77n });
  const run = (): Seen[] => {
    const seen: Seen[] = [];
    const reader = machine.readRings(instance(collection.maps.get('events'), RingBufferMap));
    expect(sim.run()).toBe('finished');
    reader.poll((record) => seen.push(decode(record.data)));
    reader.close();
    return seen;
  };
  return { machine, run };
}

describe('programs of an object that clang made', () => {
  it('run at a function of a program, with its arguments, its address and their cookie', () => {
    const sim = createSim({ script: SCRIPT });
    const address = addressOf(sim, 'file_operation');
    const { machine, run } = session(sim, sim, 'on_operation');
    const seen = run();
    expect(seen.map(({ text }) => text)).toEqual(OPERATIONS);
    for (const { ip, second, cookie } of seen) expect([ip, second, cookie]).toEqual([address, address, 77n]);
    expect(machine.links[0]?.info.hook).toBe('uprobe:/bin/op:file_operation');
    expect(machine.ledgerRows().find(({ name }) => name.includes('uprobe'))).toMatchObject({ seen: 5, delivered: 5 });
  });

  it('run when a function has returned, with its value', () => {
    const sim = createSim({ script: SCRIPT });
    const seen = session(sim, sim, 'on_opened').run();
    const results = [...sim.journal.entries(JournalKind.OPEN)].filter(({ text }) => /passwd|none/.test(text));
    expect(seen.map(({ first }) => first)).toEqual(results.map(({ d }) => d));
    expect(seen).toHaveLength(2);
  });

  it('read the arguments of USDT probes by libbpf’s own macros, and the semaphore tells that they are there', () => {
    const sim = createSim({ script: SCRIPT });
    const { machine, run } = session(sim, withProbe(sim), 'on_probe');
    const seen = run();
    expect(seen.map(({ text }) => text)).toEqual(OPERATIONS);
    expect(seen.map(({ ip }) => ip)).toEqual(OPERATIONS.map(() => 2n));
    expect(seen.map(({ cookie }) => cookie)).toEqual(OPERATIONS.map(() => 77n));
    expect(seen.every(({ first, second }) => second >= first && second <= first + 16n)).toBe(true);
    expect(machine.links[0]?.info.hook).toBe('usdt:/bin/op:op:operation');
    machine.close();
  });
});

describe('a target', () => {
  const program = 'on_operation';

  it.each<[string, AttachTarget, RegExp]>([
    ['no such file', { kind: 'uprobe', path: '/bin/nope', symbol: 'main', offset: 0 }, /ENOENT.*no such file/],
    [
      'no such function',
      { kind: 'uprobe', path: OP, symbol: 'file_operations', offset: 0 },
      /ENOENT.*similar names: file_operation/,
    ],
    ['behind the text', { kind: 'uprobe', path: OP, symbol: 'main', offset: 0x10_0000 }, /EINVAL.*nothing of the file/],
    ['no such probe', { kind: 'usdt', path: OP, provider: 'a', name: 'b' }, /ENOENT.*it has none at all/],
  ])('with %s is refused', (_what, target, message) => {
    const sim = createSim({ script: SCRIPT });
    expect(() => session(sim, sim, program, target)).toThrow(message);
  });

  it('of one process, by offset in the file', () => {
    const sim = createSim({ script: SCRIPT });
    const offset = Number(addressOf(sim, 'file_operation') - 0x40_0000n);
    const all = session(sim, sim, program, { kind: 'uprobe', path: OP, offset, pid: 99_999 });
    expect(all.run()).toEqual([]);
  });

  it.each<[string, AttachTarget]>([
    ['uprobe//bin/op:main', { kind: 'uprobe', path: '/bin/op', symbol: 'main', offset: 0 }],
    ['uprobe//lib/libc.so.6:malloc+0x10', { kind: 'uprobe', path: '/lib/libc.so.6', symbol: 'malloc', offset: 16 }],
    ['uretprobe//bin/op:open', { kind: 'uretprobe', path: '/bin/op', symbol: 'open', offset: 0 }],
    ['uretprobe//bin/op:open+4', { kind: 'other', section: 'uretprobe//bin/op:open+4', why: 'malformed' }],
    ['uprobe', { kind: 'other', section: 'uprobe', why: 'no_target' }],
    ['usdt//bin/op:shop:sell', { kind: 'usdt', path: '/bin/op', provider: 'shop', name: 'sell' }],
    ['usdt//bin/op:shop', { kind: 'other', section: 'usdt//bin/op:shop', why: 'malformed' }],
  ])('is read from the section name %s', (section, target) => {
    expect(parseSectionName(section).attach).toEqual(target);
  });
});

/** The host with a USDT probe noted in the file of the program: at file_operation, its arguments in rdi and rsi. */
function withProbe(sim: SimHost): SimHost {
  const text: HostUserText = sim.userText;
  const real = text.open(OP);
  if (real === null) throw new Error('no file');
  const bytes = new Uint8Array(real.size);
  text.read(real, 0, bytes);
  const image = withNote(bytes, addressOf(sim, 'file_operation'), addressOf(sim, 'fd') + 6n);
  const file: UserFile = { ...real, size: image.length };
  const userText = override(text, {
    open: (path) => (path === OP ? file : text.open(path)),
    read(of, offset, dst) {
      if (of.id !== file.id) return text.read(of, offset, dst);
      dst.set(image.subarray(offset, offset + dst.length));
      return offset + dst.length <= image.length;
    },
  });
  return override(sim, { userText } as unknown as Partial<SimHost>);
}

function withNote(program: Uint8Array, pc: bigint, semaphore: bigint): Uint8Array {
  const texts = new TextEncoder().encode('op\0operation\x008@%rdi 8@%rsi\0');
  const description = new Uint8Array(24 + texts.length);
  new DataView(description.buffer).setBigUint64(0, pc, true);
  new DataView(description.buffer).setBigUint64(16, semaphore, true);
  description.set(texts, 24);
  const note = new Uint8Array(12 + 8 + description.length);
  new Uint32Array(note.buffer, 0, 3).set([8, description.length, 3]);
  note.set(new TextEncoder().encode('stapsdt\0'), 12);
  note.set(description, 20);
  const names = new TextEncoder().encode('\0.note.stapsdt\0.shstrtab\0');
  const noteAt = Math.ceil(program.length / 8) * 8;
  const namesAt = noteAt + Math.ceil(note.length / 8) * 8;
  const headersAt = namesAt + Math.ceil(names.length / 8) * 8;
  const image = new Uint8Array(headersAt + 3 * 64);
  const view = new DataView(image.buffer);
  image.set(program);
  image.set(note, noteAt);
  image.set(names, namesAt);
  view.setBigUint64(40, BigInt(headersAt), true);
  for (const [at, value] of [
    [58, 64],
    [60, 3],
    [62, 2],
  ] as const)
    view.setUint16(at, value, true);
  const section = (index: number, name: number, type: number, offset: number, size: number): void => {
    const at = headersAt + 64 * index;
    view.setUint32(at, name, true);
    view.setUint32(at + 4, type, true);
    view.setBigUint64(at + 24, BigInt(offset), true);
    view.setBigUint64(at + 32, BigInt(size), true);
  };
  section(1, 1, 7, noteAt, note.length);
  section(2, 15, 3, namesAt, names.length);
  return image;
}
