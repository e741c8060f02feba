import { createHash } from "node:crypto";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { newApiToken, type Role, ROLES } from "@ciphernx/core/identity";
import { apiTokens, members, projects, users, userSessions } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import { generateSigningKey, sign } from "@ciphernx/crypto/keys";
import { BLOB_PERMISSIONS, type Caller, RPC_PERMISSIONS } from "@ciphernx/protocol/permissions";
import { ControlService, NodeService, RosterService } from "@ciphernx/protocol/proto";
import { registrationBytes, sessionBytes } from "@ciphernx/protocol/wire";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { type RequestSigner, requestSigner } from "@ciphernx/protocol/wire/signatures";
import { webSocketTransport } from "@ciphernx/protocol/wire/websocket";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { becomeMember, testBrowser, type TestBrowser } from "./people/browser.fixture.ts";
import { testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

let lent: TestCoordinator;
/** Tokens that are good, by whom they speak for. */
const good = new Map<Exclude<Caller, "anyone">, string>();
/** A node that signs its requests, with the token of its session. */
let signing: { readonly token: string; readonly signer: RequestSigner };
/** Tokens that are not, by what is wrong with them, with what is told. */
const bad = new Map<string, { readonly token: string | undefined; readonly code: string }>();
/** Browsers whose sessions are good, by role. */
const signedIn = new Map<Role, TestBrowser>();
/** Browsers whose sessions are not, by what is wrong with them, with the status that is told. */
const strangers = new Map<string, { readonly browser: TestBrowser; readonly status: number; readonly headers?: Readonly<Record<string, string>> }>();
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  lent = stack.use(await testCoordinator({ wrongSecretsPerMinute: 1_000_000 }));
  const { db } = lent.coordinator.store;
  for (const role of ROLES) good.set(role, (await lent.nexus.tokens.create({ name: role, role })).secret);
  const identity = await lent.join("caller");
  await using transport = connectTransport({ baseUrl: lent.url, token: () => undefined });
  const client = createClient(NodeService, transport.rpc);
  const { nonce } = await client.challenge({ nodeId: identity.nodeId });
  const request = { nodeId: identity.nodeId, nonce, kernelBuild: "build", softwareVersion: "1" };
  good.set("node", (await client.openSession({ ...request, signature: await sign(identity.key, sessionBytes(request)) })).sessionToken);

  signing = await joinSigning();

  const expired = await lent.nexus.tokens.create({ name: "expired", role: "owner" });
  await db
    .update(apiTokens)
    .set({ expiresAt: new Date(Date.now() - 1000) })
    .where(eq(apiTokens.id, expired.token.id));
  const revoked = await lent.nexus.tokens.create({ name: "revoked", role: "owner" });
  await lent.nexus.tokens.revoke("revoked");
  const other = await lent.nexus.tokens.create({ name: "elsewhere", role: "owner" });
  await db.insert(projects).values({ id: "prj_elsewhere", name: "elsewhere" });
  await db.update(apiTokens).set({ projectId: "prj_elsewhere" }).where(eq(apiTokens.id, other.token.id));
  bad.set("none", { token: undefined, code: "UNAUTHENTICATED" });
  bad.set("malformed", { token: `${newApiToken().slice(0, -1)}x`, code: "UNAUTHENTICATED" });
  bad.set("no token at all", { token: "wrong", code: "UNAUTHENTICATED" });
  bad.set("almost the owner's", { token: `${lent.token}x`, code: "UNAUTHENTICATED" });
  bad.set("unknown", { token: newApiToken(), code: "UNAUTHENTICATED" });
  bad.set("expired", { token: expired.secret, code: "UNAUTHENTICATED" });
  bad.set("revoked", { token: revoked.secret, code: "UNAUTHENTICATED" });
  bad.set("of another project", { token: other.secret, code: "FORBIDDEN" });
  await signPeopleIn();
  bad.set("a session that comes as a token", { token: `nxs_${decodeURIComponent(valueOf(signedIn.get("owner")!))}`, code: "UNAUTHENTICATED" });
});

