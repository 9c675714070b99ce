import type { Arch } from '../../arch/index.js';
import { BpfError } from '../../base/index.js';
import {
  encodeUsdtSpec,
  parseUsdtArg,
  USDT_SPEC_SIZE,
  type UprobeAttachment,
  type UprobeLink,
  type UprobePrograms,
  type UprobeRegistry,
} from '../../kprobe/index.js';
import type { BpfMap, BpfProgram } from '../../runtime/index.js';
import type { UsdtPlace } from '../user-places.js';
import type { LinkDetails } from '../link-details.js';
import { callAccount } from './call-account.js';
import { addAccounts, type AttachedHook, EMPTY_ACCOUNT, type Hook, type HookAccount } from './hook.js';

export interface Uprobes {
  readonly uprobes: UprobeRegistry;
  readonly programs: UprobePrograms;
}

/** The map that bpf_usdt_arg() of libbpf's usdt.bpf.h looks arguments up in, by the attach cookie. */
const SPECS = '__bpf_usdt_specs';

/** An instruction of a program's file, or the return of the function that begins there. */
export function uprobeHook({ uprobes, programs }: Uprobes, place: UprobeAttachment, name: string): Hook {
  return {
    name: `${place.onReturn === true ? 'uretprobe' : 'uprobe'}:${name}`,
    attach: (program, options) =>
      attachedTo(uprobes, [programs.attach(program, { ...place, ...options })], () => ({
        type: 7,
        perf_event_type: place.onReturn === true ? 2 : 1,
        file_name: place.path,
        offset: place.offset,
        cookie: options.cookie ?? 0n,
      })),
  };
}

/** All places of one USDT probe. Their cookies are numbers of the map SPECS; the caller's cookie stands there. */
export function usdtHook(
  { uprobes, programs }: Uprobes,
  places: readonly UsdtPlace[],
  arch: Arch,
  pid: number | undefined,
): Hook {
  const [{ note, file }] = places;
  return {
    name: `usdt:${file.path}:${note.provider}:${note.name}`,
    attach(program, options) {
      const specs = new UsdtSpecs(program);
      const links: UprobeLink[] = [];
      const cookies: bigint[] = [];
      try {
        for (const place of places) {
          const cookie = specs.add(place, arch, options.cookie ?? 0n);
          cookies.push(cookie);
          links.push(programs.attach(program, { ...attachmentOf(place, pid), ...options, cookie }));
        }
      } catch (error) {
        for (const link of links) link.detach();
        specs.free();
        throw error;
      }
      const details = (): LinkDetails => ({
        type: 12,
        path: file.path,
        offsets: places.map(({ offset }) => offset),
        ref_ctr_offsets: places.map(({ refCtrOffset }) => refCtrOffset),
        cookies,
        flags: 0,
        pid: pid ?? 0,
      });
      return attachedTo(uprobes, links, details, () => specs.free());
    },
  };
}

function attachmentOf({ file, offset, address, refCtrOffset }: UsdtPlace, pid: number | undefined): UprobeAttachment {
  return { path: file.path, offset, refCtrOffset, funcIp: address, ...(pid === undefined ? {} : { pid }) };
}

function attachedTo(
  uprobes: UprobeRegistry,
  links: readonly UprobeLink[],
  details: () => LinkDetails,
  onDetach?: () => void,
): AttachedHook {
  return {
    details,
    setEnabled: (enabled) => {
      for (const { probe } of links) uprobes.setEnabled(probe, enabled);
    },
    account: () => links.map(accountOf).reduce(addAccounts, EMPTY_ACCOUNT),
    detach: () => {
      for (const link of links) link.detach();
      onDetach?.();
    },
  };
}

/** Hits that did not get to the attachment are the probe's own misses. */
function accountOf({ probe, counts }: UprobeLink): HookAccount {
  const { depth, fault, unwound, exited, unregistered } = probe.missed;
  const dropped = { maxactive: depth, fault, 'no return': unwound + exited, detached: unregistered } as const;
  const seen = probe.nactive + depth + fault + unwound + exited + unregistered;
  return addAccounts(callAccount(counts), { seen, delivered: 0, pending: probe.nactive, dropped });
}

const used = new WeakMap<BpfMap, Set<number>>();

/** Entries of one program's map of argument specifications. A program without the map reads no arguments. */
class UsdtSpecs {
  readonly #map: BpfMap | undefined;
  readonly #numbers: number[] = [];

  constructor(program: BpfProgram) {
    this.#map = program.executable.maps.find(({ name }) => SPECS.startsWith(name) && name.length >= 15);
  }

  /** Writes the arguments of `place`; the number they stand at. E2BIG where the map is full. */
  add({ note, file }: UsdtPlace, arch: Arch, cookie: bigint): bigint {
    const map = this.#map;
    if (map === undefined) return cookie;
    const args = note.args.map((text) => parseUsdtArg(text, arch));
    const number = firstFree(map);
    const value = new Uint8Array(Math.max(map.valueSize, USDT_SPEC_SIZE));
    value.set(encodeUsdtSpec(args, cookie, arch.littleEndian));
    const key = new Uint8Array(4);
    new DataView(key.buffer).setUint32(0, number, true);
    if (number >= map.maxEntries || map.sysUpdate(key, value.subarray(0, map.valueSize)) !== 0) {
      throw new BpfError('E2BIG', `attaching to ${note.provider}:${note.name} of ${file.path}`, {
        value: map.maxEntries,
        remedy: `define BPF_USDT_MAX_SPEC_CNT larger before usdt.bpf.h: ${map.name} is full`,
      });
    }
    used.get(map)?.add(number);
    this.#numbers.push(number);
    return BigInt(number);
  }

  free(): void {
    for (const number of this.#numbers.splice(0)) if (this.#map !== undefined) used.get(this.#map)?.delete(number);
  }
}

function firstFree(map: BpfMap): number {
  let numbers = used.get(map);
  if (numbers === undefined) used.set(map, (numbers = new Set()));
  let number = 0;
  while (numbers.has(number)) number++;
  return number;
}
