import type { HostMemory, TraceEventDescriptor, TraceRecord } from '../../index.js';
import type { KernelLayout } from '../kernel-layout.js';
import { put32, putPair, putText, traceEvent } from './event-builder.js';
import { read32, read64 } from './struct-reader.js';

const OP_MASK = 0xff;
const OP_LETTERS = ['R', 'W', 'F', 'D'];
const REQ_SYNC = 1 << 11;
const SECTOR_SHIFT = 9;
/** The request takes no SCSI command: an empty text. */
const NO_COMMAND = new Uint8Array(0);

const DEVICE = '((unsigned int) ((REC->dev) >> 20)), ((unsigned int) ((REC->dev) & ((1U << 20) - 1)))';

/** The block layer's request events. */
export function blockEvents(
  layout: KernelLayout,
  currentComm: (dst: Uint8Array, offset: number) => boolean,
): Readonly<Record<string, TraceEventDescriptor>> {
  const at = {
    flags: layout.offset('request', 'cmd_flags'),
    length: layout.offset('request', '__data_len'),
    sector: layout.offset('request', '__sector'),
    part: layout.offset('request', 'part'),
    disk: layout.offset('block_device', 'bd_disk'),
    bioSector: layout.offset('bio', 'bi_iter.bi_sector'),
    bioSize: layout.offset('bio', 'bi_iter.bi_size'),
    bioDevice: layout.offset('bio', 'bi_bdev'),
    bioFlags: layout.offset('bio', 'bi_opf'),
    deviceNumber: layout.offset('block_device', 'bd_dev'),
    major: layout.offset('gendisk', 'major'),
    firstMinor: layout.offset('gendisk', 'first_minor'),
  };

  /** Device of the request's disk: dev_t with the minor in the low 20 bits. */
  const device = (memory: HostMemory, lo: number, hi: number): number => {
    const part = read64(memory, lo, hi, at.part);
    const disk = read64(memory, part.lo, part.hi, at.disk);
    return (read32(memory, disk.lo, disk.hi, at.major) << 20) | read32(memory, disk.lo, disk.hi, at.firstMinor);
  };
  const putRwbs = (record: TraceRecord, field: number, flags: number): void => {
    record.data[record.start + field] = (OP_LETTERS[flags & OP_MASK] ?? 'N').charCodeAt(0);
    if ((flags & REQ_SYNC) !== 0) record.data[record.start + field + 1] = 'S'.charCodeAt(0);
  };

  const request = (name: string): TraceEventDescriptor =>
    traceEvent(
      'block',
      name,
      [
        'dev_t dev',
        'sector_t sector',
        'unsigned int nr_sector',
        'unsigned int bytes',
        'char rwbs[8]',
        'char comm[16]',
        '__data_loc char[] cmd',
      ],
      `"%d,%d %s %u (%s) %llu + %u [%s]", ${DEVICE}, REC->rwbs, REC->bytes, __get_str(cmd), (unsigned long long)REC->sector, REC->nr_sector, REC->comm`,
      (args, record, memory) => {
        const [lo, hi] = [args[0], args[1]];
        const bytes = read32(memory, lo, hi, at.length);
        const sector = read64(memory, lo, hi, at.sector);
        put32(record, 8, device(memory, lo, hi));
        putPair(record, 16, sector.lo, sector.hi);
        put32(record, 24, bytes >>> SECTOR_SHIFT);
        put32(record, 28, bytes);
        putRwbs(record, 32, read32(memory, lo, hi, at.flags));
        currentComm(record.data, record.start + 40);
        putText(record, 56, NO_COMMAND);
      },
    );

  const bio = (name: string): TraceEventDescriptor =>
    traceEvent(
      'block',
      name,
      ['dev_t dev', 'sector_t sector', 'unsigned int nr_sector', 'char rwbs[8]', 'char comm[16]'],
      `"%d,%d %s %llu + %u [%s]", ${DEVICE}, REC->rwbs, (unsigned long long)REC->sector, REC->nr_sector, REC->comm`,
      (args, record, memory) => {
        const [lo, hi] = [args[0], args[1]];
        const sector = read64(memory, lo, hi, at.bioSector);
        const bdev = read64(memory, lo, hi, at.bioDevice);
        put32(record, 8, read32(memory, bdev.lo, bdev.hi, at.deviceNumber));
        putPair(record, 16, sector.lo, sector.hi);
        put32(record, 24, read32(memory, lo, hi, at.bioSize) >>> SECTOR_SHIFT);
        putRwbs(record, 28, read32(memory, lo, hi, at.bioFlags));
        currentComm(record.data, record.start + 36);
      },
    );

  return {
    block_bio_queue: bio('block_bio_queue'),
    block_getrq: bio('block_getrq'),
    block_rq_insert: request('block_rq_insert'),
    block_rq_issue: request('block_rq_issue'),
    block_rq_complete: traceEvent(
      'block',
      'block_rq_complete',
      ['dev_t dev', 'sector_t sector', 'unsigned int nr_sector', 'int error', 'char rwbs[8]', '__data_loc char[] cmd'],
      `"%d,%d %s (%s) %llu + %u [%d]", ${DEVICE}, REC->rwbs, __get_str(cmd), (unsigned long long)REC->sector, REC->nr_sector, REC->error`,
      (args, record, memory) => {
        const [lo, hi] = [args[0], args[1]];
        const sector = read64(memory, lo, hi, at.sector);
        put32(record, 8, device(memory, lo, hi));
        putPair(record, 16, sector.lo, sector.hi);
        put32(record, 24, args[4] >>> SECTOR_SHIFT);
        put32(record, 28, args[2] === 0 ? 0 : -5);
        putRwbs(record, 32, read32(memory, lo, hi, at.flags));
        putText(record, 40, NO_COMMAND);
      },
    ),
  };
}
