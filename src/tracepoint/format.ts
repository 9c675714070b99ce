import type { TraceField } from '../host/index.js';
import type { TraceEvent } from './trace-event.js';

const COMMON_FIELDS: readonly TraceField[] = [
  { name: 'common_type', type: 'unsigned short', arrayLength: 0, offset: 0, size: 2, signed: false },
  { name: 'common_flags', type: 'unsigned char', arrayLength: 0, offset: 2, size: 1, signed: false },
  { name: 'common_preempt_count', type: 'unsigned char', arrayLength: 0, offset: 3, size: 1, signed: false },
  { name: 'common_pid', type: 'int', arrayLength: 0, offset: 4, size: 4, signed: true },
];

/** The text of tracefs' `events/SYSTEM/NAME/format`, byte for byte as Linux prints it. */
export function formatOf(event: TraceEvent): string {
  const { name, fields, printFmt } = event.descriptor;
  return [
    `name: ${name}`,
    `ID: ${event.id}`,
    'format:',
    ...COMMON_FIELDS.map(fieldLine),
    '',
    ...fields.map(fieldLine),
    '',
    `print fmt: ${printFmt}`,
    '',
  ].join('\n');
}

function fieldLine(field: TraceField): string {
  const { type, name, arrayLength, offset, size, signed, hidesBounds } = field;
  const bounds = arrayLength === 0 ? '' : hidesBounds === true ? '[]' : `[${arrayLength}]`;
  return `\tfield:${type} ${name}${bounds};\toffset:${offset};\tsize:${size};\tsigned:${signed ? 1 : 0};`;
}
