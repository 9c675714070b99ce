import { NO_PAGE, PageAccess, type PageTables } from './page-tables.js';

/** A machine without translation: virtual addresses are physical, and all of them the kernel's. */
export class IdentityTables implements PageTables {
  translate(_root: number, lo: number, hi: number, access: number): number {
    if ((access & PageAccess.user) !== 0 || hi >>> 21 !== 0) return NO_PAGE;
    return (lo >>> 0) + hi * 2 ** 32;
  }

  isUser(): boolean {
    return false;
  }
}
