import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeBtf } from '../../src/btf/index.js';
import { findBtf } from '../../src/host/guest/index.js';
import { linkedLines } from '../loader/linked-lines.js';
import { objectFiles, objectFolder, sourceOf } from '../loader/objects.js';
import { debianKernel } from '../oracle/debian-kernel.js';
import { describeWith } from '../oracle/describe-with.js';
import { describeWithLibbpf } from '../oracle/libbpf.js';

/** Symbols of the kernel are asked of the running one by libbpf: objects without them can be linked for any other. */
const objects = objectFiles.filter((file) => !['externs', 'configuration'].includes(sourceOf(file)));

describeWithLibbpf('linked for kernels that Debian built', (libbpf) => {
  describe.each(['x86_64', 'arm64', 'riscv64'] as const)('%s', (arch) => {
    describeWith(`a Debian kernel for ${arch}`, debianKernel(arch), ({ path }) => {
      it('every object has the instructions that libbpf gives', () => {
        const found = findBtf(readFileSync(path));
        if (found === null) throw new Error(`${path} has no BTF`);
        const scratch = mkdtempSync(join(tmpdir(), 'kscope-btf-'));
        try {
          const file = join(scratch, 'kernel.btf');
          writeFileSync(file, encodeBtf(found.btf));
          const expected = libbpf.dump(objectFolder, objects, file);
          console.log(`${path}: ${expected.length} programs of ${objects.length} objects compared`);
          expect(objects.flatMap((object) => linkedLines(object, found.btf))).toEqual(expected);
        } finally {
          rmSync(scratch, { recursive: true });
        }
      }, 300_000);
    });
  });
});
