import { expect, it } from 'vitest';
import { arm64PtRegs } from '../../../src/arch/index.js';
import type { Btf } from '../../../src/btf/index.js';
import { debianKernel } from '../../oracle/debian-kernel.js';
import { describeWith, type Unavailable } from '../../oracle/describe-with.js';
import { btfOfImage } from '../../oracle/kernel-btf.js';

function kernelBtf(): { readonly btf: Btf } | Unavailable {
  const kernel = debianKernel('arm64');
  if ('unavailable' in kernel) return kernel;
  const btf = btfOfImage(kernel.path);
  return btf === null ? { unavailable: `${kernel.path} holds no BTF` } : { btf };
}

/** `name@offset` of each 64-bit slot of a struct, members of nested ones and of the first of a union's among them. */
function slotsOf(btf: Btf, id: number, base = 0, prefix = ''): string[] {
  const type = btf.resolve(id);
  if (type.kind === 'array') {
    const size = btf.sizeOf(type.elementType);
    return Array.from({ length: type.count }, (_, i) => `${prefix}${i}@${base + i * size}`);
  }
  if (type.kind !== 'struct' && type.kind !== 'union') return [`${prefix}@${base}`];
  const members = type.kind === 'union' ? type.members.slice(-1) : type.members;
  return members.flatMap(({ name, type: member, bitOffset }) =>
    slotsOf(btf, member, base + bitOffset / 8, name === 'regs' ? 'x' : name),
  );
}

describeWith('struct pt_regs of a Debian kernel', kernelBtf(), ({ btf }) => {
  it('has the size, names and offsets of the layout', () => {
    const [id] = btf.idsByName('pt_regs') as [number];
    // The upper half of the slot of syscallno has a name of its own.
    const slots = slotsOf(btf, id).filter((slot) => !slot.startsWith('unused2@'));
    expect(slots).toEqual(arm64PtRegs.names.map((name, i) => `${name}@${8 * i}`));
    expect(btf.sizeOf(id)).toBe(arm64PtRegs.size);
  });
});
