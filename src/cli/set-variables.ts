import { BpfError } from '../base/index.js';
import type { BtfValue } from '../btf/index.js';
import type { CollectionSpec, GlobalVariable } from '../loader/index.js';
import { UsageError } from './usage-error.js';

const INTEGER = /^-?(0x[0-9a-f]+|\d+)$/i;

/** Sets global variables of an object before it is loaded, each from text in the form its present value has. */
export function setVariables(spec: CollectionSpec, assignments: readonly (readonly [string, string])[]): void {
  for (const [name, text] of assignments) {
    const variable = spec.variables.get(name);
    if (variable === undefined) {
      throw new BpfError('ENOENT', 'setting a global variable', {
        value: name,
        remedy: `the object has ${[...spec.variables.keys()].join(', ') || 'none'}`,
      });
    }
    setVariable(variable, text);
  }
}

function setVariable(variable: GlobalVariable, text: string): void {
  try {
    variable.set(isEnum(variable) ? parseEnum(text) : parseLike(variable.get(), variable.name, text));
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new UsageError(`--set ${variable.name}: ${error.message}`);
  }
}

function isEnum({ btf, typeId }: GlobalVariable): boolean {
  return btf.resolve(typeId).kind.startsWith('enum');
}

/** An enumerator's name or, for values that have none, a number. */
function parseEnum(text: string): BtfValue {
  return INTEGER.test(text) ? toInteger(text) : text;
}

function parseLike(present: BtfValue, name: string, text: string): BtfValue {
  if (typeof present === 'boolean') return parseBoolean(name, text);
  if (typeof present === 'number' || typeof present === 'bigint') return parseInteger(name, text);
  if (typeof present === 'string') return text;
  throw new UsageError(`--set ${name}: only numbers, booleans and strings can be set from the command line`);
}

function parseBoolean(name: string, text: string): boolean {
  if (['true', '1', 'yes', 'y'].includes(text)) return true;
  if (['false', '0', 'no', 'n'].includes(text)) return false;
  throw new UsageError(`--set ${name} takes true or false, not "${text}"`);
}

function parseInteger(name: string, text: string): bigint {
  if (!INTEGER.test(text)) throw new UsageError(`--set ${name} takes an integer, not "${text}"`);
  return toInteger(text);
}

function toInteger(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}
