/** What test code that runs in the page uses besides src/globals.d.ts. */
declare function btoa(data: string): string;
