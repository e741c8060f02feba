import type { DatasetTerms } from "@ciphernx/ai/data";
import { setTerms, writeDescriptor } from "@ciphernx/ai/data/node";
import { folderApprovals, folderGuard, folderRoster, joinNode, loadIdentity, readKeptRoster } from "@ciphernx/ai/federation/node";
import {
  addNode,
  createOrganisation,
  foundingEntry,
  inviteOrganisation,
  joinRoster,
  openOrganisation,
  type OpenOrganisation,
  removeNode,
  removeOrganisation,
  rosterAccess,
  type RosterAccess,
  rotateKey,
  runSigner,
  signForNode,
} from "@ciphernx/ai/federation/organisation";
import { parseRunSpec, runSpecHash } from "@ciphernx/ai/spec";
import { signRosterEntry } from "@ciphernx/core/roster";
import { rosterEntries } from "@ciphernx/core/store";
import { generateSigningKey, sign } from "@ciphernx/crypto/keys";
import { RosterService } from "@ciphernx/protocol/proto";
import { readingBytes, type Transport } from "@ciphernx/protocol/wire";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classRows, eventually, ROWS_SCHEMA, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

const PASSPHRASE = "five random words are easy";
let lent: TestCoordinator;
let transport: Transport;
let project: string;
const stack = new AsyncDisposableStack();

/** An organisation with a way to the roster. */
interface Member {
  readonly organisation: OpenOrganisation;
  readonly access: RosterAccess;
}
let a: Member, b: Member;

const accessOf = (organisation: OpenOrganisation): RosterAccess => rosterAccess(transport, { project, keys: organisation.keys });
const create = (name: string) => createOrganisation({ folder: lent.folderOf(`org-${name}`), name, project, url: lent.url, passphrase: PASSPHRASE });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

async function invite(name: string, by: Member, expiresInSeconds = 60): Promise<Member> {
  const invitation = await inviteOrganisation(by.access, by.organisation, { name, expiresInSeconds });
  const organisation = await create(name);
  await joinRoster(rosterAccess(transport, { project, keys: [invitation.key, organisation.key] }), organisation, invitation);
  return { organisation, access: accessOf(organisation) };
}

/** A node that has joined and waits for approval. */
async function pending(name: string): Promise<string> {
  const { token } = await lent.nexus.nodes.createJoinToken();
  await joinNode({ url: lent.url, token, name, folder: lent.folderOf(name) });
  return hex((await loadIdentity(lent.folderOf(name))).identity.key.publicKey);
}

/** A node of an organisation, at work with terms that want each run approved. */
async function work(name: string, member: Member): Promise<void> {
  const folder = lent.folderOf(name);
  await pending(name);
  await signForNode(member.access, member.organisation, folder);
  await writeDescriptor(folder, {
    ...{ formatVersion: 1, name: "rows", schema: ROWS_SCHEMA },
    files: { format: "npz", train: { file: "rows.npz", features: "x", targets: "y" } },
  });
  await setTerms(folder, "rows", { runs: "approved", protections: ["none"] });
  const { identity } = await loadIdentity(folder);
  const guard = folderGuard({ folder, facts: () => Promise.resolve({ schema: ROWS_SCHEMA, trainExamples: 20, testExamples: 4 }) });
  stack.use(await startWork(lent.url, identity, { rows: classRows(name, 20, 4), guard, roster: await folderRoster(folder, identity) }));
}

async function approve(name: string, specHash: string): Promise<void> {
  const now = await a.access.read();
  // The node hears of every entry by itself.
  const { version, hash } = await eventually(async () => {
    const kept = await readKeptRoster(lent.folderOf(name));
    return kept?.version === now.version ? kept : undefined;
  });
  const approvedAt = new Date().toISOString();
  await folderApprovals(lent.folderOf(name)).write({ dataset: "rows", specHash, approvedAt, roster: { version, hash } });
}

