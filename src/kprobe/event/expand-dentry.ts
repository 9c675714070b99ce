import type { Btf } from '../../btf/index.js';

/**
 * Writes `SOURCE:%pd` (the name of the struct dentry that SOURCE points to) and `SOURCE:%pD` (that of the struct file) as the
 * dereferences they stand for. Without types of the kernel the word is left as it is, and its type is unknown.
 */
export function expandDentry(word: string, btf: Btf | null): string {
  const isFile = word.endsWith(':%pD');
  if (btf === null || (!isFile && !word.endsWith(':%pd'))) return word;
  const name = offsetOf(btf, 'dentry', 'd_name.name');
  const dentry = isFile ? offsetOf(btf, 'file', 'f_path.dentry') : 0;
  if (name === null || dentry === null) return word;
  const equals = word.indexOf('=') + 1;
  const source = word.slice(equals, -4);
  const pointer = isFile ? `+0x${dentry.toString(16)}(${source})` : source;
  return `${word.slice(0, equals)}+0x0(+0x${name.toString(16)}(${pointer})):string`;
}

function offsetOf(btf: Btf, struct: string, path: string): number | null {
  const type = btf.findByName(struct, 'struct');
  const member = type === undefined ? undefined : btf.member(type.id, path);
  return member === undefined ? null : member.bitOffset / 8;
}
