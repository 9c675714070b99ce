import type { Host } from '../host/index.js';
import { readUsdtNotes } from '../kprobe/index.js';
import type { ProbeInfo } from './probe-list.js';
import { openImage, userFunctions, type UserImage } from './user-places.js';

/** What of a file is asked for: its functions, or its USDT probes. */
export interface UserProbeGlob {
  /** Undefined: all kinds. */
  readonly kind: string | undefined;
  readonly path: string;
  /** Of the functions, or of PROVIDER:NAME. */
  readonly names: string;
}

/** Reads `[uprobe:|uretprobe:|usdt:]/PATH[:NAMES]`; undefined for names that are none of a file. */
export function parseUserProbeGlob(text: string): UserProbeGlob | undefined {
  const found = /^(?:(uprobe|uretprobe|usdt):)?(\/[^:]+)(?::(.+))?$/.exec(text);
  return found === null ? undefined : { kind: found[1], path: found[2] ?? '', names: found[3] ?? '*' };
}

/**
 * The functions and the USDT probes of a file, by kind and then by name. EOPNOTSUPP where the host cannot place uprobes, ENOENT
 * for a file it does not have, EINVAL for one that is no program.
 */
export function listUserProbes(host: Host, { kind, path }: UserProbeGlob): ProbeInfo[] {
  const image = openImage(host, path);
  const functions = userFunctions(image).map(({ name, address }) => ({ name, refused: refusal(host, image, address) }));
  const notes = [...new Set(readUsdtNotes(image.elf).map(({ provider, name }) => `${provider}:${name}`))];
  const probes = [
    ...functions.map(({ name, refused }) => ({ kind: 'uprobe' as const, name, refused })),
    ...functions.map(({ name, refused }) => ({ kind: 'uretprobe' as const, name, refused })),
    ...notes.toSorted().map((name) => ({ kind: 'usdt' as const, name, refused: null })),
  ];
  return probes
    .filter((probe) => kind === undefined || probe.kind === kind)
    .map((probe) => ({ ...probe, name: `${probe.kind}:${path}:${probe.name}` }));
}

/** Why no uprobe can stand at the function, or null. */
function refusal({ arch }: Host, { user, file, elf }: UserImage, address: bigint): string | null {
  const offset = elf.offsetOf(address);
  if (offset === null) return 'nothing of the file is mapped there';
  const bytes = new Uint8Array(Math.min(arch.probing.maxInsnLength, file.size - offset));
  user.read(file, offset, bytes);
  const plan = arch.probing.plan(bytes, 0n);
  return plan.kind === 'refuse' ? plan.reason : null;
}
