// Builds the simulator's kernel and user programs with Debian's clang-19, lld-19, llvm-19 and pahole and writes
// src/host/sim/image.ts. The same tools give the same bytes.
//   node scripts/build-sim-image.mjs [--keep DIR] [--check]
// DIR keeps the ELF files, for a disassembler; --check writes nothing and fails if image.ts is not what it would write.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const sim = join(root, 'src/host/sim');
const kernel = join(sim, 'kernel');
const user = join(sim, 'user');
const diskRoot = join(sim, 'root');
const keep = process.argv.indexOf('--keep');
const out = keep > 0 ? resolve(process.argv[keep + 1]) : mkdtempSync(join(tmpdir(), 'sim-image-'));
mkdirSync(out, { recursive: true });

const BLOCK = 4096;
const FIRST_DATA_BLOCK = 16;
const common = [
  '-target',
  'x86_64-linux-gnu',
  '-std=gnu11',
  '-O1',
  '-ffreestanding',
  '-fno-builtin',
  '-mgeneral-regs-only',
  '-mno-red-zone',
  '-fno-omit-frame-pointer',
  '-mno-omit-leaf-frame-pointer',
  '-fno-stack-protector',
  '-fcf-protection=none',
  '-fno-jump-tables',
  '-fno-pic',
  '-fno-pie',
  '-fno-inline',
  '-fno-optimize-sibling-calls',
  '-fno-asynchronous-unwind-tables',
  '-fno-strict-aliasing',
  '-mllvm',
  '-enable-shrink-wrap=false',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-unused-parameter',
];
const kernelFlags = [
  ...common,
  '-mcmodel=kernel',
  '-g',
  '-gdwarf-4',
  '-fstandalone-debug',
  `-ffile-prefix-map=${root}=.`,
  `-I${kernel}/include`,
];
const userFlags = [...common, '-ffunction-sections', '-fdata-sections', '-fno-ident'];

function run(tool, ...args) {
  return execFileSync(tool, args, { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] }).toString();
}

/** Files below `folder` with that ending, in a fixed order. */
function filesBelow(folder, ending = '') {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith(ending) && statSync(path).isFile())
    .toSorted();
}

function compile(source, flags, folder) {
  const object = join(folder, `${relative(sim, source).replaceAll('/', '_')}.o`);
  run('clang-19', ...(source.endsWith('.S') ? ['-target', 'x86_64-linux-gnu'] : flags), '-c', source, '-o', object);
  return object;
}

function buildKernel() {
  const sources = [...filesBelow(kernel, '.c'), ...filesBelow(kernel, '.S')];
  const objects = sources.map((source) => compile(source, kernelFlags, out));
  const elf = join(out, 'vmlinux');
  run(
    'ld.lld-19',
    '-static',
    '-nostdlib',
    '--build-id=none',
    '-z',
    'noexecstack',
    '-T',
    join(kernel, 'kernel.lds'),
    '-o',
    elf,
    ...objects,
  );
  run('llvm-objcopy-19', '-O', 'binary', elf, join(out, 'kernel.bin'));
  run('pahole', '-J', elf);
  run('llvm-objcopy-19', '--dump-section', `.BTF=${join(out, 'btf.bin')}`, elf);
  return { elf, bytes: readFileSync(join(out, 'kernel.bin')), btf: readFileSync(join(out, 'btf.bin')) };
}

/** An ELF file without what follows the last byte of its segments. */
function trimmed(elf) {
  const headers = Array.from({ length: elf.readUInt16LE(56) }, (_, i) => Number(elf.readBigUInt64LE(32)) + 56 * i);
  const inFile = headers.filter((at) => elf.readBigUInt64LE(at + 32) > 0n);
  return elf.subarray(
    0,
    Math.max(...inFile.map((at) => Number(elf.readBigUInt64LE(at + 8) + elf.readBigUInt64LE(at + 32)))),
  );
}

/** Programs that need nothing: the first one, and the one whose every instruction tests look at. */
const STATIC = ['init', 'op'];
const PIC = [...userFlags.filter((flag) => flag !== '-fno-pic' && flag !== '-fno-pie'), '-fPIC'];
const LINK = ['-nostdlib', '-z', 'nognustack', '-T'];
const DYNAMIC = ['-z', 'now', '-z', 'norelro', '--hash-style=gnu', '--build-id=sha1', '--no-rosegment'];

function link(name, ...options) {
  const elf = join(out, name);
  run('ld.lld-19', '-o', elf, ...options);
  return elf;
}

function compileAs(flags, variant, ...sources) {
  const folder = join(out, variant);
  mkdirSync(folder, { recursive: true });
  return sources.map((source) => compile(source, flags, folder));
}

