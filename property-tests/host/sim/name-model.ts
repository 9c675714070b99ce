const ENOENT = -2;
const EPERM = -1;
const EEXIST = -17;
const ENOTDIR = -20;
const EISDIR = -21;
const EINVAL = -22;
const ENOTEMPTY = -39;
const ELOOP = -40;
const LINKS_MAX = 40;
const NESTED_MAX = 8;
const DOTS = 2;

/** What a name stands for. Names of a directory are in the order in which they came. */
type Inode =
  | { readonly type: 'dir'; readonly names: Map<string, Inode>; readonly parent: { dir: Directory | null } }
  | { readonly type: 'file'; text: string; links: number }
  | { readonly type: 'link'; readonly text: string; links: number };
type Directory = Extract<Inode, { type: 'dir' }>;

interface Walk {
  dir: Directory;
  last: string;
  links: number;
  depth: number;
}

class Refused extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

const refuse = (errno: number): never => {
  throw new Refused(errno);
};
const isDirectory = (inode: Inode | undefined): inode is Directory => inode?.type === 'dir';
const directory = (parent: Directory | null): Directory => ({ type: 'dir', names: new Map(), parent: { dir: parent } });

/** Names as POSIX has them: a tree of directories, hard and symbolic links. Answers what `names` prints of an operation. */
export class NameModel {
  readonly #root = directory(null);

  constructor(...path: readonly string[]) {
    let dir = this.#root;
    for (const name of path) {
      const below = directory(dir);
      dir.names.set(name, below);
      dir = below;
    }
  }

  run(operation: string): string {
    const colon = operation.indexOf(':');
    const [first = '', second = ''] = operation.slice(colon + 1).split(',');
    try {
      return String(this.#run(operation.slice(0, colon), first, second));
    } catch (error) {
      if (error instanceof Refused) return String(error.errno);
      throw error;
    }
  }

  #run(name: string, first: string, second: string): number | string {
    switch (name) {
      case 'create':
      case 'excl':
        return this.#open(first, name === 'excl');
      case 'write':
        return this.#write(first, second);
      case 'read':
        return this.#read(this.#find(first, true));
      case 'stat':
      case 'lstat':
        return `${this.#describe(this.#find(first, name === 'stat'))} 0`;
      case 'ls':
        return this.#list(this.#find(first, true));
      case 'readlink': {
        const inode = this.#find(first, false);
        return inode.type === 'link' ? `${inode.text} ${inode.text.length}` : EINVAL;
      }
      case 'mkdir':
      case 'symlink':
      case 'link':
        return this.#make(name, first, second);
      case 'unlink':
      case 'rmdir':
        return this.#remove(name, first);
      default:
        return this.#rename(first, second, name === 'norep');
    }
  }

