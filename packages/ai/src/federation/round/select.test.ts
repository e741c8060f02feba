import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { select } from "./select.ts";

const NAMES = Array.from({ length: 20 }, (_, index) => `party-${String(index + 1).padStart(2, "0")}`);

function planFor(names: readonly string[], invited: number): Parameters<typeof select>[0] {
  return {
    parties: names.map((name) => ({ name, trainExamples: 1, testExamples: 0, contentHash: "" })),
    cohort: { size: invited, invited, quorum: 1, deadlineMs: 1, attempts: 1 },
  };
}

describe("select", () => {
  it("draws as many as are invited, sorted, nobody twice, and the same whenever it is asked", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), fc.integer({ min: 1, max: 1000 }), fc.nat({ max: 9 }), (invited, seed, round, draw) => {
        const plan = planFor(NAMES, invited);
        const chosen = select(plan, seed, round, draw);
        expect(new Set(chosen).size).toBe(invited);
        expect(chosen).toEqual(NAMES.filter((name) => chosen.includes(name)));
        expect(select(plan, seed, round, draw)).toEqual(chosen);
      }),
      { numRuns: 50 },
    );
  });

  it("takes everyone when as many are invited as there are, or more", () => {
    expect(select(planFor(NAMES, 20), 1, 1, 0)).toEqual(NAMES);
    expect(select(planFor(NAMES, 99), 1, 1, 0)).toEqual(NAMES);
  });

  it("draws anew for another seed, round or draw", () => {
    const plan = planFor(NAMES, 5);
    const draws = [select(plan, 1, 1, 0), select(plan, 2, 1, 0), select(plan, 1, 2, 0), select(plan, 1, 1, 1), select(plan, 1, 2, 1)];
    expect(new Set(draws.map(String)).size).toBe(draws.length);
  });

  it("gives everyone the same chance", () => {
    const plan = planFor(NAMES, 5);
    const times = new Map(NAMES.map((name) => [name, 0]));
    for (let round = 1; round <= 2000; round += 1) for (const name of select(plan, 3, round, 0)) times.set(name, times.get(name)! + 1);
    // Expected 500 each; standard deviation √(2000 × 0.25 × 0.75) ≈ 19. The seed is fixed.
    for (const count of times.values()) expect(Math.abs(count - 500)).toBeLessThan(80);
  });
});
