import { create } from "@bufbuild/protobuf";
import { ParticipationSchema, RoundSchema } from "@ciphernx/protocol/proto";
import { describe, expect, it } from "vitest";
import { colours } from "../output/colours.ts";
import { formatParties, roundData } from "./runs.ts";

const round = create(RoundSchema, {
  ...{ round: 2, attempt: 1, state: "committed" },
  participations: [
    create(ParticipationSchema, {
      party: "clinic-a",
      kind: "fit",
      state: "accepted",
      durationMs: 1500,
      bytesUp: 2_000_000n,
      bytesDown: 1_000n,
      attempt: 1,
    }),
    create(ParticipationSchema, { party: "clinic-b", kind: "fit", state: "failed", reason: "NODE_LIMIT: A task: too large.", attempt: 1 }),
    create(ParticipationSchema, {
      party: "clinic-c",
      kind: "fit",
      state: "expired",
      reason: "TASK_CLOSED: The round closed without it.",
      attempt: 1,
    }),
  ],
});

describe("the parties of a run", () => {
  it("are told round by round, with time, bytes and error", () => {
    const [head, ...rows] = formatParties([round], colours(false))
      .split("\n")
      .map((line) => line.trim().split(/\s{2,}/));
    expect(head).toEqual(["ROUND", "ATTEMPT", "NODE", "TASK", "STATE", "TIME", "UP", "DOWN", "ERROR"]);
    expect(rows[0]!.slice(0, 6)).toEqual(["2", "1", "clinic-a", "fit", "accepted", "1.50 s"]);
    expect(rows[1]!.at(-1)).toBe("NODE_LIMIT");
    expect(rows[2]!.slice(2, 5)).toEqual(["clinic-c", "fit", "expired"]);
  });

  it("have a hint with their error, for programs", () => {
    expect(roundData(round).parties.map(({ hint }) => hint)).toEqual([null, expect.stringContaining("--memory"), expect.any(String)]);
  });
});
