import { describe, expect, it } from "vitest";
import { type MissedRound, type MissedTask, quorumError } from "./quorum-not-reached.ts";

const ROUND: MissedRound = { runId: "run_x", round: 1, quorum: 3, attempts: 3, missing: ["b", "c", "d", "e"] };
const TASKS: readonly MissedTask[] = [
  { party: "b", state: "failed", reasonCode: "DATA_INVALID", reason: 'The dataset "heart" has missing cells\n in "age" (3).' },
  { party: "c", state: "expired", reasonCode: "TASK_CLOSED", reason: "The deadline passed." },
  { party: "d", state: "rejected", reasonCode: "UPDATE_INVALID", reason: "The update has 3 coordinates." },
];

describe("the error of a round without a quorum", () => {
  it("tells of each party that was lacking why", () => {
    expect(quorumError(ROUND, TASKS)).toMatchObject({
      code: "QUORUM_NOT_REACHED",
      message:
        'Round 1 of run_x had no quorum of 3 in 3 attempts: b failed (DATA_INVALID: The dataset "heart" has missing cells in "age" (3)); ' +
        "c did not answer; d was refused (UPDATE_INVALID: The update has 3 coordinates); e has no approved node.",
    });
  });

  it("tells what was wrong with the sum where nobody was lacking, and who was in it and helped no more", () => {
    const why = "The sum of 5 updates is none that updates add up to: their weight is −7.";
    expect(quorumError({ ...ROUND, missing: [], attempts: 1, why }, TASKS).message).toBe(
      `Round 1 of run_x had no sum that can be used in 1 attempt: ${why}`,
    );
    const left = { party: "b", state: "accepted", reasonCode: null, reason: null };
    expect(quorumError({ ...ROUND, missing: ["b"], attempts: 1 }, [left]).message).toContain("b took no further part in the sum");
  });

  it("stays short, whatever nodes say and however many they are", () => {
    const missing = Array.from({ length: 1_000 }, (_, index) => `party-${index}`);
    const missed = missing.map((party) => ({ party, state: "failed", reasonCode: "TRAINER_FAILED", reason: "x".repeat(2_000) }));
    const { message } = quorumError({ ...ROUND, missing, attempts: 1 }, missed);
    expect(message.length).toBeLessThan(5_000);
    expect(message).toMatch(/in 1 attempt: party-0 failed \(TRAINER_FAILED: x+…\); .*; and 990 more parties\.$/);
  });
});
