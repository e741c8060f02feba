import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Sha256 } from "@ciphernx/core/blobs";
import { members } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import { ControlService, RosterService } from "@ciphernx/protocol/proto";
import { RPC_PERMISSIONS } from "@ciphernx/protocol/permissions";
import { ROLES, type Role } from "@ciphernx/core/identity";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { classRows, openTestSession, registerRows, rowsSpec, testCoordinator, type TestCoordinator } from "../test-coordinator.fixture.ts";
import { becomeMember, type TestBrowser } from "./browser.fixture.ts";
import { socketOfPage } from "./page-socket.fixture.ts";

let lent: TestCoordinator;
let ca: string;
const signedIn = new Map<Role, TestBrowser>();
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  lent = stack.use(await testCoordinator({ tls: { listen: { host: "127.0.0.1", port: 0 }, publicNames: ["localhost"] } }));
  ca = await readFile(lent.coordinator.tls!.certificateFile, "utf8");
  for (const role of ROLES) signedIn.set(role, await member(role, role));
}, 60_000);
afterAll(() => stack.disposeAsync());

const member = async (name: string, role: Role): Promise<TestBrowser> =>
  becomeMember(lent.url, (await lent.nexus.members.invite({ role })).localLink, name);

/** A page of the coordinator's that a browser shows, with what it says of where it comes from. */
function page({ cookie }: TestBrowser, headers: Readonly<Record<string, string>> = {}) {
  return stack.use(socketOfPage(lent.url, { cookie, origin: lent.url, ...headers }));
}

const code = (action: Promise<unknown>): Promise<string> =>
  action.then(
    () => "ok",
    (error: unknown) => (error as { readonly code: string }).code,
  );
const status = (transport: ReturnType<typeof page>) => code(createClient(ControlService, transport.rpc).getStatus({}));
const METHODS = [ControlService, RosterService].flatMap((service) => service.methods);
const NO_BLOB = "0".repeat(64) as Sha256;

describe("a page's session over its WebSocket", () => {
  it("may what the table of permissions says of its member's role, call by call", { timeout: 60_000 }, async () => {
    for (const [role, browser] of signedIn) {
      const { rpc, blobs } = page(browser);
      for (const method of METHODS) {
        const callers = RPC_PERMISSIONS[method.parent.typeName]![method.localName]!;
        const answered = await code(rpc.unary(method as DescMethodUnary, undefined, 5_000, undefined, {}));
        const told = [role, method.name, answered];
        if (callers.includes("anyone") || callers.includes(role)) expect(told).not.toEqual([role, method.name, "FORBIDDEN"]);
        else expect(told).toEqual([role, method.name, "FORBIDDEN"]);
      }
      expect([role, await code(blobs.get(NO_BLOB))]).toEqual([role, role === "auditor" ? "FORBIDDEN" : "BLOB_NOT_FOUND"]);
    }
  });

  it("counts from the coordinator's own page alone", async () => {
    const owner = signedIn.get("owner")!;
    expect(await status(page(owner))).toBe("ok");
    expect(await status(page(owner, { "sec-fetch-site": "same-origin" }))).toBe("ok");
    const { port } = new URL(lent.url);
    // Refused altogether: a page of elsewhere.
    for (const origin of ["https://attacker.example", `http://localhost:${port}`, "http://127.0.0.1:1", "null"]) {
      expect([origin, await status(page(owner, { origin }))]).toEqual([origin, "COORDINATOR_UNREACHABLE"]);
    }
    // Let in without the session: what is no page, and what a browser says is none of ours.
    expect(await status(stack.use(socketOfPage(lent.url, { cookie: owner.cookie })))).toBe("UNAUTHENTICATED");
    expect(await status(page(owner, { origin: lent.url.replace("http:", "https:") }))).toBe("UNAUTHENTICATED");
    for (const site of ["cross-site", "same-site", "none"]) expect(await status(page(owner, { "sec-fetch-site": site }))).toBe("UNAUTHENTICATED");
    const forged = { ...owner, cookie: owner.cookie.replace(/\.(.)/, (_, first) => (first === "A" ? ".B" : ".A")) };
    expect(await status(page(forged))).toBe("UNAUTHENTICATED");
    expect(await status(page({ ...owner, cookie: "" }))).toBe("UNAUTHENTICATED");
  });

  it("counts over TLS under the name alone that browsers keep to TLS, and from no page in plain of the same host", async () => {
    const owner = signedIn.get("owner")!;
    const url = lent.coordinator.tls!.url;
    for (const cookie of [owner.cookie, `__Host-${owner.cookie}`]) {
      const over = (origin: string) => stack.use(socketOfPage(url, { cookie, origin }, ca));
      expect(await status(over(url))).toBe(cookie.startsWith("__Host-") ? "ok" : "UNAUTHENTICATED");
      expect(await status(over(url.replace("https:", "http:")))).toBe("UNAUTHENTICATED");
    }
  });

  it("that ends ends what waits on the socket, and whatever the socket asks afterwards", async () => {
    const browser = await member("leaver", "owner");
    const transport = page(browser);
    const client = createClient(ControlService, transport.rpc);
    expect(await status(transport)).toBe("ok");
    const { runId } = await startedRun();
    // After events that are not there yet: it waits.
    const waiting = code(client.listEvents({ runId, after: 1_000_000n, waitMs: 60_000 }));
    expect(await status(transport)).toBe("ok");
    expect((await browser.post("/auth/sign-out", {})).status).toBe(200);
    expect(await waiting).toBe("UNAUTHENTICATED");
    expect(await status(transport)).toBe("UNAUTHENTICATED");
    expect(await code(transport.blobs.get(NO_BLOB))).toBe("UNAUTHENTICATED");
  });

  it("whose member is removed, or is given another role, may no more than that from then on", async () => {
    const browser = await member("changed", "owner");
    const transport = page(browser);
    const create = () => code(createClient(ControlService, transport.rpc).createJoinToken({}));
    expect(await create()).toBe("ok");
    const { id } = (await lent.nexus.members.list()).members.find(({ name }) => name === "changed")!;
    await lent.coordinator.store.db.update(members).set({ role: "auditor" }).where(eq(members.userId, id));
    expect(await create()).toBe("FORBIDDEN");
    expect(await status(transport)).toBe("ok");
    await lent.nexus.members.remove("changed@clinic.example");
    expect(await status(transport)).toBe("UNAUTHENTICATED");
  });

  it("is not read where no WebSocket comes about", async () => {
    const { cookie } = signedIn.get("owner")!;
    const socket = new WebSocket(`${lent.url.replace("http", "ws")}/wire`, "another", { headers: { cookie, origin: lent.url } });
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toContain("400");
  });
});

/** A run whose only node does not answer. */
async function startedRun(): Promise<{ readonly runId: string }> {
  const session = await openTestSession(lent.url, await lent.join("silent"));
  stack.defer(() => session.transport.close());
  await registerRows(session, "rows", classRows("silent", 9, 3));
  const run = await lent.nexus.runs.start(rowsSpec({ rounds: 1 }));
  stack.defer(async () => void (await run.stop()));
  return { runId: run.id };
}
