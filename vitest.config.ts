import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real processes and a real kernel on a busy machine: a test polls for its condition, this only ends one that hangs. So it is
    // longer than any patience in it (PATIENCE_MS of test/support/poll.ts), which says what was waited for.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
