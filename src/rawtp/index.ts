export { MAX_ARGS, tracepointPrototype } from './btf-prototype.js';
export {
  parseRawTracepointAttr,
  readTracepointName,
  type RawTracepointAttr,
  type UserStringReader,
} from './raw-tracepoint-attr.js';
export { RawTracepoints, type RawTracepointLink, type RawTracepointOptions } from './raw-tracepoints.js';
