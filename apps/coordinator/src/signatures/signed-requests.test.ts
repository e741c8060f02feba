import { readFile } from "node:fs/promises";
import https from "node:https";
import { openSession, type NodeIdentity, type NodeSession, SOFTWARE_VERSION } from "@ciphernx/ai/federation/node";
import { connect } from "@ciphernx/ai/client";
import { loadKernel } from "@ciphernx/ai/nn";
import { makeCertificateRequest } from "@ciphernx/core/identity/ca";
import { generateSigningKey, sign, type SigningKey } from "@ciphernx/crypto/keys";
import { NodeService } from "@ciphernx/protocol/proto";
import { certificateBytes, registrationBytes } from "@ciphernx/protocol/wire";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { type RequestSigner, requestSigner, type SignedHead } from "@ciphernx/protocol/wire/signatures";
import { webSocketTransport } from "@ciphernx/protocol/wire/websocket";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classRows, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "../test-coordinator.fixture.ts";

let lent: TestCoordinator;
/** Where other machines reach it. */
let url: string;
let ca: string;
let kernelBuild: string;

beforeAll(async () => {
  lent = await testCoordinator({ tls: { listen: { host: "127.0.0.1", port: 0 }, publicNames: ["127.0.0.1"] } });
  ({ url } = lent.coordinator.tls!);
  ca = await readFile(lent.coordinator.tls!.certificateFile, "utf8");
  kernelBuild = (await loadKernel()).build;
}, 60_000);
afterAll(() => lent[Symbol.asyncDispose]());

const TRANSPORTS = [
  ["connect", connectTransport],
  ["websocket", webSocketTransport],
] as const;
type Open = (typeof TRANSPORTS)[number][1];

/** Joins a node that will sign its requests. */
async function joined(
  name: string,
  { approved = true, key }: { readonly approved?: boolean; readonly key?: SigningKey } = {},
): Promise<NodeIdentity> {
  const { token } = await lent.nexus.nodes.createJoinToken({ approved });
  const own = key ?? (await generateSigningKey({ extractable: false }));
  const { publicKey } = own;
  const signature = await sign(own, registrationBytes({ token, name, publicKey, signsRequests: true }));
  await using transport = connectTransport({ baseUrl: url, tls: { ca } });
  const { nodeId } = await createClient(NodeService, transport.rpc).register({ token, name, publicKey, signature, signsRequests: true });
  return { nodeId, name, key: own };
}

/** A session over TLS, signed as `signer` likes. */
function session(identity: NodeIdentity, open: Open, signer: RequestSigner | undefined, baseUrl = url): Promise<NodeSession> {
  const tls = baseUrl.startsWith("https:") ? { tls: { ca } } : {};
  return openSession({ identity, kernelBuild, softwareVersion: SOFTWARE_VERSION, connect: (token) => open({ baseUrl, token, signer, ...tls }) });
}

/** A signer that can be told to sign otherwise. */
function dishonest(identity: NodeIdentity) {
  const honest = requestSigner(identity);
  const signer = { sign: honest.sign };
  return { honest, signer, as: (change: RequestSigner["sign"]) => (signer.sign = change) };
}

const beat = ({ transport }: Pick<NodeSession, "transport">) => createClient(NodeService, transport.rpc).heartbeat({});
const fails = async (action: Promise<unknown>): Promise<unknown> =>
  action.then(
    () => "ok",
    (error: unknown) => (error as { readonly code: string }).code,
  );

