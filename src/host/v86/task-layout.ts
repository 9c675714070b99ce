import { BpfError } from '../../base/index.js';
import type { GuestWords } from './guest-words.js';

/** Offsets in `struct task_struct` and `struct cred`, and where the kernel keeps its tasks. Addresses are kernel addresses. */
export interface TaskLayout {
  /** The variable `init_task`. */
  readonly initTask: number;
  /** The per-CPU variable `current_task`, as an offset from the per-CPU base. */
  readonly currentTask: number;
  readonly pid: number;
  readonly tgid: number;
  readonly realParent: number;
  readonly children: number;
  readonly sibling: number;
  readonly groupLeader: number;
  readonly cred: number;
  readonly comm: number;
  readonly credUid: number;
  readonly credGid: number;
}

/** Part of the kernel image, in words. */
export interface ImageWords {
  /** Kernel address of the first word. */
  readonly start: number;
  readonly words: Int32Array;
}

/** More bytes than a task_struct has. */
const TASK_SIZE = 8192;
const POINTER = 4;
const IDLE_NAME = 'swapper';
/** Offset of `uid` and `gid` in struct cred, behind its reference count. */
const CRED_UID = 4;
const CRED_GID = 8;
const NEAREST_VOTES = 8;

/**
 * Finds the offsets in a kernel without type information. `init_task` gives itself away: it is its own real_parent, its
 * own parent and its own group leader, and is called swapper. From there pid 1 and 2 are its first children, which tells
 * where pid and tgid lie; its credentials are two equal pointers before its name. `current_task` is what the
 * text reads through fs most often, among what holds a task. ENOENT where any of it cannot be found.
 */
export function findTaskLayout(image: ImageWords, text: Uint8Array, words: GuestWords, perCpu: number): TaskLayout {
  for (const { task, realParent } of selfParents(image)) {
    const partial = describeTask(words, task, realParent);
    if (partial === null) continue;
    const currentTask = findCurrentTask(text, words, perCpu, partial);
    if (currentTask !== null) return { ...partial, currentTask };
  }
  throw new BpfError('ENOENT', 'looking for the tasks of a kernel without type information', {
    remedy: 'let it boot to its first program; a kernel that is not built as Debian builds it is not known here',
  });
}

/** Places where two words in a row and a third one point to a structure that holds them. */
function* selfParents({ start, words }: ImageWords): Generator<{ task: number; realParent: number }> {
  for (let i = 0; i + 6 < words.length; i++) {
    const task = words[i];
    if (task !== words[i + 1] || task !== words[i + 6]) continue;
    const realParent = start + i * POINTER - (task >>> 0);
    if (realParent > 0 && realParent < TASK_SIZE) yield { task: task >>> 0, realParent };
  }
}

/** The layout that the idle task at `task` shows, or null if it is none. */
function describeTask(words: GuestWords, task: number, realParent: number): Omit<TaskLayout, 'currentTask'> | null {
  const children = realParent + 2 * POINTER;
  const sibling = children + 2 * POINTER;
  const groupLeader = sibling + 2 * POINTER;
  const comm = findName(words, task, groupLeader);
  const pid = findPid(words, task, { realParent, children, sibling });
  if (comm === null || pid === null) return null;
  const cred = findCred(words, task, comm);
  if (cred === null) return null;
  const at = { pid, tgid: pid + POINTER, realParent, children, sibling, groupLeader, cred, comm };
  return { initTask: task, ...at, credUid: CRED_UID, credGid: CRED_GID };
}

function findName(words: GuestWords, task: number, from: number): number | null {
  const expected = [0, POINTER].map((at) => wordOf(IDLE_NAME, at));
  for (let at = from; at < TASK_SIZE; at += POINTER) {
    if (words.at(task + at) !== expected[0]) continue;
    // `swapper` or `swapper/0`: three letters of the second word are enough.
    if ((words.at(task + at + POINTER) & 0xff_ffff) === expected[1]) return at;
  }
  return null;
}

function wordOf(text: string, at: number): number {
  const code = (i: number): number => text.charCodeAt(at + i) || 0;
  return (code(0) | (code(1) << 8) | (code(2) << 16) | (code(3) << 24)) >>> 0;
}

interface Family {
  readonly realParent: number;
  readonly children: number;
  readonly sibling: number;
}

/** pid and tgid stand before real_parent, the canary of the stack between them if the kernel is built with one. */
function findPid(words: GuestWords, task: number, { realParent, children, sibling }: Family): number | null {
  const first = words.at(task + children) - sibling;
  const second = words.at(first + sibling) - sibling;
  for (const pid of [realParent - 2 * POINTER, realParent - 3 * POINTER]) {
    const isTask = (address: number, id: number): boolean =>
      words.at(address + pid) === id &&
      words.at(address + pid + POINTER) === id &&
      words.at(address + realParent) === task;
    if (isTask(task, 0) && isTask(first, 1) && isTask(second, 2)) return pid;
  }
  return null;
}

/** real_cred and cred stand before comm, a cached key between them if the kernel is built with one. */
function findCred(words: GuestWords, task: number, comm: number): number | null {
  for (const cred of [comm - POINTER, comm - 2 * POINTER]) {
    const address = words.at(task + cred);
    if (address <= 0 || words.at(task + cred - POINTER) !== address) continue;
    if (words.at(address) > 0 && words.at(address + CRED_UID) === 0 && words.at(address + CRED_GID) === 0) return cred;
  }
  return null;
}

function findCurrentTask(
  text: Uint8Array,
  words: GuestWords,
  perCpu: number,
  { initTask, realParent, groupLeader }: Pick<TaskLayout, 'initTask' | 'realParent' | 'groupLeader'>,
): number | null {
  const isTask = (address: number): boolean => {
    const leader = words.at(address + groupLeader);
    const parent = words.at(leader + realParent);
    return leader > 0 && words.at(leader + groupLeader) === leader && words.at(parent + groupLeader) > 0;
  };
  const votes = [...readsThroughFs(text)].toSorted((a, b) => b[1] - a[1]).slice(0, NEAREST_VOTES);
  for (const [at] of votes) {
    const task = words.at((perCpu + at) >>> 0);
    if (task >= 0 && (task === initTask || isTask(task))) return at;
  }
  return null;
}

/** How often each address is loaded into a register through fs: `mov %fs:ADDRESS, %REG`. */
function readsThroughFs(text: Uint8Array): Map<number, number> {
  const found = new Map<number, number>();
  const view = new DataView(text.buffer, text.byteOffset, text.byteLength);
  for (let i = 0; i + 7 <= text.length; i++) {
    if (text[i] !== 0x64) continue;
    let at: number;
    if (text[i + 1] === 0xa1) at = i + 2;
    else if (text[i + 1] === 0x8b && (text[i + 2] & 0xc7) === 0x05) at = i + 3;
    else continue;
    const address = view.getUint32(at, true);
    found.set(address, (found.get(address) ?? 0) + 1);
  }
  return found;
}
