import { execFileSync, spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(() => {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { stdio: 'pipe' });
}, 300_000);

function kscope(flags: readonly string[], args: readonly string[], input = ''): ReturnType<typeof spawn> {
  return spawn([...flags, 'dist/cli/main.js', ...args], input);
}

function spawn(args: readonly string[], input: string): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', input });
  return { status, out: stdout, err: stderr };
}

/** r0 = 42; exit */
const PROGRAM = 'b7000000 2a000000 95000000 00000000';

describe('a process without WebAssembly', () => {
  const jitless = (args: readonly string[], input?: string): ReturnType<typeof spawn> =>
    kscope(['--jitless'], args, input);

  it('is told by doctor that programs are interpreted, and that nothing is missing', () => {
    const { status, out } = jitless(['doctor']);
    expect(out).toContain('ok   engine jit: programs are interpreted: there is no WebAssembly here');
    expect(status).toBe(0);
  });

  it('runs programs', () => {
    expect(jitless(['plugin'], PROGRAM)).toMatchObject({ status: 0, out: '2a\n' });
  });

  it('runs an object on the simulator, with what it prints elsewhere', () => {
    const args = ['run', 'examples/funclatency.bpf.o', '--workload', 'shell', '--duration', '0.002', '--json'];
    const here = jitless(args);
    expect(here).toMatchObject({ status: 0 });
    expect(here.out).toBe(kscope([], args).out);
  });

  it('is refused the compiler when it asks for it', () => {
    const { status, err } = jitless(['plugin', '--engine', 'jit'], PROGRAM);
    expect(err).toContain('--engine jit: there is no WebAssembly here');
    expect(err).toContain('use --engine interp');
    expect(status).toBe(1);
  });

  it('says why there is no compiled code to show', () => {
    const { status, err } = jitless(['prog', 'dump', 'jited', 'examples/opensnoop.bpf.o']);
    expect(err).toContain('there is no WebAssembly here');
    expect(status).toBe(1);
  });
});

describe('a process that may not make code from strings', () => {
  it('compiles all the same', () => {
    const args = ['run', 'examples/funclatency.bpf.o', '--workload', 'shell', '--duration', '0.002', '--json'];
    const strict = kscope(['--disallow-code-generation-from-strings'], [...args, '--engine', 'jit']);
    expect(strict).toMatchObject({ status: 0 });
    expect(strict.out).toBe(kscope([], args).out);
  });
});
