import type { Tool } from '../tool.js';

export const netTools: readonly Tool[] = [];
