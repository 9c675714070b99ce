import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that boot an emulator run only when asked for, and one after the other. */
const guests = process.env['KSCOPE_GUESTS'] === '1';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'property-tests/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(guests ? [] : ['test/guest/**'])],
    fileParallelism: !guests,
    setupFiles: process.env['KSCOPE_SHARED_MEMORY'] === '1' ? ['test/support/shared-memory.setup.ts'] : [],
    testTimeout: 60_000,
    pool: 'forks',
    // Vitest leaves one processor free, which on two is half of the machine.
    maxWorkers: '100%',
  },
});
