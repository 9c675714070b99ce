import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'property-tests/**/*.test.ts'],
    setupFiles: process.env['KSCOPE_SHARED_MEMORY'] === '1' ? ['test/support/shared-memory.setup.ts'] : [],
    testTimeout: 60_000,
    pool: 'forks',
  },
});
