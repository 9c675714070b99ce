import { BpfError, type ErrnoName } from '../base/index.js';

/** What can be pinned: anything that lives as long as somebody refers to it. */
export interface Pinnable {
  readonly name: string;
  retain(): void;
  release(): void;
}

/** Where Linux mounts its bpffs. */
export const BPFFS_ROOT = '/sys/fs/bpf';
const MAX_NAME_BYTES = 255;

type Directory = Map<string, Directory | { readonly object: Pinnable }>;

/**
 * A bpffs: a tree of names that keep maps and programs alive. Follows kernel/bpf/inode.c in what it answers; paths begin
 * with /sys/fs/bpf. Failures are `BpfError`s with Linux's errno.
 */
export class BpfFs {
  readonly #root: Directory = new Map();

  /** BPF_OBJ_PIN: the name holds a reference from now on. EEXIST where there is one, ENOENT without its directory. */
  pin(path: string, object: Pinnable): void {
    const { directory, name } = this.#parent(path, 'pinning');
    if (directory.has(name)) throw refused('EEXIST', 'pinning', path, 'unlink it first, or take another name');
    object.retain();
    directory.set(name, { object });
  }

  /** BPF_OBJ_GET: what is pinned there. The caller retains it to keep it longer than the name. */
  get(path: string): Pinnable {
    const found = this.#find(path, 'getting');
    if (found === undefined) throw refused('ENOENT', 'getting', path, 'nothing is pinned there');
    if (found instanceof Map) throw refused('EACCES', 'getting', path, 'it is a directory');
    return found.object;
  }

  /** Whether there is something of that name, a directory included. */
  has(path: string): boolean {
    try {
      return this.#find(path, 'finding') !== undefined;
    } catch {
      return false;
    }
  }

  /** Takes the name away, and its reference. */
  unlink(path: string): void {
    const { directory, name } = this.#parent(path, 'unlinking');
    const found = directory.get(name);
    if (found === undefined) throw refused('ENOENT', 'unlinking', path, 'nothing is pinned there');
    if (found instanceof Map) throw refused('EISDIR', 'unlinking', path, 'it is a directory: remove it with rmdir');
    directory.delete(name);
    found.object.release();
  }

  mkdir(path: string): void {
    const { directory, name } = this.#parent(path, 'making');
    if (directory.has(name)) throw refused('EEXIST', 'making', path, 'there is something of that name');
    directory.set(name, new Map());
  }

  rmdir(path: string): void {
    const { directory, name } = this.#parent(path, 'removing');
    const found = directory.get(name);
    if (found === undefined) throw refused('ENOENT', 'removing', path, 'there is no such directory');
    if (!(found instanceof Map)) throw refused('ENOTDIR', 'removing', path, 'unlink it');
    if (found.size > 0) throw refused('ENOTEMPTY', 'removing', path, 'there is something in it');
    directory.delete(name);
  }

  /** Names in a directory, in the order of their making. */
  list(path: string = BPFFS_ROOT): string[] {
    const found = this.#find(path, 'listing');
    if (found === undefined) throw refused('ENOENT', 'listing', path, 'there is no such directory');
    if (!(found instanceof Map)) throw refused('ENOTDIR', 'listing', path, 'it is no directory');
    return [...found.keys()];
  }

  /** Gives back all that is pinned, as unmounting does. */
  clear(): void {
    release(this.#root);
  }

  #find(path: string, doing: string): Directory | { readonly object: Pinnable } | undefined {
    const names = namesOf(path, doing);
    const last = names.pop();
    return last === undefined ? this.#root : this.#walk(names, path, doing).get(last);
  }

  #parent(path: string, doing: string): { readonly directory: Directory; readonly name: string } {
    const names = namesOf(path, doing);
    const name = names.pop();
    if (name === undefined) throw refused('EPERM', doing, path, 'the root stays as it is');
    // The kernel keeps names with dots for itself.
    if (name.includes('.')) throw refused('EPERM', doing, path, 'names have no dots');
    if (new TextEncoder().encode(name).length > MAX_NAME_BYTES)
      throw refused('ENAMETOOLONG', doing, path.slice(0, 64), `names have at most ${MAX_NAME_BYTES} bytes`);
    return { directory: this.#walk(names, path, doing), name };
  }

  #walk(names: readonly string[], path: string, doing: string): Directory {
    let directory = this.#root;
    for (const name of names) {
      const next = directory.get(name);
      if (next === undefined) throw refused('ENOENT', doing, path, `there is no directory ${name}`);
      if (!(next instanceof Map)) throw refused('ENOTDIR', doing, path, `${name} is no directory`);
      directory = next;
    }
    return directory;
  }
}

function namesOf(path: string, doing: string): string[] {
  if (path !== BPFFS_ROOT && !path.startsWith(`${BPFFS_ROOT}/`))
    throw refused('EPERM', doing, path, `the bpffs is at ${BPFFS_ROOT}`);
  return path
    .slice(BPFFS_ROOT.length)
    .split('/')
    .filter((name) => name !== '');
}

function release(directory: Directory): void {
  for (const entry of directory.values()) {
    if (entry instanceof Map) release(entry);
    else entry.object.release();
  }
  directory.clear();
}

function refused(code: ErrnoName, doing: string, path: string, remedy: string): BpfError {
  return new BpfError(code, `${doing} ${path}`, { section: 'bpffs', value: path, remedy });
}
