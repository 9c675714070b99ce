import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianKernel } from '../../../oracle/debian-kernel.js';
import type { Unavailable } from '../../../oracle/describe-with.js';

const COMPILER = 'aarch64-linux-gnu-gcc';
const QEMU = 'qemu-system-aarch64';
const source = new URL('init.c', import.meta.url).pathname;
const TIMEOUT = 170_000;

/** A Debian kernel for arm64 with QEMU, a C compiler and cpio. */
export function verdictGuest(): { readonly kernel: string } | Unavailable {
  for (const tool of [QEMU, COMPILER, 'cpio']) {
    if (spawnSync(tool, ['--version']).error !== undefined) return { unavailable: `${tool} is not installed` };
  }
  const kernel = debianKernel('arm64');
  return 'unavailable' in kernel ? kernel : { kernel: kernel.boot };
}

/** Boots `kernel` with the init of this folder until it powers off, and gives what that printed. */
export async function askForVerdicts(kernel: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-verdicts-'));
  try {
    const root = join(folder, 'root');
    const archive = join(folder, 'initramfs');
    mkdirSync(join(root, 'dev'), { recursive: true });
    run(COMPILER, ['-O2', '-static', '-o', join(root, 'init'), source], folder);
    run('mknod', [join(root, 'dev/console'), 'c', '5', '1'], folder);
    run('sh', ['-c', `find . | cpio -o -H newc --quiet > ${archive}`], root);
    return await boot(kernel, archive, join(folder, 'console'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
}

async function boot(kernel: string, initramfs: string, console: string): Promise<string> {
  const machine = ['-M', 'virt', '-cpu', 'max', '-accel', 'tcg', '-m', '1024', '-nodefaults', '-no-reboot'];
  const image = ['-kernel', kernel, '-initrd', initramfs, '-append', 'console=ttyAMA0 panic=-1 quiet loglevel=1'];
  const output = ['-display', 'none', '-serial', `file:${console}`];
  const qemu = spawn(QEMU, [...machine, ...image, ...output], { stdio: 'ignore' });
  const end = (): void => void qemu.kill('SIGKILL');
  const timer = setTimeout(end, TIMEOUT);
  process.once('exit', end);
  const code = await new Promise((resolve) => qemu.once('exit', resolve));
  process.off('exit', end);
  clearTimeout(timer);
  const text = readFileSync(console, 'utf8').replaceAll('\r\n', '\n');
  if (code === 0 && text.includes('KSCOPE-END')) return text;
  throw new Error(`the guest did not come to its end (${String(code)}): ${text.slice(-2000)}`);
}
