import { describe, expect, it } from 'vitest';
import { BpfFuncId, BpfProgType } from '../../../src/base/index.js';
import { createHelperTable, helperByName, type Helper } from '../../../src/runtime/helper/index.js';
import { call, encodeInsns, exit, mov64Imm } from '../../../src/runtime/isa/index.js';
import { readGolden, recording, writeGolden } from '../../oracle/golden.js';
import { describeWithLinux, type LinuxOracle } from '../../oracle/linux.js';

const GOLDEN = new URL('../../testdata/helper/availability.txt', import.meta.url);
const table = createHelperTable();

/** Types of which the kernel loads a program that does nothing, without further attributes. */
const T = BpfProgType;
const types = [
  T.BPF_PROG_TYPE_SOCKET_FILTER,
  T.BPF_PROG_TYPE_KPROBE,
  T.BPF_PROG_TYPE_SCHED_CLS,
  T.BPF_PROG_TYPE_TRACEPOINT,
  T.BPF_PROG_TYPE_XDP,
  T.BPF_PROG_TYPE_PERF_EVENT,
  T.BPF_PROG_TYPE_CGROUP_SKB,
  T.BPF_PROG_TYPE_CGROUP_DEVICE,
  T.BPF_PROG_TYPE_LWT_XMIT,
  T.BPF_PROG_TYPE_SOCK_OPS,
  T.BPF_PROG_TYPE_SK_MSG,
  T.BPF_PROG_TYPE_RAW_TRACEPOINT,
  T.BPF_PROG_TYPE_SK_REUSEPORT,
  T.BPF_PROG_TYPE_FLOW_DISSECTOR,
  T.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
];

/** Of helpers that none of these types may call the kernel does not tell what licence they need. */
function line(name: string, gplOnly: boolean, available: readonly number[]): string {
  return `${name} gpl_only=${available.length === 0 ? 'untold' : gplOnly} types=${available.join(',')}`;
}

function ours({ name, gplOnly, programTypes }: Helper): string {
  return line(
    name,
    gplOnly,
    types.filter((type) => programTypes?.includes(type) ?? true),
  );
}

async function askLinux(linux: LinuxOracle, helper: Helper): Promise<string> {
  const insns = encodeInsns([call(helper.id), mov64Imm(0, 0), exit()]);
  const slot = linux.slot();
  const log = async (type: number, license: string): Promise<string> => {
    const loaded = await linux.progLoad(slot, { type, insns, license, logLevel: 1 });
    await linux.close(slot);
    return loaded.log;
  };
  const available: number[] = [];
  for (const type of types) {
    if (!(await log(type, 'GPL')).includes('cannot use helper')) available.push(type);
  }
  const refused = await log(available[0] ?? T.BPF_PROG_TYPE_KPROBE, 'Proprietary');
  return line(helper.name, refused.includes('cannot call GPL-restricted function'), available);
}

/**
 * The kernel on which the golden was recorded is locked down: it offers bpf_probe_write_user to nobody.
 * The verifier says so before it looks at the licence.
 */
const LOCKED_DOWN = 'probe_write_user';
const compared = [...table.values()].filter((row) => row.name !== LOCKED_DOWN);

describe('the helper table', () => {
  it('has the numbers and names of the kernel', () => {
    const numbers: Readonly<Record<string, number>> = BpfFuncId;
    for (const row of table.values()) expect(numbers[`BPF_FUNC_${row.name}`], row.name).toBe(row.id);
  });

  it('finds rows by name', () => {
    expect(helperByName(table, 'bpf_ringbuf_output')?.id).toBe(130);
    expect(helperByName(table, 'loop')?.id).toBe(181);
    expect(helperByName(table, 'frobnicate')).toBeUndefined();
  });

  it('puts a size behind every argument that is memory', () => {
    for (const { name, args } of table.values()) {
      args.forEach((arg, i) => {
        const sized = arg === 'mem' || arg === 'mem_or_null' || arg === 'mem_uninit' || arg === 'mem_uninit_or_null';
        if (sized) expect(args[i + 1], `${name}, argument ${i + 2}`).toMatch(/^const_size/);
      });
    }
  });

  it.skipIf(recording())('offers each helper to the program types and licences that the kernel offers it to', () => {
    expect(compared.map(ours)).toEqual(readGolden(GOLDEN).lines);
  });
});

describeWithLinux('who may call which helper, live', (linux) => {
  it('is what the golden says', async () => {
    const live: string[] = [];
    for (const helper of compared) live.push(await askLinux(linux, helper));
    if (recording()) writeGolden(GOLDEN, { release: linux.release, lines: live });
    expect(live).toEqual(readGolden(GOLDEN).lines);
  });
});
