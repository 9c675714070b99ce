// Assembles src/host/qemu/traps/stubs/*.S into src/host/qemu/traps/trap-stub-code.ts. Needs clang-19 and llvm-19.
// node scripts/build-trap-stubs.mjs [--print]: with --print the file goes to stdout instead.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FOLDER = 'src/host/qemu/traps';
const STUBS = [
  ['x86_64', 'x86_64.S', ['--target=x86_64-linux-gnu']],
  ['x86_64-pvpanic', 'x86_64.S', ['--target=x86_64-linux-gnu', '-DPVPANIC']],
  ['arm64', 'arm64.S', ['--target=aarch64-linux-gnu']],
  ['riscv64', 'riscv64.S', ['--target=riscv64-linux-gnu', '-march=rv64g', '-mno-relax']],
];

const RETURNS = [
  ['x86_64', 'returns-x86_64.S', ['--target=x86_64-linux-gnu']],
  ['arm64', 'returns-arm64.S', ['--target=aarch64-linux-gnu']],
  ['riscv64', 'returns-riscv64.S', ['--target=riscv64-linux-gnu', '-march=rv64g', '-mno-relax']],
  ['loongarch64', 'returns-loongarch64.S', ['--target=loongarch64-linux-gnu']],
];

const folder = mkdtempSync(join(tmpdir(), 'kscope-stubs-'));
try {
  const text = `// Made by scripts/build-trap-stubs.mjs from stubs/*.S: do not edit.

/** Code of the trap stubs, in hexadecimal; trap-stub.ts says how it is laid out. */
export const trapStubCode = {
${tableOf(STUBS)}} as const;

/** What takes the place of the return trampoline in the end; return-stub.ts says how it is laid out. */
export const returnStubCode = {
${tableOf(RETURNS)}} as const;
`;
  if (process.argv.includes('--print')) process.stdout.write(text);
  else writeFileSync(join(FOLDER, 'trap-stub-code.ts'), text);
} finally {
  rmSync(folder, { recursive: true });
}

function tableOf(stubs) {
  return stubs.map(([name, source, flags]) => `  ${quoted(name)}:\n    '${assembled(source, flags)}',\n`).join('');
}

function assembled(source, flags) {
  const object = join(folder, 'stub.o');
  const binary = join(folder, 'stub.bin');
  execFileSync('clang-19', [...flags, '-c', '-o', object, join(FOLDER, 'stubs', source)]);
  const relocations = execFileSync('llvm-readobj-19', ['-r', object], { encoding: 'utf8' });
  if (/R_\w+/.test(relocations)) throw new Error(`${source} is not independent of its place: ${relocations}`);
  execFileSync('llvm-objcopy-19', ['-O', 'binary', '--only-section=.text', object, binary]);
  return readFileSync(binary).toString('hex');
}

function quoted(name) {
  return /^\w+$/.test(name) ? name : `'${name}'`;
}
