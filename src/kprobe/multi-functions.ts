import { BpfError, hex64 } from '../base/index.js';
import type { Host, KernelSymbol } from '../host/index.js';
import type { KprobeRegistry } from './kprobe-registry.js';

/** Which functions a program is attached to: exactly one of `pattern`, `symbols` and `addresses`. */
export interface MultiSelection {
  /** `*` is any text, `?` any character. Functions that cannot be probed are left out. */
  readonly pattern?: string;
  readonly symbols?: readonly string[];
  readonly addresses?: readonly bigint[];
  /** What bpf_get_attach_cookie answers at each of `symbols` or `addresses`. */
  readonly cookies?: readonly bigint[];
}

export interface MultiFunction {
  readonly addr: bigint;
  readonly name: string;
  readonly cookie: bigint;
}

/** Functions of one link at most (MAX_KPROBE_MULTI_CNT). */
const MAX_FUNCTIONS = 1 << 20;

/**
 * The functions that `selection` names. Errors and their order are those of libbpf for a pattern (EINVAL with cookies,
 * ENOENT where nothing matches) and of bpf_kprobe_multi_link_attach() for lists: EINVAL for both or neither, or none at
 * all, E2BIG for too many, ESRCH where a name is no function that can be probed or is given twice, ENOENT where that is so of
 * an address (fprobe_init() since Linux 6.14). Of an address given twice the first counts.
 */
export function selectFunctions(
  registry: KprobeRegistry,
  selection: MultiSelection,
  isReturn: boolean,
  what: string,
): MultiFunction[] {
  const { pattern, symbols, addresses, cookies } = selection;
  const lists = Number(symbols !== undefined) + Number(addresses !== undefined);
  if (pattern !== undefined) {
    if (lists > 0 || cookies !== undefined)
      throw invalid(what, 'a pattern stands alone: cookies and lists do not go with it');
    return matching(registry, pattern, isReturn, what);
  }
  if (lists !== 1) throw invalid(what, 'give symbols or addresses, exactly one of them, or a pattern');
  const count = (symbols ?? addresses ?? []).length;
  if (count === 0) throw invalid(what, 'name at least one function');
  if (count > MAX_FUNCTIONS) {
    throw new BpfError('E2BIG', what, { value: count, remedy: `a link has at most ${MAX_FUNCTIONS} functions` });
  }
  if (cookies !== undefined && cookies.length !== count) {
    throw invalid(what, `${count} functions have ${cookies.length} cookies: give one for each`);
  }
  const found = symbols === undefined ? byAddress(registry, addresses ?? [], what) : bySymbol(registry, symbols, what);
  return distinct(found.map(({ address, name }, i) => ({ addr: address, name, cookie: cookies?.[i] ?? 0n })));
}

/** Whether a name is meant by a pattern of `*` and `?`. */
export function globMatches(pattern: string, name: string): boolean {
  let [p, n, star, mark] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      mark = n;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

function matching(registry: KprobeRegistry, pattern: string, isReturn: boolean, what: string): MultiFunction[] {
  const found: MultiFunction[] = [];
  for (const { name, address, type, size } of registry.host.symbols) {
    if (size === 0n || !/^[tTwW]$/.test(type) || !globMatches(pattern, name)) continue;
    if (registry.refusal({ addr: address }) !== null || (isReturn && returnRefusal(registry.host, address))) continue;
    found.push({ addr: address, name, cookie: 0n });
  }
  if (found.length > 0) return distinct(found);
  throw new BpfError('ENOENT', what, { value: pattern, remedy: 'no function that can be probed has such a name' });
}

function returnRefusal(host: Host, address: bigint): boolean {
  return (host.text?.returnBlacklisted?.(address) ?? null) !== null;
}

function bySymbol(registry: KprobeRegistry, names: readonly string[], what: string): KernelSymbol[] {
  const seen = new Set<string>();
  return names.map((name) => {
    // Linux counts each name that it meets in its symbols once, and misses as many as there are more.
    if (seen.has(name)) throw new BpfError('ESRCH', what, { value: name, remedy: 'it is named twice: name it once' });
    seen.add(name);
    const symbol = registry.host.symbols
      .lookupAll(name)
      .find(({ address }) => registry.refusal({ addr: address }) === null);
    if (symbol !== undefined) return symbol;
    const reason = registry.refusal({ symbolName: name });
    throw new BpfError('ESRCH', what, { value: name, remedy: reason?.message ?? 'no such function', cause: reason });
  });
}

function byAddress(registry: KprobeRegistry, addresses: readonly bigint[], what: string): KernelSymbol[] {
  return addresses.map((address) => {
    const symbol = registry.host.symbols.at(address);
    if (symbol?.address === address && registry.refusal({ addr: address }) === null) return symbol;
    throw new BpfError('ENOENT', what, {
      value: hex64(address),
      remedy: registry.refusal({ addr: address })?.message ?? 'it is not the first instruction of a function',
    });
  });
}

function distinct(functions: readonly MultiFunction[]): MultiFunction[] {
  const seen = new Set<bigint>();
  return functions.filter(({ addr }) => !seen.has(addr) && seen.add(addr));
}

function invalid(what: string, remedy: string): BpfError {
  return new BpfError('EINVAL', what, { remedy });
}
