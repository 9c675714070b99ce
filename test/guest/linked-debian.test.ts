import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBtf } from '../../src/btf/index.js';
import { findBtf, type FoundBtf } from '../../src/host/guest/index.js';
import { compareLinked } from '../libbpf-tools/compare-linked.js';
import { parseKallsyms } from '../../src/host/index.js';
import { linkedLines } from '../loader/linked-lines.js';
import { objectFiles, objectFolder, sourceOf } from '../loader/objects.js';
import { debianKernel } from '../oracle/debian-kernel.js';
import { describeWith } from '../oracle/describe-with.js';
import { describeWithLibbpf } from '../oracle/libbpf.js';
import { describeWithLibbpfTools } from '../oracle/libbpf-tools.js';

/** Types of kernel symbols are asked of the running kernel by libbpf: objects without them can be linked for any other. */
const objects = objectFiles.filter((file) => sourceOf(file) !== 'externs');
/** Addresses of symbols are the running kernel's as well. */
const running = '/proc/kallsyms';

describeWithLibbpf('linked for kernels that Debian built', (libbpf) => {
  describe.each(['x86_64', 'arm64', 'riscv64'] as const)('%s', (arch) => {
    describeWith(`a Debian kernel for ${arch}`, debianKernel(arch), ({ path }) => {
      const scratch = mkdtempSync(join(tmpdir(), 'kscope-btf-'));
      const file = join(scratch, 'kernel.btf');
      const found = findBtf(readFileSync(path));
      beforeAll(() => {
        if (found === null) throw new Error(`${path} has no BTF`);
        writeFileSync(file, encodeBtf(found.btf));
      });
      afterAll(() => rmSync(scratch, { recursive: true }));

      it('every object has the instructions that libbpf gives', () => {
        const { btf } = found as FoundBtf;
        const expected = libbpf.dump(objectFolder, objects, file, 'CONFIG_HZ=1');
        const kallsyms = parseKallsyms(readFileSync(running, 'utf8'));
        console.log(`${path}: ${expected.length} programs of ${objects.length} objects compared`);
        expect(objects.flatMap((object) => linkedLines(object, btf, kallsyms))).toEqual(expected);
      }, 300_000);

      describeWithLibbpfTools('libbpf-tools', (tools) => {
        it('so has each of its objects', () => {
          const { btf } = found as FoundBtf;
          const compared = compareLinked(tools, btf, libbpf.dump(tools.folder, tools.objects, file, 'CONFIG_HZ=1'));
          console.log(`${path}: ${compared} programs of ${tools.objects.length} tools compared`);
          expect(compared).toBeGreaterThan(100);
        }, 300_000);
      });
    });
  });
});