  #describe(inode: Inode): string {
    if (inode.type === 'dir') return `4,${2 + [...inode.names.values()].filter(isDirectory).length}`;
    return `${inode.type === 'file' ? '8' : 'a'},${inode.links},${inode.text.length}`;
  }

  #list(inode: Inode): number | string {
    if (!isDirectory(inode)) return ENOTDIR;
    return [...inode.names.keys(), inode.names.size + DOTS].join(' ');
  }

  #read(inode: Inode): number | string {
    if (inode.type !== 'file') return EISDIR;
    return inode.text === '' ? 0 : `${inode.text} ${inode.text.length}`;
  }

  #write(path: string, text: string): number {
    const opened = this.#open(path, false);
    if (opened !== 0) return opened;
    const inode = this.#find(path, true);
    if (inode.type === 'file') inode.text = text;
    return text.length;
  }

  /** Opens for writing what is there, wherever links lead, or makes a file where the last one leads. */
  #open(path: string, exclusive: boolean): number {
    const walk = this.#parent(path);
    for (;;) {
      const inode = walk.dir.names.get(walk.last);
      if (inode === undefined) {
        walk.dir.names.set(walk.last, { type: 'file', text: '', links: 1 });
        return 0;
      }
      if (exclusive) return EEXIST;
      if (inode.type !== 'link') return inode.type === 'dir' ? EISDIR : 0;
      this.#walkLink(walk, inode.text);
    }
  }

  #make(what: string, first: string, second: string): number {
    const old = what === 'link' ? this.#find(first, false) : null;
    const { dir, last } = this.#parent(what === 'mkdir' ? first : second);
    if (dir.names.has(last)) return EEXIST;
    if (what === 'mkdir') dir.names.set(last, directory(dir));
    else if (old === null) dir.names.set(last, { type: 'link', text: first, links: 1 });
    else if (old.type === 'dir') return EPERM;
    else {
      old.links++;
      dir.names.set(last, old);
    }
    return 0;
  }

  #remove(what: string, path: string): number {
    const { dir, last } = this.#parent(path);
    const inode = dir.names.get(last);
    if (inode === undefined) return ENOENT;
    if (what === 'rmdir') {
      if (inode.type !== 'dir') return ENOTDIR;
      if (inode.names.size > 0) return ENOTEMPTY;
    } else if (inode.type === 'dir') return EISDIR;
    else inode.links--;
    dir.names.delete(last);
    return 0;
  }

  #rename(from: string, to: string, keep: boolean): number {
    const old = this.#parent(from);
    const { dir, last } = this.#parent(to);
    const inode = old.dir.names.get(old.last);
    const other = dir.names.get(last);
    if (inode === undefined) return ENOENT;
    if (other !== undefined && keep) return EEXIST;
    if (isWithin(dir, inode)) return EINVAL;
    if (isWithin(old.dir, other)) return ENOTEMPTY;
    if (inode === other) return 0;
    if (other !== undefined) {
      if (isDirectory(inode) !== isDirectory(other)) return isDirectory(inode) ? ENOTDIR : EISDIR;
      if (isDirectory(other) && other.names.size > 0) return ENOTEMPTY;
      if (!isDirectory(other)) other.links--;
    }
    old.dir.names.delete(old.last);
    dir.names.delete(last);
    dir.names.set(last, inode);
    if (isDirectory(inode)) inode.parent.dir = dir;
    return 0;
  }

  #find(path: string, follow: boolean): Inode {
    const walk = this.#parent(path);
    return this.#step(walk, follow);
  }

  /** The directory of the last component. */
  #parent(path: string): Walk {
    const walk = { dir: this.#root, last: '', links: 0, depth: 0 };
    this.#walk(walk, path);
    return walk;
  }

  #walk(walk: Walk, path: string): void {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    walk.last = parts.pop() ?? '';
    const { last } = walk;
    for (const part of parts) {
      walk.last = part;
      const inode = this.#step(walk, true);
      if (!isDirectory(inode)) return refuse(ENOTDIR);
      walk.dir = inode;
    }
    walk.last = last;
  }

  /** What the last component stands for; a link that is followed moves the walk to where it leads. */
  #step(walk: Walk, follow: boolean): Inode {
    if (walk.last === '..') return walk.dir.parent.dir ?? this.#root;
    const inode = walk.dir.names.get(walk.last);
    if (inode === undefined) return refuse(ENOENT);
    if (inode.type !== 'link' || !follow) return inode;
    if (walk.depth === NESTED_MAX) return refuse(ELOOP);
    walk.depth++;
    this.#walkLink(walk, inode.text);
    const found = this.#step(walk, true);
    walk.depth--;
    return found;
  }

  #walkLink(walk: Walk, text: string): void {
    if (walk.links++ >= LINKS_MAX) refuse(ELOOP);
    if (text.startsWith('/')) walk.dir = this.#root;
    this.#walk(walk, text);
  }
}

function isWithin(dir: Directory | null, inode: Inode | undefined): boolean {
  for (let at = dir; at !== null; at = at.parent.dir) if (at === inode) return true;
  return false;
}
