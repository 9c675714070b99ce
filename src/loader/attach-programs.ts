import { BpfError } from '../base/index.js';
import type { AttachOptions, Link, Machine } from '../machine/index.js';
import type { Collection } from './collection.js';
import type { StructOpsSpec } from './struct-ops.js';

export interface AttachProgramsOptions {
  /** Switches by the name of a program or of a table of functions, over what the section names say. */
  readonly autoattach?: Readonly<Record<string, boolean>>;
  /** Options of each program's link, by program name. */
  readonly links?: Readonly<Record<string, AttachOptions>>;
}

/**
 * Attaches a collection's programs where their section names say, as libbpf's skeletons do: those whose names tell no
 * place are left out; tables of functions are attached too. Links by program name; where one program cannot be attached, none is, and the `BpfError` of its
 * hook is thrown.
 */
export function attachPrograms(
  machine: Machine,
  collection: Collection,
  options: AttachProgramsOptions = {},
): Map<string, Link> {
  const { autoattach = {}, links: linkOptions = {} } = options;
  for (const name of [...Object.keys(autoattach), ...Object.keys(linkOptions)]) checkName(collection, name);
  const links = new Map<string, Link>();
  try {
    for (const { name, program, attach, ...spec } of collection.programs.values()) {
      if (autoattach[name] ?? spec.autoattach) links.set(name, machine.attach(program, attach, linkOptions[name]));
    }
    for (const table of collection.spec.structOps) {
      if (autoattach[table.name] ?? table.autocreate) links.set(table.name, attachStructOps(machine, table));
    }
    return links;
  } catch (error) {
    for (const link of [...links.values()].toReversed()) link.detach();
    throw error;
  }
}

/**
 * Would hand a table of functions to the kernel; EOPNOTSUPP, since machines have none that programs of a runtime could stand in. The
 * message tells whether the kernel takes such tables.
 */
export function attachStructOps({ host }: Machine, { name, structName }: StructOpsSpec): Link {
  const isKnown = host.btf?.findByName(`bpf_struct_ops_${structName}`, 'struct') !== undefined;
  const what = isKnown
    ? `programs cannot stand in the kernel's struct ${structName}`
    : `${host.name} has no struct_ops of type ${structName}`;
  throw new BpfError('EOPNOTSUPP', `attaching struct_ops ${name}: ${what}`, {
    value: structName,
    remedy: 'run its programs on bytes of your own with testRun',
  });
}

function checkName(collection: Collection, name: string): void {
  const { spec } = collection;
  if (spec.program(name) !== undefined || spec.structOps.some((table) => table.name === name)) return;
  throw new BpfError('ENOENT', 'no such program', {
    value: name,
    remedy: `the object has ${collection.spec.programs.map((each) => each.name).join(', ')}`,
  });
}
