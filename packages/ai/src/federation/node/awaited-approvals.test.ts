import { describe, expect, it } from "vitest";
import { awaitedApprovals } from "./awaited-approvals.ts";
import type { LoggedDecision } from "./decision-log.ts";

const at = (minute: number): string => `2026-01-01T00:0${minute}:00.000Z`;
const decision = (minute: number, act: LoggedDecision["act"], specHash: string, more: Partial<LoggedDecision> = {}): LoggedDecision => ({
  ...{ at: at(minute), act, dataset: "visits", specHash },
  ...more,
});
const refused = (minute: number, specHash: string, run: string, code = "APPROVAL_REQUIRED") =>
  decision(minute, "refused", specHash, { run, code, round: 1 });

describe("awaitedApprovals", () => {
  it("are of specs that were refused for want of one and have not been approved since, the latest first", () => {
    const log = [
      refused(1, "a", "run_1"),
      refused(2, "b", "run_2"),
      refused(3, "c", "run_3", "TERMS_REFUSED"),
      decision(4, "approved", "a"),
      refused(5, "d", "run_4"),
      refused(6, "b", "run_5"),
    ];
    expect(awaitedApprovals(log, "visits")).toEqual([
      { specHash: "b", run: "run_5", at: at(6) },
      { specHash: "d", run: "run_4", at: at(5) },
    ]);
    expect(awaitedApprovals(log, "others")).toEqual([]);
  });

  it("come back when an approval was revoked and the run asked again", () => {
    const log = [refused(1, "a", "run_1"), decision(2, "approved", "a"), decision(3, "revoked", "a")];
    expect(awaitedApprovals(log, "visits")).toEqual([]);
    expect(awaitedApprovals([...log, refused(4, "a", "run_1")], "visits")).toEqual([{ specHash: "a", run: "run_1", at: at(4) }]);
  });
});
