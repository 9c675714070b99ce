import { hi32, lo32, u64 } from '../../base/index.js';
import type { UserFile } from '../user-text.js';
import type { KernelLayout } from './kernel-layout.js';
import type { DiskEntry } from './disk-directory.js';
import type { SimMemory } from './sim-memory.js';

const PAGE = 4096;
const UPTODATE = 2;
const FOLLOWED_MAX = 10_000;

/**
 * Which file a page of memory belongs to, from the kernel's own structures: page, address_space, inode. A file's `id` is the
 * first block of its data, which lies in one piece on the disk: its inode is known by it.
 */
export class SimFiles {
  readonly list: readonly UserFile[];
  readonly #memory: SimMemory;
  readonly #memMap: bigint;
  readonly #root: bigint;
  readonly #at: {
    readonly pageSize: number;
    readonly mapping: number;
    readonly index: number;
    readonly flags: number;
    readonly host: number;
    readonly blocks: number;
    readonly pages: number;
    readonly inodes: number;
    readonly link: number;
  };
  readonly #pair = new Int32Array(2);

  constructor(memory: SimMemory, layout: KernelLayout, entries: readonly DiskEntry[]) {
    this.#memory = memory;
    this.list = regularFiles(entries);
    this.#memMap = layout.address('mem_map');
    this.#root = layout.address('root_sb');
    this.#at = {
      pageSize: layout.size('page'),
      mapping: layout.offset('page', 'mapping'),
      index: layout.offset('page', 'index'),
      flags: layout.offset('page', 'flags'),
      host: layout.offset('address_space', 'host'),
      blocks: layout.offset('inode', 'i_block'),
      pages: layout.offset('inode', 'i_data.i_pages'),
      inodes: layout.offset('super_block', 's_inodes'),
      link: layout.offset('inode', 'i_sb_list'),
    };
  }

  /** File and page index of a physical page, if it is in the page cache. */
  ofPage(page: number): { file: number; index: number } | null {
    const map = this.#u64(this.#memMap);
    if (map === 0n) return null;
    const struct = map + BigInt(page * this.#at.pageSize);
    const mapping = this.#u64(struct + BigInt(this.#at.mapping));
    if (mapping === 0n) return null;
    const file = this.firstBlock(this.#u64(mapping + BigInt(this.#at.host)));
    return file === 0 ? null : { file, index: Number(this.#u64(struct + BigInt(this.#at.index))) };
  }

  /** First block of an inode, which names the file; 0 where it has none. */
  firstBlock(inode: bigint): number {
    const blocks = inode === 0n ? 0n : this.#u64(inode + BigInt(this.#at.blocks));
    return blocks === 0n ? 0 : this.#memory.word(lo32(blocks), hi32(blocks));
  }

  /** Physical address of a page of the file that is in memory with its contents, or -1. */
  cachedPage(file: UserFile, index: number): number {
    const inode = this.#inode(file);
    const pages = inode === 0n ? 0n : this.#u64(inode + BigInt(this.#at.pages));
    const struct = pages === 0n ? 0n : this.#u64(pages + BigInt(8 * index));
    if (struct === 0n) return -1;
    const flags = struct + BigInt(this.#at.flags);
    if ((this.#memory.word(lo32(flags), hi32(flags)) & UPTODATE) === 0) return -1;
    return Number((struct - this.#u64(this.#memMap)) / BigInt(this.#at.pageSize)) * PAGE;
  }

  /** Address of the file's struct inode, or 0 while the kernel has none. */
  #inode(file: UserFile): bigint {
    const head = this.#root + BigInt(this.#at.inodes);
    let link = this.#u64(head);
    for (let i = 0; i < FOLLOWED_MAX && link !== head && link !== 0n; i++) {
      const inode = link - BigInt(this.#at.link);
      if (this.firstBlock(inode) === file.id) return inode;
      link = this.#u64(link);
    }
    return 0n;
  }

  #u64(address: bigint): bigint {
    this.#memory.pair(lo32(address), hi32(address), 0, this.#pair, 0);
    return u64(this.#pair[0], this.#pair[1]);
  }
}

/** The regular files of a directory that have something in them. */
function regularFiles(entries: readonly DiskEntry[]): UserFile[] {
  return entries.filter(({ size }) => size > 0).map(({ path, size, block }) => ({ path, size, id: block }));
}
