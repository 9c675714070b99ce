import { CpuBlock, MAX_RECORDS } from './cpu-block.js';
import type { BpfRunCtx } from './run-context.js';

/*
 * The ring buffer records that a run has reserved and not committed. They stand in the block of its CPU, where compiled
 * code opens and closes them on its own; what does not fit there goes to `BpfRunCtx.reservations` and `extraRegions`.
 */

export function openRecord(run: BpfRunCtx, record: number, size: number): void {
  const { u32 } = run.runtime.memory;
  const count = recordCount(run);
  if (count === MAX_RECORDS) {
    run.reservations.push(record);
    run.extraRegions.push({ start: record, end: record + size, stride: 0, size, writable: true });
    return;
  }
  const pair = recordTable(run) + 2 * count;
  u32[pair] = record;
  u32[pair + 1] = size;
  setRecordCount(run, count + 1);
}

/** False where the run has no such record open. The last record in the table takes the place of the one that goes. */
export function closeRecord(run: BpfRunCtx, record: number): boolean {
  const at = tableIndex(run, record);
  if (at < 0) return closeListed(run, record);
  const { u32 } = run.runtime.memory;
  const table = recordTable(run);
  const last = recordCount(run) - 1;
  u32.copyWithin(table + 2 * at, table + 2 * last, table + 2 * last + 2);
  setRecordCount(run, last);
  return true;
}

export function isOpenRecord(run: BpfRunCtx, record: number): boolean {
  return tableIndex(run, record) >= 0 || run.reservations.includes(record);
}

export function hasOpenRecords(run: BpfRunCtx): boolean {
  return recordCount(run) > 0 || run.reservations.length > 0;
}

/** The open records, a copy. */
export function openRecords(run: BpfRunCtx): number[] {
  const { u32 } = run.runtime.memory;
  const table = recordTable(run);
  const own = Array.from({ length: recordCount(run) }, (_, i) => u32[table + 2 * i]);
  return [...own, ...run.reservations];
}

/** Index of the word pair (data offset, size) of the open record in the table that holds `size` bytes at `at`; -1 for none. */
export function recordAround(run: BpfRunCtx, at: number, size: number): number {
  const { u32 } = run.runtime.memory;
  const table = recordTable(run);
  const end = table + 2 * recordCount(run);
  for (let pair = table; pair < end; pair += 2) {
    if (at >= u32[pair] && at + size <= u32[pair] + u32[pair + 1]) return pair;
  }
  return -1;
}

function tableIndex(run: BpfRunCtx, record: number): number {
  const { u32 } = run.runtime.memory;
  const table = recordTable(run);
  for (let i = recordCount(run) - 1; i >= 0; i--) if (u32[table + 2 * i] === record) return i;
  return -1;
}

function closeListed(run: BpfRunCtx, record: number): boolean {
  const open = run.reservations.indexOf(record);
  if (open < 0) return false;
  run.reservations.splice(open, 1);
  const region = run.extraRegions.findIndex(({ start }) => start === record);
  if (region >= 0) run.extraRegions.splice(region, 1);
  return true;
}

function recordCount(run: BpfRunCtx): number {
  return run.runtime.memory.u32[blockWord(run) + (CpuBlock.records >>> 2)];
}

function setRecordCount(run: BpfRunCtx, count: number): void {
  run.runtime.memory.u32[blockWord(run) + (CpuBlock.records >>> 2)] = count;
}

function recordTable(run: BpfRunCtx): number {
  return blockWord(run) + (CpuBlock.recordTable >>> 2);
}

function blockWord(run: BpfRunCtx): number {
  return (run.runtime.cpuBlocks + run.cpu * CpuBlock.stride) >>> 2;
}
