import { expect, it } from "vitest";
import { createRepetitions } from "./waiting.ts";

it("a line is said once, then more and more seldom; another line, or one after an end of the wait, at once", () => {
  let timeMs = 0;
  const { isDue, reset } = createRepetitions(() => timeMs);
  const saidAt: number[] = [];
  for (; timeMs < 4 * 3_600_000; timeMs += 1_000) if (isDue("away")) saidAt.push(timeMs / 1000);
  expect(saidAt).toEqual([0, 30, 90, 210, 450, 930, 1890, 3810, 7410, 11_010]);
  expect([isDue("away"), isDue("pending"), isDue("pending"), isDue("away")]).toEqual([false, true, false, true]);
  reset();
  expect([isDue("away"), isDue("away")]).toEqual([true, false]);
});