async function joinSigning(): Promise<typeof signing> {
  const key = await generateSigningKey({ extractable: false });
  const { token } = await lent.nexus.nodes.createJoinToken({ approved: true });
  const registration = { token, name: "signer", publicKey: key.publicKey, signsRequests: true };
  await using joining = connectTransport({ baseUrl: lent.url });
  const signature = await sign(key, registrationBytes(registration));
  const { nodeId } = await createClient(NodeService, joining.rpc).register({ ...registration, signature });
  const signer = requestSigner({ nodeId, key });
  await using transport = connectTransport({ baseUrl: lent.url, signer });
  const client = createClient(NodeService, transport.rpc);
  const { nonce } = await client.challenge({ nodeId });
  const request = { nodeId, nonce, kernelBuild: "build", softwareVersion: "1" };
  return { token: (await client.openSession({ ...request, signature: await sign(key, sessionBytes(request)) })).sessionToken, signer };
}

const valueOf = ({ cookie }: TestBrowser): string => cookie.slice(cookie.indexOf("=") + 1);

/** A member of each role, and owners whose sessions have ended in one way or another. */
async function signPeopleIn(): Promise<void> {
  const { db } = lent.coordinator.store;
  const owner = async (name: string): Promise<TestBrowser> =>
    becomeMember(lent.url, (await lent.nexus.members.invite({ role: "owner" })).localLink, name);
  const idOf = async (name: string): Promise<string> => (await lent.nexus.members.list()).members.find((member) => member.name === name)!.id;
  for (const role of ROLES) signedIn.set(role, await becomeMember(lent.url, (await lent.nexus.members.invite({ role })).localLink, role));

  strangers.set("nobody", { browser: testBrowser(lent.url), status: 401 });
  const expired = await owner("expired");
  await db
    .update(userSessions)
    .set({ expiresAt: new Date(Date.now() - 1000) })
    .where(eq(userSessions.userId, await idOf("expired")));
  strangers.set("expired", { browser: expired, status: 401 });
  const old = await owner("old");
  await db
    .update(userSessions)
    .set({ createdAt: new Date(Date.now() - 7 * 86_400_000) })
    .where(eq(userSessions.userId, await idOf("old")));
  strangers.set("older than a session may be, though in use", { browser: old, status: 401 });
  const out = await owner("out");
  const { cookie } = out;
  await out.post("/auth/sign-out", {});
  out.cookie = cookie;
  strangers.set("signed out", { browser: out, status: 401 });
  const removed = await owner("removed");
  await lent.nexus.members.remove("removed@clinic.example");
  strangers.set("removed", { browser: removed, status: 401 });
  const elsewhere = await owner("elsewhere");
  await db
    .update(members)
    .set({ projectId: "prj_elsewhere" })
    .where(eq(members.userId, await idOf("elsewhere")));
  strangers.set("of another project", { browser: elsewhere, status: 403 });
  const nowhere = await owner("nowhere");
  await db.delete(members).where(eq(members.userId, await idOf("nowhere")));
  strangers.set("of no project", { browser: nowhere, status: 401 });
  const forged = testBrowser(lent.url);
  forged.cookie = signedIn.get("owner")!.cookie.replace(/\.(.)/, (_, first) => (first === "A" ? ".B" : ".A"));
  strangers.set("forged", { browser: forged, status: 401 });
  const unsigned = testBrowser(lent.url);
  const [{ token } = { token: "" }] = await db
    .select()
    .from(userSessions)
    .innerJoin(users, eq(users.id, userSessions.userId))
    .where(eq(users.name, "owner"))
    .then((rows) => rows.map((row) => row.user_sessions));
  unsigned.cookie = `${signedIn.get("owner")!.cookie.split("=", 1)[0]!}=${token}`;
  strangers.set("what the database knows of a session, without its signature", { browser: unsigned, status: 401 });
  const browser = signedIn.get("owner")!;
  for (const [what, site] of [
    ["another site", "cross-site"],
    ["another port of this machine", "same-site"],
    ["no page", "none"],
  ] as const) {
    strangers.set(`an owner's browser that shows ${what}`, { browser, status: 401, headers: { "sec-fetch-site": site } });
  }
}
afterAll(() => stack.disposeAsync());

/** What a call is answered: the code of its error, or `ok`. */
async function answer(
  token: string | undefined,
  call: (transport: ReturnType<typeof connectTransport>) => Promise<unknown>,
  open = connectTransport,
  signer?: RequestSigner,
): Promise<string> {
  await using transport = open({ baseUrl: lent.url, token: () => token, signer });
  try {
    await call(transport);
    return "ok";
  } catch (error) {
    if (error instanceof NexusError) return error.code;
    throw error;
  }
}

const REFUSED = new Set(["UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED"]);
const methods = [ControlService, NodeService, RosterService].flatMap((service) =>
  service.methods.map((method) => [`${service.typeName}.${method.name}`, method] as const),
);

