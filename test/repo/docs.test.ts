import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * Documentation is executed. In ```console blocks each `$ kscope ...` line is run and what it prints must match the
 * lines below it, where a line `...` stands for any lines and `...` at the end of a line for the rest of all. ```ts blocks are compiled strictly and run.
 */
const files = ['README.md', ...readdirSync('docs').map((name) => join('docs', name))].filter((name) =>
  name.endsWith('.md'),
);
const scratch = join('.cache', 'docs');
const INSTALL = /^\$ npm (install && npm (run demo|test)|install)$/;

type Block = { readonly file: string; readonly line: number; readonly language: string; readonly lines: string[] };
type Command = { readonly command: string; readonly expected: string[] };

const blocks = files.flatMap(readBlocks);

beforeAll(() => {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { stdio: 'pipe' });
  mkdirSync(scratch, { recursive: true });
}, 300_000);

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('console blocks', () => {
  const commands = blocks
    .filter((block) => block.language === 'console')
    .flatMap((block) => readCommands(block).map((command) => ({ ...command, where: `${block.file}:${block.line}` })))
    .filter(({ command }) => !INSTALL.test(`$ ${command}`));

  it.each(commands)('$where: $command', ({ command, expected }) => {
    expect(command, 'documented commands are the kscope command').toMatch(/^(npx )?kscope /);
    const shell = command.replaceAll(
      /(^|\| *)(npx )?kscope /g,
      (_, before: string) => `${before}node dist/cli/main.js `,
    );
    const { stdout, stderr, status } = spawnSync('sh', ['-c', shell], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    if (expected.length > 0) expect(`${stderr}${stdout}`.trimEnd()).toMatch(pattern(expected));
  });
});

describe('ts blocks', () => {
  const programs = blocks.filter((block) => block.language === 'ts');

  it.each(programs)('$file:$line compiles strictly and runs', ({ file, line, lines }) => {
    const name = `${file.replaceAll(/\W/g, '-')}-${line}`;
    const source = join(scratch, `${name}.ts`);
    writeFileSync(source, `${lines.join('\n')}\n`);
    const flags = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--skipLibCheck'];
    const compiled = spawnSync(
      process.execPath,
      [
        'node_modules/typescript/bin/tsc',
        '--ignoreConfig',
        ...flags,
        '--rootDir',
        scratch,
        '--outDir',
        scratch,
        source,
      ],
      { encoding: 'utf8' },
    );
    expect(compiled.stdout).toBe('');
    const run = spawnSync(process.execPath, [join(scratch, `${name}.js`)], { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    const expected = lines.filter((text) => text.startsWith('// prints: ')).map((text) => text.slice(11));
    if (expected.length > 0) expect(run.stdout.trimEnd()).toMatch(pattern(expected));
  });
});

function readBlocks(file: string): Block[] {
  const found: Block[] = [];
  let open: Block | undefined;
  for (const [index, text] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (!text.startsWith('```')) open?.lines.push(text);
    else if (open === undefined) open = { file, line: index + 1, language: text.slice(3).trim(), lines: [] };
    else {
      found.push(open);
      open = undefined;
    }
  }
  return found;
}

function readCommands(block: Block): Command[] {
  const commands: { command: string; expected: string[] }[] = [];
  for (const line of block.lines) {
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2).replace(/ +#.*$/, ''), expected: [] });
    else if (line.trim() !== '') commands.at(-1)?.expected.push(line);
  }
  return commands;
}

function pattern(expected: readonly string[]): RegExp {
  const lines = expected.map((line) => {
    if (line.trim() === '...') return '(?:.*\\n)*?';
    if (line.endsWith(' ...')) return escape(line.slice(0, -3));
    return `${escape(line.trimEnd())} *(?:\\n\\s*|$)`;
  });
  return new RegExp(`^\\s*${lines.join('')}`);
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
