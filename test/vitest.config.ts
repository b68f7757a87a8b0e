import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const testsIn = (...folders: string[]) => folders.map((folder) => `test/${folder}/**/*.test.ts`)

/** Tests whose processes are held to the clock: nothing else may run beside them on two cores. */
const REAL_TIME = [...testsIn('chaos', 'guard'), 'test/checker/chaos.test.ts']

/** Clusters that mostly wait for a lease to run out: two beside each other leave the cores idle. */
const CLUSTERS = testsIn('cluster', 'compose', 'demo', 'docs', 'e2e', 'faults')

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    // Real processes, real files, 2 cores: a promise that isn't kept in a minute isn't kept.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...REAL_TIME, ...CLUSTERS],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'real-time',
          include: REAL_TIME,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          // A machine that stalls for seconds breaks deadlines of liveness; a broken promise breaks twice.
          retry: 1,
        },
      },
      {
        extends: true,
        test: {
          name: 'clusters',
          include: CLUSTERS,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          retry: 1,
        },
      },
    ],
  },
})
