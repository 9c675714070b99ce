// Writes data/*.bin, the inputs of the workloads; they are committed. The same bytes every time.
import { writeFileSync } from 'node:fs';

function write(name, bytes) {
  writeFileSync(new URL(`data/${name}.bin`, import.meta.url), bytes);
}

/** 1500 bytes of a 32-bit xorshift. */
function randomBytes() {
  let state = 0x12345678;
  return Uint8Array.from({ length: 1500 }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  });
}

/** An Ethernet frame with a TCP SYN from 10.0.0.1:40000 to 10.0.0.2:443. */
function packet() {
  const frame = Buffer.alloc(64);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(50, 16);
  frame[22] = 64;
  frame[23] = 6;
  frame.writeUInt32BE(0x0a000001, 26);
  frame.writeUInt32BE(0x0a000002, 30);
  frame.writeUInt16BE(40000, 34);
  frame.writeUInt16BE(443, 36);
  frame[46] = 0x50;
  frame[47] = 2;
  return frame;
}

/** struct event of workload.h. */
function event() {
  const bytes = Buffer.alloc(64);
  bytes.writeBigUInt64LE(123456789012n, 0);
  bytes.writeUInt32LE(4242, 8);
  bytes.writeUInt32LE(1, 12);
  bytes.writeBigUInt64LE(987654n, 16);
  bytes.write('bench', 32);
  return bytes;
}

write('bytes', randomBytes());
write('packet', packet());
write('event', event());
