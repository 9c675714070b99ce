import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ptRegsView, x86_64 } from '../../src/arch/index.js';
import { hi32, lo32, u64 } from '../../src/base/index.js';
import type { ForkedTask, Host, HostUserText, TaskAddress, UserFile } from '../../src/host/index.js';
import { Uprobe, URETPROBE_DEPTH_MAX } from '../../src/kprobe/index.js';
import { UprobePoint } from '../../src/kprobe/uprobe-point.js';
import { UprobeTraps } from '../../src/kprobe/uprobe-traps.js';

const numRuns = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 300);
const TRAMPOLINE = 0x1000_0000n;
const FUNCTIONS = 3;
const STACK_TOP = 0x7fff_0000n;
const FILE: UserFile = { path: '/bin/f', id: 7, size: 4096 };
/** Function f is at this address and offset: 16 bytes, a nop first. */
const addressOf = (f: number): bigint => 0x40_0000n + BigInt(16 * f);

/** A call as the program made it: which function, where its return address lies, where it must come back to. */
interface Call {
  readonly f: number;
  readonly at: bigint;
  readonly returnTo: bigint;
  /** Probes that follow it. */
  followed: boolean;
}

interface Task {
  readonly address: bigint;
  readonly space: number;
  readonly memory: Map<bigint, bigint>;
  readonly stack: Call[];
  sp: bigint;
}

/** Programs that call, jump, return, fork and end, and the kernel's part of it, without any machine. */
class World {
  readonly tasks: Task[] = [];
  current: Task;
  readonly returns = new Array<number>(FUNCTIONS).fill(0);
  readonly probes: Uprobe[];
  readonly #traps: UprobeTraps;
  #exit: (lo: number, hi: number) => void = () => {};
  #fork: (parent: TaskAddress, child: ForkedTask) => void = () => {};
  #made = 0;

  constructor() {
    this.current = this.#makeTask(new Map(), [], STACK_TOP);
    this.#traps = new UprobeTraps(this.#host(), this.#userText());
    this.probes = Array.from({ length: FUNCTIONS }, (_, f) => {
      const probe = new Uprobe(FILE, { path: FILE.path, offset: 16 * f, retHandler: () => this.returns[f]++ });
      const point = new UprobePoint(FILE, 16 * f, Uint8Array.of(0x90), Uint8Array.of(0xcc), 0);
      point.probes = [probe];
      point.armed = true;
      this.#traps.add(point);
      return probe;
    });
  }

  /** call f: the return address is pushed, and the breakpoint at its first instruction is met. */
  call(f: number): void {
    const task = this.current;
    const returnTo = 0x50_0000n + BigInt(this.#made++);
    task.sp -= 8n;
    task.memory.set(task.sp, returnTo);
    this.#enter(f, returnTo);
  }

  /** jmp f: what is on top of the stack, hijacked or not, becomes the return address of f. */
  tailCall(f: number): void {
    const top = this.current.stack.at(-1);
    if (top === undefined || top.at !== this.current.sp) return;
    this.current.stack.pop();
    this.#enter(f, top.returnTo, top);
  }

  /** ret */
  ret(): void {
    const task = this.current;
    const call = task.stack.pop();
    if (call === undefined) return;
    const target = task.memory.get(call.at) ?? 0n;
    task.sp = call.at + 8n;
    const end = target === TRAMPOLINE ? this.#trap(TRAMPOLINE) : target;
    expect(end).toBe(call.returnTo);
  }

  /** longjmp to the frame of an outer call. */
  unwind(levels: number): void {
    const task = this.current;
    const kept = Math.max(0, task.stack.length - levels);
    const next = task.stack[kept];
    if (next === undefined) return;
    task.sp = next.at + 8n;
    task.stack.length = kept;
  }

  fork(): void {
    if (this.tasks.length > 4) return;
    const { memory, stack, sp, address } = this.current;
    const child = this.#makeTask(new Map(memory), [...stack], sp);
    this.#fork(wordsOf(address), { ...wordsOf(child.address), space: child.space });
  }

  exit(): void {
    if (this.tasks.length === 1) return;
    const { address } = this.current;
    this.tasks.splice(this.tasks.indexOf(this.current), 1);
    this.current = this.tasks[0];
    this.#exit(lo32(address), hi32(address));
  }

  switchTo(index: number): void {
    this.current = this.tasks[index % this.tasks.length];
  }

  /** All return, then all end. */
  finish(): void {
    for (const task of this.tasks) {
      this.current = task;
      while (task.stack.length > 0) this.ret();
    }
    for (const { address } of this.tasks) this.#exit(lo32(address), hi32(address));
  }

  get idle(): boolean {
    for (const probe of this.probes) {
      const point = this.#traps.point(FILE.id, probe.offset);
      if (point !== undefined) this.#traps.remove(point);
    }
    return this.#traps.idle;
  }

  #enter(f: number, returnTo: bigint, replaced?: Call): void {
    const task = this.current;
    const { missed } = this.probes[f];
    const before = missed.depth;
    const end = this.#trap(addressOf(f));
    expect(end).toBe(addressOf(f) + 1n);
    const followed = missed.depth === before;
    task.stack.push({ f, at: task.sp, returnTo, followed: followed || replaced?.followed === true });
    if (!followed && replaced === undefined) expect(task.memory.get(task.sp)).toBe(returnTo);
  }