function buildStatic(name) {
  const objects = compileAs(
    userFlags,
    'static',
    ...[`${name}.c`, 'crt0.S', 'syscall.S', 'lib.c'].map((file) => join(user, file)),
  );
  const options = ['-static', '--build-id=none', '--gc-sections'];
  const elf = link(name, ...options, ...LINK, join(user, 'user.lds'), ...objects);
  const stripped = `${elf}.stripped`;
  run('llvm-objcopy-19', '--strip-all', '--strip-sections', elf, stripped);
  return {
    path: name === 'init' ? '/sbin/init' : `/bin/${name}`,
    bytes: trimmed(readFileSync(stripped)),
    symbols: symbolsOf(elf),
  };
}

/** Libraries and dynamic programs keep their symbol tables and notes. */
function dynamicFile(path, elf) {
  return { path, bytes: readFileSync(elf), symbols: symbolsOf(elf) };
}

function buildLinker() {
  const sources = [...filesBelow(join(user, 'ld'), '.c'), join(user, 'ld/start.S')];
  const library = [join(user, 'syscall.S'), join(user, 'lib.c')];
  const objects = compileAs([...PIC, '-fvisibility=hidden'], 'ld', ...sources, ...library);
  const options = ['-shared', '-Bsymbolic', '-e', '_start', '-soname', 'ld.so', '--gc-sections', ...DYNAMIC];
  const elf = link('ld.so', ...options, ...LINK, join(user, 'so.lds'), ...objects);
  const relocations = run('llvm-readelf-19', '-r', '--elf-output-style=GNU', elf);
  if (/R_X86_64/.test(relocations)) throw new Error(`ld.so cannot relocate itself:\n${relocations}`);
  return dynamicFile('/lib/ld.so', elf);
}

function buildLibc() {
  const sources = [
    ...filesBelow(join(user, 'libc'), '.c'),
    join(user, 'libc/clone.S'),
    join(user, 'syscall.S'),
    join(user, 'lib.c'),
  ];
  const options = ['-shared', '-Bsymbolic', '-soname', 'libc.so.6', ...DYNAMIC];
  const elf = link('libc.so.6', ...options, ...LINK, join(user, 'so.lds'), ...compileAs(PIC, 'libc', ...sources));
  return dynamicFile('/lib/libc.so.6', elf);
}

function buildDynamic(name) {
  const objects = compileAs(PIC, 'pie', join(user, `${name}.c`), join(user, 'libc/crt1.S'));
  const options = ['-pie', '--dynamic-linker=/lib/ld.so', ...DYNAMIC, ...LINK, join(user, 'pie.lds')];
  return dynamicFile(`/bin/${name}`, link(name, ...options, ...objects, join(out, 'libc.so.6')));
}

function buildPrograms() {
  const names = readdirSync(user)
    .filter((name) => name.endsWith('.c') && name !== 'lib.c')
    .map((name) => basename(name, '.c'))
    .toSorted();
  const libraries = [buildLinker(), buildLibc()];
  return [...names.map((name) => (STATIC.includes(name) ? buildStatic(name) : buildDynamic(name))), ...libraries];
}

/** Lines of `address size type name`, hexadecimal, addresses less `base`; size 0 where the file gives none. */
function symbolsOf(elf, base = 0n) {
  return run('llvm-nm-19', '-n', '-S', elf)
    .split('\n')
    .map((line) => /^0*([0-9a-f]+)(?: 0*([0-9a-f]+))? (\w) (\S+)$/.exec(line))
    .filter((match) => match !== null)
    .map(
      ([, address, size, type, name]) =>
        `${(BigInt(`0x${address}`) - base).toString(16)} ${size ?? '0'} ${type} ${name}`,
    )
    .join('\n');
}

/** Addresses by name. */
function addressesOf(elf) {
  const fields = symbolsOf(elf)
    .split('\n')
    .map((line) => line.split(' '));
  return new Map(fields.map(([address, , , name]) => [name, BigInt(`0x${address}`)]));
}

