import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { QemuProcess } from '../../src/host/qemu/node/index.js';

/** In the package's folder: programs there import the package by its name. */
const scratch = resolve('.cache', 'guest');
/** No kernel, but something to load: the machine is never let run. */
const nothing = join(scratch, 'nothing');
const KILLED = `
import { QemuProcess } from 'kscope/host/qemu/node';
const { pid } = new QemuProcess({ arch: 'arm64', kernel: process.argv[2], append: null });
process.stdout.write(String(pid));
setInterval(() => undefined, 1000);
`;

describe('an emulator that this process has started', () => {
  beforeAll(() => {
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { stdio: 'pipe' });
    mkdirSync(scratch, { recursive: true });
    writeFileSync(nothing, new Uint8Array(4096));
  }, 300_000);

  it('leaves no file behind while it runs, and is gone when it is closed', async () => {
    const before = leftovers();
    const machine = new QemuProcess({ arch: 'arm64', kernel: nothing, append: null });
    expect(isRunning(machine.pid)).toBe(true);
    expect(leftovers()).toEqual(before);
    expect(machine.ram.write(machine.ram.ranges[0].start, Uint8Array.of(1, 2, 3, 4), 0, 4)).toBe(true);
    machine.close();
    expect(await ended(machine.pid)).toBe(true);
  });

  it('does not outlive it when that is killed', async () => {
    const before = leftovers();
    const program = join(scratch, 'killed.mjs');
    writeFileSync(program, KILLED);
    const child = spawn(process.execPath, [program, nothing], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [pid] = (await child.stdout.take(1).toArray()) as Buffer[];
    const emulator = Number(pid?.toString());
    expect(isRunning(emulator)).toBe(true);
    child.kill('SIGKILL');
    expect(await ended(emulator)).toBe(true);
    expect(leftovers()).toEqual(before);
  });

  it('says what QEMU says where that refuses', { timeout: 60_000 }, () => {
    expect(() => new QemuProcess({ arch: 'arm64', kernel: join(scratch, 'absent'), append: null })).toThrow(
      /could not load kernel|could not open kernel/,
    );
  });
});

function leftovers(): string[] {
  return [tmpdir(), '/dev/shm'].flatMap((folder) =>
    readdirSync(folder).filter((name) => /^kscope-(?:qemu-|\w+$)/.test(name)),
  );
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Whether it is gone within some seconds. */
async function ended(pid: number): Promise<boolean> {
  for (let i = 0; i < 100 && isRunning(pid); i++) await new Promise((wake) => void setTimeout(wake, 50));
  return !isRunning(pid);
}