  /** A breakpoint; where the program goes on. */
  #trap(address: bigint): bigint {
    const regs = ptRegsView(x86_64.ptRegs);
    regs.ip = address + 1n;
    regs.sp = this.current.sp;
    expect(this.#traps.handle({ cpu: 0, kind: 'breakpoint', user: true, regs })).toBe(true);
    expect(regs.sp).toBe(this.current.sp);
    return regs.ip;
  }

  #makeTask(memory: Map<bigint, bigint>, stack: Call[], sp: bigint): Task {
    const number = ++this.#made;
    const task = { address: 0xffff_8880_0000_0000n + BigInt(number * 4096), space: number, memory, stack, sp };
    this.tasks.push(task);
    return task;
  }

  #host(): Host {
    const access = (lo: number, hi: number): [Map<bigint, bigint>, bigint] => [this.current.memory, u64(lo, hi)];
    return {
      arch: x86_64,
      memory: {
        readUser(lo: number, hi: number, dst: Uint8Array, offset: number, length: number) {
          const [memory, address] = access(lo, hi);
          const value = memory.get(address);
          if (length !== 8 || value === undefined) return false;
          new DataView(dst.buffer, dst.byteOffset).setBigUint64(offset, value, true);
          return true;
        },
        writeUser(lo: number, hi: number, src: Uint8Array, offset: number, length: number) {
          const [memory, address] = access(lo, hi);
          if (length === 8) memory.set(address, new DataView(src.buffer, src.byteOffset).getBigUint64(offset, true));
          return length === 8;
        },
      },
      tasks: {
        current: (out: Int32Array) => out.set([lo32(this.current.address), hi32(this.current.address)]),
        pidTgid: (out: Int32Array) => out.set([1, 1]),
        onExit: (handler: (lo: number, hi: number) => void) => {
          this.#exit = handler;
        },
      },
    } as unknown as Host;
  }

  #userText(): HostUserText {
    return {
      returnTrampoline: TRAMPOLINE,
      currentSpace: () => this.current.space,
      locate(lo: number, hi: number, out: { file: number; offset: number }) {
        out.file = FILE.id;
        out.offset = Number(u64(lo, hi) - 0x40_0000n);
        return true;
      },
      onFork: (handler: (parent: TaskAddress, child: ForkedTask) => void) => {
        this.#fork = handler;
      },
    } as unknown as HostUserText;
  }
}

function wordsOf(address: bigint): TaskAddress {
  return { lo: lo32(address), hi: hi32(address) };
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.nat(FUNCTIONS - 1).map((f) => (w: World) => w.call(f)) },
  { weight: 6, arbitrary: fc.constant((w: World) => w.ret()) },
  { weight: 2, arbitrary: fc.nat(FUNCTIONS - 1).map((f) => (w: World) => w.tailCall(f)) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 4 }).map((levels) => (w: World) => w.unwind(levels)) },
  { weight: 1, arbitrary: fc.constant((w: World) => w.fork()) },
  { weight: 1, arbitrary: fc.constant((w: World) => w.exit()) },
  { weight: 2, arbitrary: fc.nat(4).map((index) => (w: World) => w.switchTo(index)) },
);

function account(world: World): void {
  for (const [f, { nreturned, nactive, missed }] of world.probes.entries()) {
    expect(world.returns[f]).toBe(nreturned);
    expect(nactive).toBeGreaterThanOrEqual(0);
    expect(missed.fault).toBe(0);
  }
}

it('calls come back to where they were made from, and each is returned, missed or ended, whatever programs do', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const world = new World();
      for (const run of steps) run(world);
      account(world);
      world.finish();
      account(world);
      expect(world.probes.map(({ nactive }) => nactive)).toEqual([0, 0, 0]);
      expect(world.idle).toBe(true);
    }),
    { numRuns },
  );
});

it('calls deeper than Linux follows are missed, and return on their own', () => {
  const world = new World();
  for (let i = 0; i < URETPROBE_DEPTH_MAX + 10; i++) world.call(0);
  world.finish();
  const [{ nhit, nreturned, missed }] = world.probes;
  expect([nhit, nreturned, missed.depth]).toEqual([URETPROBE_DEPTH_MAX + 10, URETPROBE_DEPTH_MAX, 10]);
});
