import type { Refusal } from "@ciphernx/core/spec";
import { describe, expect, it } from "vitest";
import { createStrategy } from "../strategy/index.ts";
import { checkProtection } from "./check-protection.ts";
import { type CompileFacts, parseRunSpec } from "./index.ts";

const dataset = { trainExamples: 10, testExamples: 5, contentHash: "0".repeat(64), missing: [], schema: { kind: "tensor", shape: [2] } as never };
const PARTIES = ["ash", "birch", "cedar"].map((name) => ({ name, kernelBuild: "build", dataset }));
const FACTS: CompileFacts = { kernelBuild: "build", simulated: true, parties: PARTIES };
const SPEC = parseRunSpec({
  ...{ version: 1, name: "small", seed: 1, data: { dataset: "rows" }, model: { kind: "logistic" }, rounds: 1 },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
});

function refusalsOf(changes: { readonly facts?: Partial<CompileFacts>; readonly needsUpdates?: boolean; readonly kind?: "none" } = {}) {
  const refusals: Refusal[] = [];
  const strategy = { ...createStrategy(SPEC.strategy), ...(changes.needsUpdates === undefined ? {} : { needsUpdates: changes.needsUpdates }) };
  const spec = changes.kind === undefined ? SPEC : { ...SPEC, protection: { kind: changes.kind } };
  const cohort = { size: 3, invited: 3, quorum: 3, deadlineMs: 1, attempts: 1 };
  const encoding = { range: 1, bits: 16, rounding: "nearest", maxWeight: 10 } as const;
  checkProtection(spec, { ...FACTS, ...changes.facts }, { parties: PARTIES, cohort, encoding, strategy }, refusals);
  return refusals;
}

describe("a protected run", () => {
  it("is let through with a strategy that needs sums alone, as all that there are do", () => {
    expect(refusalsOf()).toEqual([]);
  });

  it("is refused with a strategy that has to see each update, and says what would do", () => {
    expect(refusalsOf({ needsUpdates: true })).toMatchObject([
      {
        path: "strategy.kind",
        reason: expect.stringContaining("has to see each party's update") as string,
        remedy: expect.stringContaining("kind: none") as string,
      },
    ]);
    expect(refusalsOf({ needsUpdates: true, kind: "none" })).toEqual([]);
  });

  it("is refused with parties whose software cannot mask, by name", () => {
    const parties = PARTIES.map((party) => (party.name === "ash" ? party : { ...party, masks: false }));
    expect(refusalsOf({ facts: { parties } })).toMatchObject([
      { path: "protection.kind", reason: "The nodes birch, cedar run software that cannot mask updates, or have not connected yet." },
    ]);
  });

  it("is refused without a roster", () => {
    expect(refusalsOf({ facts: { simulated: false } })).toMatchObject([
      { path: "protection.kind", reason: expect.stringContaining("no roster") as string },
    ]);
  });
});
