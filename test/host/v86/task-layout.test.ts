import { describe, expect, it } from 'vitest';
import { GuestWords } from '../../../src/host/v86/guest-words.js';
import { findTaskLayout } from '../../../src/host/v86/task-layout.js';
import { V86Tasks } from '../../../src/host/v86/v86-tasks.js';
import {
  CURRENT_TASK,
  imageOf,
  kernelMemory,
  type MadeUpKernel,
  memoryOf,
  PER_CPU,
  START,
  textOf,
} from './task-memory.js';

const debian: MadeUpKernel = { realParent: 1120, canary: 4, comm: 1412, key: 4, name: 'swapper/0' };

function find(bytes: Uint8Array, text = textOf(CURRENT_TASK)): ReturnType<typeof findTaskLayout> {
  return findTaskLayout(imageOf(bytes), text, new GuestWords(memoryOf(bytes)), PER_CPU);
}

describe('the tasks of a kernel without types', () => {
  it.each([
    ["as Debian's", debian],
    ['without a canary', { ...debian, canary: 0 }],
    ['without a cached key', { ...debian, key: 0 }],
    ['of one processor', { ...debian, name: 'swapper' }],
    ['in other places', { ...debian, realParent: 640, comm: 904 }],
  ] as const)('are found by what only init_task looks like: %s', (_which, kernel) => {
    const { realParent, canary, comm, key } = kernel;
    expect(find(kernelMemory(kernel))).toEqual({
      initTask: START + 0x4000,
      currentTask: CURRENT_TASK,
      pid: realParent - canary - 8,
      tgid: realParent - canary - 4,
      realParent,
      children: realParent + 8,
      sibling: realParent + 16,
      groupLeader: realParent + 24,
      cred: comm - key - 4,
      comm,
      credUid: 4,
      credGid: 8,
    });
  });

  it.each([
    ['the name is another', (bytes: Uint8Array): void => void bytes.fill(0x41, 0x4000 + 1412, 0x4000 + 1420)],
    ['its first child is not pid 1', (bytes: Uint8Array): void => void bytes.fill(9, 0x8000 + 1108, 0x8000 + 1112)],
    ['the credentials are not those of root', (bytes: Uint8Array): void => void bytes.fill(1, 0x104, 0x108)],
    ['nothing holds the current task', (bytes: Uint8Array): void => void bytes.fill(0, 0x300, 0x304)],
  ])('are not guessed where %s', (_what, spoil) => {
    const bytes = kernelMemory(debian);
    spoil(bytes);
    expect(() => find(bytes)).toThrow(/ENOENT; let it boot to its first program/);
  });

  it('are read where the layout says', () => {
    const bytes = kernelMemory(debian);
    const tasks = new V86Tasks(memoryOf(bytes), find(bytes), PER_CPU, { onExit: () => () => undefined });
    const pair = new Int32Array(2);
    tasks.current(pair);
    expect([pair[0] >>> 0, pair[1]]).toEqual([START + 0x8000, 0]);
    tasks.pidTgid(pair);
    expect([...pair]).toEqual([1, 1]);
    tasks.uidGid(pair);
    expect([...pair]).toEqual([0, 0]);
    expect([0, 1, 2, 3].map((pid) => tasks.commOf(pid))).toEqual(['swapper/0', 'task-1', 'task-2', undefined]);
  });
});
