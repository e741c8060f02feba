import { type Round, RoundSchema } from "@ciphernx/protocol/proto";
import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { learntFrom, learntFromText } from "./learnt-from.ts";

const plan = { parties: ["aachen", "bonn", "chur"].map((name) => ({ name, trainExamples: 5, testExamples: 0, contentHash: "" })) };

function round(number: number, state: string, answers: Readonly<Record<string, string>>, kind = "fit"): Round {
  const participations = Object.entries(answers).map(([party, answer]) => ({ party, kind, state: answer }));
  return create(RoundSchema, { round: number, attempt: 1, state, participations });
}

it("counts the committed rounds in which an update was added; counts of rows, evaluations and attempts given up are none", () => {
  const parties = learntFrom(plan, [
    round(0, "committed", { aachen: "accepted", bonn: "accepted", chur: "accepted" }, "statistics"),
    round(1, "abandoned", { aachen: "accepted", chur: "accepted" }),
    round(1, "committed", { aachen: "accepted", bonn: "accepted", chur: "expired" }),
    round(2, "committed", { aachen: "accepted", bonn: "failed", chur: "rejected" }),
    round(2, "committed", { chur: "accepted" }, "evaluate"),
  ]);
  expect(parties).toEqual([
    { party: "aachen", rounds: 2 },
    { party: "bonn", rounds: 1 },
    { party: "chur", rounds: 0 },
  ]);
  expect(learntFromText(parties, 2)).toBe("2 of 3 parties; bonn in 1 of 2 rounds; never: chur");
});

it("says nothing before the first round, little where all took part, and names no crowds", () => {
  expect(learntFromText([{ party: "aachen", rounds: 0 }], 0)).toBe("");
  expect(learntFromText([{ party: "aachen", rounds: 1 }], 1)).toBe("1 party");
  const crowd = Array.from({ length: 12 }, (_, index) => ({ party: `p${index}`, rounds: index === 0 ? 3 : 0 }));
  expect(learntFromText(crowd, 3)).toBe("1 of 12 parties; never: p1, p2, p3, p4, p5, p6, p7, p8, p9, p10 and 1 more");
});
