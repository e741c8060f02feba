import { expect, it } from "vitest";
import { exposure, SUBJECTS, VIEWERS } from "./exposure.ts";
import type { RunPlan } from "./index.ts";

const cohort: RunPlan["cohort"] = { size: 10, invited: 10, quorum: 9, deadlineMs: 1, attempts: 1 };
const protection: NonNullable<RunPlan["protection"]> = {
  ...{ kind: "secagg", kMin: 3, corruption: 1 / 3, dropout: 0.1, metricsRide: true, bits: 20 },
  ...{ graph: "complete", holders: 10, threshold: 7, corrupt: 3, leastSurvivors: 7 },
};

it("differs with protection in what the coordinator sees of one party, and in nothing else", () => {
  const [open, hidden] = [exposure({ cohort }), exposure({ cohort, protection })];
  const different = VIEWERS.flatMap((viewer) =>
    SUBJECTS.filter((subject) => open[viewer][subject].sees !== hidden[viewer][subject].sees).map((subject) => `${viewer}: ${subject}`),
  );
  expect(different).toEqual(["coordinator: your update", "coordinator: your metrics"]);
  expect(VIEWERS.flatMap((viewer) => SUBJECTS.filter((subject) => open[viewer][subject].because !== hidden[viewer][subject].because))).toHaveLength(
    2,
  );
});

it("tells the assumption of each cell that has one, from the plan's own figures", () => {
  const { because } = exposure({ cohort, protection }).coordinator["your update"];
  expect(because).toContain("sums of 9 parties of 3 organisations or more");
  expect(because).toContain("with 4 or more of 10 parties on its side");
});

it("shows nobody rows but their own party", () => {
  for (const plan of [{ cohort }, { cohort, protection }]) {
    const table = exposure(plan);
    expect(VIEWERS.filter((viewer) => table[viewer].rows.sees !== "never")).toEqual(["you"]);
  }
});
