import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = new URL('./', import.meta.url).pathname;
/** The file that the workload of `=hit` opens and reads. */
const HELLO = 'hello, world\n';
const TIMEOUT = 170_000;

/** Boots a kernel for x86_64 with the definitions and gives what its init told, as test/testdata/kprobe/ keeps it. */
export async function askKernel(kernel: string, definitions: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-events-'));
  try {
    const told = join(folder, 'told');
    await boot(kernel, makeInitramfs(folder, definitions), told, join(folder, 'console'));
    return settled(readFileSync(told, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeInitramfs(folder: string, definitions: string): string {
  const root = join(folder, 'root');
  mkdirSync(join(root, 'probe'), { recursive: true });
  run('gcc', ['-O1', '-static', '-w', '-o', join(root, 'init'), join(here, 'init.c')], folder);
  writeFileSync(join(root, 'definitions'), definitions);
  writeFileSync(join(root, 'probe/hello.txt'), HELLO);
  const archive = join(folder, 'initramfs');
  run('sh', ['-c', `find . | cpio -o -H newc --quiet > ${archive}`], root);
  return archive;
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
}

/** Runs QEMU until the guest powers off. */
async function boot(kernel: string, initramfs: string, told: string, console: string): Promise<void> {
  const machine = ['-accel', 'tcg', '-m', '512', '-nodefaults', '-no-reboot', '-display', 'none'];
  const append = 'console=ttyS0 nokaslr no_hash_pointers panic=-1';
  const image = ['-kernel', kernel, '-initrd', initramfs, '-append', append];
  const serial = ['-serial', `file:${console}`, '-serial', `file:${told}`];
  const qemu = spawn('qemu-system-x86_64', [...machine, ...image, ...serial], { stdio: 'ignore' });
  const timer = setTimeout(() => qemu.kill('SIGKILL'), TIMEOUT);
  const end = (): void => void qemu.kill('SIGKILL');
  process.once('exit', end);
  const code = await new Promise((resolve) => qemu.once('exit', resolve));
  process.off('exit', end);
  clearTimeout(timer);
  if (code === 0 && readFileSync(told, 'utf8').endsWith('Z\n')) return;
  throw new Error(`the guest did not come to its end (${String(code)}): ${readFileSync(console, 'utf8').slice(-2000)}`);
}

/** Leaves out what differs from boot to boot: times, the ids of events, the legend of `trace`. */
function settled(told: string): string {
  return told
    .split('\n')
    .filter((line) => !/^(H #|F ID:|N .* 0$|Z$)/.test(line))
    .map((line) => line.replace(/^L \[.*?\] /, 'L ').replace(/^H .*?\d+\.\d{6}: /, 'H '))
    .join('\n')
    .replace(/^R (.*)\n/, '# Linux $1\n');
}
