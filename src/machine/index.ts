export type { HookAccount } from './hooks/hook.js';
export { SAMPLED_EVENTS, type SampledEvent, type SamplingOptions } from './hooks/perf-hook.js';
export { BpfLinkType, BpfPerfEventType, type BpfLinkInfo, type LinkDetails } from './link-details.js';
export { Link, type LinkInfo } from './link.js';
export { type AttachOptions, Machine, type MachineOptions } from './machine.js';
export { explainProbe, type ProbeExplanation } from './explain-probe.js';
export { listProbes, type ProbeInfo } from './probe-list.js';
export { type UserLocation, type UserProcess, UserSymbols } from './user-symbols.js';
