import type { TraceEventDescriptor } from '../../../src/host/index.js';
import type { SimHost } from '../../../src/host/sim/index.js';

/** One hit of a tracepoint with the record of one of its events. */
export interface TracepointHit {
  readonly name: string;
  readonly cpu: number;
  readonly time: number;
  /** The task that was running. */
  readonly pid: number;
  /** Raw arguments as word pairs, copied. */
  readonly args: Int32Array;
  /** Numeric fields of the (first) event's record; text of character arrays. */
  readonly fields: Readonly<Record<string, number | string>>;
}

const RECORD = 1024;

/** Enables tracepoints by name and calls `onHit` with decoded records. */
export function startTracing(host: SimHost, names: readonly string[], onHit: (hit: TracepointHit) => void): void {
  const { list } = host.tracepoints;
  host.tracepoints.setSink((index, args, cpu) => {
    const tracepoint = list[index];
    const event = tracepoint?.events[0];
    if (tracepoint === undefined || event === undefined) return;
    const now = new Int32Array(2);
    host.clock.monotonic(now);
    const task = new Int32Array(2);
    host.tasks.pidTgid(task);
    onHit({
      name: tracepoint.name,
      cpu,
      time: now[0] >>> 0,
      pid: task[0],
      args: args.slice(),
      fields: decodeRecord(host, event, args),
    });
  });
  for (const name of names) {
    const index = list.findIndex((tracepoint) => tracepoint.name === name);
    if (index < 0) throw new RangeError(`no tracepoint ${name}`);
    host.tracepoints.setEnabled(index, true);
  }
}

/** Runs the event's assignment and reads its fields back at their offsets. */
export function decodeRecord(
  host: SimHost,
  event: TraceEventDescriptor,
  args: Int32Array,
): Record<string, number | string> {
  const data = new Uint8Array(RECORD);
  const { buffer } = data;
  const record = {
    data,
    u16: new Uint16Array(buffer),
    i32: new Int32Array(buffer),
    view: new DataView(buffer),
    start: 0,
    length: event.size,
  };
  event.assign(args, record, host.memory);
  const fields: Record<string, number | string> = {};
  for (const { name, type, offset, size, signed } of event.fields) {
    if (type === 'char') fields[name] = text(data.subarray(offset, offset + size));
    else if (type.startsWith('__data_loc')) {
      const place = record.view.getUint32(offset, true);
      fields[name] = text(data.subarray(place & 0xffff, (place & 0xffff) + (place >>> 16)));
    } else if (size === 1) fields[name] = record.view.getUint8(offset);
    else if (size === 2) fields[name] = record.view.getUint16(offset, true);
    else if (size === 4)
      fields[name] = signed ? record.view.getInt32(offset, true) : record.view.getUint32(offset, true);
    else fields[name] = Number(record.view.getBigInt64(offset, true));
  }
  return fields;
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}
