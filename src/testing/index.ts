export { ConformanceError } from './host-conformance/conformance-error.js';
export type { HostCheck } from './host-conformance/host-check.js';
export type { ForeignTraps, HostFacts, HostWork } from './host-conformance/host-facts.js';
export {
  formatHostReport,
  hostConformance,
  runHostConformance,
  type HostReport,
  type HostReportRow,
} from './host-conformance/host-conformance.js';
