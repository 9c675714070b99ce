import { spawnSync } from 'node:child_process';
import { describeWith, type Unavailable } from './describe-with.js';

/** bpftool as it is installed. Only what reads files is asked: nothing is loaded or attached. */
export class BpftoolOracle {
  readonly version: string;

  constructor(version: string) {
    this.version = version;
  }

  /** stdout of `bpftool ARGUMENTS`; a failure is an error with what it said. */
  run(...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync('bpftool', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`bpftool ${args.join(' ')} failed: ${stderr}${stdout}`);
    return stdout;
  }
}

function openOracle(): BpftoolOracle | Unavailable {
  const { status, stdout } = spawnSync('bpftool', ['version'], { encoding: 'utf8' });
  if (status !== 0) return { unavailable: 'bpftool is not there' };
  const version = /v(\d+\.\d+)/.exec(stdout)?.[1] ?? 'unknown';
  // Later ones sort types and print attributes of enums.
  return version === '7.1'
    ? new BpftoolOracle(version)
    : { unavailable: `bpftool is ${version}; its shapes are those of 7.1` };
}

/** A `describe` whose tests ask bpftool 7.1; see `describeWith` for where that cannot be had. */
export function describeWithBpftool(name: string, tests: (bpftool: BpftoolOracle) => void): void {
  const bpftool = openOracle();
  describeWith(`${name} (bpftool${bpftool instanceof BpftoolOracle ? ` ${bpftool.version}` : ''})`, bpftool, tests);
}
