import { beforeEach, describe, expect, it } from 'vitest';
import {
  defineTracepoint,
  formatOf,
  MAX_RECORD_SIZE,
  TracepointRegistry,
  TracepointSet,
} from '../../src/tracepoint/index.js';
import { TestHost } from '../support/test-host.js';
import { TestRuntime } from '../support/test-runtime.js';

const PATH = 0xffff_8881_2000_0000n;

const definition = {
  system: 'toyfs',
  name: 'toyfs_open',
  args: {
    mode: 'u8',
    path: 'string',
    inode: 'u64',
    error: 's32',
    delta: 's64',
    gen: 'u16',
    tiny: 's8',
    small: 's16',
    flags: 'u32',
  },
} as const;

const VALUES = {
  mode: 7,
  path: PATH,
  inode: 0xffff_ffff_ffff_fff0n,
  error: -2,
  delta: -3n,
  gen: 65535,
  tiny: -1,
  small: -2,
  flags: 0x8000_0000,
};

function setUp(text = '/etc/hosts\0') {
  const open = defineTracepoint(definition);
  const host = new TestHost();
  Object.assign(host, { tracepoints: new TracepointSet([open]) });
  host.memory.map(PATH, 8192).set(new TextEncoder().encode(text));
  const registry = new TracepointRegistry(new TestRuntime(host).runtime);
  const event = registry.event('toyfs', 'toyfs_open');
  return { open, host, registry, event };
}

let { open, host, event, registry } = setUp();

beforeEach(() => {
  ({ open, host, event, registry } = setUp());
});

/** The fields of the next record by name, as `format` says where they are. */
function record(): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    event.register((_data, { view, start, data }) => {
      const fields: Record<string, unknown> = {};
      for (const { name, offset, size, signed, type } of event.descriptor.fields) {
        const at = start + offset;
        if (type.startsWith('__data_loc')) {
          const word = view.getUint32(at, true);
          fields[name] = new TextDecoder().decode(
            data.slice(start + (word & 0xffff), start + (word & 0xffff) + (word >>> 16)),
          );
        } else if (size === 8) fields[name] = signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true);
        else
          fields[name] = {
            1: signed ? view.getInt8(at) : view.getUint8(at),
            2: signed ? view.getInt16(at, true) : view.getUint16(at, true),
            4: signed ? view.getInt32(at, true) : view.getUint32(at, true),
          }[size];
      }
      resolve(fields);
    }, null);
    open.emit(0, VALUES);
  });
}

describe('a defined tracepoint', () => {
  it('lays its record out as C does and describes it in format', () => {
    expect(formatOf(event).split('\n').slice(8)).toEqual([
      '\tfield:u8 mode;\toffset:8;\tsize:1;\tsigned:0;',
      '\tfield:__data_loc char[] path;\toffset:12;\tsize:4;\tsigned:0;',
      '\tfield:u64 inode;\toffset:16;\tsize:8;\tsigned:0;',
      '\tfield:s32 error;\toffset:24;\tsize:4;\tsigned:1;',
      '\tfield:s64 delta;\toffset:32;\tsize:8;\tsigned:1;',
      '\tfield:u16 gen;\toffset:40;\tsize:2;\tsigned:0;',
      '\tfield:s8 tiny;\toffset:42;\tsize:1;\tsigned:1;',
      '\tfield:s16 small;\toffset:44;\tsize:2;\tsigned:1;',
      '\tfield:u32 flags;\toffset:48;\tsize:4;\tsigned:0;',
      '',
      'print fmt: "mode=%u path=%s inode=%llu error=%d delta=%lld gen=%u tiny=%d small=%d flags=%u", REC->mode, __get_str(path), REC->inode, REC->error, REC->delta, REC->gen, REC->tiny, REC->small, REC->flags',
      '',
    ]);
    expect(event.descriptor.size).toBe(56);
  });

  it('brings every value into the record', async () => {
    expect(await record()).toEqual({ ...VALUES, path: '/etc/hosts\0' });
  });

  it('shows a string that cannot be read as a fault', async () => {
    host.memory.write(PATH, [0]);
    Object.assign(host.memory, { readKernel: () => false });
    expect(await record()).toMatchObject({ path: '(fault)\0' });
  });

  it('cuts a string that does not fit', async () => {
    ({ open, host, event } = setUp('x'.repeat(8000)));
    const { path } = (await record()) as { path: string };
    expect(path.length).toBe(4096);
    expect(path.length + event.descriptor.size).toBeLessThan(MAX_RECORD_SIZE);
  });

  it('is refused a CPU that the host has not', () => {
    event.register(() => undefined, null);
    for (const cpu of [-1, host.cpus, Number.NaN]) {
      expect(() => open.emit(cpu, VALUES)).toThrowError(
        new RangeError(`a hit on CPU ${cpu}: the host has CPUs 0 .. ${host.cpus - 1}`),
      );
    }
  });

  it('is on while the registry has listeners, and silent otherwise', () => {
    const seen: number[] = [];
    const probe = (_data: unknown, args: Int32Array): void => void seen.push(args[0]);
    open.emit(0, VALUES);
    registry.tracepoint('toyfs_open').register(probe, null);
    expect(open.enabled).toBe(true);
    open.emit(0, VALUES);
    registry.tracepoint('toyfs_open').unregister(probe, null);
    expect(open.enabled).toBe(false);
    open.emit(0, VALUES);
    expect(seen).toEqual([7]);
  });

  it('keeps the arguments of a hit apart from those of a hit inside it', () => {
    const seen: number[] = [];
    const tracepoint = registry.tracepoint('toyfs_open');
    tracepoint.register((_data, args) => {
      if (args[0] === 7) open.emit(0, { ...VALUES, mode: 8 });
    }, null);
    tracepoint.register((_data, args) => void seen.push(args[0]), null);
    open.emit(0, VALUES);
    expect(seen).toEqual([8, 7]);
  });

  it('takes values of its types only', () => {
    const other = defineTracepoint({ system: 'a', name: 'b', args: { id: 'u64' } });
    // @ts-expect-error 64-bit values are never numbers
    other.emit(0, { id: 1 });
    // @ts-expect-error a value is missing
    other.emit(0, {});
  });
});
