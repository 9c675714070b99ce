import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = dirname(createRequire(import.meta.url).resolve('kscope/package.json'));

/** A path below the package's root. Compiled files lie elsewhere than their sources and what these need. */
export function packageFile(path: string): string {
  return join(root, path);
}
