import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { event, expectWhole, type Federation, startFederation, undisturbedHash } from "./federation.ts";
import { runSpec } from "./parties.ts";

let federation: Federation;
let expected: string;

beforeAll(async () => {
  federation = await startFederation();
  expected = await undisturbedHash(federation, 3);
});

afterAll(() => federation[Symbol.asyncDispose]());

/** Starts a run whose second round waits for one party. @returns the run, and what lets the party go on */
async function heldInRoundTwo() {
  const held = Promise.withResolvers<void>();
  federation.pace = { before: (party, { round }, kind) => (party === "clinic-c" && round === 2 && kind === "fit" ? held.promise : undefined) };
  const run = await federation.nexus.runs.start(runSpec(3));
  await event(run, ({ type, payload }) => type === "round-opened" && payload.round === 2);
  return { run, goOn: held.resolve };
}

describe("a run that is interrupted in the middle of a round", () => {
  it("by stop goes on where it was after resume, to the hash of the undisturbed run", { timeout: 60_000 }, async () => {
    const { run, goOn } = await heldInRoundTwo();
    await run.stop();
    expect(await event(run, ({ type }) => type === "run-finished")).toMatchObject({ payload: { outcome: "stopped" } });
    expect((await run.show()).run).toMatchObject({ state: "finished", outcome: "stopped", round: 1 });
    goOn();
    await run.resume();
    await event(run, ({ type, payload }) => type === "run-finished" && payload.outcome === "completed");
    expect((await run.result()).modelHash).toBe(expected);
    const events = await expectWhole(federation, run, 3);
    expect(events.map(({ type }) => type)).toContain("run-resumed");
  });

  it("by the coordinator being told to stop goes on with its next start, to the hash of the undisturbed run", { timeout: 60_000 }, async () => {
    const { run, goOn } = await heldInRoundTwo();
    await federation.restartCoordinator();
    goOn();
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, 3);
  });
});

describe("a coordinator that ends", () => {
  it("leaves nothing running when it is killed", { timeout: 60_000 }, async () => {
    const postgres = await federation.coordinator.postgres();
    expect(alive(postgres)).toBe(true);
    await federation.coordinator.kill();
    await expect.poll(() => alive(postgres), { timeout: 20_000 }).toBe(false);
    await federation.startCoordinator();
  });

  it("leaves nothing running and nothing locked when it is told to stop", { timeout: 60_000 }, async () => {
    const { coordinator } = federation;
    const postgres = await coordinator.postgres();
    await coordinator.stop();
    expect(alive(postgres)).toBe(false);
    expect(await federation.locks()).toEqual([]);
    await federation.startCoordinator();
  });
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // ESRCH
  }
}
