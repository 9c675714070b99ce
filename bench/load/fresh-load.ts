import { readFileSync } from 'node:fs';
import { parseBtf } from 'kscope/btf';
import { loadOnce, mapsOf } from './load-once.js';

const [types = '', object = ''] = process.argv.slice(2);
const btf = parseBtf(readFileSync(types));
const bytes = readFileSync(object);
const maps = mapsOf(bytes);
const start = performance.now();
loadOnce(bytes, btf, maps);
console.log(performance.now() - start);
