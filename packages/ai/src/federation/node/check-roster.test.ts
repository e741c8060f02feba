import { readRoster, type Roster, type RosterAct, signRosterEntry } from "@ciphernx/core/roster";
import { generateSigningKey, sign, type SigningKey } from "@ciphernx/crypto/keys";
import type { RunStart } from "@ciphernx/protocol/proto";
import { RunStartSchema } from "@ciphernx/protocol/proto";
import { startBytes } from "@ciphernx/protocol/wire";
import { create } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, it } from "vitest";
import { compileOrThrow, parseRunSpec, type RunPlan } from "../../spec/index.ts";
import { planHash } from "../../spec/plan-hash.ts";
import { checkRoster } from "./check-roster.ts";
import type { NodeIdentity } from "./identity.ts";

const hex = (key: SigningKey): string => Buffer.from(key.publicKey).toString("hex");

let founder: SigningKey, second: SigningKey, stranger: SigningKey;
let ash: NodeIdentity;
let roster: Roster;
let plan: RunPlan;
let start: RunStart;

async function said(before: Roster | undefined, act: RosterAct, ...keys: readonly SigningKey[]): Promise<Roster> {
  return readRoster([await signRosterEntry(before, act, { keys, at: new Date().toISOString() })], before);
}

function planOf(parties: readonly string[], head: Roster = roster): RunPlan {
  const dataset = { schema: { kind: "opaque" } as const, trainExamples: 10, testExamples: 0, contentHash: "0".repeat(64) };
  const spec = parseRunSpec({
    version: 1,
    name: "own",
    seed: 1,
    data: { dataset: "rows" },
    model: { kind: "tensors", tensors: { b: [1] } },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    protection: { kind: "none" },
    rounds: 1,
  });
  const facts = parties.map((name) => ({ name, kernelBuild: "b", dataset, onRoster: true }));
  return compileOrThrow(spec, { kernelBuild: "b", parties: facts, roster: { version: head.version, hash: head.hash } });
}

async function startOf(of: RunPlan, key: SigningKey, organisation = "clinic-a", change: Partial<RunStart> = {}): Promise<RunStart> {
  const signed = { organisation, specHash: of.specHash, planHash: of.planHash, initialModelHash: "", idempotencyKey: "k" };
  return create(RunStartSchema, { ...signed, signature: await sign(key, startBytes(signed)), ...change });
}

beforeAll(async () => {
  const keys = await Promise.all(Array.from({ length: 6 }, generateSigningKey));
  [founder, second, stranger] = keys as [SigningKey, SigningKey, SigningKey];
  const [, , , invitation, ashKey, elmKey] = keys;
  ash = { nodeId: "node_ash", name: "ash", key: ashKey! };
  roster = await said(undefined, { kind: "founded", project: "prj_1", organisation: "clinic-a", key: hex(founder) }, founder);
  const until = "2999-01-01T00:00:00.000Z";
  roster = await said(roster, { kind: "invited", by: "clinic-a", organisation: "clinic-b", invitation: hex(invitation!), until }, founder);
  roster = await said(roster, { kind: "joined", organisation: "clinic-b", key: hex(second), invitation: hex(invitation!) }, invitation!, second);
  roster = await said(roster, { kind: "node-added", organisation: "clinic-a", node: "ash", key: hex(ashKey!) }, founder);
  roster = await said(roster, { kind: "node-added", organisation: "clinic-b", node: "elm", key: hex(elmKey!) }, second);
  plan = planOf(["ash", "elm"]);
  start = await startOf(plan, founder);
});

