import type { QemuArch } from '../index.js';

/** Which machine to start. Files are paths of this computer. */
export interface QemuSpec {
  readonly arch: QemuArch;
  readonly kernel: string;
  readonly initrd?: string;
  /** Words for the kernel's command line, besides those below; null: no command line at all (a kernel that is no Linux). */
  readonly append?: string | null;
  /** Whether Linux shall keep its hands off the memory that mailboxes and displaced instructions live in. Default true. */
  readonly room?: boolean;
  /** 512 for x86_64, 1024 for the others if absent. */
  readonly memoryMiB?: number;
  /** 1 if absent. */
  readonly cpus?: number;
  /**
   * CPU threads of the emulator. One for all CPUs serves mailboxes fastest and is the default, but on riscv64: there a CPU
   * that spins is left for the next after 100 ms only, which a host that stops and resumes the machine never lets happen.
   */
  readonly threads?: 'single' | 'multi';
  readonly cpu?: string;
  /** Passed on as they are. */
  readonly extra?: readonly string[];
}

/** Files and sockets of one machine. */
export interface QemuPaths {
  readonly gdb: string;
  readonly console: string;
  readonly ram: string;
}

/** Part of a machine's RAM: bytes of its file from `offset` on are at physical `start`. */
export interface RamBank {
  readonly start: number;
  readonly offset: number;
  readonly size: number;
}

interface ArchFacts {
  readonly program: string;
  readonly machine: string;
  readonly cpu: string | null;
  readonly console: string;
  readonly memoryMiB: number;
  banks(size: number): readonly RamBank[];
}

/** Bytes that `crashkernel=` keeps: the least that all of these kernels grant. */
const ROOM_MIB = 16;
const LOONGARCH_LOW = 0x1000_0000;

const FACTS: Readonly<Record<QemuArch, ArchFacts>> = {
  x86_64: {
    program: 'qemu-system-x86_64',
    machine: 'pc',
    cpu: null,
    console: 'ttyS0',
    memoryMiB: 512,
    banks: (size) => [{ start: 0, offset: 0, size }],
  },
  arm64: {
    program: 'qemu-system-aarch64',
    machine: 'virt',
    cpu: 'cortex-a72',
    console: 'ttyAMA0',
    memoryMiB: 1024,
    banks: (size) => [{ start: 0x4000_0000, offset: 0, size }],
  },
  riscv64: {
    program: 'qemu-system-riscv64',
    machine: 'virt',
    cpu: 'rv64',
    console: 'ttyS0',
    memoryMiB: 1024,
    banks: (size) => [{ start: 0x8000_0000, offset: 0, size }],
  },
  loongarch64: {
    program: 'qemu-system-loongarch64',
    machine: 'virt',
    cpu: null,
    console: 'ttyS0',
    memoryMiB: 1024,
    banks: (size) => [
      { start: 0, offset: 0, size: LOONGARCH_LOW },
      { start: 0x9000_0000, offset: LOONGARCH_LOW, size: size - LOONGARCH_LOW },
    ],
  },
};

/** Where the machine's RAM lies. */
export function qemuBanks(spec: QemuSpec): readonly RamBank[] {
  return FACTS[spec.arch].banks(memoryBytes(spec));
}

export function qemuProgram(arch: QemuArch): string {
  return FACTS[arch].program;
}

/**
 * The emulator's arguments. TCG only; RAM is a file that others can map; the machine is born stopped, with its console and
 * its gdb stub on sockets. KASLR may stay on. A panic stops it where the trap by pvpanic needs that.
 */
export function qemuArguments(spec: QemuSpec, paths: QemuPaths): string[] {
  const facts = FACTS[spec.arch];
  const mib = memoryBytes(spec) >> 20;
  const cpu = spec.cpu ?? facts.cpu;
  return [
    ...['-accel', `tcg,thread=${spec.threads ?? (spec.arch === 'riscv64' ? 'multi' : 'single')}`],
    ...['-machine', `${facts.machine},memory-backend=ram`],
    ...(cpu === null ? [] : ['-cpu', cpu]),
    ...['-smp', String(spec.cpus ?? 1), '-m', String(mib)],
    ...['-object', `memory-backend-file,id=ram,size=${mib}M,mem-path=${paths.ram},share=on`],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-S'],
    ...(spec.arch === 'x86_64' ? ['-device', 'pvpanic', '-action', 'panic=pause'] : []),
    ...['-chardev', `socket,id=console,path=${paths.console},server=on,wait=off`, '-serial', 'chardev:console'],
    ...['-chardev', `socket,id=gdb,path=${paths.gdb},server=on,wait=off`, '-gdb', 'chardev:gdb'],
    ...['-kernel', spec.kernel],
    ...(spec.initrd === undefined ? [] : ['-initrd', spec.initrd]),
    ...(spec.append === null ? [] : ['-append', commandLine(spec, facts)]),
    ...(spec.extra ?? []),
  ];
}

function commandLine(spec: QemuSpec, facts: ArchFacts): string {
  const room = spec.room === false ? '' : `crashkernel=${ROOM_MIB}M`;
  const words = [`console=${facts.console}`, 'panic=-1', room, spec.append ?? ''];
  return words.filter((word) => word !== '').join(' ');
}

function memoryBytes(spec: QemuSpec): number {
  return (spec.memoryMiB ?? FACTS[spec.arch].memoryMiB) * 2 ** 20;
}
