import { BpfFuncId, BpfProgType, Errno, hi32, lo32, u64 } from '../../base/index.js';
import type { Host } from '../../host/index.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Helper } from './helper.js';
import { readHostString } from './host-read.js';
import { fieldOffset, pointerField } from './kernel-fields.js';

/** NAME_MAX, and how deep directories and mounts may lie in one another here. */
const NAME_MAX = 255;
const DEPTH_MAX = 4096;
const SLASH = 0x2f;
const name = new Uint8Array(NAME_MAX + 1);
const DELETED = new TextEncoder().encode(' (deleted)');

/** Full names of files (fs/d_path.c). What has no place in a directory tree, like a pipe, is named by its dentry alone. */
export const pathHelpers: readonly Helper[] = [
  {
    id: BpfFuncId.BPF_FUNC_d_path,
    name: 'd_path',
    args: ['btf_id', 'mem_uninit', 'const_size_or_zero'],
    ret: 'integer',
    gplOnly: false,
    programTypes: [BpfProgType.BPF_PROG_TYPE_TRACING, BpfProgType.BPF_PROG_TYPE_LSM],
    impl: (run, lo, hi, buffer, _bufferHi, size) => (size === 0 ? 0 : dPath(run, u64(lo, hi), buffer >>> 0, size)),
  },
];

/** Bytes of the name with its NUL, or -errno. */
function dPath(run: BpfRunCtx, path: bigint, buffer: number, size: number): number {
  const { host, memory } = run.runtime;
  const parts = partsOf(run, host, path);
  if (parts === null) return -Errno.EFAULT;
  const length = parts.reduce((sum, part) => sum + part.length, 1);
  if (length > size) return -Errno.ENAMETOOLONG;
  let at = buffer;
  for (const part of parts) {
    memory.u8.set(part, at);
    at += part.length;
  }
  memory.u8[at] = 0;
  return length;
}

/** What the name is made of, in its order; null where memory faults. */
function partsOf(run: BpfRunCtx, host: Host, path: bigint): Uint8Array[] | null {
  let dentry = pointerField(host, 'path', 'dentry', path);
  let mount = pointerField(host, 'path', 'mnt', path);
  if (dentry === 0n || mount === 0n) return null;
  const parts: Uint8Array[] = isUnlinked(host, dentry) ? [DELETED] : [];
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const parent = pointerField(host, 'dentry', 'd_parent', dentry);
    if (dentry === pointerField(host, 'vfsmount', 'mnt_root', mount)) {
      const outer = outerMount(host, mount);
      if (outer === null) break;
      ({ dentry, mount } = outer);
      continue;
    }
    if (parent === dentry || parent === 0n) {
      if (!addName(run, host, dentry, parts, false)) return null;
      break;
    }
    if (!addName(run, host, dentry, parts, true)) return null;
    dentry = parent;
  }
  const isRoot = parts.length === 0 || parts[0] === DELETED;
  if (isRoot) parts.unshift(Uint8Array.of(SLASH));
  return parts;
}

/** Where a mount is mounted; null for the root of all. */
function outerMount(host: Host, mount: bigint): { readonly dentry: bigint; readonly mount: bigint } | null {
  const inner = fieldOffset(host, 'mount', 'mnt');
  if (inner < 0) return null;
  const at = mount - BigInt(inner);
  const parent = pointerField(host, 'mount', 'mnt_parent', at);
  if (parent === 0n || parent === at) return null;
  return { dentry: pointerField(host, 'mount', 'mnt_mountpoint', at), mount: parent + BigInt(inner) };
}

function addName(run: BpfRunCtx, host: Host, dentry: bigint, parts: Uint8Array[], slash: boolean): boolean {
  const text = pointerField(host, 'dentry', 'd_name.name', dentry);
  const length = readHostString(run, 'kernel', name, 0, name.length, lo32(text), hi32(text));
  if (length < 1) return false;
  const bytes = new Uint8Array(length - 1 + (slash ? 1 : 0));
  bytes.set(name.subarray(0, length - 1), slash ? 1 : 0);
  if (slash) bytes[0] = SLASH;
  parts.unshift(bytes);
  return true;
}

/** d_unlinked(): out of the hash of names, and no root. */
function isUnlinked(host: Host, dentry: bigint): boolean {
  if (fieldOffset(host, 'dentry', 'd_hash.pprev') < 0) return false;
  const isHashed = pointerField(host, 'dentry', 'd_hash.pprev', dentry) !== 0n;
  return !isHashed && pointerField(host, 'dentry', 'd_parent', dentry) !== dentry;
}
