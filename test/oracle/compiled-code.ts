import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { generateC } from '../support/generate-c.js';
import type { Unavailable } from './describe-with.js';

/** An object file that a compiler made of generated C. */
export interface CompiledCode {
  readonly path: string;
}

const cache = new URL('../../.cache/oracle/', import.meta.url).pathname;

/**
 * What `compiler` makes of `functions` generated functions with these arguments, compiled once. Throws where the compiler refuses
 * the text.
 */
export function compiledCode(
  compiler: string,
  args: readonly string[],
  { seed, functions, floats }: { seed: number; functions: number; floats: boolean },
): CompiledCode | Unavailable {
  const source = generateC(seed, functions, floats);
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' });
  if (version.error !== undefined) return { unavailable: `${compiler} is not installed` };
  const hash = createHash('sha256').update(source).update(version.stdout).update(args.join(' ')).digest('hex');
  const path = join(cache, `generated-${hash.slice(0, 16)}.o`);
  if (existsSync(path)) return { path };
  mkdirSync(cache, { recursive: true });
  // Test files run in parallel processes.
  const scratch = `${path}.${process.pid}`;
  const usual = ['-w', '-ffreestanding', '-c', '-x', 'c', '-', '-o', scratch];
  const { status, stderr } = spawnSync(compiler, [...args, ...usual], { input: source, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${compiler} ${args.join(' ')}: ${/error: .*/.exec(stderr)?.[0] ?? stderr}`);
  renameSync(scratch, path);
  return { path };
}