const spec = (changes: Parameters<typeof rowsSpec>[0] = {}) => parseRunSpec(rowsSpec({ cohort: { deadlineSeconds: 30, attempts: 1 }, ...changes }));

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  transport = stack.use(connectTransport({ baseUrl: lent.url }));
  project = (await lent.nexus.status()).projectId;
});
afterAll(() => stack.disposeAsync());

describe("a project without organisations", () => {
  it("has no roster, and nobody can add to it", async () => {
    expect(await lent.nexus.organisations.roster()).toBeUndefined();
    const organisation = await create("early");
    await expect(accessOf(organisation).read()).rejects.toMatchObject({ code: "ROSTER_NOT_FOUND" });
    const { entry } = await foundingEntry(organisation);
    await expect(createClient(RosterService, transport.rpc).appendEntry({ entry })).rejects.toMatchObject({ code: "ROSTER_NOT_FOUND" });
  });

  it("is given one by its owner, once, for itself", async () => {
    const organisation = await create("clinic-a");
    const elsewhere = await foundingEntry({
      ...organisation,
      name: "clinic-a",
      project: "prj_other",
      key: organisation.key,
      publicKey: organisation.publicKey,
    });
    await expect(lent.nexus.organisations.found(elsewhere.entry)).rejects.toMatchObject({ code: "ROSTER_INVALID" });
    await lent.nexus.organisations.found((await foundingEntry(organisation)).entry);
    a = { organisation, access: accessOf(organisation) };
    expect((await a.access.read()).founder).toBe("clinic-a");
    const second = await foundingEntry(await create("late"));
    await expect(lent.nexus.organisations.found(second.entry)).rejects.toMatchObject({ code: "ROSTER_MOVED" });
  });
});

