import type { Tool } from '../tool.js';

export const lockTools: readonly Tool[] = [];
