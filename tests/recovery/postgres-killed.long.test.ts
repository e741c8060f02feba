import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWhole, type Federation, startFederation, undisturbedHash } from "./federation.ts";
import { killAtEach, roundsFor } from "./kill-at-each.ts";
import { killPostgres } from "./kill-postgres.ts";
import { POINTS } from "./points.ts";

let federation: Federation;

beforeAll(async () => {
  federation = await startFederation();
});

afterAll(() => federation[Symbol.asyncDispose]());

describe("kill −9 of PostgreSQL at every point of a round", () => {
  it("leaves a run that goes on by itself, commits each round once, and has the hash of the undisturbed run", { timeout: 240_000 }, async () => {
    const points = Object.values(POINTS);
    const expected = await undisturbedHash(federation, roundsFor(points));
    const run = await killAtEach(federation, points, { kill: async (killing, gate) => void (await killPostgres(killing, gate)) });
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, roundsFor(points));
  });
});
