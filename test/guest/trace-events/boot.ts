import { spawn, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  ftruncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = new URL('./', import.meta.url).pathname;
const TIMEOUT = 170_000;
const DISK_BYTES = 64 << 20;

/** What a Debian guest said of its trace events. */
export interface GuestTrace {
  readonly release: string;
  /** The format files by `system/event`, without the id. */
  readonly formats: ReadonlyMap<string, string>;
  /** Lines of the `trace` file, oldest first. */
  readonly lines: readonly string[];
}

/** Boots a kernel for x86_64, asks for the formats of `events` and for a trace of the workload with `traced` on. */
export async function traceGuest(
  kernel: string,
  events: readonly string[],
  traced: readonly string[],
): Promise<GuestTrace> {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-trace-'));
  try {
    const told = join(folder, 'told');
    await boot(kernel, makeInitramfs(folder, events, traced), makeDisk(folder), told, join(folder, 'console'));
    return parse(readFileSync(told, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeInitramfs(folder: string, events: readonly string[], traced: readonly string[]): string {
  const root = join(folder, 'root');
  for (const name of ['proc', 'sys', 'dev']) mkdirSync(join(root, name), { recursive: true });
  run('gcc', ['-O1', '-static', '-w', '-o', join(root, 'init'), join(here, 'init.c')], folder);
  writeFileSync(join(root, 'events'), `${events.join('\n')}\n`);
  writeFileSync(join(root, 'traced'), `${traced.join('\n')}\n`);
  const archive = join(folder, 'initramfs');
  run('sh', ['-c', `find . | cpio -o -H newc --quiet > ${archive}`], root);
  return archive;
}

function makeDisk(folder: string): string {
  const path = join(folder, 'disk');
  const fd = openSync(path, 'w');
  ftruncateSync(fd, DISK_BYTES);
  closeSync(fd);
  return path;
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
}

/** Runs QEMU until the guest powers off. */
async function boot(kernel: string, initramfs: string, disk: string, told: string, console: string): Promise<void> {
  const machine = ['-accel', 'tcg', '-m', '512', '-smp', '2', '-nodefaults', '-no-reboot', '-display', 'none'];
  const append = 'console=ttyS0 nokaslr no_hash_pointers panic=-1';
  const image = ['-kernel', kernel, '-initrd', initramfs, '-append', append];
  const drive = ['-drive', `file=${disk},format=raw,if=none,id=disk`, '-device', 'nvme,drive=disk,serial=kscope'];
  const serial = ['-serial', `file:${console}`, '-serial', `file:${told}`];
  const qemu = spawn('qemu-system-x86_64', [...machine, ...image, ...drive, ...serial], { stdio: 'ignore' });
  const timer = setTimeout(() => qemu.kill('SIGKILL'), TIMEOUT);
  const end = (): void => void qemu.kill('SIGKILL');
  process.once('exit', end);
  const code = await new Promise((resolve) => qemu.once('exit', resolve));
  process.off('exit', end);
  clearTimeout(timer);
  if (code === 0 && readFileSync(told, 'utf8').endsWith('Z\n')) return;
  throw new Error(`the guest did not come to its end (${String(code)}): ${readFileSync(console, 'utf8').slice(-2000)}`);
}

function parse(told: string): GuestTrace {
  const formats = new Map<string, string>();
  const lines: string[] = [];
  let [release, event] = ['', ''];
  for (const line of told.split('\n')) {
    const text = line.slice(2);
    if (line.startsWith('R ')) release = text;
    else if (line.startsWith('F ')) event = text;
    else if (line.startsWith('T ')) lines.push(text);
    else if (line.startsWith('| ') && !text.startsWith('ID: '))
      formats.set(event, `${formats.get(event) ?? ''}${text}\n`);
  }
  return { release, formats, lines };
}
