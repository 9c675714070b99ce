/** What test code that runs in the page uses besides src/globals.d.ts. */
declare function setTimeout(callback: () => void, ms: number): number;
declare function fetch(url: string): Promise<{
  readonly ok: boolean;
  readonly status: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}>;
