export { Btf } from './btf.js';
