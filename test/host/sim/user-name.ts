import type { SimHost } from '../../../src/host/sim/index.js';
import { imageOf } from '../../kprobe/uprobe-workload.js';

/** `libc.so.6 malloc` for an address of the process that is current, `?` for one that nothing is known of. */
export function userName(host: SimHost, address: bigint): string {
  const out = new Int32Array(2);
  host.tasks.pidTgid(out);
  const mapping = host.userText.mappings(out[1]).find(({ start, end }) => address >= start && address < end);
  if (mapping === undefined) return '?';
  const { path } = mapping.file;
  const linked = imageOf(host, path).addressOf(Number(address - mapping.start) + mapping.offset);
  const symbol = linked === null ? undefined : host.programs.get(path)?.at(linked);
  return symbol === undefined ? '?' : `${path.split('/').at(-1)} ${symbol.name}`;
}
