export { loadV86Parts, type V86Places } from './load-parts.js';
