export { BpfError, type BpfErrorDetail } from './bpf-error.js';
export { ByteReader } from './byte-reader.js';
export { Errno, errnoName, type ErrnoName } from './errno.js';
export { toHex } from './hex-bytes.js';
export { roundUp } from './round-up.js';
export * from './uapi.js';
export { utf8Text } from './utf8-text.js';
export { hex64, hi32, lo32, s64, u64 } from './words.js';
