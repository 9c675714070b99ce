import { spawnSync } from 'node:child_process';
import { type Btf, encodeBtf } from '../../src/btf/index.js';
import { describeWith } from './describe-with.js';
import { libbpfBinary } from './libbpf.js';

/** What libbpf's btf__dedup leaves: the number of types, void included, and the bytes; or its errno. */
export type LibbpfDedup = { readonly types: number; readonly bytes: Uint8Array } | { readonly errno: number };

/** libbpf's btf__dedup in a child process. See libbpf-dedup.c. */
export class LibbpfDedupOracle {
  readonly #path: string;
  readonly version: string;

  constructor(path: string) {
    this.#path = path;
    this.version = this.#run(['--version'], '').trim();
  }

  /** Deduplicates each BTF against its base, if it has one. */
  deduplicate(inputs: readonly Btf[]): LibbpfDedup[] {
    const none = new Uint8Array(0);
    const parts = inputs.flatMap((btf) => [btf.base === undefined ? none : encodeBtf(btf.base), encodeBtf(btf)]);
    const answers = this.#run([], Buffer.concat(parts.flatMap((part) => [word(part.length), part])));
    return answers.trimEnd().split('\n').map(parseAnswer);
  }

  #run(args: readonly string[], input: Buffer | string): string {
    const { status, stdout, stderr } = spawnSync(this.#path, args, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`libbpf-dedup failed: ${stderr}`);
    return stdout;
  }
}

function parseAnswer(line: string): LibbpfDedup {
  const [first, second = ''] = line.split(' ');
  if (first === 'error') return { errno: Number(second) };
  return { types: Number(first), bytes: new Uint8Array(Buffer.from(second, 'hex')) };
}

function word(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** A `describe` whose tests ask libbpf; see `describeWith` for where that cannot be had. */
export function describeWithLibbpfDedup(name: string, tests: (libbpf: LibbpfDedupOracle) => void): void {
  const binary = libbpfBinary('libbpf-dedup.c');
  const libbpf = 'path' in binary ? new LibbpfDedupOracle(binary.path) : binary;
  const version = libbpf instanceof LibbpfDedupOracle ? ` ${libbpf.version}` : '';
  describeWith(`${name} (libbpf${version})`, libbpf, tests);
}
