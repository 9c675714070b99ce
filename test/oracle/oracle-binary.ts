import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = packageRoot(dirname(fileURLToPath(import.meta.url)));
const here = join(root, 'test', 'oracle');
const cache = join(root, '.cache', 'oracle');

/** The outcome of building a C program of this folder. */
export type OracleBinary = { readonly path: string } | { readonly unavailable: string };

/**
 * Compiles `source` of this folder into .cache/oracle, once per content. Test files run in parallel
 * processes, so the result appears by rename.
 */
export function oracleBinary(source: string, compilerArguments: readonly string[] = []): OracleBinary {
  return compileProgram(join(here, source), compilerArguments);
}

/** The same for a C program anywhere. */
export function compileProgram(from: string, compilerArguments: readonly string[] = []): OracleBinary {
  const source = basename(from);
  const hash = createHash('sha256').update(compilerArguments.join(' '));
  for (const text of textsOf(from)) hash.update(text);
  const path = join(cache, `${source.replace(/\.c$/, '')}-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(path)) return { path };
  mkdirSync(cache, { recursive: true });
  const scratch = `${path}.${process.pid}`;
  const gcc = spawnSync('gcc', ['-O2', '-Wall', '-o', scratch, from, ...compilerArguments], { encoding: 'utf8' });
  if (gcc.error !== undefined) return { unavailable: `no C compiler: ${gcc.error.message}` };
  if (gcc.status !== 0) return { unavailable: `gcc refused ${source}: ${gcc.stderr.trim().split('\n')[0] ?? ''}` };
  renameSync(scratch, path);
  return { path };
}

/** A source, then the files of its folder that it includes, and what those include. */
function textsOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const included = [...text.matchAll(/^#include "([^"]+)"/gm)].map(([, name = '']) => join(dirname(file), name));
  return [text, ...included.flatMap((each) => textsOf(each, seen))];
}

/** This file runs from where it is written and, compiled for the benchmarks, from a folder further down. */
function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}
