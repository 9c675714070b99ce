export { CheckError } from './check-error.js';
export { checkProgram, type CheckOptions } from './check-program.js';
export { lineAt, lineText } from './line-info.js';
