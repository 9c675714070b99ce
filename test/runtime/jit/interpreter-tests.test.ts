import { createJit } from '../../../src/runtime/index.js';
import { subject } from '../interp/support.js';

/** The interpreter is the specification: its tests of results, faults and their words hold for compiled programs. */
subject.engine = () => createJit();
await import('../interp/calls.test.js');
await import('../interp/memory-access.test.js');
await import('../interp/nested-runs.test.js');
