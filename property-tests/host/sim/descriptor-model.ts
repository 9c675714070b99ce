import { statSync } from 'node:fs';

const EBADF = -9;
const EAGAIN = -11;
const EEXIST = -17;
const ENOENT = -2;
const EPIPE = -32;
const EMFILE = -24;
const DESCRIPTORS = 32;
const PAGE = 4096;
const SLOTS = 16;
const IN = 1;
const OUT = 4;
const ERR = 8;
const HUP = 16;
const NVAL = 32;
/** First descriptor that `plumb` does not start out with. */
const FIRST = 3;
const PIPES = 3;
const EPOLL = 9;

/** Bytes of /src/parse.c on the simulated disk. */
const SIZE = statSync(new URL('../../../src/host/sim/root/src/parse.c', import.meta.url)).size;

function parse(operation: string): { name: string; args: number[] } {
  const [name = '', rest = ''] = operation.split(':');
  return { name, args: rest.split(',').map(Number) };
}

/** Descriptors of one file of the disk: numbers that stand for open files, which have the offset. */
export class DescriptorModel {
  readonly #files: ({ offset: number } | undefined)[] = Array.from({ length: FIRST }, () => ({ offset: 0 }));

  run(operation: string): number {
    const { name, args } = parse(operation);
    if (name === 'open') return this.#install({ offset: 0 }, 0);
    const [fd = 0, arg = 0] = args;
    const file = this.#files[fd];
    if (file === undefined) return EBADF;
    switch (name) {
      case 'dup':
        return this.#install(file, 0);
      case 'dupfd':
        return this.#install(file, arg);
      case 'dup2':
        this.#files[arg] = file;
        return arg;
      case 'close':
        this.#files[fd] = undefined;
        return 0;
      case 'tell':
        return file.offset;
      case 'seek':
        file.offset = arg;
        return arg;
      default: {
        const bytes = Math.max(0, Math.min(arg, SIZE - file.offset));
        file.offset += bytes;
        return bytes;
      }
    }
  }

  #install(file: { offset: number }, from: number): number {
    for (let fd = from; fd < DESCRIPTORS; fd++) {
      if (this.#files[fd] !== undefined) continue;
      this.#files[fd] = file;
      return fd;
    }
    return EMFILE;
  }
}

/** A pipe that does not block: at most 16 pages, what does not fill one going behind what the last one has. */
class Pipe {
  readonly slots: { offset: number; length: number }[] = [];
  reader = true;
  writer = true;

  write(size: number): number {
    if (!this.reader) return EPIPE;
    const rest = size % PAGE;
    const last = this.slots.at(-1);
    let left = size;
    if (rest > 0 && last !== undefined && last.offset + last.length + rest <= PAGE) {
      last.length += rest;
      left -= rest;
    }
    while (left > 0 && this.slots.length < SLOTS) {
      this.slots.push({ offset: 0, length: Math.min(left, PAGE) });
      left -= Math.min(left, PAGE);
    }
    return left === size ? EAGAIN : size - left;
  }

  read(size: number): number {
    let left = size;
    while (left > 0 && this.slots[0] !== undefined) {
      const [slot] = this.slots;
      const bytes = Math.min(left, slot.length);
      slot.offset += bytes;
      slot.length -= bytes;
      left -= bytes;
      if (slot.length === 0) this.slots.shift();
    }
    if (left < size) return size - left;
    return this.writer ? EAGAIN : 0;
  }

  mask(writing: boolean): number {
    if (writing) return (this.slots.length < SLOTS ? OUT : 0) | (this.reader ? 0 : ERR);
    return (this.slots.length > 0 ? IN : 0) | (this.writer ? 0 : HUP);
  }
}

/** Three pipes at descriptors 3 to 8 and an epoll at 9. */
export class PipeModel {
  readonly #pipes = Array.from({ length: PIPES }, () => new Pipe());
  readonly #watched = new Map<number, number>();
  readonly #closed = new Set<number>();
  #made = 0;

  run(operation: string): number | string {
    const { name, args } = parse(operation);
    const [fd = 0, second = 0, third = 0] = args;
    switch (name) {
      case 'ignore':
        return 0;
      case 'pipen':
        this.#made++;
        return (FIRST + 2 * (this.#made - 1)) * 100 + FIRST + 2 * (this.#made - 1) + 1;
      case 'epoll':
        return EPOLL;
      case 'wait':
        return this.#wait();
      case 'add':
      case 'mod':
      case 'del':
        return this.#control(name, second, third);
      case 'poll':
        return this.#closed.has(fd) ? NVAL : this.#mask(fd) & (second | ERR | HUP);
      default:
        return this.#closed.has(fd) ? EBADF : this.#transfer(name, fd, second);
    }
  }

  #transfer(name: string, fd: number, size: number): number {
    const pipe = this.#pipes[(fd - FIRST) >> 1];
    if (name === 'write') return pipe.write(size);
    if (name === 'read') return pipe.read(size);
    this.#closed.add(fd);
    this.#watched.delete(fd);
    if (this.#isWriter(fd)) pipe.writer = false;
    else pipe.reader = false;
    return 0;
  }

  #control(name: string, fd: number, events: number): number {
    if (this.#closed.has(fd)) return EBADF;
    const known = this.#watched.has(fd);
    if (name === 'add' && known) return EEXIST;
    if (name !== 'add' && !known) return ENOENT;
    if (name === 'del') this.#watched.delete(fd);
    else this.#watched.set(fd, events | ERR | HUP);
    return 0;
  }

  #wait(): string {
    const ready = [...this.#watched]
      .map(([fd, events]): [number, number] => [fd, this.#mask(fd) & events])
      .filter(([, mask]) => mask !== 0)
      .toSorted(([a], [b]) => a - b);
    return [...ready.map(([fd, mask]) => `${fd}=${mask.toString(16)}`), ready.length].join(' ');
  }

  #mask(fd: number): number {
    return this.#pipes[(fd - FIRST) >> 1].mask(this.#isWriter(fd));
  }

  #isWriter(fd: number): boolean {
    return (fd - FIRST) % 2 === 1;
  }
}
