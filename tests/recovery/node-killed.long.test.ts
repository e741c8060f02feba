import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWhole, type Federation, online, startFederation } from "./federation.ts";
import { startNodeProcess } from "./node-process.ts";
import { PARTIES, runSpec } from "./parties.ts";

const [ALONE, ...OTHERS] = PARTIES;
let federation: Federation;

beforeAll(async () => {
  federation = await startFederation({ parties: OTHERS });
});

afterAll(() => federation[Symbol.asyncDispose]());

describe("kill −9 of a node that does not come back", () => {
  it("ends no run whose quorum does without it, and the run shows who was missing", { timeout: 120_000 }, async () => {
    const { nexus, folder } = federation;
    const node = startNodeProcess({
      name: ALONE,
      folder: join(folder, ALONE),
      pauseMs: 60_000,
      join: { url: federation.coordinator.url, token: await federation.joinToken() },
    });
    await online(nexus, PARTIES);
    // The deadline is far away: it is its silence that counts.
    const run = await nexus.runs.start(runSpec(2, { quorum: 2, deadlineSeconds: 3_600 }));
    await node.begun(1, "fit");
    await node.kill();
    await run.result();

    const events = await expectWhole(federation, run, 2);
    const missed = events.flatMap((event) => (event.type === "round-committed" ? [event.payload.missed] : []));
    expect(missed).toEqual([[ALONE], [ALONE]]);
    const { rounds } = await run.show();
    for (const { participations } of rounds) {
      expect(participations.find(({ party, kind }) => party === ALONE && kind === "fit")).toMatchObject({
        state: "expired",
        reason: expect.stringContaining("TASK_CLOSED"),
      });
    }
  });
});
