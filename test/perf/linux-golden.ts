import { readFileSync } from 'node:fs';

/** What test/oracle/perf-recorder.c wrote down on Linux. */
export interface LinuxGolden {
  readonly release: string;
  /** Field name to [offset, value after mmap of two data pages]. */
  readonly page: ReadonlyMap<string, readonly [number, number]>;
  readonly opens: readonly GoldenOpen[];
  readonly streams: ReadonlyMap<string, GoldenStream>;
}

export interface GoldenOpen {
  readonly name: string;
  /** One page and more: trailing zeros restored. */
  readonly attr: Uint8Array;
  readonly pid: number;
  readonly cpu: number;
  readonly flags: number;
  /** 0 or -errno. */
  readonly result: number;
}

export interface GoldenStream {
  readonly name: string;
  readonly attr: Uint8Array;
  readonly records: Uint8Array[];
  readonly outputs: { readonly size: number; readonly result: number }[];
}

/** The recording that is committed. */
export function loadLinuxGolden(): LinuxGolden {
  return parseRecording(readFileSync(new URL('../testdata/perf/linux.txt', import.meta.url), 'utf8'));
}

/** The lines that the recorder prints. */
function parseRecording(text: string): LinuxGolden {
  const golden = { release: '', page: new Map(), opens: [] as GoldenOpen[], streams: new Map<string, GoldenStream>() };
  let stream: GoldenStream | undefined;
  for (const line of text.trim().split('\n')) {
    const [kind, first = '', second = '', ...rest] = line.split(' ');
    if (kind === 'release') golden.release = first;
    else if (kind === 'page') golden.page.set(first, [Number(second), Number(rest[0])]);
    else if (kind === 'open') golden.opens.push(openOf(first, second, rest.map(Number)));
    else if (kind === 'stream')
      golden.streams.set(first, (stream = { name: first, attr: padded(second), records: [], outputs: [] }));
    else if (kind === 'record') stream?.records.push(fromHex(first));
    else if (kind === 'output') stream?.outputs.push({ size: Number(first), result: Number(second) });
  }
  return golden;
}

/** The records of that name; there is one of every name the tests use. */
export function streamOf(golden: LinuxGolden, name: string): GoldenStream {
  const stream = golden.streams.get(name);
  if (stream === undefined) throw new RangeError(`nothing was recorded as ${name}`);
  return stream;
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function padded(hex: string): Uint8Array {
  const bytes = new Uint8Array(4200);
  bytes.set(fromHex(hex));
  return bytes;
}

function openOf(name: string, hex: string, [pid, cpu, flags, result]: number[]): GoldenOpen {
  return { name, attr: padded(hex), pid: pid, cpu: cpu, flags: flags, result: result };
}
