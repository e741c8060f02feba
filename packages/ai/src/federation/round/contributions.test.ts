import { expect, it } from "vitest";
import { contributions } from "./contributions.ts";
import { select } from "./select.ts";

const SEED = 4;

function planOf(size: number) {
  const parties = ["ash", "birch", "cedar", "dogwood"].map((name) => ({ name, trainExamples: 5, testExamples: 0, contentHash: "" }));
  return { parties, cohort: { size, invited: size, quorum: size, deadlineMs: 1_000, attempts: 3 } };
}

const ALL = planOf(4).parties.map(({ name }) => name);

it("counts the rounds of each party, and finds nothing changed where every draw was added as it was", () => {
  const drawn = [1, 2, 3].map((round) => ({ round, accepted: select(planOf(2), SEED, round, 0) }));
  const { rounds, counted, changedRounds } = contributions(planOf(2), SEED, [{ round: 0, accepted: ALL }, ...drawn]);
  expect(changedRounds).toBe(0);
  expect(counted).toEqual(new Set(ALL));
  for (const name of ALL) expect(rounds.get(name) ?? 0).toBe(drawn.filter(({ accepted }) => accepted.includes(name)).length);
  expect([...rounds.values()].reduce((sum, one) => sum + one)).toBe(6);
});

it("finds a party that is away, another one in its place, and rows that were not counted", () => {
  const away = contributions(planOf(4), SEED, [
    { round: 1, accepted: ALL },
    { round: 2, accepted: ALL.slice(1) },
  ]);
  expect(away.changedRounds).toBe(1);
  expect(away.counted).toBeUndefined();
  expect(away.rounds).toEqual(new Map([...ALL.map((name): [string, number] => [name, 2]), ["ash", 1]]));

  const drawn = select(planOf(2), SEED, 1, 0);
  const other = ALL.filter((name) => !drawn.includes(name)).slice(0, 1);
  expect(contributions(planOf(2), SEED, [{ round: 1, accepted: [drawn[0]!, ...other] }]).changedRounds).toBe(1);

  const uncounted = contributions(planOf(4), SEED, [
    { round: 0, accepted: ["ash"] },
    { round: 1, accepted: ALL },
  ]);
  expect(uncounted).toMatchObject({ counted: new Set(["ash"]), changedRounds: 1 });
});
