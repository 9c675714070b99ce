import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Unavailable } from './describe-with.js';

/** WABT's assembler of WebAssembly text, which also validates. It writes lengths in five bytes, as kscope does. */
export interface Wat2Wasm {
  /** The module's bytes; throws what the assembler complains about. Code is validated unless told otherwise. */
  assemble(text: string, options?: { readonly validate?: boolean }): Uint8Array;
}

export function wat2wasm(): Wat2Wasm | Unavailable {
  const { error } = spawnSync('wat2wasm', ['--version']);
  return error === undefined ? { assemble } : { unavailable: 'wat2wasm is not installed (package wabt)' };
}

function assemble(text: string, { validate = true }: { readonly validate?: boolean } = {}): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-wat-'));
  try {
    const [input, output] = ['in.wat', 'out.wasm'].map((name) => join(folder, name));
    writeFileSync(input, text);
    const flags = ['--enable-threads', '--no-canonicalize-leb128s', ...(validate ? [] : ['--no-check'])];
    const { status, stderr } = spawnSync('wat2wasm', [...flags, input, '-o', output], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr.split('\n').slice(0, 3).join('\n'));
    return new Uint8Array(readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
