import { gunzipSync } from 'node:zlib';
import type { Unpackers } from '../../host/guest/index.js';

/** What Node unpacks by itself. */
export const kernelUnpackers: Unpackers = { gzip: (bytes) => new Uint8Array(gunzipSync(bytes)) };
