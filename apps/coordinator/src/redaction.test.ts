import { spawnSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { logDecision } from "@ciphernx/ai/federation/node";
import { memoryBlobStore, type Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { newApiToken, newInvitationSecret } from "@ciphernx/core/identity";
import { projects } from "@ciphernx/core/store";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { generateSigningKey } from "@ciphernx/crypto/keys";
import { ControlService } from "@ciphernx/protocol/proto";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { inProcessTransport } from "@ciphernx/protocol/wire/in-process";
import { startWireServer } from "@ciphernx/protocol/wire/server";
import { webSocketTransport } from "@ciphernx/protocol/wire/websocket";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { createAuditLog } from "./audit/audit-log.ts";
import { createLog, redactingLog } from "./log.ts";
import { classRows, rowsSpec, startWork, testCoordinator } from "./test-coordinator.fixture.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** 32 bytes in base64url, as a person's session, a node's or the owner's token has them. */
const random = (): string => `${randomBytes(31).toString("base64url")}Zq`.slice(-43);
const keyPair = generateKeyPairSync("ed25519");
const jwk = keyPair.privateKey.export({ format: "jwk" });
const pem = String(keyPair.privateKey.export({ type: "pkcs8", format: "pem" })).trim();

/** Every kind of secret: the text in which it may come into a message, and what must not come out. */
const SECRETS: readonly (readonly [kind: string, text: string, secret: string])[] = [
  ...[random()].map((secret) => ["owner token, session of a node", secret, secret] as const),
  ...[newApiToken()].map((secret) => ["API token", secret, secret] as const),
  ...[`njt_${randomBytes(24).toString("base64url")}`].map((secret) => ["join token", `${secret}.${random()}`, secret] as const),
  ...[newInvitationSecret()].map((secret) => ["one-time link", `http://localhost:7700/#invitation=${secret}`, secret] as const),
  ...[random()].map((seed) => ["invitation of an organisation", `noi_${seed}.e30`, seed] as const),
  ...[`${random()}.${random()}`].map((secret) => ["session of a person", `nxs_${secret}`, secret] as const),
  ["session cookie", "nexus_session_7700=q1w2e3r4t5y6u7i8o9.c2lnbmF0dXJl", "q1w2e3r4t5y6u7i8o9"],
  ["Cookie header", "cookie: theme=dark; sid=cookie-of-somebody", "cookie-of-somebody"],
  ["Set-Cookie header", "set-cookie: sid=fresh-cookie-value; HttpOnly", "fresh-cookie-value"],
  ["Authorization header", "authorization: Basic bmV4dXM6aHVudGVyMg==", "bmV4dXM6aHVudGVyMg"],
  ["Proxy-Authorization header", "proxy-authorization: Basic cHJveHk6aHVudGVyMg==", "cHJveHk6aHVudGVyMg"],
  ["private key as PEM", pem, pem.split("\n")[1]!],
  ["private key as PKCS#8", pem.split("\n")[1]!, pem.split("\n")[1]!.slice(20)],
  ["private key as JWK", JSON.stringify(jwk), jwk.d!],
  ["passphrase", "--passphrase=correct-horse-battery", "correct-horse-battery"],
  ["password", JSON.stringify({ password: "hunter two, with spaces" }), "hunter two"],
  ["password of a proxy", "http://clinic:pr0xy@hunter3@10.0.0.1:3128", "hunter3"],
  ["password of the database", "postgres://nexus:db-hunter4@db:5432/nexus", "db-hunter4"],
  ["client secret of an OpenID provider", "grant_type=code&client_secret=oidc-hunter5&x=1", "oidc-hunter5"],
  ["id token", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJlLW9mLWFubmE", "c2lnbmF0dXJlLW9mLWFubmE"],
  ["access token", "access_token=opaque-token-of-a-provider", "opaque-token-of-a-provider"],
];
/** One line each, since headers end with their line. */
const ALL = SECRETS.map(([, text]) => text).join("\n");

/** Fails with the kinds of secrets that a text shows, in whichever way it writes line breaks. */
function expectNone(text: string): void {
  expect(SECRETS.filter(([, , secret]) => text.includes(secret)).map(([kind]) => kind)).toEqual([]);
}

/** A log as the coordinator's, kept in memory. */
function memoryLog() {
  const lines: string[] = [];
  return { lines, log: createLog({ write: (line: string) => void lines.push(line) }, "debug") };
}

const revealing = (): NexusError =>
  new NexusError("RUN_NOT_FOUND", `said ${ALL}`, {
    hint: `try ${ALL}`,
    details: { plain: ALL, deep: [{ inside: ALL, password: "hunter2", clientSecret: "oidc-hunter5" }] },
    cause: new Error(ALL),
  });

describe("a log that a program brings", () => {
  it("keeps none of them either, and its own form", async () => {
    const lines: string[] = [];
    const own = pino({ level: "debug", messageKey: "said", base: { host: "clinic" } }, { write: (line: string) => void lines.push(line) });
    const log = redactingLog(own);
    log.info(ALL);
    log.child({ part: ALL }).error({ err: new Error(ALL) }, "failed");
    expectNone(lines.join(""));
    expect(lines.map((line) => (JSON.parse(line) as { host: string }).host)).toEqual(["clinic", "clinic"]);
    // The program's own lines are its own.
    own.info("nxt_");
    expect(lines.at(-1)).toContain("nxt_");
  });
});

describe("the coordinator's log", () => {
  it.each(SECRETS)("keeps no %s, in messages, fields, errors and what caused them", (_, text) => {
    const { log, lines } = memoryLog();
    log.info(`said ${text}`);
    log.warn({ text, deep: { texts: [text] } }, "fields");
    log.error({ err: new Error(text, { cause: new Error(text) }), from: text }, text);
    expect(lines).toHaveLength(3);
    expectNone(lines.join(""));
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ msg: expect.any(String) as string });
  });
});

describe("a server's answers and its log", () => {
  it.each(["an error of ours", "an unexpected error"] as const)("tell nothing of %s, over any transport", async (kind) => {
    const { log, lines } = memoryLog();
    const fail = (): never => {
      throw kind === "an error of ours" ? revealing() : new Error(ALL);
    };
    const services = {
      log,
      routes: (router) => void router.service(ControlService, { listRuns: fail }),
      blobs: { store: memoryBlobStore(), authorizeGet: async () => fail(), authorizePut: async () => fail(), staged: async () => {} },
    } satisfies Partial<Parameters<typeof startWireServer>[0]>;
    await using server = await startWireServer({
      ...{ ...services, port: 0 },
      site: { serves: (path) => path === "/page", serve: async () => fail() },
    });
    const { url } = server;
    const hash = "0".repeat(64) as Sha256;
    const said: string[] = [];
    for (const [path, method] of [
      ["/page", "GET"],
      [`/blobs/${hash}`, "GET"],
      ["/ciphernx.control.v1.ControlService/ListRuns", "POST"],
    ]) {
      const response = await fetch(`${url}${path}`, {
        method: method!,
        ...(method === "POST" ? { headers: { "content-type": "application/json" }, body: "{}" } : {}),
      });
      said.push(JSON.stringify([...response.headers]), await response.text());
    }
    for (const transport of [
      connectTransport({ baseUrl: url }),
      webSocketTransport({ baseUrl: url }),
      inProcessTransport({ ...services, routes: (router) => services.routes(router) }),
    ]) {
      await using open = transport;
      const calls = [createClient(ControlService, open.rpc).listRuns({}), open.blobs.get(hash)];
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome.status).toBe("rejected");
        if (outcome.status === "rejected") said.push(shown(outcome.reason));
      }
    }
    expect(said).toHaveLength(12);
    expectNone(said.join("\n"));
    expectNone(said.join("\n").replaceAll("\\n", "\n"));
    expectNone(lines.join(""));
  });
});