describe("the table of permissions", () => {
  it.each(methods)("is what %s answers by", async (name, method) => {
    expect(method.methodKind).toBe("unary");
    const callers = RPC_PERMISSIONS[method.parent.typeName]?.[method.localName];
    expect(callers, `${name} has no row`).toBeDefined();
    const call = (token: string | undefined, signer?: RequestSigner) =>
      answer(token, ({ rpc }) => rpc.unary(method as DescMethodUnary, undefined, 5_000, undefined, {}), connectTransport, signer);
    // A node that signs may what every node may, by its signature; without, its session opens nothing at all.
    expect(await call(signing.token)).toBe("SIGNATURE_REQUIRED");
    const signed = await call(signing.token, signing.signer);
    if (callers!.includes("anyone")) expect(signed).toBe(await call(undefined));
    else if (callers!.includes("node")) expect(REFUSED.has(signed), `a signed node is let in, not told ${signed}`).toBe(false);
    else expect(signed).toBe("FORBIDDEN");
    if (callers!.includes("anyone")) {
      const open = await call(undefined);
      expect(open).not.toBe("FORBIDDEN");
      for (const token of [...good.values(), lent.token]) expect(await call(token)).toBe(open);
      return;
    }
    for (const [caller, token] of [...good, ["owner", lent.token] as const]) {
      const code = await call(token);
      if (callers!.includes(caller)) expect(REFUSED.has(code), `${caller} is let in, not told ${code}`).toBe(false);
      else expect({ caller, code }).toEqual({ caller, code: "FORBIDDEN" });
    }
    for (const [why, { token, code }] of bad) expect({ why, code: await call(token) }).toEqual({ why, code });
    const path = `/${method.parent.typeName}/${method.name}`;
    for (const [role, browser] of signedIn) {
      const { status } = await browser.post(path, {});
      if (callers!.includes(role)) expect([401, 403, 429], `a session of ${role} is let in, not told ${status}`).not.toContain(status);
      else expect({ role, status }).toEqual({ role, status: 403 });
    }
    for (const [why, { browser, status, headers }] of strangers) {
      expect({ why, status: (await browser.post(path, {}, headers)).status }).toEqual({ why, status });
    }
  });

  it("has no row for what there is not", () => {
    const rows = Object.entries(RPC_PERMISSIONS).flatMap(([service, row]) => Object.keys(row).map((method) => `${service}.${method}`));
    expect(rows.toSorted()).toEqual(methods.map(([, method]) => `${method.parent.typeName}.${method.localName}`).toSorted());
  });

  const bytes = Uint8Array.of(1, 2, 3);
  const hash = createHash("sha256").update(bytes).digest("hex") as Sha256;
  it.each([
    ["read", BLOB_PERMISSIONS.read, "0".repeat(64) as Sha256, undefined],
    ["sendCheckpoint", BLOB_PERMISSIONS.sendCheckpoint, hash, undefined],
    ["sendUpdate", BLOB_PERMISSIONS.sendUpdate, hash, "task_none"],
  ] as const)("is what blobs are answered by: %s", async (route, callers: readonly Caller[], blob, taskId) => {
    const call = (token: string | undefined, signer?: RequestSigner) =>
      answer(
        token,
        ({ blobs }) =>
          route === "read" ? blobs.get(blob) : blobs.put(bytes, { hash: blob, sizeBytes: 3, ...(taskId === undefined ? {} : { taskId }) }),
        connectTransport,
        signer,
      );
    expect(await call(signing.token)).toBe("SIGNATURE_REQUIRED");
    expect(await call(signing.token, signing.signer)).toBe(await call(good.get("node")));
    for (const [caller, token] of [...good, ["owner", lent.token] as const]) {
      const code = await call(token);
      // A node is let in for what its tasks name alone, and it has none.
      if (callers.includes(caller) && caller !== "node") expect(REFUSED.has(code), `${caller} is let in, not told ${code}`).toBe(false);
      else if (!callers.includes(caller)) expect({ caller, code }).toEqual({ caller, code: "FORBIDDEN" });
    }
    for (const [why, { token, code }] of bad) expect({ why, code: await call(token) }).toEqual({ why, code });
    const path = `/blobs/${blob}${taskId === undefined ? "" : `?task=${taskId}`}`;
    const ask = async (browser: TestBrowser, headers: Readonly<Record<string, string>> = {}): Promise<number> => {
      const sent = { cookie: browser.cookie, "sec-fetch-site": "same-origin", ...headers };
      const response = await fetch(`${lent.url}${path}`, route === "read" ? { headers: sent } : { method: "PUT", headers: sent, body: bytes });
      await response.arrayBuffer();
      return response.status;
    };
    for (const [role, browser] of signedIn) {
      const status = await ask(browser);
      if (callers.includes(role)) expect([401, 403, 429], `a session of ${role} is let in, not told ${status}`).not.toContain(status);
      else expect({ role, status }).toEqual({ role, status: 403 });
    }
    for (const [why, { browser, status, headers }] of strangers) expect({ why, status: await ask(browser, headers) }).toEqual({ why, status });
  });
});

