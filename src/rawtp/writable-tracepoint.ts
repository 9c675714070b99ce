import { BpfError } from '../base/index.js';
import {
  BPF_MEMORY_HI,
  type AttachmentOptions,
  type BpfProgram,
  ContextSlots,
  ProgramAttachment,
  type Runtime,
} from '../runtime/index.js';
import type { Tracepoint, TracepointProbe } from '../tracepoint/index.js';
import type { RawTracepointLink } from './raw-tracepoints.js';

/**
 * A program that may write what the first argument of a tracepoint points to. It sees a copy, whose address stands in the
 * place of the argument; what it has changed is put back when it returns. EINVAL where the tracepoint offers nothing to write.
 */
export function attachWritable(
  runtime: Runtime,
  program: BpfProgram,
  tracepoint: Tracepoint,
  options: Pick<AttachmentOptions, 'cookie' | 'onFault'>,
): RawTracepointLink {
  const { writableSize, args } = tracepoint.descriptor;
  if (writableSize === 0) {
    throw new BpfError('EINVAL', `attaching ${program.name} to ${tracepoint.name}`, {
      value: writableSize,
      remedy: 'this tracepoint offers nothing that a program may write',
    });
  }
  const size = 8 * args.length;
  const contexts = new ContextSlots(runtime.memory, runtime.cpus, size + writableSize);
  const call = new ProgramAttachment(runtime, program, { size, regs: null }, options);
  const before = new Uint8Array(writableSize);
  let running = 0;
  const freeUnused = (): void => {
    if (!call.live && running === 0) contexts.free();
  };
  const probe: TracepointProbe = (_data, words, cpu) => {
    const ctx = contexts.at(cpu);
    const copy = ctx + size;
    const { i32, u8 } = runtime.memory;
    i32.set(words.subarray(0, size / 4), ctx >> 2);
    const isThere = runtime.host.memory.readKernel(words[0], words[1], u8, copy, writableSize);
    if (isThere) {
      i32[ctx >> 2] = copy;
      i32[(ctx >> 2) + 1] = BPF_MEMORY_HI;
      before.set(u8.subarray(copy, copy + writableSize));
    }
    const run = call.begin(ctx, cpu);
    if (run === null) return;
    running++;
    try {
      if (isThere) {
        run.extraRegions.push({ start: copy, end: copy + writableSize, stride: 0, size: writableSize, writable: true });
      }
      program.engine.run(run, ctx);
    } finally {
      running--;
      call.close(run);
    }
    const isChanged = isThere && before.some((byte, i) => byte !== u8[copy + i]);
    if (isChanged) runtime.host.memory.writeKernel(words[0], words[1], u8, copy, writableSize);
    freeUnused();
  };
  tracepoint.register(probe, call);
  return {
    tracepoint,
    program,
    get counts() {
      return call.counts;
    },
    detach: () => {
      if (!call.live) return;
      tracepoint.unregister(probe, call);
      call.dispose();
      freeUnused();
    },
  };
}