describe("organisations", () => {
  it("join by an invitation, whose secret the coordinator never sees", async () => {
    b = await invite("clinic-b", a);
    expect([...(await a.access.read()).organisations.keys()]).toEqual(["clinic-a", "clinic-b"]);
    const rows = await lent.coordinator.store.db.select().from(rosterEntries);
    expect(rows).toHaveLength(3);
  });

  it("do not join by one that ended, was used, or is another's", async () => {
    const { access, organisation } = a;
    const invitation = await inviteOrganisation(access, organisation, { name: "clinic-c", expiresInSeconds: -60 });
    const late = await create("clinic-c");
    const outside = rosterAccess(transport, { project, keys: [invitation.key, late.key] });
    await expect(joinRoster(outside, late, invitation)).rejects.toThrow(/the invitation ended on/);
    const stranger = await generateSigningKey();
    await expect(joinRoster(rosterAccess(transport, { project, keys: [stranger] }), late, { ...invitation, key: stranger })).rejects.toMatchObject({
      code: "ROSTER_INVITATION_INVALID",
    });
  });

  it("alone may read the roster, each by its own key and now", async () => {
    const client = createClient(RosterService, transport.rpc);
    const read = async (change: { readonly atUnixMs?: bigint; readonly projectId?: string; readonly key?: Uint8Array<ArrayBuffer> } = {}) => {
      const atUnixMs = change.atUnixMs ?? BigInt(Date.now());
      const signature = await sign(a.organisation.key, readingBytes({ projectId: change.projectId ?? project, atUnixMs, after: 0 }));
      return client.readRoster({ key: change.key ?? a.organisation.key.publicKey, atUnixMs, signature, after: 0 });
    };
    expect((await read()).entries.length).toBeGreaterThan(2);
    const refused = { code: "ROSTER_INVITATION_INVALID" };
    await expect(read({ atUnixMs: BigInt(Date.now() - 600_000) })).rejects.toMatchObject(refused);
    await expect(read({ projectId: "prj_other" })).rejects.toMatchObject(refused);
    await expect(read({ key: b.organisation.key.publicKey })).rejects.toMatchObject(refused);
    await expect(client.readRoster({})).rejects.toMatchObject(refused);
  });

  it("sign for their nodes, which are approved by that; the project's owner cannot", async () => {
    const key = await pending("ash");
    await expect(lent.nexus.nodes.approve("ash")).rejects.toMatchObject({ code: "NOT_ON_ROSTER" });
    await expect(addNode(a.access, a.organisation, { node: "ash", key: hex((await generateSigningKey()).publicKey) })).rejects.toMatchObject({
      code: "NODE_NOT_FOUND",
    });
    await addNode(a.access, a.organisation, { node: "ash", key });
    expect((await lent.nexus.nodes.list()).find(({ name }) => name === "ash")?.status).toBe("approved");
    await expect(addNode(b.access, b.organisation, { node: "ash", key })).rejects.toMatchObject({ code: "ROSTER_INVALID" });
  });

  it("say things at the same time, and nothing is lost", async () => {
    const names = Array.from({ length: 10 }, (_, index) => `many-${index}`);
    const keys = await Promise.all(names.map(pending));
    await Promise.all(
      names.map((node, index) => {
        const { access, organisation } = index % 2 === 0 ? a : b;
        return addNode(access, organisation, { node, key: keys[index]! });
      }),
    );
    const roster = await a.access.read();
    expect(names.every((name) => roster.nodes.has(name))).toBe(true);
    expect(roster.version).toBe((await lent.coordinator.store.db.select().from(rosterEntries)).length);
    for (const [index, name] of names.entries())
      await (index % 2 === 0 ? removeNode(a.access, a.organisation, name) : removeNode(b.access, b.organisation, name));
    expect((await lent.nexus.nodes.list()).filter(({ name, status }) => names.includes(name) && status !== "removed")).toEqual([]);
  });

  it("cannot send an entry of yesterday, or one that is none", async () => {
    const client = createClient(RosterService, transport.rpc);
    const roster = await a.access.read();
    const act = { kind: "node-removed", organisation: "clinic-a", node: "ash" } as const;
    const old = await signRosterEntry(roster, act, { keys: [a.organisation.key], at: new Date(Date.now() - 86_400_000).toISOString() });
    await expect(client.appendEntry({ entry: JSON.stringify(old) })).rejects.toThrow(/Set the clock|says it was made at/);
    for (const entry of ["", "{", "[]", "x".repeat(10_000), JSON.stringify({ ...old, more: 1 })])
      await expect(client.appendEntry({ entry })).rejects.toMatchObject({ code: "ROSTER_INVALID" });
  });
});

describe("a rotation of a key", () => {
  it("that broke off after the roster had it is finished by the next command", async () => {
    const before = a.organisation.publicKey;
    const next = await a.organisation.nextKey();
    // Another process of the same organisation had said it, and was killed before it could keep that.
    const other = await openOrganisation(lent.folderOf("org-clinic-a"), PASSPHRASE);
    expect(other.keys).toHaveLength(2);
    const roster = await a.access.read();
    const act = { kind: "key-rotated", organisation: "clinic-a", key: hex(next.publicKey) } as const;
    await a.access.append(await signRosterEntry(roster, act, { keys: [a.organisation.key, next], at: new Date().toISOString() }));
    await rotateKey(accessOf(other), other);
    expect(other.publicKey).toBe(hex(next.publicKey));
    expect((await openOrganisation(lent.folderOf("org-clinic-a"), PASSPHRASE)).publicKey).toBe(hex(next.publicKey));
    a = { organisation: other, access: accessOf(other) };
    expect((await a.access.read()).organisations.get("clinic-a")?.keys.map(({ key }) => key)).toEqual([before, hex(next.publicKey)]);
  });

  it("needs the passphrase", async () => {
    await expect(openOrganisation(lent.folderOf("org-clinic-a"), "another passphrase")).rejects.toMatchObject({ code: "ORGANISATION_KEY_LOCKED" });
    await expect(openOrganisation(lent.folderOf("nowhere"), PASSPHRASE)).rejects.toMatchObject({ code: "ORGANISATION_FOLDER_INVALID" });
  });
});

