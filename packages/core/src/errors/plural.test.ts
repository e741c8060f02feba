import { expect, it } from "vitest";
import { plural } from "./index.ts";

it("gives one thing the singular, and every other count the plural", () => {
  expect([0, 1, 2, 1n, 2n ** 64n].map((count) => plural(count, "row"))).toEqual(["0 rows", "1 row", "2 rows", "1 row", "18446744073709551616 rows"]);
  expect([1, 3].map((count) => plural(count, "party", "parties"))).toEqual(["1 party", "3 parties"]);
});
