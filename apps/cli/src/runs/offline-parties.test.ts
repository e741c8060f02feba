import { expect, it } from "vitest";
import { offlineParties, offlineWarning } from "./offline-parties.ts";

const parties = ["aachen", "bonn", "chur"].map((name) => ({ name, trainExamples: 5, testExamples: 0, contentHash: "" }));
const plan = (quorum: number) => ({ parties, cohort: { size: 3, invited: 3, quorum, deadlineMs: 1_000, attempts: 1 } });
const nodes = (...names: readonly string[]) => parties.map(({ name }) => ({ name, online: names.includes(name) }));

it("names the parties of a plan that are not connected, also those whose node is not known, and no others", () => {
  expect(offlineParties(plan(3), [...nodes("aachen", "bonn", "chur"), { name: "dora", online: false }])).toEqual([]);
  expect(offlineParties(plan(3), nodes("bonn"))).toEqual(["aachen", "chur"]);
  expect(offlineParties(plan(3), [])).toEqual(["aachen", "bonn", "chur"]);
});

it("says what becomes of a round without them", () => {
  expect(offlineWarning([], plan(3))).toBeUndefined();
  expect(offlineWarning(["chur"], plan(2))).toBe(
    "Not online now: chur. A round that asks for them waits until its deadline and goes on without them. `nexus node run` on their machines connects them.",
  );
  expect(offlineWarning(["bonn", "chur"], plan(3))).toContain("Only 1 of 3 parties is there, and a round needs 3: it waits until its deadline.");
  expect(offlineWarning(["aachen", "bonn", "chur"], plan(3))).toContain("Nobody is there, and a round needs 3");
});
