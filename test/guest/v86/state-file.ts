import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This file runs from where it is written and, compiled for the benchmarks, from a folder further down. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

const folder = join(packageRoot, '.cache/guest');
const NAME = /^v86-[0-9a-f]+\.state$/;

/** Where the saved state of the guest with that hash is kept. */
export function stateFile(hash: string): string {
  return join(folder, `v86-${hash}.state`);
}

/** The saved state that tests have made last, or null. */
export function newestState(): string | null {
  if (!existsSync(folder)) return null;
  const files = readdirSync(folder)
    .filter((name) => NAME.test(name))
    .map((name) => join(folder, name));
  return files.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0] ?? null;
}

function findRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : findRoot(dirname(from));
}
