import { existsSync, readFileSync } from 'node:fs';

/** One `| noun | path/of.test.ts | title fragment |` row of docs/features.md. */
export interface Feature {
  readonly heading: string;
  readonly noun: string;
  readonly file: string;
  readonly fragment: string;
  readonly line: number;
}

export interface FeatureMap {
  readonly headings: readonly string[];
  readonly features: readonly Feature[];
  /** What in the text is no row although it looks like one. */
  readonly problems: readonly string[];
}

const COLUMNS = ['noun', 'test', 'title'];
/** Shorter ones would be found anywhere. */
const SHORTEST_FRAGMENT = 3;

/** Reads headings of the second level and the tables below them. */
export function parseFeatureMap(markdown: string): FeatureMap {
  const headings: string[] = [];
  const features: Feature[] = [];
  const problems: string[] = [];
  for (const [index, text] of markdown.split('\n').entries()) {
    const line = index + 1;
    if (text.startsWith('## ')) headings.push(text.slice(3).trim());
    if (!text.startsWith('|') || /^\|[ |-]+$/.test(text)) continue;
    const cells = text
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map(readCell);
    if (cells.join() === COLUMNS.join()) continue;
    const [noun = '', file = '', fragment = ''] = cells;
    const heading = headings.at(-1);
    if (heading === undefined) problems.push(`line ${line}: a row above the first heading`);
    else if (!text.endsWith('|') || cells.length !== COLUMNS.length || cells.includes(''))
      problems.push(`line ${line}: a row is "| noun | test | title |", not ${text}`);
    else features.push({ heading, noun, file, fragment, line });
  }
  return { headings, features, problems };
}

function readCell(cell: string): string {
  return cell
    .trim()
    .replaceAll('\\|', '|')
    .replace(/^`(.*)`$/, '$1');
}

/** All that is wrong with a map, where `include` are the globs of the test runner. */
export function checkFeatureMap(markdown: string, include: readonly string[]): string[] {
  const { headings, features, problems } = parseFeatureMap(markdown);
  const patterns = include.map(globToRegExp);
  return [
    ...problems,
    ...repeated(headings).map((heading) => `two headings "${heading}"`),
    ...headings
      .filter((name) => !features.some(({ heading }) => heading === name))
      .map((name) => `"${name}" has no rows`),
    ...repeated(features.map(({ heading, noun }) => `${heading}: ${noun}`)).map((noun) => `two rows "${noun}"`),
    ...features.flatMap((feature) => checkFeature(feature, patterns).map((what) => `line ${feature.line}: ${what}`)),
  ];
}

function checkFeature({ file, fragment }: Feature, patterns: readonly RegExp[]): string[] {
  if (!existsSync(file)) return [`there is no ${file}`];
  if (!patterns.some((pattern) => pattern.test(file))) return [`vitest does not run ${file}`];
  const source = readFileSync(file, 'utf8');
  if (!/^\s*(it|test)\b/m.test(source)) return [`${file} has no test`];
  if (fragment.length < SHORTEST_FRAGMENT) return [`"${fragment}" is too short to name a test`];
  return stringsOf(source).some((text) => text.includes(fragment)) ? [] : [`${file} has no test or case "${fragment}"`];
}

/** The string literals of a source, where titles and the names of cases stand: comments do not count. */
function stringsOf(source: string): string[] {
  const token = /\/\*[^]*?\*\/|\/\/.*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
  return [...source.matchAll(token)].map(([text]) => text).filter((text) => !text.startsWith('/'));
}

function globToRegExp(glob: string): RegExp {
  const parts = glob.split(/(\*\*\/|\*)/).map((part) => {
    if (part === '**/') return '(?:[^/]+/)*';
    return part === '*' ? '[^/]*' : part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, i) => names.indexOf(name) !== i);
}
