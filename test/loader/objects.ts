import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Btf, parseBtf } from '../../src/btf/index.js';
import { CollectionSpec } from '../../src/loader/index.js';

/** The committed objects and what they are linked against; test/testdata/objects/build.sh makes them. */
export const objectFolder = fileURLToPath(new URL('../testdata/objects/', import.meta.url));

export const objectFiles: readonly string[] = readdirSync(objectFolder)
  .filter((name) => name.endsWith('.o'))
  .toSorted();

/** The C source an object was made from: `data` of `data-clang-19-v4.o`. */
export const sourceOf = (file: string): string => file.slice(0, file.indexOf('-'));

export function readObject(file: string): Uint8Array {
  return readFileSync(objectFolder + file);
}

export function parseObject(file: string): CollectionSpec {
  return CollectionSpec.parse(readObject(file));
}

export const btfPath = (name: string): string => fileURLToPath(new URL(`../testdata/btf/${name}.btf`, import.meta.url));

export function readBtf(name: string): Btf {
  return parseBtf(readFileSync(btfPath(name)));
}
