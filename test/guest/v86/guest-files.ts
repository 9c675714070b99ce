import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debianKernel } from '../../oracle/debian-kernel.js';
import type { Unavailable } from '../../oracle/describe-with.js';
import { compileProgram } from '../../oracle/oracle-binary.js';
import { CHARACTER_DEVICE, EXECUTABLE, FOLDER, initramfs } from './initramfs.js';

/** This file runs from where it is written and, compiled for the benchmarks, from a folder further down. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/** 32-bit, freestanding: no 32-bit C library is needed. */
const INIT_ARGUMENTS = [
  ...['-m32', '-static', '-nostdlib', '-ffreestanding', '-fno-builtin'],
  ...['-fno-pic', '-no-pie', '-fno-stack-protector'],
];

/** What init.c says when it listens. */
export const READY = /KSCOPE-COUNTS ready 1/;

/** What a test guest is booted from. */
export interface TestGuest {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
}

/** Debian's i686 kernel with the program of init.c, or why that cannot be had. */
export function testGuest(): TestGuest | Unavailable {
  const found = debianKernel('i386');
  if ('unavailable' in found) return found;
  const init = compileProgram(join(packageRoot, 'test/guest/v86/init.c'), INIT_ARGUMENTS);
  if ('unavailable' in init) return init;
  const folders = ['dev', 'proc', 'sys'].map((name) => ({ name, mode: FOLDER }));
  const initrd = initramfs([
    ...folders,
    { name: 'dev/console', mode: CHARACTER_DEVICE, device: [5, 1] },
    { name: 'init', mode: EXECUTABLE, data: readFileSync(init.path) },
  ]);
  return { kernel: readFileSync(found.boot), initrd };
}

/** Where its saved state is kept between runs of the tests. */
export function statePath({ kernel, initrd }: TestGuest): string {
  const v86 = readFileSync(createRequire(import.meta.url).resolve('v86'));
  const hash = createHash('sha256').update(v86).update(kernel).update(initrd).digest('hex').slice(0, 12);
  return join(packageRoot, '.cache/guest', `v86-${hash}.state`);
}

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder));
}