describe("over a WebSocket", () => {
  const read = (token: string | undefined) => answer(token, ({ blobs }) => blobs.get("0".repeat(64) as Sha256), webSocketTransport);
  const start = (token: string | undefined) => answer(token, ({ rpc }) => createClient(ControlService, rpc).startRun({}), webSocketTransport);
  const beat = (token: string | undefined) => answer(token, ({ rpc }) => createClient(NodeService, rpc).heartbeat({}), webSocketTransport);

  it("the same are let in, to calls and to blobs", async () => {
    const allowed = async (call: typeof read) => {
      const codes = await Promise.all([...good].map(async ([caller, token]) => [caller, await call(token)] as const));
      return codes.filter(([, code]) => code !== "FORBIDDEN").map(([caller]) => caller);
    };
    expect(await allowed(start)).toEqual(["owner", "data-scientist"]);
    expect(await allowed(beat)).toEqual(["node"]);
    // A node may read what its tasks name, and it has none.
    expect(await allowed(read)).toEqual(["owner", "data-scientist", "data-owner"]);
  });

  it("and nobody with what is no token", async () => {
    for (const [why, { token, code }] of bad) expect({ why, codes: [await start(token), await read(token)] }).toEqual({ why, codes: [code, code] });
  });
});

describe("what a refusal says", () => {
  const startRun = (token: string | undefined) => {
    const transport = stack.use(connectTransport({ baseUrl: lent.url, token: () => token }));
    return createClient(ControlService, transport.rpc).startRun({});
  };
  it("who, which call, and who may", async () => {
    await expect(startRun(good.get("auditor"))).rejects.toMatchObject({
      code: "FORBIDDEN",
      message: 'The API token "auditor" (auditor) may not call StartRun; that is for: owner, data-scientist.',
    });
  });
  it("why, to the holder of the right secret", async () => {
    await expect(startRun(bad.get("expired")!.token)).rejects.toMatchObject({ message: expect.stringMatching(/"expired" expired on 20/) as string });
    await expect(startRun(bad.get("revoked")!.token)).rejects.toMatchObject({
      message: expect.stringMatching(/"revoked" was revoked on 20/) as string,
    });
    await expect(startRun(newApiToken())).rejects.toMatchObject({ message: "That API token is unknown to this coordinator." });
  });
});

describe("tokens", () => {
  it("are listed without their secrets, which are stored as hashes", async () => {
    const [row] = await lent.coordinator.store.db.select().from(apiTokens).where(eq(apiTokens.name, "auditor"));
    const listed = await lent.nexus.tokens.list();
    expect(listed.find(({ name }) => name === "auditor")).toMatchObject({ id: row!.id, role: "auditor", state: "valid", revokedAt: "" });
    expect(listed.find(({ name }) => name === "auditor")!.lastUsedAt).not.toBe("");
    expect(JSON.stringify([row, listed.map(({ id, name }) => ({ id, name }))])).not.toContain(good.get("auditor"));
  });

  it("have names of their own, roles that there are, and at most a year", async () => {
    const create = (name: string, role: string, expiresInSeconds?: number) =>
      lent.nexus.tokens.create({ name, role: role as Role, ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }) });
    await expect(create("auditor", "auditor")).rejects.toMatchObject({ code: "API_TOKEN_NAME_TAKEN" });
    await expect(create("new", "king")).rejects.toMatchObject({ code: "USAGE" });
    await expect(create("new", "owner", 366 * 86_400)).rejects.toMatchObject({ code: "USAGE" });
    await expect(create("revoked", "owner")).resolves.toMatchObject({ token: { state: "valid" } });
    await expect(lent.nexus.tokens.revoke("nobody")).rejects.toMatchObject({ code: "API_TOKEN_NOT_FOUND" });
  });
});
