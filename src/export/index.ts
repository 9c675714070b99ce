export { bpftoolValue, type BpftoolStyle } from './bpftool-value.js';
export {
  type BpftraceBucket,
  bpftraceHistBuckets,
  bpftraceLhistBuckets,
  formatBpftraceHist,
  formatBpftraceLhist,
  type LinearRange,
} from './bpftrace-histogram.js';
export { RawJson, toJson } from './json.js';
export { formatLinearHistogram } from './linear-histogram.js';
export { formatLog2Histogram, type HistogramLayout, type Log2Bucket, log2Buckets } from './log2-histogram.js';
export { toPrettyJson } from './pretty-json.js';
