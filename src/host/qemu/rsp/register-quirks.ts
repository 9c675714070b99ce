import type { RspRegister } from './rsp-registers.js';

/**
 * Bases of segments that QEMU's description of x86_64 names (7.2 at least), but which it neither sends nor counts: every
 * register behind them is three numbers lower than described.
 */
const PHANTOMS: readonly string[] = ['ss_base', 'ds_base', 'es_base'];

/** The registers as they really are, told by the length of a `g` packet: `sentBytes`. */
export function withoutPhantoms(
  registers: ReadonlyMap<string, RspRegister>,
  sentBytes: number,
): ReadonlyMap<string, RspRegister> {
  const all = [...registers.values()];
  const phantoms = all.filter(({ name }) => PHANTOMS.includes(name));
  const phantomBytes = phantoms.reduce((sum, { bits }) => sum + (bits >> 3), 0);
  const describedBytes = Math.max(0, ...all.map(({ offset, bits }) => offset + (bits >> 3)));
  if (phantoms.length !== PHANTOMS.length || describedBytes - sentBytes !== phantomBytes) return registers;
  const first = Math.min(...phantoms.map(({ number }) => number));
  return new Map(
    all
      .filter((register) => !phantoms.includes(register))
      .map((register) => [
        register.name,
        register.number < first ? register : movedDown(register, phantoms.length, phantomBytes),
      ]),
  );
}

function movedDown({ name, bits, number, offset }: RspRegister, by: number, bytes: number): RspRegister {
  return { name, bits, number: number - by, offset: offset - bytes };
}
