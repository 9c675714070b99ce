import type { Btf } from '../btf.js';

/** Words that are no name of a type, nor of a parameter. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'any as async await bigint boolean break case catch class const continue debugger declare default delete do else enum ' +
    'export extends false finally for function get if implements import in infer instanceof interface is keyof let ' +
    'module namespace never new null number object of package private protected public readonly require return set ' +
    'static string super switch symbol this throw true try type typeof undefined unique unknown var void while with ' +
    'yield arguments eval BtfPointer BtfFixedArray BtfTypes BtfLayouts'
  ).split(' '),
);

/** `name` as a TypeScript identifier. */
export function identifier(name: string): string {
  const plain = name.replaceAll(/[^\w$]/g, '_');
  return RESERVED.has(plain) || /^\d/.test(plain) ? `${plain}_` : plain;
}

/** A member's name as it stands in an interface. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name);
}

/** A string literal. */
export function quote(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) && !/['\\]/.test(text) ? `'${text}'` : JSON.stringify(text);
}

/**
 * Names of types in one TypeScript file, where tags and typedefs share a name space. A struct goes before a typedef of its
 * name, which becomes `name___2` unless it is that very struct.
 */
export class TsNames {
  readonly #byId = new Map<number, string>();

  constructor(btf: Btf, ids: readonly number[]) {
    const taken = new Set<string>();
    const isTypedef = (id: number): boolean => btf.kindOf(id) === 'typedef';
    for (const id of [...ids.filter((each) => !isTypedef(each)), ...ids.filter(isTypedef)]) {
      const name = btf.nameOf(id);
      const target = isTypedef(id) ? btf.resolve(id) : undefined;
      if (target !== undefined && target.name === name && this.#byId.has(target.id)) {
        this.#byId.set(id, this.#byId.get(target.id) ?? '');
        continue;
      }
      const plain = identifier(name);
      let unique = plain;
      for (let i = 2; taken.has(unique); i++) unique = `${plain}___${i}`;
      taken.add(unique);
      this.#byId.set(id, unique);
    }
  }

  /** Undefined where the file does not declare the type. */
  of(id: number): string | undefined {
    return this.#byId.get(id);
  }
}
