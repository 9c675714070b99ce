import { describe, expect, it } from 'vitest';
import type { Btf } from '../../src/btf/index.js';
import { type CollectionSpec, type CoreDiagnostic, type LinkedProgram, Linker } from '../../src/loader/index.js';
import { objectFiles, parseObject } from '../../test/loader/objects.js';

/**
 * A law of CO-RE: linked for the types it was compiled with, an object keeps its instructions. It does not hold for
 * flavours, whose point is to be looked for among other types, nor for bit-fields, for which the compiler may choose
 * another load than the loader; type ids it numbers itself.
 */
describe.each(objectFiles)('%s linked for its own types', (file) => {
  it('stays as it was compiled', () => {
    const spec = parseObject(file);
    const linker = new Linker(spec, { btf: spec.btf });
    for (const program of spec.programs) {
      const linked = linkIfClear(linker, program);
      const compiled = spec.code.code.insnsOf(program.entry);
      for (const { insn, kind, poisoned, value } of linked?.core.filter((each) => isBound(spec.btf as Btf, each)) ??
        []) {
        if (insn >= compiled.length) continue;
        expect({ poisoned, kind, value, insn: linked?.insns[insn] }).toEqual({
          poisoned: false,
          kind,
          value,
          insn: compiled[insn],
        });
      }
    }
  });
});

/** Undefined where the object's own flavours make it ambiguous to itself. */
function linkIfClear(linker: Linker, program: CollectionSpec['programs'][number]): LinkedProgram | undefined {
  try {
    return linker.link(program);
  } catch {
    return undefined;
  }
}

function isBound(btf: Btf, { type, access, kind }: CoreDiagnostic): boolean {
  const name = type.slice(type.indexOf(' ') + 1);
  // A type with a float inside does not match itself: libbpf's relation knows no floats.
  if (kind.startsWith('type_id') || kind === 'type_matches' || btf.idsByEssentialName(name).length !== 1) return false;
  const path = access.replace(/^\[\d+\]/, '').replace(/^\./, '');
  const isField = kind.startsWith('field') && path !== '';
  return !isField || btf.member(btf.idsByName(name)[0] ?? 0, path)?.bitSize === 0;
}
