import { createRequire } from 'node:module';

/** The part of capstone.js that is used here; the package brings no types. */
interface CapstoneModule {
  readonly [constant: `ARCH_${string}` | `MODE_${string}`]: number;
  readonly Capstone: new (
    arch: number,
    mode: number,
  ) => {
    disasm(bytes: Uint8Array, address: number, count: number): readonly CapstoneAnswer[];
    close(): void;
  };
}

interface CapstoneAnswer {
  readonly size: number;
  readonly mnemonic: string;
  readonly op_str: string;
}

const modes = {
  x86_64: ['ARCH_X86', ['MODE_64']],
  i386: ['ARCH_X86', ['MODE_32']],
  arm64: ['ARCH_ARM64', ['MODE_ARM']],
  riscv64: ['ARCH_RISCV', ['MODE_RISCV64', 'MODE_RISCVC']],
} as const;

/** Capstone 5, compiled to WebAssembly: a second opinion that is always there. */
export class Capstone {
  readonly #handle: InstanceType<CapstoneModule['Capstone']>;

  constructor(module: CapstoneModule, arch: keyof typeof modes) {
    const [name, bits] = modes[arch];
    const mode = bits.reduce((sum, bit) => sum | module[bit], 0);
    this.#handle = new module.Capstone(module[name], mode);
  }

  /** Length of the instruction that `bytes` begin with, 0 where Capstone knows none, and how it is written. */
  decode(bytes: Uint8Array): { readonly length: number; readonly text: string } {
    try {
      const [insn] = this.#handle.disasm(bytes, 0x1000, 1);
      return insn === undefined
        ? { length: 0, text: '' }
        : { length: insn.size, text: `${insn.mnemonic} ${insn.op_str}`.trim() };
    } catch {
      // It throws where it decodes nothing.
      return { length: 0, text: '' };
    }
  }

  close(): void {
    this.#handle.close();
  }
}

export async function capstone(arch: keyof typeof modes): Promise<Capstone> {
  const factory = createRequire(import.meta.url)('@alexaltea/capstone-js') as () => Promise<CapstoneModule>;
  return new Capstone(await factory(), arch);
}
