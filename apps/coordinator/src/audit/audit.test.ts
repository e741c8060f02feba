import { appendFile, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { folderAuditHeads, readAuditHeads } from "@ciphernx/ai/federation/node";
import { type AuditEvent, auditEventHash, verifyAudit } from "@ciphernx/core/audit";
import { auditEvents } from "@ciphernx/core/store";
import { eq, sql } from "@ciphernx/core/store/sql";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { NodeService } from "@ciphernx/protocol/proto";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { becomeMember } from "../people/browser.fixture.ts";
import { classRows, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "../test-coordinator.fixture.ts";

let lent: TestCoordinator;
const stack = new AsyncDisposableStack();
const log = (): Promise<AuditEvent[]> => Array.fromAsync(lent.nexus.audit.events());
const folderOf = (name: string): string => lent.folderOf(name);

/** Heads that a node's folder keeps, as `nexus audit verify` takes them. */
async function headsOf(name: string) {
  return (await readAuditHeads(folderOf(name)))!.heads.map(({ number, hash }) => ({ number, hash, keeper: name }));
}

/** Does something to the log as whoever owns the database can. */
async function tampering<T>(act: () => Promise<T>): Promise<T> {
  const { db } = lent.coordinator.store;
  await db.execute(sql`alter table audit_events disable trigger all`);
  try {
    return await act();
  } finally {
    await db.execute(sql`alter table audit_events enable trigger all`);
  }
}

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  const identity = await lent.join("ash");
  stack.use(await startWork(lent.url, identity, { rows: classRows("ash", 20, 4), auditHeads: await folderAuditHeads(folderOf("ash")) }));
});
afterAll(() => stack.disposeAsync());

describe("the audit log", () => {
  it("has every decision, with who made it, and no secret", async () => {
    const { secret, token } = await lent.nexus.tokens.create({ name: "ci", role: "owner" });
    await using program = (await import("@ciphernx/ai/client")).connect({ url: lent.url, token: secret });
    const run = await program.runs.start(rowsSpec());
    const { file } = await run.result();
    await file();
    await expect(program.runs.start(rowsSpec({ data: { dataset: "nowhere" } }))).rejects.toMatchObject({ code: "SPEC_REFUSED" });
    await lent.join("leaver");
    await program.nodes.remove("leaver");
    await lent.nexus.tokens.revoke("ci");
    const events = await log();
    expect(verifyAudit(events, await headsOf("ash"))).toMatchObject({ findings: [], last: events.length });
    const ci = `token ${token.id}`;
    expect(events.map(({ actor, action }) => [actor.replace(/node_\w+/, "N"), action])).toEqual([
      ["node N", "node-joined"],
      ["owner", "token-created"],
      [ci, "run-started"],
      [ci, "model-pulled"],
      [ci, "run-refused"],
      ["node N", "node-joined"],
      [ci, "node-removed"],
      ["owner", "token-revoked"],
    ]);
    expect(events[2]).toMatchObject({ subject: run.id, details: { name: "small" } });
    expect(JSON.stringify(events)).not.toContain(secret);
    expect(JSON.stringify(events)).not.toContain(lent.token);
  });

  it("has who was invited, came, was given another role and was removed", async () => {
    const before = (await log()).length;
    const { localLink } = await lent.nexus.members.invite({ role: "auditor" });
    await becomeMember(lent.url, localLink, "ada");
    const [ada] = (await lent.nexus.members.list()).members;
    await lent.nexus.members.setRole(ada!.id, "data-scientist");
    await lent.nexus.members.remove(ada!.id);
    const { invitation } = await lent.nexus.members.invite({ role: "owner" });
    await lent.nexus.members.remove(invitation.id);
    await expect(lent.nexus.members.remove(ada!.id)).rejects.toMatchObject({ code: "MEMBER_NOT_FOUND" });
    const events = (await log()).slice(before);
    expect(events.map(({ actor, action }) => [actor.replace(/user_\w+|usr_\w+/, "U"), action])).toEqual([
      ["owner", "member-invited"],
      ["user U", "member-joined"],
      ["owner", "member-role"],
      ["owner", "member-removed"],
      ["owner", "member-invited"],
      ["owner", "invitation-revoked"],
    ]);
    expect(JSON.stringify(events)).not.toContain(localLink.split("=")[1]);
  });

  it("is filtered by action, actor and time", async () => {
    const only = async (query: Parameters<typeof lent.nexus.audit.events>[0]) => (await Array.fromAsync(lent.nexus.audit.events(query))).length;
    expect(await only({ action: "node-joined" })).toBe(2);
    expect(await only({ actor: "owner", after: 3 })).toBe(6);
    expect(await only({ since: new Date(Date.now() + 60_000).toISOString() })).toBe(0);
    await expect(only({ since: "yesterday" })).rejects.toMatchObject({ code: "USAGE" });
  });

  it("has no gaps when many decide at once", async () => {
    const before = (await log()).length;
    await Promise.all(Array.from({ length: 50 }, (_, index) => lent.nexus.tokens.create({ name: `many-${index}`, role: "auditor" })));
    const events = await log();
    expect(events).toHaveLength(before + 50);
    expect(verifyAudit(events, [])).toMatchObject({ findings: [] });
  });

  it("keeps no decision that was not made", async () => {
    const before = (await log()).length;
    await expect(lent.nexus.tokens.create({ name: "many-1", role: "auditor" })).rejects.toMatchObject({ code: "API_TOKEN_NAME_TAKEN" });
    await expect(lent.nexus.nodes.remove("nobody")).rejects.toMatchObject({ code: "NODE_NOT_FOUND" });
    expect(await log()).toHaveLength(before);
  });

  it("is not changed by a slip: the database refuses", async () => {
    const { db } = lent.coordinator.store;
    for (const statement of [sql`update audit_events set actor = 'x'`, sql`delete from audit_events`, sql`truncate audit_events`])
      await expect(db.execute(statement)).rejects.toThrow(/Failed query/);
    expect(verifyAudit(await log(), [])).toMatchObject({ findings: [] });
  });
});