/** All that a caller sees of an error. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${JSON.stringify(error)} ${error instanceof NexusError ? `${error.hint} ${JSON.stringify(error.details)}` : ""}`;
}

describe("the command line", () => {
  const NEXUS = join(ROOT, "apps/cli/bin/nexus.js");
  const texts = SECRETS.map(([, text]) => text.replaceAll("\n", "\\n")).join("\n");
  it.each([[[]], [["--json"]], [["--jsonl"]]])("shows none in errors, with %j, and their stacks", (flags) => {
    for (const env of [{}, { NEXUS_DEBUG: "1" }]) {
      const { stdout, stderr, status } = spawnSync(process.execPath, [NEXUS, "run", "start", `/nonexistent/${texts}`, ...flags], {
        encoding: "utf8",
        env: { PATH: process.env["PATH"], NEXUS_HOME: "/nonexistent/nexus-home", NEXUS_CONFIG: "/nonexistent/config.yaml", ...env },
      });
      expect(status).not.toBe(0);
      expect(stdout + stderr).toContain("[redacted]");
      expectNone(stdout + stderr);
    }
  });
});

describe("what is kept", () => {
  it("a node's log of decisions", async () => {
    await using folder = await temporaryFolder();
    await logDecision(folder.path, { act: "refused", dataset: "rows", code: "X", reason: `the plan says ${ALL}`, terms: { note: ALL } });
    const text = await readFile(join(folder.path, "decisions.jsonl"), "utf8");
    expect(JSON.parse(text)).toMatchObject({ act: "refused", reason: expect.stringContaining("the plan says") as string });
    expectNone(text);
  });

  it("a run's events and reasons, the audit log and the coordinator's log of a whole run", async () => {
    const { log, lines } = memoryLog();
    await using lent = await testCoordinator({ log });
    const { store } = lent.coordinator;
    const identity = await lent.join("ash");
    await using working = new AsyncDisposableStack();
    const failing = await startWork(lent.url, identity, {
      rows: classRows("ash", 20, 4),
      change: (trainer) => ({ ...trainer, fit: () => Promise.reject(new Error(ALL)) }),
    });
    working.use(failing);
    const run = await lent.nexus.runs.start(rowsSpec({ rounds: 1, cohort: { deadlineSeconds: 2 } }));
    const events: unknown[] = [];
    for await (const event of run.events()) events.push(event);
    expect(JSON.stringify(events)).toContain("answer-refused");
    expectNone(JSON.stringify(events));
    const { rows } = await store.db.execute("select row_to_json(runs)::text as text from runs union all select row_to_json(tasks)::text from tasks");
    expect(rows.length).toBeGreaterThan(1);
    expectNone(JSON.stringify(rows));

    const [project] = await store.db.select({ id: projects.id }).from(projects);
    const audit = createAuditLog(store, { projectId: project!.id, key: await generateSigningKey() });
    await audit.note({ actor: "owner", action: "run-refused", subject: "run_1", details: { reason: ALL, password: "hunter2" } });
    const noted = await audit.events({ after: 0, limit: 100 });
    expect(noted.at(-1)).toMatchObject({ action: "run-refused", details: { password: "[redacted]" } });
    expectNone(JSON.stringify(noted));

    // What callers send is nobody else's business either.
    for (const secret of SECRETS.map(([, text]) => text.replaceAll(/[^\x20-\x7e]/g, ""))) {
      await (await fetch(`${lent.url}/nothing/${encodeURI(secret)}`, { headers: { authorization: `Bearer ${secret}`, cookie: secret } })).text();
    }
    expect(lines.length).toBeGreaterThan(0);
    expectNone(lines.join(""));
  });
});

/**
 * Every way out of the product for a text that is written down or shown, and the case above that attacks it. A file that writes in a
 * way that is not here needs a case first.
 */
