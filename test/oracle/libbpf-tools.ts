import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeWith, oraclesRequired, type Unavailable } from './describe-with.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = join(root, '.cache', 'oracle', 'libbpf-tools', 'objects');
const script = join(root, 'scripts', 'fetch-libbpf-tools.mjs');

/** The objects of Debian's libbpf-tools. Not committed: scripts/fetch-libbpf-tools.mjs gets them. */
export interface LibbpfTools {
  readonly folder: string;
  /** Files in the folder, by name. */
  readonly objects: readonly string[];
}

/** Fetched where their absence is a failure; an ordinary test run leaves the network alone. */
function libbpfTools(): LibbpfTools | Unavailable {
  if (!existsSync(folder) && oraclesRequired) {
    const fetched = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    if (fetched.status !== 0) return { unavailable: `cannot fetch libbpf-tools: ${fetched.stderr}` };
  }
  if (!existsSync(folder))
    return { unavailable: 'no objects of libbpf-tools; scripts/fetch-libbpf-tools.mjs gets them' };
  return { folder, objects: readdirSync(folder).toSorted() };
}

/** A `describe` whose tests need the objects; see `describeWith` for where they cannot be had. */
export function describeWithLibbpfTools(name: string, tests: (tools: LibbpfTools) => void): void {
  describeWith(name, libbpfTools(), tests);
}
