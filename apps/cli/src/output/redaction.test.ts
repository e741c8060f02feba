import { generateKeyPairSync, randomBytes } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { logDecision } from "@ciphernx/ai/federation/node";
import { NexusError } from "@ciphernx/core/errors";
import { newApiToken, newInvitationSecret } from "@ciphernx/core/identity";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { exportSigningKey, generateSigningKey } from "@ciphernx/crypto/keys";
import { createLog, redactingLog } from "@ciphernx/coordinator";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { startWireServer } from "@ciphernx/protocol/wire/server";
import { ControlService } from "@ciphernx/protocol/proto";
import { createClient } from "@connectrpc/connect";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { runNexus } from "../testing/nexus-process.ts";
import { createOutput, type OutputMode } from "./output.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** 32 random bytes as base64url, with letters of either size, as all but one in a million have. */
function token32(): string {
  return `aZ${randomBytes(32).toString("base64url").slice(2)}`;
}

const signing = await generateSigningKey();
const pkcs8 = Buffer.from(await exportSigningKey(signing, "pkcs8")).toString("base64");
const tls = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Every kind of secret: how it may stand in a text, and what of it must not come out. */
const SECRETS: readonly (readonly [kind: string, inText: string, secret: string])[] = [
  ...(
    [
      ["owner token", token32()],
      ["API token", newApiToken()],
      ["join token", `njt_${randomBytes(24).toString("base64url")}`],
      ["join token with a CA's fingerprint", `njt_${randomBytes(24).toString("base64url")}.${randomBytes(32).toString("base64url")}`],
      ["token of a node's session", token32()],
      ["invitation of a person", newInvitationSecret()],
      ["invitation of an organisation", `noi_${randomBytes(32).toString("base64url")}`],
      ["session of a person, as the wire hands it on", `nxs_${token32()}`],
      ["signing key as PKCS#8", pkcs8],
      ["TLS key as PEM", tls.export({ format: "pem", type: "pkcs8" }).toString().trim()],
      ["TLS key as SEC 1", tls.export({ format: "pem", type: "sec1" }).toString().trim()],
      ["signing key as JWK", generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" }).d!.replace(/^../, "aZ")],
      ["id token of a provider", `${base64url({ alg: "RS256" })}.${base64url({ sub: "ada" })}.${randomBytes(64).toString("base64url")}`],
    ] as const
  ).map(([kind, secret]) => [kind, secret, secret.split(".").at(kind.startsWith("join") ? 0 : -1)!] as const),
  ["one-time link", "http://localhost:7700/#nxi_AbCdEfGhIjKlMnOpQrStUvWx", "AbCdEfGhIjKlMnOpQrStUvWx"],
  ["session cookie", "cookie: nexus_session_7700=AbCdEf0123456789AbCdEf%2B; theme=dark", "AbCdEf0123456789AbCdEf"],
  ["Set-Cookie", "Set-Cookie: nexus_session_7700=AbCdEf0123456789AbCdEf; HttpOnly", "AbCdEf0123456789AbCdEf"],
  ["authorization", "authorization: Bearer short-secret-1", "short-secret-1"],
  ["basic authorization", `Authorization: Basic ${Buffer.from("ada:open sesame").toString("base64")}`, "YWRhOm9wZW4gc2VzYW1l"],
  ["password of a proxy", "http://ada:p@ss-w0rd!@proxy.example:3128", "p@ss-w0rd!"],
  ["password of a database", "postgres://nexus:hunter22@db.example:5432/nexus?sslmode=require", "hunter22"],
];

/** An error as a library or a caller's text may make it. */
function errorWith(said: string): NexusError {
  const cause = new Error(`cause: ${said}`);
  return new NexusError("COORDINATOR_UNREACHABLE", `It said "${said}".`, { hint: `Try without ${said} .`, details: { said: [said] }, cause });
}

/** Every place where texts of others are written down or sent: what comes out of it. */
const PATHS: Readonly<Record<string, (said: string) => Promise<string>>> = {
  async "the coordinator's log"(said) {
    const stream = new PassThrough();
    logAll(createLog(stream, "debug"), said);
    return text(stream.end());
  },
  async "a log that the program brings"(said) {
    const stream = new PassThrough();
    logAll(redactingLog(pino({ level: "debug" }, stream)), said);
    return text(stream.end());
  },
  async "what a server answers"(said) {
    return (await asked(() => Promise.reject(errorWith(said)))).answer;
  },
  async "what a server answers, and logs, when something unexpected happens"(said) {
    const { answer, logged } = await asked(() => Promise.reject(new Error(said)));
    return `${answer}\n${logged}`;
  },
  ...Object.fromEntries(
    (["people", "json", "jsonl", "quiet"] as const).map((mode) => [
      `what a command says (${mode})`,
      async (said: string) => {
        const [out, end] = captured(mode);
        out.event({ said }, `event ${said}`);
        out.note(`note ${said}`);
        out.failure(errorWith(said), true);
        return end();
      },
    ]),
  ),
  async "the log of a node's decisions"(said) {
    await using folder = await temporaryFolder();
    await logDecision(folder.path, { act: "refused", dataset: "rows", reason: `It said "${said}".` });
    return readFileSync(join(folder.path, "decisions.jsonl"), "utf8");
  },
};

function logAll(log: Pick<ReturnType<typeof createLog>, "debug" | "info" | "error">, said: string): void {
  log.info(`message ${said}`);
  log.debug({ said, nested: { headers: [said] } }, "fields");
  log.error({ err: errorWith(said) }, "an error");
}

function captured(mode: OutputMode): [ReturnType<typeof createOutput>, () => string] {
  const written: string[] = [];
  const stream = { write: (chunk: string) => written.push(chunk) };
  return [createOutput({ mode, stdout: stream, stderr: stream, env: {} }), () => written.join("")];
}

/** What a real server answers to a call whose handler fails, and what it logs of it. */
async function asked(handler: () => Promise<never>): Promise<{ readonly answer: string; readonly logged: string }> {
  const stream = new PassThrough();
  const refuse = () => Promise.reject(new Error("no blobs here"));
  const blobs = { store: { size: refuse, stream: refuse, stage: refuse }, authorizeGet: refuse, authorizePut: refuse, staged: refuse };
  await using server = await startWireServer({
    port: 0,
    routes: (router) => void router.service(ControlService, { getStatus: handler }),
    blobs: blobs as never,
    log: createLog(stream, "debug"),
  });
  await using transport = connectTransport({ baseUrl: server.url, token: () => undefined });
  const error = await createClient(ControlService, transport.rpc)
    .getStatus({})
    .catch((thrown: unknown) => thrown as NexusError);
  if (!(error instanceof NexusError)) throw new Error("It answered.");
  const { code, message, hint, details } = error;
  return { answer: JSON.stringify({ code, message, hint, details }), logged: await text(stream.end()) };
}

describe.each(Object.entries(PATHS))("%s", (_, path) => {
  it.each(SECRETS)("holds no %s", async (_kind, said, secret) => {
    const written = await path(said);
    expect(written.length).toBeGreaterThan(0);
    expect(written).not.toContain(secret);
    // As JSON writes line breaks.
    for (const line of secret.split("\n").filter((part) => part.length > 20 && !part.startsWith("-----"))) expect(written).not.toContain(line);
  });

  it("holds what is no secret", async () => {
    const plain = "run_0123456789abcdefghjk at http://127.0.0.1:7700 of ash@clinic.example";
    expect(await path(plain)).toMatch(/run_0123456789abcdefghjk at http:\/\/127\.0\.0\.1:7700 of ash@clinic\.example|unexpected error/);
  });

  it("stays JSON where it was", async () => {
    for (const [, said] of SECRETS) {
      const lines = (await path(said)).split("\n").filter((line) => line.startsWith("{"));
      for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
    }
  });
});

describe("a command that fails as a whole process", () => {
  const [apiToken, join_, password] = [newApiToken(), `njt_${randomBytes(24).toString("base64url")}`, "correct-horse-battery"];
  const secrets = [apiToken, join_, password];
  it.each([
    ["an API token in the environment", ["run", "list", "--url", "http://127.0.0.1:1"], { NEXUS_TOKEN: apiToken }],
    ["an API token where a name belongs", ["token", "revoke", apiToken, "--url", "http://127.0.0.1:1"], {}],
    ["a join token", ["node", "join", "http://127.0.0.1:1", "--token", join_, "--name", "ash", "--folder", "/nonexistent/ash"], {}],
    [
      "a proxy's password",
      ["run", "list", "--url", "https://127.0.0.1:1"],
      { HTTPS_PROXY: `http://ada:${password}@127.0.0.1:1`, NEXUS_TOKEN: apiToken },
    ],
    [
      "a database's password",
      ["up", "--port", "0"],
      { DATABASE_URL: `postgres://ada:${password}@127.0.0.1:1/x`, NEXUS_HOME: "/tmp/nexus-redaction" },
    ],
  ])("does not repeat %s", async (_, args, env) => {
    const { code, stdout, stderr } = await runNexus(args, { env: { ...env, NEXUS_DEBUG: "1" } });
    expect(code).not.toBe(0);
    for (const secret of secrets) expect(stdout + stderr).not.toContain(secret);
  });
});

describe("whatever writes a log or to a terminal", () => {
  /** Files that may: each of them is one of the paths above, or writes nothing of others. */
  const KNOWN = [
    "apps/cli/src/completion/tell-completions.ts", // names of commands and of what a project has
    "apps/cli/src/context.ts", // asks whoever sits there
    "apps/cli/src/main.ts", // hands the streams to output.ts
    "apps/cli/src/organisation.ts", // asks whoever sits there
    "apps/cli/src/output/output.ts",
    "apps/coordinator/src/log.ts",
  ];

  it("is one of those that are looked at here", () => {
    const writers = globSync("{apps,packages}/*/src/**/*.ts", { cwd: ROOT })
      .filter((file) => !/\.(?:test|fixture|bench|compliance)\.ts$|\/(?:testing|gen)\//.test(file))
      .filter((file) => {
        const code = readFileSync(join(ROOT, file), "utf8").replace(/^\s*(?:\*|\/\/|\/\*).*$/gm, "");
        return /\bconsole\.|\bpino\(|\bstd(?:out|err)\.write\(|process\.std(?:out|err)\b(?!\.isTTY)/.test(code);
      });
    expect(writers.toSorted()).toEqual(KNOWN);
  });
});
