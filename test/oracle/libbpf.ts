import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';
import { oracleBinary } from './oracle-binary.js';

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, '..', '..', '.cache', 'oracle', 'libbpf');
const required = process.env['KSCOPE_REQUIRE_ORACLES'] === '1';

/** libbpf, which links objects in a child process without a kernel. See libbpf-linked.c. */
export class LibbpfOracle {
  readonly #path: string;
  readonly version: string;

  constructor(path: string) {
    this.#path = path;
    this.version = this.#run(['--version'], cache).trim();
  }

  /** One JSON line per program of every object, whose names count from `folder`. `btf` null: the running kernel's. */
  dump(folder: string, objects: readonly string[], btf: string | null): string[] {
    return this.#run([btf ?? '-', ...objects], folder)
      .trimEnd()
      .split('\n');
  }

  #run(args: readonly string[], cwd: string): string {
    const { status, stdout, stderr } = spawnSync(this.#path, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`libbpf-linked failed: ${stderr}`);
    return stdout;
  }
}

/** Fetches libbpf only where its absence is a failure: an ordinary test run leaves the network alone. */
function openOracle(): LibbpfOracle | string {
  if (!existsSync(join(cache, 'libbpf.a')) && required) {
    const fetched = spawnSync(join(here, 'fetch-libbpf.sh'), [cache], { encoding: 'utf8' });
    if (fetched.status !== 0) return `cannot fetch libbpf: ${fetched.stderr}`;
  }
  if (!existsSync(join(cache, 'libbpf.a')))
    return 'libbpf is not there; test/oracle/fetch-libbpf.sh .cache/oracle/libbpf gets it';
  const libbpf = [`-I${join(cache, 'include')}`, '-Wl,--wrap=syscall', join(cache, 'libbpf.a'), '-lelf', '-lz'];
  const binary = oracleBinary('libbpf-linked.c', libbpf);
  return 'path' in binary ? new LibbpfOracle(binary.path) : binary.unavailable;
}

/**
 * A `describe` whose tests ask libbpf. Where that cannot be had the block is skipped with the reason in its name,
 * or fails if KSCOPE_REQUIRE_ORACLES=1.
 */
export function describeWithLibbpf(name: string, tests: (libbpf: LibbpfOracle) => void): void {
  const libbpf = openOracle();
  if (libbpf instanceof LibbpfOracle) {
    describe(`${name} (libbpf ${libbpf.version})`, () => tests(libbpf));
    return;
  }
  const missing = `${name}: needs libbpf: ${libbpf}`;
  if (required) {
    it(missing, () => {
      throw new Error(libbpf);
    });
  } else {
    console.warn(`skipped: ${missing}`);
    describe.skip(missing, () => {
      it('is skipped', () => undefined);
    });
  }
}
