import { create } from "@bufbuild/protobuf";
import { type Round, RoundSchema } from "@ciphernx/protocol/proto";
import { describe, expect, it } from "vitest";
import { coordinatorSaw, formatSums } from "./sums.ts";

const step = (name: string, taken: number, dropped: readonly string[] = []) => ({ step: name, taken, dropped: [...dropped], durationMs: 120 });

function round(
  number: number,
  sum: { readonly parties: number; readonly holders?: number; readonly steps: readonly ReturnType<typeof step>[] },
): Round {
  const graph = sum.holders === undefined ? "complete" : "sampled";
  const { parties, holders = parties, steps } = sum;
  const sums = [{ kind: "fit", graph, parties, holders, threshold: 4, corrupt: 1, steps: [...steps] }];
  return create(RoundSchema, { round: number, attempt: 1, state: "committed", sums });
}

const whole = round(1, { parties: 5, steps: ["keys", "shares", "vector", "survivors", "unmask"].map((name) => step(name, 5)) });
const dropped = round(2, {
  ...{ parties: 60, holders: 30 },
  steps: [step("keys", 60), step("holders", 60), step("shares", 60), step("vector", 58, ["fir", "elm"]), step("survivors", 57, ["ash"])],
});

describe("the protected sums of a run", () => {
  it("are told step by step: who took it, how long, who held shares", () => {
    const rows = formatSums([whole])
      .split("\n")
      .map((line) => line.trim().split(/\s{2,}/));
    expect(rows).toEqual([
      ["ROUND", "ATTEMPT", "SUM OF", "NEIGHBOURS", "OPENED BY", "KEYS", "SHARES", "VECTORS", "SIGNED", "ANSWERED"],
      ["1", "1", "updates", "all 5", "4", ...Array.from({ length: 5 }, () => "5 (0.12 s)")],
    ]);
  });

  it("say who dropped out where, and whether its update is in the sum", () => {
    const text = formatSums([whole, dropped]);
    expect(text).toContain("30 of 60");
    expect(text).toContain("round 2: fir, elm dropped out after dealing shares: the others took the masks off, not in the sum");
    expect(text).toContain("round 2: ash dropped out after the masked vector: in the sum");
  });

  it("are none in a run without protection", () => {
    expect(formatSums([create(RoundSchema, { round: 1 })])).toBe("");
  });
});

describe("what the coordinator saw", () => {
  it("is sums that were unmasked, with their sizes and what they withstand", () => {
    expect(coordinatorSaw(true, [whole, dropped])).toBe(
      "one sum of 5 parties; no party's own update, as long as at most 1 of a sum's parties were on its side",
    );
    expect(coordinatorSaw(true, [dropped])).toBe("");
  });

  it("is everything where nothing is protected", () => {
    expect(coordinatorSaw(false, [])).toContain("each update");
  });
});
