import type { Activation } from './activation.js';

/** Negative offsets count from the network (SKF_NET_OFF) or link layer header (SKF_LL_OFF). */
const SKF_NET_OFF = -0x10_0000;
const SKF_LL_OFF = -0x20_0000;

/**
 * LD_ABS and LD_IND: r0 becomes the big-endian number of `size` bytes at `offset` of the packet. A packet
 * that has no such bytes makes the function return 0: false then.
 */
export function loadFromPacket(vm: Activation, offset: number, size: number): boolean {
  const { registers: r, run } = vm;
  const at = packetAddress(vm, offset | 0);
  r[0] = 0;
  r[1] = 0;
  if (at < run.macHeader || at + size > run.packetEnd) return false;
  const { u8 } = run.runtime.memory;
  for (let i = 0; i < size; i++) r[0] = (r[0] << 8) | u8[at + i];
  return true;
}

function packetAddress(vm: Activation, offset: number): number {
  const { run } = vm;
  if (offset >= 0) return run.packetStart + offset;
  if (offset >= SKF_NET_OFF) return run.networkHeader + (offset - SKF_NET_OFF);
  if (offset >= SKF_LL_OFF) return run.macHeader + (offset - SKF_LL_OFF);
  return -1;
}
