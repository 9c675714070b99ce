import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeWith, oraclesRequired, type Unavailable } from './describe-with.js';
import { type OracleBinary, oracleBinary } from './oracle-binary.js';

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, '..', '..', '.cache', 'oracle', 'libbpf-1.5');

/** libbpf, which links objects in a child process without a kernel. See libbpf-linked.c. */
export class LibbpfOracle {
  readonly #path: string;
  readonly version: string;

  constructor(path: string) {
    this.#path = path;
    this.version = this.#run(['--version'], cache).trim();
  }

  /** One JSON line per program of every object, whose names count from `folder`. `btf` null: the running kernel's. */
  dump(folder: string, objects: readonly string[], btf: string | null, kconfig?: string): string[] {
    return this.#run([btf ?? '-', ...objects], folder, kconfig)
      .trimEnd()
      .split('\n');
  }

  /**
   * What libbpf reads out of each object: records as libbpf-open prints them, without what kscope has no name for. With
   * `load` after loading, with that configuration.
   */
  open(folder: string, objects: readonly string[], load?: { readonly kconfig: string }): object[][] {
    const binary = libbpfProgram('libbpf-open.c', ['-Wl,--wrap=syscall']);
    if ('unavailable' in binary) throw new Error(binary.unavailable);
    const { stdout } = spawnSync(binary.path, objects, {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: load === undefined ? process.env : { ...process.env, LOAD: '1', KCONFIG: load.kconfig },
    });
    const records: object[][] = [];
    for (const line of stdout.trimEnd().split('\n')) {
      const { autoattach: _autoattach, insns: _insns, ...record } = JSON.parse(line) as Record<string, unknown>;
      if ('error' in record) record['error'] = true;
      if ('file' in record) records.push([record]);
      else records.at(-1)?.push(record);
    }
    return records;
  }

  /** Links objects into `output`; whether libbpf does. */
  genObject(folder: string, output: string, objects: readonly string[]): boolean {
    const binary = libbpfProgram('libbpf-gen-object.c');
    if ('unavailable' in binary) throw new Error(binary.unavailable);
    return spawnSync(binary.path, [output, ...objects], { cwd: folder }).status === 0;
  }

  /** What libbpf makes of section names: program type and expected attach type, or null for names it does not know. */
  sections(names: readonly string[]): ({ readonly type: number; readonly expectedAttachType: number } | null)[] {
    const binary = libbpfProgram('libbpf-sections.c');
    if ('unavailable' in binary) throw new Error(binary.unavailable);
    const { stdout } = spawnSync(binary.path, { input: `${names.join('\n')}\n`, encoding: 'utf8' });
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => {
        const match = /^(\d+) (\d+)$/.exec(line);
        return match === null ? null : { type: Number(match[1]), expectedAttachType: Number(match[2]) };
      });
  }

  #run(args: readonly string[], cwd: string, kconfig?: string): string {
    const { status, stdout, stderr } = spawnSync(this.#path, args, {
      cwd,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: kconfig === undefined ? process.env : { ...process.env, KCONFIG: kconfig },
    });
    if (status !== 0) throw new Error(`libbpf-linked failed: ${stderr}`);
    return stdout;
  }
}

/**
 * A program of this folder that is linked with libbpf, which is fetched first where its absence is a failure: an ordinary test
 * run leaves the network alone.
 */
export function libbpfBinary(source: string, options: readonly string[] = []): OracleBinary {
  if (!existsSync(join(cache, 'libbpf.a')) && oraclesRequired) {
    const fetched = spawnSync(join(here, 'fetch-libbpf.sh'), [cache], { encoding: 'utf8' });
    if (fetched.status !== 0) return { unavailable: `cannot fetch libbpf: ${fetched.stderr}` };
  }
  if (!existsSync(join(cache, 'libbpf.a')))
    return { unavailable: 'libbpf is not there; test/oracle/fetch-libbpf.sh .cache/oracle/libbpf-1.5 gets it' };
  return libbpfProgram(source, options);
}

function openOracle(): LibbpfOracle | Unavailable {
  const binary = libbpfBinary('libbpf-linked.c', ['-Wl,--wrap=syscall']);
  return 'path' in binary ? new LibbpfOracle(binary.path) : binary;
}

/** A program of this folder that is linked with libbpf, once that is there. */
export function libbpfProgram(source: string, options: readonly string[] = []): OracleBinary {
  const libbpf = [`-I${join(cache, 'include')}`, ...options, join(cache, 'libbpf.a'), '-lelf', '-lz'];
  return oracleBinary(source, libbpf);
}

/** A `describe` whose tests ask libbpf; see `describeWith` for where that cannot be had. */
export function describeWithLibbpf(name: string, tests: (libbpf: LibbpfOracle) => void): void {
  const libbpf = openOracle();
  const version = libbpf instanceof LibbpfOracle ? ` ${libbpf.version}` : '';
  describeWith(`${name} (libbpf${version})`, libbpf, tests);
}