/** System calls by number: the kernel's table, numbers from its header. */
function readSyscalls() {
  const header = readFileSync(join(kernel, 'include/uapi.h'), 'utf8');
  const numbers = new Map(
    [...header.matchAll(/^#define __NR_(\w+) (\d+)$/gm)].map(([, name, number]) => [name, Number(number)]),
  );
  const table = readFileSync(join(kernel, 'include/syscalls.def'), 'utf8');
  return [...table.matchAll(/^SYSCALL\((\w+)\)$/gm)].map(([, name]) => ({ number: numbers.get(name), name }));
}

/** The disk: block 0 names the files, data starts at FIRST_DATA_BLOCK. The kernel's ext4-super.c reads it. */
function buildDisk(programs) {
  const directory = (path) => ({ path, mode: 0o40755, bytes: Buffer.alloc(0) });
  const files = filesBelow(diskRoot).map((path) => ({
    path: `/${relative(diskRoot, path)}`,
    mode: 0o100644,
    bytes: readFileSync(path),
  }));
  const entries = [
    ...['/bin', '/dev', '/etc', '/include', '/lib', '/sbin', '/src', '/sys', '/sys/fs', '/sys/fs/cgroup'].map(
      directory,
    ),
    { ...directory('/tmp'), mode: 0o41777 },
    { path: '/dev/console', mode: 0o20600, bytes: Buffer.alloc(0) },
    ...programs.map(({ path, bytes }) => ({ path, mode: 0o100755, bytes })),
    ...files,
  ];
  const superBlock = Buffer.alloc(16 + entries.length * 56);
  const chunks = [];
  let next = FIRST_DATA_BLOCK;
  entries.forEach(({ path, mode, bytes }, index) => {
    const at = 16 + index * 56;
    superBlock.write(path, at, 39);
    superBlock.writeUInt32LE(mode, at + 40);
    superBlock.writeUInt32LE(bytes.length, at + 44);
    superBlock.writeUInt32LE(next, at + 48);
    if (bytes.length > 0) chunks.push({ sector: next * 8, bytes });
    next += Math.ceil(bytes.length / BLOCK);
  });
  superBlock.writeUInt32LE(0x73666b73, 0);
  superBlock.writeUInt32LE(entries.length, 4);
  superBlock.writeUInt32LE(next, 8);
  if (superBlock.length > BLOCK) throw new Error('too many files for the first block of the disk');
  return [{ sector: 0, bytes: superBlock }, ...chunks];
}

/** Name and arguments of each tracepoint, from the list the kernel itself is built from. */
function readTracepoints(addresses) {
  const text = readFileSync(join(kernel, 'include/tracepoints.def'), 'utf8');
  return [...text.matchAll(/^TRACEPOINT\((\w+), \(([^)]*)\)/gm)].map(([, name, prototype]) => ({
    name,
    flag: addresses.get(`__tracepoint_${name}`) + 8n,
    args: prototype.split(', ').map((arg) => {
      const [, type, argument] = /^(.*?)(\w+)$/.exec(arg);
      return { name: argument, type: type.trim() };
    }),
  }));
}

const base64 = (bytes) => `'${Buffer.from(bytes).toString('base64')}'`;
const sectors = (bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 511)]);
const hex = (value) => `0x${value.toString(16)}n`;
const lines = (text) => `\`${text}\``;

function render(built, programs) {
  const addresses = addressesOf(built.elf);
  const base = addresses.get('_text');
  const range = (section, why) =>
    `    { from: ${hex(addresses.get(`__${section}_start`))}, to: ${hex(addresses.get(`__${section}_end`))}, why: '${why}' },`;
  const tracepoint = ({ name, flag, args }) =>
    `    { name: '${name}', flag: ${hex(flag)}, args: [${args.map((arg) => `{ name: '${arg.name}', type: '${arg.type}' }`).join(', ')}] },`;
  return [
    '// Written by scripts/build-sim-image.mjs from src/host/sim/{kernel,user,root}. Do not edit.',
    "import type { EncodedSimImage } from './sim-image.js';",
    '',
    'export const encodedSimImage: EncodedSimImage = {',
    `  base: ${hex(base)},`,
    `  entry: ${hex(addresses.get('startup_64'))},`,
    `  end: ${hex(addresses.get('_end'))},`,
    `  textEnd: ${hex(addresses.get('_etext'))},`,
    `  kernel: ${base64(built.bytes)},`,
    `  symbols: ${lines(symbolsOf(built.elf, base))},`,
    `  btf: ${base64(built.btf)},`,
    '  tracepoints: [',
    ...readTracepoints(addresses).map(tracepoint),
    '  ],',
    '  disk: [',
    ...buildDisk(programs).map(({ sector, bytes }) => `    { sector: ${sector}, bytes: ${base64(sectors(bytes))} },`),
    '  ],',
    '  noProbe: [',
    range('kprobes_text', 'part of the trap path'),
    range('entry_text', 'entry code'),
    '  ],',
    '  syscalls: {',
    ...readSyscalls().map(({ number, name }) => `    ${number}: '${name}',`),
    '  },',
    '  programs: [',
    ...programs.map(({ path, symbols: own }) => `    { path: '${path}', symbols: ${lines(own)} },`),
    '  ],',
    '};',
    '',
  ].join('\n');
}

const programs = buildPrograms();
const built = buildKernel();
const text = render(built, programs);
const target = join(sim, 'image.ts');
const check = process.argv.includes('--check');
if (!check) writeFileSync(target, text);
else if (readFileSync(target, 'utf8') !== text) {
  process.stderr.write('src/host/sim/image.ts is out of date: run node scripts/build-sim-image.mjs\n');
  process.exitCode = 1;
}
if (keep < 0) rmSync(out, { recursive: true });
process.stdout.write(
  `kernel ${built.bytes.length}, BTF ${built.btf.length}, programs ${programs.reduce((sum, { bytes }) => sum + bytes.length, 0)}, image.ts ${text.length} bytes\n`,
);
