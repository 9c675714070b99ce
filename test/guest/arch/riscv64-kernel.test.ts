import { expect, it } from 'vitest';
import { riscvPtRegs } from '../../../src/arch/index.js';
import type { Btf } from '../../../src/btf/index.js';
import { compareRiscv, expectNoDifferences, NO_ALIASES } from '../../arch/riscv64/compare-riscv.js';
import { debianKernel, type DebianKernel } from '../../oracle/debian-kernel.js';
import { describeWith, type Unavailable } from '../../oracle/describe-with.js';
import { btfOfImage } from '../../oracle/kernel-btf.js';
import { objdump, type Objdump } from '../../oracle/objdump.js';

/** How many instructions are compared at most. */
const LIMIT = Number(process.env['KSCOPE_CASES'] ?? 1_000_000);
const MINUTES = 60_000;

function kernelText(): (DebianKernel & { readonly tool: Objdump }) | Unavailable {
  const kernel = debianKernel('riscv64');
  const tool = objdump('riscv64-linux-gnu-objdump');
  if ('unavailable' in kernel) return kernel;
  return 'unavailable' in tool ? tool : { ...kernel, tool };
}

function kernelBtf(): { readonly btf: Btf } | Unavailable {
  const kernel = debianKernel('riscv64');
  if ('unavailable' in kernel) return kernel;
  const btf = btfOfImage(kernel.path);
  return btf === null ? { unavailable: `${kernel.path} holds no BTF` } : { btf };
}

describeWith('the text of a riscv64 kernel', kernelText(), ({ tool, path }) => {
  it(
    'has the lengths and classes that objdump shows',
    async () => {
      // The longest run without data: behind the header, before the init sections.
      const range = ['--start-address=0x2000', '--stop-address=0x900000'];
      const raw = ['-D', '-b', 'binary', '-m', 'riscv:rv64'];
      const made = await compareRiscv(tool.disassemble(path, { extra: [...raw, ...NO_ALIASES, ...range] }), LIMIT);
      expectNoDifferences(made, Math.min(LIMIT, 3_000_000));
    },
    5 * MINUTES,
  );
});

describeWith('struct pt_regs of a riscv64 kernel', kernelBtf(), ({ btf }) => {
  it('has the size, names and offsets of the layout', () => {
    const [id] = btf.idsByName('pt_regs') as [number];
    const type = btf.resolve(id);
    const members = type.kind === 'struct' ? type.members : [];
    expect(members.map(({ name, bitOffset }) => `${name}@${bitOffset / 8}`)).toEqual(
      riscvPtRegs.names.map((name, i) => `${name}@${8 * i}`),
    );
    expect(btf.sizeOf(id)).toBe(riscvPtRegs.size);
  });
});
