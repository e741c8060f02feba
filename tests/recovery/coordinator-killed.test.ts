import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWhole, type Federation, startFederation, undisturbedHash } from "./federation.ts";
import { killAtEach, roundsFor } from "./kill-at-each.ts";
import { POINTS } from "./points.ts";

let federation: Federation;

beforeAll(async () => {
  federation = await startFederation();
});

afterAll(() => federation[Symbol.asyncDispose]());

describe("kill −9 of the coordinator", () => {
  // The other points of a round have their turn in the .long test beside this one.
  const { answering, aggregating, committing, committed } = POINTS;

  it("leaves a run that goes on by itself, commits each round once, and has the hash of the undisturbed run", { timeout: 90_000 }, async () => {
    const points = [answering, aggregating, committing, committed];
    const expected = await undisturbedHash(federation, roundsFor(points));
    const run = await killAtEach(federation, points);
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, roundsFor(points));
  });
});