describe("a node asks of a run", () => {
  it("that its parties are on the roster, and one of the organisations started it", async () => {
    await expect(checkRoster({ plan, parties: plan.parties, start }, roster, ash)).resolves.toBeUndefined();
    await expect(checkRoster({ plan, parties: plan.parties, start: await startOf(plan, second, "clinic-b") }, roster, ash)).resolves.toBeUndefined();
  });

  it("nothing that a coordinator can make up: a party that nobody signed for", async () => {
    const stuffed = planOf(["ash", "elm", "sybil"]);
    const refused = { code: "NOT_ON_ROSTER", message: expect.stringContaining("sybil") as string };
    await expect(checkRoster({ plan: stuffed, parties: stuffed.parties, start: await startOf(stuffed, founder) }, roster, ash)).rejects.toMatchObject(
      refused,
    );
  });

  it("a start that is signed over this very spec and plan", async () => {
    const other = planOf(["ash"]);
    const notSigned = { code: "RUN_NOT_SIGNED" };
    // The plan was changed after it had been signed, its hash set right.
    await expect(checkRoster({ plan: other, parties: other.parties, start }, roster, ash)).rejects.toMatchObject(notSigned);
    const { planHash: _, ...rest } = plan;
    const faster = { ...rest, rounds: 99 };
    await expect(checkRoster({ plan: { ...faster, planHash: planHash(faster) }, parties: plan.parties, start }, roster, ash)).rejects.toMatchObject(
      notSigned,
    );
    for (const change of [
      { initialModelHash: "ab".repeat(32) },
      { idempotencyKey: "other" },
      { organisation: "clinic-b" },
      { signature: new Uint8Array(64) },
    ])
      await expect(
        checkRoster({ plan, parties: plan.parties, start: create(RunStartSchema, { ...start, ...change }) }, roster, ash),
      ).rejects.toMatchObject(notSigned);
    await expect(checkRoster({ plan, parties: plan.parties, start: await startOf(plan, stranger) }, roster, ash)).rejects.toMatchObject(notSigned);
    await expect(checkRoster({ plan, parties: plan.parties, start: undefined }, roster, ash)).rejects.toMatchObject(notSigned);
  });

  it("a starter who is on the roster, and still is", async () => {
    const outside = { code: "NOT_ON_ROSTER" };
    await expect(checkRoster({ plan, parties: plan.parties, start: await startOf(plan, stranger, "clinic-z") }, roster, ash)).rejects.toMatchObject(
      outside,
    );
    const bySecond = await startOf(plan, second, "clinic-b");
    const gone = await said(roster, { kind: "organisation-removed", organisation: "clinic-b", by: "clinic-a" }, founder);
    await expect(checkRoster({ plan, parties: plan.parties, start: bySecond }, gone, ash)).rejects.toMatchObject(outside);
    // A party that left does not end what the others began.
    await checkRoster({ plan, parties: plan.parties, start }, gone, ash);
  });

  it("the key that the starter had when the plan was made", async () => {
    const rotated = await said(roster, { kind: "key-rotated", organisation: "clinic-a", key: hex(stranger) }, founder, stranger);
    await checkRoster({ plan, parties: plan.parties, start }, rotated, ash);
    const later = planOf(["ash", "elm"], rotated);
    await checkRoster({ plan: later, parties: later.parties, start: await startOf(later, stranger) }, rotated, ash);
    // The key that was rotated away, perhaps because it was stolen.
    await expect(checkRoster({ plan: later, parties: later.parties, start: await startOf(later, founder) }, rotated, ash)).rejects.toMatchObject({
      code: "RUN_NOT_SIGNED",
    });
  });

  it("a plan that names a roster, with itself on it", async () => {
    const { roster: _, ...unrostered } = plan;
    await expect(checkRoster({ plan: unrostered, parties: plan.parties, start }, roster, ash)).rejects.toMatchObject({ code: "RUN_NOT_SIGNED" });
    const otherKey = { ...ash, key: stranger };
    await expect(checkRoster({ plan, parties: plan.parties, start }, roster, otherKey)).rejects.toMatchObject({ code: "NOT_ON_ROSTER" });
    const without = await said(roster, { kind: "node-removed", organisation: "clinic-a", node: "ash" }, founder);
    await expect(checkRoster({ plan, parties: plan.parties, start }, without, ash)).rejects.toMatchObject({ code: "NOT_ON_ROSTER" });
  });

  it("members and nodes as they were when the plan was made, not those that came later", async () => {
    const early = planOf(["ash", "elm"], await readRoster(roster.entries.slice(0, 4)));
    const refused = { code: "NOT_ON_ROSTER", message: expect.stringContaining("elm") as string };
    await expect(checkRoster({ plan: early, parties: early.parties, start: await startOf(early, founder) }, roster, ash)).rejects.toMatchObject(
      refused,
    );
  });
});
