// Writes docs/demo.svg, the picture in the README: what `npm run demo` prints, cut where it gets long.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const steps = JSON.parse(readFileSync(new URL('demo.json', import.meta.url), 'utf8'));
/** Lines that are shown of each tool's output. */
const SHOWN = 13;
const CHARACTER = 7.6;
const LINE = 17;
const MARGIN = 14;

const lines = steps.slice(0, 4).flatMap(({ about, args }) => {
  const { stdout, status } = spawnSync(process.execPath, ['dist/cli/main.js', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`kscope ${args.join(' ')} failed with ${status}`);
  const said = stdout
    .trim()
    .split('\n')
    .filter((line) => !/: 0 +\| +\|$/.test(line));
  const ledger = said.lastIndexOf('');
  const rows = said.slice(0, ledger);
  const cut = rows.length > SHOWN ? [...rows.slice(0, SHOWN), '...'] : rows;
  return [
    ['comment', `# ${about}`],
    ['command', `$ kscope ${args.join(' ')}`],
    ...cut.map((line) => ['plain', line]),
    ...said.slice(ledger + 1, ledger + 3).map((line) => ['ledger', line]),
    ['plain', ''],
  ];
});
lines.pop();

const widest = Math.max(...lines.map(([, line]) => line.length));
const width = Math.ceil(widest * CHARACTER + 2 * MARGIN);
const height = lines.length * LINE + 2 * MARGIN;
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const texts = lines.map(
  ([kind, line], i) => `<text class="${kind}" x="${MARGIN}" y="${MARGIN + (i + 0.8) * LINE}">${escape(line)}</text>`,
);
writeFileSync(
  `${root}/docs/demo.svg`,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<style>
rect { fill: #14181f; }
text { font: 12.6px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #cdd5e0; white-space: pre; }
.comment { fill: #7f8ca0; }
.command { fill: #8fd0ff; }
.ledger { fill: #9fd8a4; }
</style>
<rect width="100%" height="100%" rx="8"/>
${texts.join('\n')}
</svg>
`,
);
