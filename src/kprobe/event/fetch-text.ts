import type { PtRegs } from '../../arch/index.js';
import type { HostMemory, TraceRecord } from '../../host/index.js';
import { addTo, type FetchMachine, type FetchValue, readBytes } from './compile-fetch.js';
import type { StoreMachine } from './compile-store.js';

/** Where the text of an argument comes from. */
export type TextSource =
  | { readonly kind: 'comm' }
  | { readonly kind: 'constant'; readonly bytes: Uint8Array }
  /** At an address, or at the addresses that stand one after the other at an address. */
  | {
      readonly kind: 'memory' | 'pointers';
      readonly address: FetchValue;
      readonly user: boolean;
      readonly pointersInUser: boolean;
    };

/** Appends the `index`th text to the record, terminated; how many bytes that are, 0 after a fault. */
export type TextWriter = (regs: PtRegs, record: TraceRecord, index: number) => number;

/** Longest text (MAX_STRING_SIZE), and where records end: what does not fit is cut. */
const MAX_TEXT = 4096;
const MAX_RECORD = 8192;
const COMM_LENGTH = 16;
/** Bytes read at once; they never cross a page, which may be absent. */
const CHUNK = 64;
const PAGE = 4096;

export function textWriter(source: TextSource, machine: StoreMachine): TextWriter {
  switch (source.kind) {
    case 'comm':
      return commWriter(machine);
    case 'constant':
      return constantWriter(source.bytes);
    case 'memory':
      return memoryWriter(source.address, source.user, machine.memory);
    default:
      return pointerWriter(source, machine);
  }
}

function commWriter({ tasks }: StoreMachine): TextWriter {
  return (_regs, { data, start, length }) => {
    const at = start + length;
    if (length + COMM_LENGTH > MAX_RECORD) return 0;
    data.fill(0, at, at + COMM_LENGTH);
    if (!tasks.comm(data, at)) return 0;
    data[at + COMM_LENGTH - 1] = 0;
    return data.indexOf(0, at) + 1 - at;
  };
}

function constantWriter(bytes: Uint8Array): TextWriter {
  const count = bytes.length;
  return (_regs, { data, start, length }) => {
    if (length + count + 1 > MAX_RECORD) return 0;
    for (let i = 0; i < count; i++) data[start + length + i] = bytes[i];
    data[start + length + count] = 0;
    return count + 1;
  };
}

function memoryWriter(address: FetchValue, user: boolean, memory: HostMemory): TextWriter {
  const at = new Int32Array(2);
  return (regs, record, index) => {
    // Texts of an array follow the pointers; without pointers there is one.
    if (!address(regs, at)) return 0;
    if (index > 0) addTo(at, index * 8, 0);
    return copyText(memory, at, user, record);
  };
}

function pointerWriter(source: Extract<TextSource, { address: FetchValue }>, machine: FetchMachine): TextWriter {
  const { address, user, pointersInUser } = source;
  const { memory, arch } = machine;
  const at = new Int32Array(2);
  const bytes = new Uint8Array(8);
  const words = new Int32Array(bytes.buffer);
  return (regs, record, index) => {
    if (!address(regs, at)) return 0;
    addTo(at, index * arch.pointerSize, 0);
    if (!readBytes(memory, at, pointersInUser, bytes, 0, arch.pointerSize)) return 0;
    at[0] = words[0];
    at[1] = words[1];
    return copyText(memory, at, user, record);
  };
}

/** Copies up to and including the terminator; a longer text is cut. 0 is a fault. */
function copyText(memory: HostMemory, at: Int32Array, user: boolean, { data, start, length }: TraceRecord): number {
  const room = Math.min(MAX_TEXT, MAX_RECORD - length);
  const begin = start + length;
  let done = 0;
  let chunk = CHUNK;
  while (done < room) {
    const toPageEnd = PAGE - (at[0] & (PAGE - 1));
    const size = Math.min(chunk, room - done, toPageEnd);
    if (!readBytes(memory, at, user, data, begin + done, size)) {
      // Memory may end before the page does, and the text before the memory.
      if (size === 1) return 0;
      chunk = 1;
      continue;
    }
    for (let end = done + size; done < end; done++) if (data[begin + done] === 0) return done + 1;
    addTo(at, size, 0);
  }
  if (room > 0) data[begin + room - 1] = 0;
  return room > 0 ? room : 0;
}
