import { expect, test } from 'vitest';
import { toMarkdown } from '../../bench/markdown.js';
import { formatTable } from '../../bench/table.js';

test('tables become Markdown, other lines stay', () => {
  const table = formatTable(
    ['workload', 'ns', 'kernel'],
    [
      ['lcg', '94485', '1.00'],
      ['trace *', '5.8', ''],
    ],
  );
  expect(toMarkdown(['Node 20', '', ...table, '', '* A note.'])).toEqual([
    'Node 20',
    '',
    '| workload | ns | kernel |',
    '| --- | ---: | ---: |',
    '| lcg | 94485 | 1.00 |',
    '| trace * | 5.8 |  |',
    '',
    '* A note.',
  ]);
});

test('two tables in a row have columns of their own', () => {
  const lines = [...formatTable(['a', 'b'], [['1', '2']]), '', ...formatTable(['longer', 'c', 'd'], [['x', 'y', 'z']])];
  expect(toMarkdown(lines)).toEqual([
    '| a | b |',
    '| --- | ---: |',
    '| 1 | 2 |',
    '',
    '| longer | c | d |',
    '| --- | ---: | ---: |',
    '| x | y | z |',
  ]);
});
