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

/** What a database that went away at the wrong moment can leave of a workflow. */
const LEFT = {
  "recorded as failed": "status = 'ERROR', owner_xid = null",
  "beyond its recoveries": "status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED', owner_xid = null",
  "claimed with nobody at work": "owner_xid = 'nobody'",
};

describe("a round's workflow that is lost", () => {
  it.for(Object.entries(LEFT))(
    "%s is replaced by another, and the run has the hash of the undisturbed run",
    { timeout: 90_000 },
    async ([, left]) => {
      const held = Promise.withResolvers<void>();
      federation.pace = { before: (party, { round }, kind) => (party === "clinic-c" && round === 2 && kind === "fit" ? held.promise : undefined) };
      const run = await federation.nexus.runs.start(runSpec(3));
      await event(run, ({ type, payload }) => type === "round-opened" && payload.round === 2);
      await federation.coordinator.query(`update dbos.workflow_status set ${left} where workflow_uuid = '${run.id}/2'`);
      held.resolve();
      expect((await run.result()).modelHash).toBe(expected);
      await expectWhole(federation, run, 3);
    },
  );
});
