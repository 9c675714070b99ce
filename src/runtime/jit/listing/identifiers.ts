/** Identifiers of the text format for names, each another one; what has no name has none. */
export function identifiers(names: readonly (string | undefined)[]): (string | undefined)[] {
  const taken = new Set<string>();
  return names.map((name, i) => {
    if (name === undefined) return undefined;
    const plain = `$${name.replaceAll(/[^\w.$]/g, '_')}`;
    const own = taken.has(plain) ? `${plain}#${i}` : plain;
    taken.add(own);
    return own;
  });
}
