import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { USAGE } from '../../src/cli/usage.js';
import { createHelperTable } from '../../src/runtime/helper/index.js';
import config from '../../vitest.config.js';
import { checkFeatureMap, parseFeatureMap } from './feature-map.js';

const markdown = readFileSync('docs/features.md', 'utf8');
const include = (config as { test: { include: string[] } }).test.include;
const map = parseFeatureMap(markdown);
const nounsOf = (heading: string): string[] =>
  map.features.filter((row) => row.heading === heading).map(({ noun }) => noun);

/** One heading per paragraph of what was asked for. */
const PARAGRAPHS = [
  'Repository',
  'runtime/isa',
  'runtime/interp',
  'runtime/memory',
  'CheckedProgram',
  'btf',
  'CO-RE',
  'loader',
  'Maps',
  'Helpers',
  'host/sim',
  'v86 host',
  'Hooks',
  'Consumers',
  'cli',
  'examples',
  'Host kit',
  'ksym blob',
  'Bad input',
  'JIT',
  'JIT: memory safety',
  'JIT: maps and rings',
  'JIT: modules',
  'Dispatch',
  'Where compiling is denied',
  'Engines on the command line',
  'Architectures: arm64',
  'bench',
  'Kprobes',
  'Uprobes',
  'Equality',
  'Guests',
  'guest up',
  'QEMU hosts',
  'Bare-metal kernel',
  'Architectures: riscv64',
  'Architectures: loongarch64',
  'Architectures: x86_64 and i386',
  'libbpf-tools',
];

const MAP_TYPES =
  'hash array percpu_array percpu_hash lru_hash lru_percpu_hash queue stack bloom_filter perf_event_array ringbuf stack_trace prog_array';

describe('docs/features.md', () => {
  it('names a test that exists, is run and says so for everything it lists', () => {
    expect(checkFeatureMap(markdown, include)).toEqual([]);
  });

  it('has every paragraph, in order', () => {
    expect(map.headings).toEqual(PARAGRAPHS);
  });

  const lists: readonly (readonly [heading: string, nouns: readonly string[]])[] = [
    ['Helpers', [...createHelperTable().values()].map(({ name }) => name)],
    ['Maps', MAP_TYPES.split(' ')],
    ['cli', commandsIn(USAGE)],
    ['examples', readdirSync('examples').flatMap((name) => (name.endsWith('.bpf.o') ? [name.slice(0, -6)] : []))],
  ];
  it.each(lists)('has a row for each of the %s there are', (heading, nouns) => {
    expect(nouns.length).toBeGreaterThan(3);
    expect(nouns.filter((noun) => !nounsOf(heading).includes(noun))).toEqual([]);
  });
});

describe('the check of the map finds', () => {
  const good = '| the map | test/repo/features.test.ts | the check of the map finds |';
  const table = (...rows: string[]): string =>
    ['## One', '| noun | test | title |', '| --- | --- | --- |', ...rows].join('\n');

  it('nothing where nothing is wrong', () => {
    expect(checkFeatureMap(table(good), include)).toEqual([]);
  });

  it.each([
    ['a heading without rows', `${table(good)}\n## Two\n`, '"Two" has no rows'],
    ['a heading twice', `${table(good)}\n${table()}`, 'two headings "One"'],
    ['a noun twice', table(good, good), 'two rows "One: the map"'],
    ['a row without a heading', good, 'line 1: a row above the first heading'],
    ['a row of two cells', table(good, '| a | test/repo/features.test.ts |'), 'line 5: a row is'],
    ['an empty cell', table(good, '| a | test/repo/features.test.ts | |'), 'line 5: a row is'],
    ['a file that is not there', table('| a | test/repo/none.test.ts | finds |'), 'there is no test/repo/none.test.ts'],
    ['a file that vitest leaves out', table('| a | test/repo/feature-map.ts | problems |'), 'vitest does not run'],
    ['a file outside of the tests', table('| a | src/cli/usage.ts | kscope run |'), 'vitest does not run'],
    ['a fragment that is not there', table('| a | test/repo/api.test.ts | nothing of the kind |'), 'no test or case'],
    ['a fragment of a comment', table('| a | test/repo/api.test.ts | lines of a module |'), 'no test or case'],
    ['a fragment of code', table('| a | test/repo/api.test.ts | readFileSync( |'), 'no test or case'],
    ['a fragment of two letters', table('| a | test/repo/features.test.ts | it |'), 'too short'],
  ])('%s', (_what, text, problem) => {
    const problems = checkFeatureMap(text, include);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });
});

/** `run`, `prog load` ...: the words before the first operand or option. */
function commandsIn(usage: string): string[] {
  return [...usage.matchAll(/^ {2}kscope ((?:[a-z]+ ?)+)/gm)].map(([, words = '']) => words.trim());
}
