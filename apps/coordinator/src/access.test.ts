import { Writable } from "node:stream";
import { newApiToken, newInvitationSecret } from "@ciphernx/core/identity";
import { connect } from "@ciphernx/ai/client";
import { ControlService } from "@ciphernx/protocol/proto";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLog } from "./log.ts";
import { becomeMember, type BrowserAnswer } from "./people/browser.fixture.ts";
import { eventually, rowsSpec, classRows, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

let lent: TestCoordinator;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  lent = stack.use(await testCoordinator());
});
afterAll(() => stack.disposeAsync());

it("a call that waits ends when its token is revoked", async () => {
  const release = Promise.withResolvers<void>();
  await using node = await startWork(lent.url, await lent.join("slow"), { rows: classRows("slow", 12, 3), before: () => release.promise });
  expect(node.identity.name).toBe("slow");
  const run = await lent.nexus.runs.start(rowsSpec({ cohort: { deadlineSeconds: 60 } }));
  const { secret } = await lent.nexus.tokens.create({ name: "watcher", role: "auditor" });
  await using transport = connectTransport({ baseUrl: lent.url, token: () => secret });
  const client = createClient(ControlService, transport.rpc);
  const waiting = client.listEvents({ runId: run.id, after: 1_000n, limit: 0, waitMs: 60_000 });
  waiting.catch(() => {}); // looked at below
  await eventually(async () => (await lent.nexus.tokens.list()).find(({ name, lastUsedAt }) => name === "watcher" && lastUsedAt !== ""));
  await lent.nexus.tokens.revoke("watcher");
  await expect(waiting).rejects.toMatchObject({ code: "UNAUTHENTICATED", message: expect.stringContaining('"watcher" was revoked') as string });

  // The same for somebody in a browser, whose role is changed. A call that came after the change waits for the next.
  const { localLink } = await lent.nexus.members.invite({ role: "auditor" });
  const browser = await becomeMember(lent.url, localLink, "vera");
  let answer: BrowserAnswer | undefined;
  const asking = browser
    .post(`/${ControlService.typeName}/ListEvents`, { runId: run.id, after: "1000", waitMs: 60_000 })
    .then((got) => (answer = got));
  await eventually(async () => {
    for (const role of ["data-owner", "auditor"] as const) await lent.nexus.members.setRole("vera@clinic.example", role);
    return answer;
  });
  expect((await asking).status).toBe(401);
  expect((await asking).body["message"]).toMatch(/^The role of vera@clinic.example was changed to /);
  release.resolve();
});

it("an address that sends wrong secrets is told to wait, and good callers from there are not", async () => {
  await using good = connect({ url: lent.url, token: (await lent.nexus.tokens.create({ name: "good", role: "auditor" })).secret });
  await good.status();
  const codes: string[] = [];
  for (let attempt = 0; attempt < 30; attempt += 1) {
    await using stranger = connect({ url: lent.url, token: newApiToken() });
    await stranger.status().catch((error: { code: string; details: object }) => {
      codes.push(error.code);
      if (error.code === "RATE_LIMITED") expect(error.details).toMatchObject({ retryAfterSeconds: expect.any(Number) as number });
    });
  }
  expect(codes.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => "UNAUTHENTICATED"));
  expect(codes).toHaveLength(30);
  expect(codes).toContain("RATE_LIMITED");
  const answer = await fetch(`${lent.url}/blobs/${"0".repeat(64)}`, { headers: { authorization: `Bearer ${newApiToken()}` } });
  expect([answer.status, Number(answer.headers.get("retry-after")) > 0]).toEqual([429, true]);
  await expect(good.status()).resolves.toBeDefined();
  await expect(lent.nexus.status()).resolves.toBeDefined();
});

it("the log holds no secret, wherever in a line it stood", () => {
  let lines = "";
  const log = createLog(new Writable({ write: (chunk: Buffer, _, done) => ((lines += chunk.toString()), done()) }));
  const secrets = [lent.token, newApiToken(), "njt_0123456789abcdefghijklmnopqrstuv", newInvitationSecret()];
  secrets.push(
    `nexus_session_prj_x=${"Ab1".repeat(11)}.c2lnbmF0dXJl%3D`,
    `nxs_${"Ab1".repeat(11)}.c2lnbmF0dXJl=`,
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl",
  );
  for (const secret of secrets) log.error({ err: new Error(`with ${secret}`), token: secret, deep: { header: `Bearer ${secret}` } }, `of ${secret}`);
  for (const secret of secrets) expect(lines).not.toContain(secret);
  for (const line of lines.trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ token: expect.stringMatching(/\[redacted\]$/) as string });
});
