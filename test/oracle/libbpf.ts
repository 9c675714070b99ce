import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeWith, oraclesRequired, type Unavailable } from './describe-with.js';
import { oracleBinary } from './oracle-binary.js';

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, '..', '..', '.cache', 'oracle', 'libbpf');

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
function openOracle(): LibbpfOracle | Unavailable {
  if (!existsSync(join(cache, 'libbpf.a')) && oraclesRequired) {
    const fetched = spawnSync(join(here, 'fetch-libbpf.sh'), [cache], { encoding: 'utf8' });
    if (fetched.status !== 0) return { unavailable: `cannot fetch libbpf: ${fetched.stderr}` };
  }
  if (!existsSync(join(cache, 'libbpf.a')))
    return { unavailable: 'libbpf is not there; test/oracle/fetch-libbpf.sh .cache/oracle/libbpf gets it' };
  const libbpf = [`-I${join(cache, 'include')}`, '-Wl,--wrap=syscall', join(cache, 'libbpf.a'), '-lelf', '-lz'];
  const binary = oracleBinary('libbpf-linked.c', libbpf);
  return 'path' in binary ? new LibbpfOracle(binary.path) : binary;
}

/** A `describe` whose tests ask libbpf; see `describeWith` for where that cannot be had. */
export function describeWithLibbpf(name: string, tests: (libbpf: LibbpfOracle) => void): void {
  const libbpf = openOracle();
  const version = libbpf instanceof LibbpfOracle ? ` ${libbpf.version}` : '';
  describeWith(`${name} (libbpf${version})`, libbpf, tests);
}
