import type { Btf } from '../../btf/index.js';
import { bpftoolValue, type BpftoolStyle, toJson, toPrettyJson } from '../../export/index.js';

/** One element of a map: its bytes, and what they mean where the object's BTF tells. */
export interface DumpedElement {
  readonly key: Uint8Array;
  /** The value; for a per-CPU map one value per CPU. */
  readonly values: readonly Uint8Array[];
  readonly formatted?: { readonly key: unknown; readonly values: readonly unknown[] } | undefined;
}

/** Types of a map's keys and values, in the BTF of its object. */
export interface MapTypes {
  readonly btf: Btf;
  /** 0 for data sections, whose key tells nothing. */
  readonly key: number;
  readonly value: number;
}

export interface MapDump {
  readonly perCpu: boolean;
  /** Where they are known, elements are printed by them. */
  readonly types?: MapTypes | undefined;
  readonly elements: readonly DumpedElement[];
}

export type MapDumpFormat = 'text' | 'json' | 'pretty';

/** A map's elements in the shapes of `bpftool map dump`, without and with `-j` or `-p`. */
export function formatMapDump(dump: MapDump, format: MapDumpFormat): string[] {
  if (format === 'json') return [toJson(dump.elements.map((element) => jsonElement(dump, element)))];
  if (format === 'pretty') return toPrettyJson(dump.elements.map((element) => jsonElement(dump, element))).split('\n');
  const typed = dump.elements.length > 0 && dump.elements.every((element) => isTyped(dump, element));
  if (typed) {
    return toPrettyJson(dump.elements.map((element) => formattedElement(dump, element, 'text'))).split('\n');
  }
  const count = dump.elements.length;
  return [
    ...dump.elements.flatMap((element) => hexElement(dump, element)),
    `Found ${count} element${count === 1 ? '' : 's'}`,
  ];
}

function jsonElement(dump: MapDump, element: DumpedElement): Record<string, unknown> {
  const key = hexStrings(element.key);
  const formatted = isTyped(dump, element) ? formattedElement(dump, element, 'json') : undefined;
  if (!dump.perCpu) return { key, value: hexStrings(element.values[0]), formatted };
  return { key, values: element.values.map((value, cpu) => ({ cpu, value: hexStrings(value) })), formatted };
}

function isTyped({ types }: MapDump, { formatted }: DumpedElement): boolean {
  return types !== undefined || formatted !== undefined;
}

function formattedElement(dump: MapDump, element: DumpedElement, style: BpftoolStyle): Record<string, unknown> {
  const { key, values } = meaning(dump, element, style);
  if (!dump.perCpu) return { key, value: values[0] };
  return { key, values: values.map((value, cpu) => ({ cpu, value })) };
}

function meaning(
  { types }: MapDump,
  { key, values, formatted }: DumpedElement,
  style: BpftoolStyle,
): { readonly key: unknown; readonly values: readonly unknown[] } {
  if (types === undefined) return formatted ?? { key: undefined, values: [] };
  const { btf } = types;
  return {
    key: types.key === 0 ? undefined : bpftoolValue(btf, types.key, key, style),
    values: values.map((value) => bpftoolValue(btf, types.value, value, style)),
  };
}

function hexElement(dump: MapDump, { key, values }: DumpedElement): string[] {
  if (dump.perCpu) {
    const rows = values.map((value, cpu) => `value (CPU ${String(cpu).padStart(2, '0')}):${hexBlock(value)}`);
    return lines(`key:\n${hexBytes(key)}`, ...rows);
  }
  const value = values[0] ?? new Uint8Array(0);
  const breakNames = key.length > 16 || value.length > 16;
  const gap = breakNames ? '\n' : ' ';
  const between = key.length + value.length <= 24 && !breakNames ? '  ' : '\n';
  return lines(`key:${gap}${hexBytes(key)}${between}value:${gap}${hexBytes(value)}`);
}

function hexBlock(value: Uint8Array): string {
  return value.length > 16 ? `\n${hexBytes(value)}` : ` ${hexBytes(value)}`;
}

function hexBytes(bytes: Uint8Array): string {
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  const rows: string[] = [];
  for (let i = 0; i < digits.length; i += 16) {
    const row = digits.slice(i, i + 16);
    const halves = row.length > 8 ? `${row.slice(0, 8).join(' ')}  ${row.slice(8).join(' ')}` : row.join(' ');
    rows.push(halves);
  }
  return rows.join('\n');
}

function hexStrings(bytes: Uint8Array = new Uint8Array(0)): string[] {
  return [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`);
}

function lines(...blocks: string[]): string[] {
  return blocks.flatMap((block) => block.split('\n'));
}
