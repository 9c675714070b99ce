export { CollectionSpec, type ProgramSpec } from './collection-spec.js';
export { dumpLinked, type LinkedProgramRecord } from './dump-linked.js';
export type { CoreDiagnostic } from './link/core-diagnostic.js';
export type { LinkedProgram, MapReference } from './link/linked-program.js';
export { Linker, linkProgram, type LinkOptions } from './link/linker.js';
export { parseSectionName, type SectionMeaning } from './section-name.js';
export { VariableSpec } from './variable-spec.js';
