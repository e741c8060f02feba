import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** Tests that take minutes together, most of whole processes: `npm run test:long`. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["packages/**/*.long.test.ts", "apps/**/*.long.test.ts", "tests/**/*.long.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    fileParallelism: false,
  },
});
