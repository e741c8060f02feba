import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWhole, type Federation, online, startFederation, undisturbedHash } from "./federation.ts";
import { startNodeProcess } from "./node-process.ts";
import { PARTIES, runSpec } from "./parties.ts";

const [ALONE, ...OTHERS] = PARTIES;
let federation: Federation;

beforeAll(async () => {
  federation = await startFederation({ parties: OTHERS });
});

afterAll(() => federation[Symbol.asyncDispose]());

describe("kill −9 of a node", () => {
  it("that then restarts finishes its task and changes nothing", { timeout: 60_000 }, async () => {
    const { nexus, folder } = federation;
    const node = { name: ALONE, folder: join(folder, ALONE) };
    const first = startNodeProcess({ ...node, join: { url: federation.coordinator.url, token: await federation.joinToken() } });
    await online(nexus, PARTIES);
    const expected = await undisturbedHash(federation, 3);
    await first.stop();

    const killed = startNodeProcess({ ...node, pauseMs: 60_000 });
    const run = await nexus.runs.start(runSpec(3));
    await killed.begun(1, "fit");
    await killed.kill();
    const killedAgain = startNodeProcess({ ...node, pauseMs: 60_000 });
    await killedAgain.begun(1, "fit");
    await killedAgain.kill();
    const last = startNodeProcess(node);
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, 3);
    await last.stop();
  });
});
