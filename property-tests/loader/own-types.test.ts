import { expect, it } from 'vitest';
import { type Insn } from '../../src/runtime/index.js';
import { Linker } from '../../src/loader/index.js';
import { objectFiles, parseObject } from '../../test/loader/objects.js';

/**
 * A law of CO-RE: linked for the types it was compiled with, an object keeps its instructions. Flavours aside, whose
 * very point is to be looked for among other types.
 */
it.each(objectFiles)('%s linked for its own types stays as it was compiled', (file) => {
  const spec = parseObject(file);
  const linker = new Linker(spec, { btf: spec.btf });
  for (const program of spec.programs) {
    let linked;
    try {
      linked = linker.link(program);
    } catch {
      // Two flavours of one type in the object are ambiguous to itself, and externs are not its own.
      continue;
    }
    const compiled: readonly Insn[] = spec.code.code.insnsOf(program.entry);
    for (const { insn, type, kind, value, poisoned } of linked.core) {
      if (insn >= compiled.length || type.includes('___') || hasFlavours(type)) continue;
      expect(poisoned).toBe(false);
      if (kind.startsWith('type_id')) continue;
      const before = compiled[insn];
      expect({ kind, value, insn: linked.insns[insn] }).toMatchObject({ insn: before });
    }
  }

  function hasFlavours(type: string): boolean {
    const name = type.slice(type.indexOf(' ') + 1);
    return (spec.btf?.idsByEssentialName(name).length ?? 0) > 1;
  }
});