describe.each(TRANSPORTS)("a node that signs its requests, over %s", (kind, open) => {
  it("is let in without a certificate, and by its signatures alone, on the plain port as well", async () => {
    const identity = await joined(`plain-${kind}`);
    for (const baseUrl of [url, lent.url]) {
      const { honest, signer, as } = dishonest(identity);
      await using opened = (await session(identity, open, signer, baseUrl)).transport;
      expect(await fails(beat({ transport: opened }))).toBe("ok");
      as(() => Promise.resolve({}));
      expect(await fails(beat({ transport: opened }))).toBe("SIGNATURE_REQUIRED");
      expect(await fails(opened.blobs.get("0".repeat(64) as never))).toBe("SIGNATURE_REQUIRED");
      as(honest.sign);
      expect(await fails(opened.blobs.get("0".repeat(64) as never))).toBe("FORBIDDEN");
      expect(await fails(session(identity, open, undefined, baseUrl))).toBe(baseUrl === url ? "CERTIFICATE_REQUIRED" : "SIGNATURE_REQUIRED");
    }
  });

  it("is told what is wrong with a signature", { timeout: 60_000 }, async () => {
    const [identity, other] = [await joined(`deviant-${kind}`), await joined(`other-${kind}`)];
    const { honest, signer, as } = dishonest(identity);
    await using opened = (await session(identity, open, signer)).transport;
    const answer = async (change: RequestSigner["sign"]) => {
      as(change);
      return fails(beat({ transport: opened }));
    };
    const at = (seconds: number) => requestSigner({ ...identity, now: () => Date.now() + seconds * 1000 }).sign;
    const signing = (change: Partial<SignedHead>) => (head: SignedHead, content?: Parameters<RequestSigner["sign"]>[1]) =>
      honest.sign({ ...head, ...change }, content);
    let kept: Readonly<Record<string, string>> | undefined;

    const cases: readonly (readonly [string, RequestSigner["sign"], string])[] = [
      ["nothing", honest.sign, "ok"],
      ["another body", (head) => honest.sign(head, Uint8Array.of(1)), "SIGNATURE_INVALID"],
      [
        "another body, with the digest of this one put in its place",
        async (head, content) => ({
          ...(await honest.sign(head, Uint8Array.of(1))),
          "content-digest": (await honest.sign(head, content))["content-digest"]!,
        }),
        "SIGNATURE_INVALID",
      ],
      ["no digest", (head) => honest.sign(head), "SIGNATURE_INVALID"],
      ["another path", signing({ path: "/ciphernx.node.v1.NodeService/NextTask" }), "SIGNATURE_INVALID"],
      ["an empty query, which is the same as none", signing({ path: "/ciphernx.node.v1.NodeService/Heartbeat?" }), "ok"],
      ["another method", signing({ method: "PUT" }), "SIGNATURE_INVALID"],
      ["another coordinator", signing({ authority: "elsewhere.example:7701" }), "SIGNATURE_INVALID"],
      ["another port of this machine", signing({ authority: "127.0.0.1:1" }), "SIGNATURE_INVALID"],
      [
        "another session",
        (head, content) => honest.sign({ ...head, headers: { ...head.headers, authorization: "Bearer x" } }, content),
        "SIGNATURE_INVALID",
      ],
      ["a time a minute ago", at(-62), "CLOCK_DIFFERS"],
      ["a time to come", at(30), "CLOCK_DIFFERS"],
      ["another key", requestSigner({ ...identity, key: other.key }).sign, "SIGNATURE_INVALID"],
      ["another node's name and key", requestSigner(other).sign, "SIGNATURE_REQUIRED"],
      ["a node that is unknown", requestSigner({ ...identity, nodeId: "node_nobody" }).sign, "NODE_NOT_FOUND"],
      ["a signature that is none", async () => ({ signature: "node=:AAAA:", "signature-input": "node=()" }), "SIGNATURE_INVALID"],
      ["the first time", async (head, content) => (kept = await honest.sign(head, content)), "ok"],
      ["a second time", async () => kept!, "REQUEST_REPLAYED"],
      ["nothing, afterwards", honest.sign, "ok"],
    ];
    const answers: unknown[] = [];
    for (const [what, change] of cases) answers.push([what, await answer(change)]);
    expect(answers).toEqual(cases.map(([what, , code]) => [what, code]));
  });

  it("is told by how much its clock is off", async () => {
    const identity = await joined(`late-${kind}`);
    const late = requestSigner({ ...identity, now: () => Date.now() - 3_600_000 });
    await expect(session(identity, open, late)).rejects.toMatchObject({
      code: "CLOCK_DIFFERS",
      message: expect.stringMatching(/36(00|01) s behind the coordinator's clock/) as string,
      hint: expect.stringContaining("Set the clock") as string,
      retryable: true,
    });
  });

  it("waits for its owner's approval, and is let in no more once it was removed", async () => {
    const identity = await joined(`leaver-${kind}`, { approved: false });
    const signer = requestSigner(identity);
    expect(await fails(session(identity, open, signer))).toBe("NODE_NOT_APPROVED");
    // Who approves it sees what it is.
    expect((await lent.nexus.nodes.list()).find(({ name }) => name === identity.name)).toMatchObject({ status: "pending", signsRequests: true });
    await lent.nexus.nodes.approve(identity.name);
    await using opened = (await session(identity, open, signer)).transport;
    const waiting = fails(createClient(NodeService, opened.rpc).nextTask({ waitMs: 30_000 }));
    expect(await fails(beat({ transport: opened }))).toBe("ok");
    await lent.nexus.nodes.remove(identity.name);
    expect(await fails(beat({ transport: opened }))).toBe("NODE_REMOVED");
    expect(await fails(session(identity, open, signer))).toBe("NODE_REMOVED");
    // What waited was woken, and was given nothing.
    expect(["ok", "UNAUTHENTICATED"]).toContain(await waiting);
  });

  it("cannot use the session of another, and a certificate's node no signature", async () => {
    const [identity, certified] = [await joined(`thief-${kind}`), await lent.join(`certified-${kind}`)];
    const opened = await openSession({
      identity: certified,
      kernelBuild,
      softwareVersion: "1",
      connect: (token) => open({ baseUrl: lent.url, token: (read = token) }),
    });
    await using transport = opened.transport;
    expect(await fails(beat({ transport }))).toBe("ok");
    const stolen = read!();
    for (const baseUrl of [url, lent.url]) {
      for (const signer of [requestSigner(identity), requestSigner(certified)]) {
        await using thief = open({ baseUrl, token: () => stolen, signer, ...(baseUrl === url ? { tls: { ca } } : {}) });
        expect(await fails(beat({ transport: thief }))).toBe("CERTIFICATE_REQUIRED");
        // Nor to open one of its own for it.
        expect(await fails(session(certified, open, signer, baseUrl))).toBe("CERTIFICATE_REQUIRED");
      }
    }
  });

  it("trains to the same bits as nodes with certificates", { timeout: 60_000 }, async () => {
    const names = ["a", "b"].map((name) => `${name}-${kind}`);
    const hashes: string[] = [];
    for (const signs of [true, false]) {
      await using stack = new AsyncDisposableStack();
      for (const name of names) {
        const identity = signs ? await joined(name) : await lent.join(name);
        const signer = signs ? requestSigner(identity) : undefined;
        const connection = {
          connect: (token: () => string | undefined) => open({ baseUrl: signs ? url : lent.url, token, signer, tls: signs ? { ca } : {} }),
          renew: async () => false,
        };
        stack.use(await startWork(lent.url, identity, { rows: classRows(name.slice(0, 1), 30, 10), connection }));
      }
      hashes.push((await (await lent.nexus.runs.start(rowsSpec({ rounds: 2 }))).result()).modelHash);
      for (const name of names) await lent.nexus.nodes.remove(name);
    }
    expect(hashes[1]).toBe(hashes[0]);
  });
});

let read: (() => string | undefined) | undefined;

it("a signature for another coordinator is worth nothing here, though the request names that one, too", async () => {
  const identity = await joined("forwarded");
  const path = "/ciphernx.node.v1.NodeService/Challenge";
  const body = new TextEncoder().encode(JSON.stringify({ nodeId: identity.nodeId }));
  const ask = async (host: string): Promise<string> => {
    const headers = { "content-type": "application/json", host };
    const signed = await requestSigner(identity).sign({ method: "POST", authority: host.toLowerCase(), path, headers }, body);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    https
      .request(
        `${url}${path}`,
        { ca, servername: "localhost", method: "POST", agent: false, headers: { ...headers, ...signed, "content-length": body.length } },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
          response.once("end", () => resolve(`${response.statusCode} ${text}`));
        },
      )
      .once("error", reject)
      .end(body);
    return promise;
  };
  expect(await ask(new URL(url).host)).toMatch(/^200 .*nonce/);
  expect(await ask("LOCALHOST:1")).toMatch(/^200 .*nonce/);
  expect(await ask("elsewhere.example:7701")).toMatch(/^403 .*none of this coordinator's names/);
  expect(await ask("127.0.0.1.elsewhere.example")).toMatch(/^403 .*none of this coordinator's names/);
});

it("is given no certificate, and a registration cannot be turned into one of another kind", async () => {
  const identity = await joined("tab");
  await using transport = connectTransport({ baseUrl: url, tls: { ca } });
  const client = createClient(NodeService, transport.rpc);
  const { nodeId, key } = identity;
  const { request } = await makeCertificateRequest();
  const { nonce } = await client.challenge({ nodeId });
  const signature = await sign(key, certificateBytes({ nodeId, nonce, request }));
  await expect(client.issueCertificate({ nodeId, nonce, request, signature })).rejects.toMatchObject({ code: "FORBIDDEN" });

  const { token } = await lent.nexus.nodes.createJoinToken({ approved: true });
  const registration = { token, name: "turned", publicKey: key.publicKey };
  for (const signsRequests of [true, false]) {
    const signed = await sign(key, registrationBytes({ ...registration, signsRequests }));
    const turned = client.register({ ...registration, signature: signed, signsRequests: !signsRequests });
    await expect(turned).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  }
  // Nor can a token that was used for the one kind be used again for the other.
  const first = await joinAs(token, "turned", key, true);
  expect(await joinAs(token, "turned", key, true)).toBe(first);
  await expect(joinAs(token, "turned", key, false)).rejects.toMatchObject({ code: "JOIN_TOKEN_INVALID" });
});

async function joinAs(token: string, name: string, key: SigningKey, signsRequests: boolean): Promise<string> {
  await using transport = connectTransport({ baseUrl: url, tls: { ca } });
  const registration = { token, name, publicKey: key.publicKey, signsRequests };
  const signature = await sign(key, registrationBytes(registration));
  return (await createClient(NodeService, transport.rpc).register({ ...registration, signature })).nodeId;
}

it("people's tokens need no signature", async () => {
  await using nexus = connect({ url, token: lent.token, ca });
  expect((await nexus.status()).processId).toBe(process.pid);
});
