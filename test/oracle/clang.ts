import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What clang makes of BPF assembly: the bytes of .text, or its first complaint. */
export type ClangAnswer = { readonly text: Uint8Array } | { readonly refused: string };

const clang = 'clang-19';
const objcopy = 'llvm-objcopy-19';

/** First line of `clang-19 --version`, or undefined where there is none. */
export function clangVersion(): string | undefined {
  for (const tool of [objcopy, clang]) {
    const { status, stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
    if (status !== 0) return undefined;
    if (tool === clang) return /version (\S+)/.exec(stdout)?.[1];
  }
  return undefined;
}

/** Assembles for little-endian BPF, -mcpu=v4. */
export function clangAssemble(source: string): ClangAnswer {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-clang-'));
  try {
    const [input, object, text] = ['in.s', 'out.o', 'out.text'].map((name) => join(folder, name));
    writeFileSync(input, source);
    const run = spawnSync(clang, ['-target', 'bpfel', '-mcpu=v4', '-c', '-x', 'assembler', input, '-o', object], {
      encoding: 'utf8',
    });
    if (run.status !== 0) return { refused: /error: (.*)/.exec(run.stderr)?.[1] ?? 'clang crashed' };
    spawnSync(objcopy, ['-O', 'binary', '-j', '.text', object, text]);
    return { text: new Uint8Array(readFileSync(text)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
