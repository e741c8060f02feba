import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** Tests of whole processes that take minutes together: `npm run test:long`. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["apps/**/*.long.test.ts", "tests/**/*.long.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    fileParallelism: false,
  },
});
