import { CollectionSpec } from 'kscope/loader';
import { type EventType, eventType } from 'kscope/runtime';
import { objectOf } from '../compute/workloads.js';

/** What rows read of the records of ring and perf. */
export interface WorkloadRecord {
  readonly pid: number;
}

/** `struct record` of the workloads. */
export function recordType(): EventType<WorkloadRecord> {
  const { btf } = CollectionSpec.parse(objectOf('ring'));
  if (btf === null) throw new Error('the object has no BTF');
  return eventType<WorkloadRecord>(btf, 'record');
}
