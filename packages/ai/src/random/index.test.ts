import { expect, it } from "vitest";
import * as entry from "./index.ts";

it("exports what users rely on, and nothing by accident", () => {
  expect(Object.keys(entry).toSorted()).toMatchInlineSnapshot(`
    [
      "deterministicExp",
      "deterministicLog",
      "dirichlet",
      "gamma",
      "normal",
      "philox4x32",
      "randomStream",
    ]
  `);
});
