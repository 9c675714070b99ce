import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { clangVersion } from './clang.js';

const run = promisify(execFile);
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const headers = join(root, 'test', 'testdata', 'objects', 'src');
/** Compilers that run at the same time. */
const WORKERS = 2;

export interface CompiledObjects {
  readonly folder: string;
  /** File names, in the order of the sources. */
  readonly files: readonly string[];
}

/** Compiles C for BPF with clang-19, each source once: what is there already stays. Undefined where there is no clang-19. */
export async function compileObjects(
  sources: readonly { readonly name: string; readonly source: string }[],
  options: readonly string[] = [],
): Promise<CompiledObjects | undefined> {
  const version = clangVersion();
  if (version === undefined) return undefined;
  const folder = join(root, '.cache', 'oracle', 'objects');
  mkdirSync(folder, { recursive: true });
  const shared = readFileSync(join(headers, 'bpf.h'));
  const jobs = sources.map(({ name, source }) => {
    const hash = createHash('sha256').update(version).update(shared).update(options.join(' ')).update(source);
    return { source, file: `${name}-${hash.digest('hex').slice(0, 10)}.o` };
  });
  const missing = jobs.filter(({ file }) => !existsSync(join(folder, file)));
  await Promise.all(
    Array.from({ length: WORKERS }, (_, i) => compileEach(missing.filter((_job, j) => j % WORKERS === i))),
  );
  return { folder, files: jobs.map(({ file }) => file) };

  async function compileEach(work: typeof jobs): Promise<void> {
    for (const { source, file } of work) {
      const scratch = join(folder, `${file}.${process.pid}`);
      writeFileSync(`${scratch}.c`, source);
      const warnings = ['-Wno-unused', '-Wno-visibility', '-Wno-unknown-attributes', '-Wno-everything'];
      const flags = ['-target', 'bpf', '-mcpu=v3', '-O2', '-g', ...warnings, `-I${headers}`, ...options];
      await run('clang-19', [...flags, '-c', `${scratch}.c`, '-o', scratch]);
      renameSync(scratch, join(folder, file));
    }
  }
}
