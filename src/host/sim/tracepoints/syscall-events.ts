import { X86Slot } from '../../../arch/index.js';
import type { HostMemory, TraceEventDescriptor, TraceField } from '../../index.js';
import { putArg, put32, putPair, traceEvent } from './event-builder.js';
import { read64 } from './struct-reader.js';
import { type SyscallEntry, syscallTable } from './syscall-table.js';

/** Slots of the six arguments of a system call in pt_regs. */
const ARG_SLOTS = [X86Slot.di, X86Slot.si, X86Slot.dx, X86Slot.r10, X86Slot.r8, X86Slot.r9];

const NUMBER: TraceField = { name: '__syscall_nr', type: 'int', arrayLength: 0, offset: 8, size: 4, signed: true };

function argument(memory: HostMemory, args: Int32Array, index: number): { lo: number; hi: number } {
  return read64(memory, args[0], args[1], 8 * (ARG_SLOTS[index] as number));
}

/** The number of the call in `orig_ax` of the registers that sys_exit is given. */
function numberOf(memory: HostMemory, args: Int32Array): number {
  return read64(memory, args[0], args[1], 8 * X86Slot.orig_ax).lo;
}

/** `syscalls:sys_enter_NAME`: one 8-byte field per argument, whatever its type. */
function enterEvent({ number, name, args: declared }: SyscallEntry): TraceEventDescriptor {
  const fields = declared.map((declaration, i): TraceField => {
    const match = /^(.*?)(\w+)$/.exec(declaration) as RegExpExecArray;
    const type = match[1].trim();
    return { name: match[2], type, arrayLength: 0, offset: 16 + 8 * i, size: 8, signed: false };
  });
  const format = fields.map((field) => `${field.name}: 0x%08lx`).join(', ');
  const values = fields.map((field) => `, ((unsigned long)(REC->${field.name}))`).join('');
  return {
    system: 'syscalls',
    name: `sys_enter_${name}`,
    fields: [NUMBER, ...fields],
    size: 16 + 8 * fields.length,
    printFmt: `"${format}"${values}`,
    accepts: (args) => args[2] === number,
    assign: (args, record, memory) => {
      put32(record, 8, number);
      fields.forEach((field, i) => {
        const { lo, hi } = argument(memory, args, i);
        putPair(record, field.offset, lo, hi);
      });
    },
  };
}

function exitEvent({ number, name }: SyscallEntry, memory: HostMemory): TraceEventDescriptor {
  return {
    system: 'syscalls',
    name: `sys_exit_${name}`,
    fields: [NUMBER, { name: 'ret', type: 'long', arrayLength: 0, offset: 16, size: 8, signed: true }],
    size: 24,
    printFmt: '"0x%lx", REC->ret',
    accepts: (args) => numberOf(memory, args) === number,
    assign: (args, record) => {
      put32(record, 8, number);
      putArg(record, 16, args, 1);
    },
  };
}

/** The events of sys_enter: raw_syscalls:sys_enter and one per system call. */
export function sysEnterEvents(): TraceEventDescriptor[] {
  const raw = traceEvent(
    'raw_syscalls',
    'sys_enter',
    ['long id', 'unsigned long args[6]'],
    '"NR %ld (%lx, %lx, %lx, %lx, %lx, %lx)", REC->id, REC->args[0], REC->args[1], REC->args[2], REC->args[3], REC->args[4], REC->args[5]',
    (args, record, memory) => {
      putArg(record, 8, args, 1);
      for (let i = 0; i < ARG_SLOTS.length; i++) {
        const { lo, hi } = argument(memory, args, i);
        putPair(record, 16 + 8 * i, lo, hi);
      }
    },
  );
  return [raw, ...syscallTable.map(enterEvent)];
}

/** The events of sys_exit; `memory` is where the registers with the call's number are read from. */
export function sysExitEvents(memory: HostMemory): TraceEventDescriptor[] {
  const raw = traceEvent(
    'raw_syscalls',
    'sys_exit',
    ['long id', 'long ret'],
    '"NR %ld = %ld", REC->id, REC->ret',
    (args, record) => {
      const number = numberOf(memory, args);
      putPair(record, 8, number, number >> 31);
      putArg(record, 16, args, 1);
    },
  );
  return [raw, ...syscallTable.map((entry) => exitEvent(entry, memory))];
}