describe("whoever owns the database", () => {
  const { projectId: _, ...columns } = auditEvents;

  /** Does something to the log, tells what is found, and puts it back. */
  async function foundAfter(act: () => Promise<unknown>) {
    const { db } = lent.coordinator.store;
    const rows = await db.select().from(auditEvents);
    return tampering(async () => {
      await act();
      const verdict = verifyAudit(await log(), await headsOf("ash"));
      await db.delete(auditEvents);
      await db.insert(auditEvents).values(rows);
      return verdict.findings.map(({ kind, from, to }) => [kind, from, to]);
    });
  }

  it("cannot change, take out or cut off an event unnoticed", async () => {
    const { db } = lent.coordinator.store;
    const heads = await headsOf("ash");
    const seen = heads.at(-1)!.number;
    expect(seen).toBeGreaterThan(2);
    expect(await foundAfter(() => db.update(auditEvents).set({ actor: "token tok_innocent" }).where(eq(columns.number, 3)))).toEqual([
      ["changed", 3, 3],
    ]);
    expect(await foundAfter(() => db.delete(auditEvents).where(eq(columns.number, 2)))).toEqual([["missing", 2, 2]]);
    expect(await foundAfter(() => db.delete(auditEvents).where(sql`number >= ${seen}`))).toEqual([["truncated", seen, seen]]);
  });

  it("cannot make all of it anew unnoticed, though every link is right", async () => {
    const { db } = lent.coordinator.store;
    const found = await foundAfter(async () => {
      const rows = (await db.select().from(auditEvents)).toSorted((x, y) => x.number - y.number);
      let previous = "";
      for (const row of rows) {
        const content = { ...row, actor: "owner", previous, at: row.at.toISOString(), details: row.details as AuditEvent["details"] };
        previous = auditEventHash(content);
        await db.update(auditEvents).set({ actor: "owner", previous: content.previous, hash: previous }).where(eq(columns.number, row.number));
      }
      expect(verifyAudit(await log(), [])).toMatchObject({ findings: [] });
    });
    expect(found).toMatchObject([["rewritten", 1, expect.any(Number)]]);
  });
});

describe("a node", () => {
  it("is given the key at joining, and heads with sessions and tasks", async () => {
    const { key, heads } = (await readAuditHeads(folderOf("ash")))!;
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(heads.length).toBeGreaterThan(1);
    const home = join(dirname(dirname(folderOf("ash"))), "home");
    expect((await stat(join(home, "audit.key"))).mode & 0o077).toBe(0);
  });

  it("refuses a log that goes back, forks, or is signed by another", async () => {
    const identity = await lent.join("elm");
    const heads = (await folderAuditHeads(folderOf("elm")))!;
    const head = async () => {
      await using transport = connectTransport({ baseUrl: lent.url });
      const client = createClient(NodeService, transport.rpc);
      const { nonce } = await client.challenge({ nodeId: identity.nodeId });
      const { sign } = await import("@ciphernx/crypto/keys");
      const { sessionBytes } = await import("@ciphernx/protocol/wire");
      const request = { nodeId: identity.nodeId, nonce, kernelBuild: "x", softwareVersion: "1" };
      return (await client.openSession({ ...request, signature: await sign(identity.key, sessionBytes(request)) })).auditHead!;
    };
    const first = await head();
    await heads.take(first);
    await lent.nexus.tokens.create({ name: "later", role: "auditor" });
    const second = await head();
    expect(second.number).toBeGreaterThan(first.number);
    await heads.take(second);
    await heads.take(second);
    const forked = { code: "AUDIT_FORKED" };
    await expect(heads.take(first)).rejects.toMatchObject(forked);
    await expect(heads.take({ ...second, number: second.number + 1n })).rejects.toMatchObject(forked);
    await expect(heads.take({ ...second, hash: "ab".repeat(32) })).rejects.toMatchObject(forked);
    // Leaving it out is no way around.
    await expect(heads.take(undefined)).rejects.toMatchObject(forked);
    // It remembers after a restart, also after a line that a loss of power cut.
    await appendFile(join(folderOf("elm"), "audit-heads.jsonl"), '{"number":');
    const restarted = (await folderAuditHeads(folderOf("elm")))!;
    await expect(restarted.take(first)).rejects.toMatchObject(forked);
    await restarted.take(second);
    expect((await readFile(join(folderOf("elm"), "audit-heads.jsonl"), "utf8")).endsWith("}\n")).toBe(true);
    await writeFile(join(folderOf("elm"), "audit-heads.jsonl"), "nonsense\n");
    await expect(folderAuditHeads(folderOf("elm"))).rejects.toMatchObject({ code: "NODE_FOLDER_INVALID" });
  });
});
