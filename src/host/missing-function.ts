import type { Host } from './host.js';
import { nearestNames } from './nearest-names.js';

/** What compilers append to the name of a function of which they keep a part, or a copy with other parameters. */
const VARIANT = /^\.(?:isra|constprop|part|cold|llvm|lto_priv)\b/;
/** Symbol types of functions. */
const FUNCTION = /^[tTwW]$/;
/** Variants named at most. */
const SHOWN = 4;

/**
 * Why a host has no function `name` that could be probed: it is data, the compiler kept variants of the function only, it inlined it
 * everywhere (the types know it then), or nobody knows it and these names are like it. `others` are more names to look among.
 */
export function whyNoFunction(
  { symbols, btf }: Pick<Host, 'symbols' | 'btf'>,
  name: string,
  others: Iterable<string> = [],
): string {
  const known = symbols.lookup(name);
  if (known !== undefined && !FUNCTION.test(known.type)) {
    return `it is data (symbol type ${known.type}): probe a function`;
  }
  const functions = Array.from(symbols).filter(({ type }) => FUNCTION.test(type));
  const variants = functions.filter((one) => one.name.startsWith(name) && VARIANT.test(one.name.slice(name.length)));
  if (name !== '' && variants.length > 0) {
    const names = variants.slice(0, SHOWN).map((one) => one.name);
    return `the compiler kept only ${names.join(', ')} of it: probe that, with the parameters it may have lost`;
  }
  if (known === undefined && btf?.findByName(name, 'func') !== undefined) {
    return 'the types know it, the symbols do not: the compiler inlined it wherever it is called';
  }
  const near = nearestNames(name, [...functions.map((one) => one.name), ...others]);
  return near.length > 0 ? `similar names: ${near.join(', ')}` : 'no symbol is like it (inlined functions have none)';
}