describe("runs of a project with organisations", () => {
  it("are started by one of them, over a plan that it saw, and by nobody else", async () => {
    await work("elm", a);
    await work("oak", b);
    const one = spec();
    for (const name of ["elm", "oak"]) await approve(name, runSpecHash(one));
    await expect(lent.nexus.runs.start(one)).rejects.toMatchObject({ code: "RUN_NOT_SIGNED" });
    const impostor = { organisation: "clinic-a", sign: async () => sign(await generateSigningKey(), new Uint8Array(1)) };
    await expect(lent.nexus.runs.start(one, { signer: impostor })).rejects.toMatchObject({ code: "RUN_NOT_SIGNED" });
    const signer = runSigner(b.access, b.organisation);
    await expect(lent.nexus.runs.start(one, { signer: { ...signer, organisation: "clinic-z" } })).rejects.toMatchObject({ code: "NOT_ON_ROSTER" });

    const run = await lent.nexus.runs.start(one, { signer });
    expect((await run.result()).modelHash).toMatch(/^[0-9a-f]{64}$/);
    expect((await run.show()).run).toMatchObject({ startedBy: "clinic-b" });
  });

  it("are not started where a party is not on the roster, and the plan says what to do", async () => {
    const identity = await lent.join("stranger");
    stack.use(await startWork(lent.url, identity, { rows: classRows("stranger", 20, 4) }));
    const planned = await lent.nexus.runs.plan(spec());
    expect(planned).toMatchObject({
      ok: false,
      refusals: [{ path: "data.parties", reason: expect.stringContaining("stranger is on no organisation's part") as string }],
    });
    await lent.nexus.nodes.remove("stranger");
  });

  it("are refused by a node whose owner approved before a party came, until the owner looks again", async () => {
    const one = spec({ seed: 8 });
    for (const name of ["elm", "oak"]) await approve(name, runSpecHash(one));
    await work("fir", await invite("clinic-d", b));
    await approve("fir", runSpecHash(one));
    const run = await lent.nexus.runs.start(one, { signer: runSigner(a.access, a.organisation) });
    await expect(run.result()).rejects.toThrow(/(elm|oak) failed \(APPROVAL_REQUIRED: .* was approved when these were not on the roster: fir\)/);
    for (const name of ["elm", "oak"]) await approve(name, runSpecHash(one));
    await run.resume();
    await run.result();
  });

  it("keep what the terms say of organisations", async () => {
    const terms: DatasetTerms = { runs: "any", protections: ["none"] };
    for (const name of ["oak", "fir"]) await setTerms(lent.folderOf(name), "rows", terms);
    await setTerms(lent.folderOf("elm"), "rows", { ...terms, organisations: ["clinic-b"] });
    const first = await lent.nexus.runs.start(spec({ seed: 9 }), { signer: runSigner(a.access, a.organisation) });
    await expect(first.result()).rejects.toThrow(/organisations: it asks for parties of clinic-d, the owner allows clinic-b/);
    await setTerms(lent.folderOf("elm"), "rows", { ...terms, startedBy: ["clinic-a"] });
    const second = await lent.nexus.runs.start(spec({ seed: 9 }), { signer: runSigner(b.access, b.organisation) });
    await expect(second.result()).rejects.toThrow(/startedBy: it asks for clinic-b, the owner allows clinic-a/);
    await setTerms(lent.folderOf("elm"), "rows", { ...terms, organisations: ["clinic-b", "clinic-d"], startedBy: ["clinic-a"] });
    await (await lent.nexus.runs.start(spec({ seed: 9 }), { signer: runSigner(a.access, a.organisation) })).result();
  });

  it("go on without an organisation that left; its nodes are sent away at once", async () => {
    await removeOrganisation(a.access, a.organisation, "clinic-d");
    expect((await lent.nexus.nodes.list()).find(({ name }) => name === "fir")).toMatchObject({ status: "removed", online: false });
    await (await lent.nexus.runs.start(spec({ seed: 10 }), { signer: runSigner(a.access, a.organisation) })).result();
  });
});
