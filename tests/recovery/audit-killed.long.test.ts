import { verifyAudit } from "@ciphernx/core/audit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Federation, startFederation } from "./federation.ts";

const KILLS = 3;
const AT_ONCE = 12;

let federation: Federation;

beforeAll(async () => {
  federation = await startFederation({ parties: [] });
});

afterAll(() => federation[Symbol.asyncDispose]());

describe("kill −9 between decisions", () => {
  it("leaves every decision that was acknowledged in the audit log, none without its decision, and no gap", { timeout: 120_000 }, async () => {
    const acknowledged = new Set<string>();
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const first = Promise.withResolvers<void>();
      const deciding = Array.from({ length: AT_ONCE }, async (_, lane) => {
        for (let number = 1; ; number += 1) {
          const name = `kill-${kill}-${lane}-${number}`;
          await federation.nexus.tokens.create({ name, role: "auditor" });
          acknowledged.add(name);
          if (number > 1) first.resolve();
        }
      });
      const ended = Promise.allSettled(deciding);
      await Promise.race([first.promise, ended]);
      await federation.coordinator.kill();
      // Whoever asked hears that it is away.
      for (const lane of await ended) expect(lane).toMatchObject({ status: "rejected", reason: { name: "NexusError" } });
      await federation.startCoordinator();
    }
    expect(acknowledged.size).toBeGreaterThan(KILLS);
    const events = await Array.fromAsync(federation.nexus.audit.events());
    expect(verifyAudit(events, [])).toMatchObject({ findings: [], last: events.length });
    const created = events.filter(({ action }) => action === "token-created");
    const tokens = await federation.nexus.tokens.list();
    expect(created.map(({ subject }) => subject).toSorted()).toEqual(tokens.map(({ id }) => id).toSorted());
    const names = new Set(tokens.map(({ name }) => name));
    expect([...acknowledged].filter((name) => !names.has(name))).toEqual([]);
  });
});
