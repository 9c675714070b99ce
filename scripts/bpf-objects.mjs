// Finds BPF objects that are embedded in other files: bpftool's skeletons carry a whole ELF file in .rodata.
import { createHash } from 'node:crypto';

const ELF64_LITTLE = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
const HEADER_SIZE = 64;
const SECTION_SIZE = 64;
const ET_REL = 1;
const EM_BPF = 247;
const SHT_NOBITS = 8;

/**
 * The relocatable BPF objects within `bytes`, each exactly as long as its section table and sections say. What only looks
 * like the beginning of one is passed over.
 */
export function embeddedObjects(bytes) {
  const objects = [];
  for (let at = bytes.indexOf(ELF64_LITTLE); at >= 0; at = bytes.indexOf(ELF64_LITTLE, at + 1)) {
    const length = objectLength(bytes.subarray(at));
    if (length !== undefined) objects.push(bytes.subarray(at, at + length));
  }
  return objects;
}

function objectLength(bytes) {
  if (bytes.length < HEADER_SIZE) return undefined;
  const header = {
    type: bytes.readUInt16LE(16),
    machine: bytes.readUInt16LE(18),
    sections: bytes.readBigUInt64LE(40),
    size: bytes.readUInt16LE(52),
    sectionSize: bytes.readUInt16LE(58),
    count: bytes.readUInt16LE(60),
  };
  if (header.type !== ET_REL || header.machine !== EM_BPF) return undefined;
  if (header.size !== HEADER_SIZE || header.sectionSize !== SECTION_SIZE || header.count === 0) return undefined;
  const table = Number(header.sections);
  let end = table + header.count * SECTION_SIZE;
  if (end > bytes.length) return undefined;
  for (let i = 0; i < header.count; i++) {
    const section = table + i * SECTION_SIZE;
    if (bytes.readUInt32LE(section + 4) === SHT_NOBITS) continue;
    const offset = bytes.readBigUInt64LE(section + 24);
    const size = bytes.readBigUInt64LE(section + 32);
    end = Math.max(end, Number(offset + size));
  }
  return end > bytes.length ? undefined : end;
}

/**
 * Names for the distinct objects of some programs: the program's, with the beginning of the SHA-256 where it carries
 * several. An object that two programs carry has the name of the first.
 */
export function namedObjects(programs) {
  const seen = new Set();
  const named = [];
  for (const { name, bytes } of programs) {
    const fresh = embeddedObjects(bytes).map((object) => ({ object, hash: digest(object) }));
    const distinct = fresh.filter(({ hash }, i) => fresh.findIndex((each) => each.hash === hash) === i);
    for (const { object, hash } of distinct) {
      if (seen.has(hash)) continue;
      seen.add(hash);
      named.push({ name: distinct.length === 1 ? name : `${name}-${hash.slice(0, 8)}`, object });
    }
  }
  return named;
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
