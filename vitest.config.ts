import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/** Suites that kill, stop and starve processes of the service: each has the machine for itself, after all others. */
const WITH_PROCESSES = [
  'tests/chaos/**/*.test.ts',
  'tests/faults/**/*.test.ts',
  'tests/scenario/kill.test.ts',
  'tests/scenario/two-nodes.test.ts',
];
/** Files at once: many wait for a database or a clock more than they compute. */
const WORKERS = Math.max(3, availableParallelism());
const EXCLUDED = [...configDefaults.exclude, 'ui/**'];

export default defineConfig({
  test: {
    reporters: ['default', './tests/support/run-summary.ts'],
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html', 'lcov'] },
    execArgv: ['--import', fileURLToPath(new URL('./tests/support/quick-imports.ts', import.meta.url))],
    globalSetup: ['tests/support/global-setup.ts'],
    // They end what hangs; a busy machine alone must not reach them.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'code',
          maxWorkers: WORKERS,
          sequence: { groupOrder: 1 },
          include: ['tests/**/*.test.ts'],
          exclude: [...EXCLUDED, ...WITH_PROCESSES],
        },
      },
      {
        extends: true,
        test: {
          name: 'processes',
          include: WITH_PROCESSES,
          exclude: EXCLUDED,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
