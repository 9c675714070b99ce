import { BpfError } from '../base/index.js';
import type { AttachOptions, Link, Machine } from '../machine/index.js';
import type { Collection } from './collection.js';

export interface AttachProgramsOptions {
  /** Switches by program name over what the section names say. */
  readonly autoattach?: Readonly<Record<string, boolean>>;
  /** Options of each program's link, by program name. */
  readonly links?: Readonly<Record<string, AttachOptions>>;
}

/**
 * Attaches a collection's programs where their section names say, as libbpf's skeletons do: those whose names tell no
 * place are left out. Links by program name; where one program cannot be attached, none is, and the `BpfError` of its
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
    return links;
  } catch (error) {
    for (const link of [...links.values()].toReversed()) link.detach();
    throw error;
  }
}

function checkName(collection: Collection, name: string): void {
  if (collection.spec.program(name) !== undefined) return;
  throw new BpfError('ENOENT', 'no such program', {
    value: name,
    remedy: `the object has ${collection.spec.programs.map((each) => each.name).join(', ')}`,
  });
}
