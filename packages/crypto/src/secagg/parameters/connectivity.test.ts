import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { log2Disconnected, type MaskGraph } from "./connectivity.ts";
import { binomial, log2Of } from "./exact.fixture.ts";

/** All sets of `size` of these, as bits. */
function setsOf(members: readonly number[], size: number): number[] {
  if (size === 0) return [0];
  return members.flatMap((member, at) => setsOf(members.slice(at + 1), size - 1).map((set) => set | (1 << member)));
}

function bitsOf(set: number): number {
  let bits = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) bits += 1;
  return bits;
}

/** Whether honest parties can be kept apart: with someone left out, each of the others still has enough of its honest holders, and masks do not join all of them. */
function canBeApart(drawn: readonly number[], { parties, holders, threshold, corrupt, dropped }: MaskGraph): boolean {
  const honest = Array.from({ length: parties - corrupt }, (_, party) => party);
  for (let out = 0; out <= dropped; out += 1) {
    for (const left of setsOf(honest, out)) {
      const sum = honest.filter((party) => ((left >> party) & 1) === 0);
      const all = sum.reduce((set, party) => set | (1 << party), 0);
      if (sum.length === 0 || sum.some((party) => bitsOf(drawn[party]! & all) < holders - threshold + 1)) continue;
      let joined = all & -all;
      for (let before = 0; before !== joined;) {
        before = joined;
        for (const party of sum) {
          if (((joined >> party) & 1) === 1) joined |= drawn[party]! & all;
          else if ((drawn[party]! & joined) !== 0) joined |= 1 << party;
        }
      }
      if (joined !== all) return true;
    }
  }
  return false;
}

/** The probability itself, over every draw that honest parties can make. */
function exactly(graph: MaskGraph): number {
  const parties = Array.from({ length: graph.parties }, (_, party) => party);
  const choices = parties.slice(0, graph.parties - graph.corrupt).map((self) =>
    setsOf(
      parties.filter((party) => party !== self),
      graph.holders,
    ),
  );
  let [apart, all] = [0, 0];
  const drawn: number[] = [];
  const draw = (party: number): void => {
    if (party === choices.length) {
      all += 1;
      if (canBeApart(drawn, graph)) apart += 1;
      return;
    }
    for (const set of choices[party]!) {
      drawn[party] = set;
      draw(party + 1);
    }
  };
  draw(0);
  return Math.log2(apart / all);
}

describe("the bound of masks that fall apart", () => {
  const small: MaskGraph[] = [];
  for (const [parties, holders] of [
    [4, 1],
    [4, 2],
    [5, 1],
    [5, 2],
    [5, 3],
    [6, 1],
  ] as const) {
    for (let threshold = 1; threshold <= holders; threshold += 1) {
      for (const corrupt of [0, 1]) for (const dropped of [0, 1]) small.push({ parties, holders, threshold, corrupt, dropped });
    }
  }

  it("is no less than the probability, in graphs small enough to try every draw", () => {
    const bounds = small.map((graph) => {
      const bound = log2Disconnected(graph);
      // Where only one cut is possible the bound is the probability, but for rounding.
      expect({ graph, holds: bound >= exactly(graph) - 1e-9 }).toEqual({ graph, holds: true });
      return bound;
    });
    expect(bounds.filter((bound) => bound < 0).length).toBeGreaterThan(10);
    expect(bounds.filter((bound) => bound < 0 && bound > -Infinity).length).toBeGreaterThan(2);
  });

  it("is little more than it, where only one cut is possible", () => {
    // Of eight parties that draw three, four and four: C(8, 4)/2 ways, each of the eight with the one draw of 35 that stays inside.
    const exact = log2Of(binomial(8, 4) / 2n) - 8 * Math.log2(35);
    const bound = log2Disconnected({ parties: 8, holders: 3, threshold: 3, corrupt: 0, dropped: 0 });
    expect(bound).toBeGreaterThanOrEqual(exact);
    expect(bound).toBeLessThan(exact + 3);
  });

  it("is nothing where each has to have more than half of the others", () => {
    expect(log2Disconnected({ parties: 9, holders: 8, threshold: 5, corrupt: 0, dropped: 4 })).toBe(-Infinity);
  });

  it("does not fall when more may be left out, and does not rise when more are drawn", () => {
    const graphs = fc.record({
      parties: fc.integer({ min: 60, max: 400 }),
      holders: fc.integer({ min: 6, max: 40 }),
      dropped: fc.nat(20),
      corrupt: fc.nat(20),
    });
    fc.assert(
      fc.property(graphs, (some) => {
        const graph = { ...some, threshold: Math.floor((2 * some.holders) / 3) + 1 };
        const bound = log2Disconnected(graph);
        expect(log2Disconnected({ ...graph, dropped: graph.dropped + 1 })).toBeGreaterThanOrEqual(bound - 1e-6);
        expect(log2Disconnected({ ...graph, holders: graph.holders + 3, threshold: graph.threshold + 2 })).toBeLessThanOrEqual(bound + 1e-6);
      }),
    );
  });
});
