import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answers } from '../../../test/host/sim/console-of.js';
import { NameModel } from './name-model.js';

const runs = { numRuns: Number(process.env['KSCOPE_CASES'] ?? 25) };
const OPERATIONS = 24;

const path = fc
  .array(fc.constantFrom('a', 'b', 'c', '..'), { minLength: 1, maxLength: 3 })
  // Neither out of the directory, which may be a mount, nor one that ends in its parent.
  .filter((parts) => parts[0] !== '..' && parts.at(-1) !== '..')
  .map((parts) => `/t/${parts.join('/')}`);
const text = fc.constantFrom('a', 'b', 'c', 'a/b', 'b/c', '../t/a', '/t/c', '/t/b/a', './b');
const operation = fc.oneof(
  ...['create', 'excl', 'read', 'stat', 'lstat', 'ls', 'readlink', 'unlink', 'rmdir'].map((name) =>
    path.map((at) => `${name}:${at}`),
  ),
  { weight: 3, arbitrary: path.map((at) => `mkdir:${at}`) },
  { weight: 2, arbitrary: fc.tuple(path, fc.constantFrom('x', 'yz')).map(([at, words]) => `write:${at},${words}`) },
  ...['rename', 'norep', 'link'].map((name) => fc.tuple(path, path).map(([from, to]) => `${name}:${from},${to}`)),
  { weight: 2, arbitrary: fc.tuple(text, path).map(([to, at]) => `symlink:${to},${at}`) },
);

/** Sizes of directories are the file system's own affair. */
const withoutSizes = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/^(4,\d+),\d+/, '$1'));

test.each([
  ['the disk', ['mkdir:/t']],
  ['tmpfs', ['mkdir:/t', 'mount:tmpfs,/t']],
])(
  'names on %s do what they do on a tree of directories, files and links',
  (_, before) => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: OPERATIONS }), (operations) => {
        const model = new NameModel('t');
        const told = answers('names', ...before, ...operations, 'ls:/t').slice(before.length);
        expect(withoutSizes(told)).toEqual([...operations, 'ls:/t'].map((each) => model.run(each)));
      }),
      runs,
    );
  },
  300_000,
);
