/**
 * What may come first, what after what, and what last: the smallest language of that kind that holds every sequence it
 * was mined from (a 2-testable language in the strict sense).
 */
export interface EventGrammar {
  readonly first: ReadonlySet<string>;
  /** `a b`: b may follow a. */
  readonly pairs: ReadonlySet<string>;
  readonly last: ReadonlySet<string>;
}

export function mineGrammar(sequences: readonly (readonly string[])[]): EventGrammar {
  const [first, pairs, last] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const sequence of sequences) {
    first.add(sequence[0]);
    last.add(sequence[sequence.length - 1]);
    for (let i = 1; i < sequence.length; i++) pairs.add(`${sequence[i - 1]} ${sequence[i]}`);
  }
  return { first, pairs, last };
}

/** Why the grammar refuses a sequence, or null. */
export function refusal(grammar: EventGrammar, sequence: readonly string[]): string | null {
  const [head, tail] = [sequence[0], sequence[sequence.length - 1]];
  if (!grammar.first.has(head)) return `begins with ${head}`;
  for (let i = 1; i < sequence.length; i++) {
    const pair = `${sequence[i - 1]} ${sequence[i]}`;
    if (!grammar.pairs.has(pair)) return `${sequence[i]} follows ${sequence[i - 1]}`;
  }
  return grammar.last.has(tail) ? null : `ends with ${tail}`;
}

/** One line for each set, as recordings keep it. */
export function grammarText(name: string, { first, pairs, last }: EventGrammar): string {
  const lines = [...pairs].toSorted().map((pair) => `  ${pair.replace(' ', ' -> ')}`);
  return [`${name}: ${[...first].toSorted().join(' ')} ... ${[...last].toSorted().join(' ')}`, ...lines].join('\n');
}

/** The inverse of `grammarText`, for a whole recording. */
export function parseGrammars(text: string): Map<string, EventGrammar> {
  const grammars = new Map<string, EventGrammar>();
  for (const [, name, first, last, body] of text.matchAll(/^(\w+): (.*?) \.\.\. (.*)\n((?: {2}.*\n?)*)/gm)) {
    const pairs = [...body.matchAll(/ {2}(\S+) -> (\S+)/g)].map(([, a, b]) => `${a} ${b}`);
    grammars.set(name, { first: new Set(first.split(' ')), pairs: new Set(pairs), last: new Set(last.split(' ')) });
  }
  return grammars;
}
