/** What an access needs of the page it touches; values are added up. */
export const PageAccess = {
  /** A read in kernel mode. */
  read: 0,
  write: 1,
  /** Made on behalf of user mode: the page must be a user page. */
  user: 2,
} as const;

/** What `translate` answers where there is no page. */
export const NO_PAGE = -1;

/** How the processors of one machine find physical addresses: page tables in its RAM, walked anew for each access. */
export interface PageTables {
  /**
   * Physical address behind the virtual one in the address space whose top table lies at physical `root`, for an access
   * (a sum of `PageAccess`); `NO_PAGE` where the processor would fault. Valid to the end of the 4 KiB page.
   * `root` may carry the low bits of the register it comes from (ASID, PCID); they are ignored.
   */
  translate(root: number, lo: number, hi: number, access: number): number;
  /** Whether the address lies in the half (or part) that user programs own, mapped or not. */
  isUser(lo: number, hi: number): boolean;
}