const WAYS_OUT: Readonly<Record<string, string>> = {
  "apps/coordinator/src/log.ts": "the coordinator's log",
  "apps/coordinator/src/coordinator.ts": "the coordinator's log",
  "apps/cli/src/output/output.ts": "the command line",
  "apps/cli/bin/nexus.js": "the version of Node alone",
  "apps/cli/src/completion/tell-completions.ts": "names of commands, options, runs and nodes alone",
  "packages/ai/src/federation/node/decision-log.ts": "a node's log of decisions",
  "packages/ai/src/federation/node/audit-heads.ts": "numbers, hashes and signatures alone",
  "packages/ai/src/federation/node/sum/folder-sum-journal.ts": "hashes of runs, kinds, numbers of rounds and attempts alone",
};
const WRITES = /\bpino\(|\bpino\.destination\(|\bconsole\.\w+\(|\bstd(?:out|err)\.write\(|\bappendFile(?:Sync)?\(|\bcreateWriteStream\(/;

describe("the list of ways out", () => {
  it("is whole", () => {
    const files = globSync(["packages/*/src/**/*.ts", "apps/*/src/**/*.ts", "apps/*/bin/*.js"], { cwd: ROOT })
      .filter((file) => !/\.test\.ts$|\.fixture\.ts$|\/testing\//.test(file))
      .filter((file) => WRITES.test(readFileSync(join(ROOT, file), "utf8").replaceAll(/^\s*(?:\*|\/\/|\/\*\*).*$/gm, "")));
    expect(files.toSorted()).toEqual(Object.keys(WAYS_OUT).toSorted());
  });
});
