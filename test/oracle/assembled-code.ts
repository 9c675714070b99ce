import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { CompiledCode } from './compiled-code.js';
import type { Unavailable } from './describe-with.js';

const cache = new URL('../../.cache/oracle/', import.meta.url).pathname;

/** An object file whose text is `source`, assembled once by clang for `target`. Throws where clang refuses it. */
export function assembledCode(target: string, args: readonly string[], source: string): CompiledCode | Unavailable {
  if (spawnSync('clang-19', ['--version']).error !== undefined) return { unavailable: 'clang-19 is not installed' };
  const hash = createHash('sha256')
    .update([target, ...args, source].join('\n'))
    .digest('hex');
  const path = join(cache, `assembled-${hash.slice(0, 16)}.o`);
  if (existsSync(path)) return { path };
  mkdirSync(cache, { recursive: true });
  // Test files run in parallel processes.
  const scratch = `${path}.${process.pid}`;
  const usual = [`--target=${target}`, '-c', '-x', 'assembler', '-', '-o', scratch];
  const { status, stderr } = spawnSync('clang-19', [...args, ...usual], { input: source, encoding: 'utf8' });
  if (status !== 0) throw new Error(`clang-19 ${target}: ${/error: .*/.exec(stderr)?.[0] ?? stderr}`);
  renameSync(scratch, path);
  return { path };
}

/** Source that puts `words` into the text, `size` bytes each. */
export function textOfWords(words: Iterable<number>, size: 2 | 4): string {
  const lines = Array.from(words, (word) => `.${size}byte 0x${(word >>> 0).toString(16)}`);
  return ['.text', ...lines].join('\n').concat('\n');
}
