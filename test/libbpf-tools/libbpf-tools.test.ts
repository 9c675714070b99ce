import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { encodeBtf, parseBtf } from '../../src/btf/index.js';
import { parseKallsyms } from '../../src/host/index.js';
import { createSim } from '../../src/host/sim/index.js';
import { CollectionSpec } from '../../src/loader/index.js';
import { recording } from '../oracle/golden.js';
import { describeWithLibbpf } from '../oracle/libbpf.js';
import { describeWithLibbpfTools } from '../oracle/libbpf-tools.js';
import { compareLinked } from './compare-linked.js';
import { describeDelivery, formatTable, lacking, type ToolRow } from './tool-table.js';
import { ToolSession } from './tool-session.js';
import type { Tool } from './tool.js';
import { tools } from './tools.js';

const TABLE = new URL('../../docs/libbpf-tools.md', import.meta.url);
const LEAST = 10;
/** Which of the bytes that are not zero is spoiled. */
const WRONG_BYTE = Number(process.env['KSCOPE_SEED'] ?? 0);
const nameOf = (object: string): string => object.replace('.bpf.o', '');

describeWithLibbpfTools('the objects of libbpf-tools', ({ folder, objects }) => {
  const parse = (object: string): CollectionSpec => CollectionSpec.parse(readFileSync(join(folder, object)));
  const delivered = new Map<string, { readonly count: number; readonly tool: Tool }>();

  it.each(tools)('$name: attaches all it loads, and delivers what the journal has', (tool) => {
    const session = new ToolSession(join(folder, `${tool.name}.bpf.o`), tool, tool.workload);
    const wanted = session.spec.programs.filter(
      ({ name, autoload }) => autoload && tool.without?.includes(name) !== true,
    );
    expect(session.attached).toEqual(wanted.map(({ name }) => name));
    session.run();
    expect(session.faults).toEqual([]);
    const { delivered: seen, journal, count } = tool.compare(session);
    expect(count).toBeGreaterThanOrEqual(LEAST);
    expect(seen).toEqual(journal);
    delivered.set(tool.name, { count, tool });
    // What is compared is not compared with itself: a byte of what was delivered, made another, is found.
    session.spoil(WRONG_BYTE);
    const wrong = tool.compare(session);
    expect(wrong.delivered).not.toEqual(wrong.journal);
    session.close();
  });

  it('all open, and the table tells what each lacks and delivers', () => {
    const host = createSim();
    const rows = objects.map((object): ToolRow => {
      const name = nameOf(object);
      const spec = parse(object);
      const tool = tools.find((each) => each.name === name);
      const delivers = delivered.get(name);
      return {
        name,
        programs: spec.programs.length,
        ...lacking(spec, tool, host),
        attaches: delivers !== undefined,
        counts: delivers !== undefined && delivers.tool.leavesOut === undefined,
        delivers: delivers === undefined ? '' : describeDelivery(delivers.count, delivers.tool),
      };
    });
    const text = formatTable(rows);
    if (recording()) writeFileSync(TABLE, text);
    expect(text).toBe(readFileSync(TABLE, 'utf8'));
  });

  describeWithLibbpf('linked', (libbpf) => {
    const scratch = mkdtempSync(join(tmpdir(), 'libbpf-tools-'));
    afterAll(() => rmSync(scratch, { recursive: true, force: true }));

    it('for the simulator, are byte for byte what libbpf makes of them', () => {
      const host = createSim();
      const path = join(scratch, 'sim.btf');
      writeFileSync(path, encodeBtf(host.btf));
      expect(
        compareLinked({ folder, objects }, host.btf, libbpf.dump(folder, objects, path, 'CONFIG_HZ=1')),
      ).toBeGreaterThan(100);
    });

    const vmlinux = '/sys/kernel/btf/vmlinux';
    it.skipIf(!existsSync(vmlinux))('for the running kernel, too', () => {
      const btf = parseBtf(readFileSync(vmlinux));
      const kallsyms = parseKallsyms(readFileSync('/proc/kallsyms', 'utf8'));
      const compared = compareLinked(
        { folder, objects },
        btf,
        libbpf.dump(folder, objects, null, 'CONFIG_HZ=1'),
        kallsyms,
      );
      console.log(`libbpf ${libbpf.version}: ${compared} programs of ${objects.length} objects compared`);
      expect(compared).toBeGreaterThan(100);
    });
  });
});
