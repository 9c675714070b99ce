/** A host breaks its contract. The message says what is wrong, which part of `Host` it concerns, and what to do. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError';
  /** Name of the check that failed. */
  readonly check: string;
  /** What was found. */
  readonly wrong: string;
  /** The member of `Host` (src/host/host.ts) whose documentation tells what is right. */
  readonly contract: string;
  readonly remedy: string;
  /** Name of an earlier check whose failure leaves this one without a verdict, or null. */
  readonly blockedBy: string | null;

  constructor(check: string, wrong: string, where: { contract: string; remedy: string; blockedBy?: string }) {
    super(`${check}: ${wrong}. Contract: ${where.contract}. To mend it: ${where.remedy}`);
    this.check = check;
    this.wrong = wrong;
    this.contract = where.contract;
    this.remedy = where.remedy;
    this.blockedBy = where.blockedBy ?? null;
  }
}
