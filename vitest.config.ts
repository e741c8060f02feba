import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["source"] } },
  test: {
    include: ["packages/**/*.test.ts", "apps/**/*.test.ts", "tests/**/*.test.ts", "scripts/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.long.test.ts"],
    globalSetup: ["packages/core/src/store/testing/global-setup.ts"],
    testTimeout: 30_000,
    // Most of the time goes into waiting for processes, disks and deadlines.
    maxWorkers: 2,
    hookTimeout: 60_000,
    execArgv: ["--conditions=source"],
  },
});
