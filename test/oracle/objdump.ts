import { spawn, spawnSync } from 'node:child_process';
import type { Unavailable } from './describe-with.js';

/** One line of a disassembly. */
export interface ObjdumpInsn {
  readonly address: bigint;
  /** In memory order, whatever the order in which the tool prints them. */
  readonly bytes: Uint8Array;
  /** Mnemonic and operands, blanks collapsed; empty where the tool shows bytes only. */
  readonly text: string;
}

export interface ObjdumpOptions {
  /** Only these sections; all that hold code if absent. */
  readonly sections?: readonly string[];
  /** Arguments beyond the usual, like `-M`, `i386` or `-b`, `binary`, `-m`, `aarch64`. */
  readonly extra?: readonly string[];
}

/** A disassembler as a program: GNU's objdump, one built for another architecture, or LLVM's. */
export class Objdump {
  readonly tool: string;
  readonly version: string;

  constructor(tool: string, version: string) {
    this.tool = tool;
    this.version = version;
  }

  /**
   * The instructions of `file` in the order of the listing, in batches: files of any size are read as the tool writes.
   * Throws where the tool fails.
   */
  async *disassemble(
    file: string,
    { sections = [], extra = [] }: ObjdumpOptions = {},
  ): AsyncGenerator<readonly ObjdumpInsn[]> {
    // GNU's leaves out runs of zeros and breaks long instructions into lines unless told otherwise.
    const usual = this.tool.startsWith('llvm') ? ['-d', '-z'] : ['-d', '-w', '-z'];
    const chosen = sections.map((name) => `--section=${name}`);
    const child = spawn(this.tool, [...usual, ...chosen, ...extra, file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    const done = new Promise<number | null>((resolve) => child.on('close', resolve));
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString('latin1')));
    try {
      let rest = '';
      for await (const chunk of child.stdout) {
        const lines = `${rest}${(chunk as Buffer).toString('latin1')}`.split('\n');
        rest = lines.pop() as string;
        yield lines.map(parseLine).filter((insn) => insn !== null);
      }
      const status = await done;
      if (status !== 0) throw new Error(`${this.tool} ${file} ended with ${status}: ${complaint.split('\n')[0]}`);
    } finally {
      child.kill();
    }
  }
}

/** The disassembler called `tool`: `objdump`, `llvm-objdump-19`, `aarch64-linux-gnu-objdump` … */
export function objdump(tool = 'objdump'): Objdump | Unavailable {
  const { error, stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  if (error !== undefined) return { unavailable: `${tool} is not installed` };
  return new Objdump(tool, /(\d+\.\d+(\.\d+)?)/.exec(stdout)?.[1] ?? 'of unknown version');
}

const LINE = /^\s*([0-9a-f]+):\s+((?:[0-9a-f]{2})+(?: (?:[0-9a-f]{2})+)*)\s*(?:\t\s*(.*))?$/;

function parseLine(line: string): ObjdumpInsn | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const [, address, hex, text = ''] = match as unknown as [string, string, string, string?];
  return { address: BigInt(`0x${address}`), bytes: bytesOf(hex), text: text.trim().replaceAll(/\s+/g, ' ') };
}

/** Groups of more than two digits are words, printed with the most significant byte first. */
function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(
    hex.split(' ').flatMap((group) => {
      const bytes = group.match(/../g) as string[];
      return bytes.toReversed().map((byte) => Number.parseInt(byte, 16));
    }),
  );
}
