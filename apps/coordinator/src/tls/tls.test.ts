import { once } from "node:events";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import tls from "node:tls";
import {
  joinNode,
  loadIdentity,
  type NodeIdentity,
  type NodeSession,
  openNodeConnection,
  openSession,
  SOFTWARE_VERSION,
} from "@ciphernx/ai/federation/node";
import { connect } from "@ciphernx/ai/client";
import { loadKernel } from "@ciphernx/ai/nn";
import { type Authority, makeCertificateRequest, openAuthority } from "@ciphernx/core/identity/ca";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { sign } from "@ciphernx/crypto/keys";
import { NodeService } from "@ciphernx/protocol/proto";
import { certificateBytes } from "@ciphernx/protocol/wire";
import { connectTransport, type TlsClientCredentials } from "@ciphernx/protocol/wire/connect";
import { webSocketTransport } from "@ciphernx/protocol/wire/websocket";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classRows, eventually, rowsSpec, startWork, type TestCoordinator, testCoordinator } from "../test-coordinator.fixture.ts";

const DAY_MS = 24 * 3_600_000;
let lent: TestCoordinator;
/** Where other machines reach it. */
let url: string;
/** What the coordinator's CA would issue: the test opens it as the coordinator has. */
let authority: Authority;
let ca: string;

beforeAll(async () => {
  lent = await testCoordinator({ tls: { listen: { host: "127.0.0.1", port: 0 } } });
  ({ url } = lent.coordinator.tls!);
  const { certificateFile } = lent.coordinator.tls!;
  ({ authority } = await openAuthority({ home: dirname(dirname(certificateFile)) }));
  ca = await readFile(certificateFile, "utf8");
});

afterAll(() => lent[Symbol.asyncDispose]());

async function joinedNode(name: string, approved = true) {
  const { token } = await lent.nexus.nodes.createJoinToken({ approved });
  const folder = lent.folderOf(name);
  await joinNode({ url, token, name, folder });
  return { folder, token, ...(await loadIdentity(folder)) };
}

/** A certificate for a node as the test likes it. */
async function certificateOf(identity: NodeIdentity, by: Authority = authority, more: { readonly now?: Date; readonly nodeId?: string } = {}) {
  const { keyPem, request } = await makeCertificateRequest();
  const names = { projectId: "prj_1", nodeId: more.nodeId ?? identity.nodeId, signingKey: identity.key.publicKey };
  return { key: keyPem, cert: await by.issueNode(request, names, more.now === undefined ? {} : { now: more.now }) };
}

async function session(identity: NodeIdentity, credentials: TlsClientCredentials, open = connectTransport): Promise<NodeSession> {
  return openSession({
    identity,
    kernelBuild: (await loadKernel()).build,
    softwareVersion: SOFTWARE_VERSION,
    connect: (token) => open({ baseUrl: url, token, tls: credentials }),
  });
}

const TRANSPORTS = [
  ["connect", connectTransport],
  ["websocket", webSocketTransport],
] as const;

describe("joining over TLS", () => {
  it("needs nothing but the token, and keeps a certificate and the CA in the node's folder", async () => {
    const { folder, token, url: kept } = await joinedNode("hospital");
    expect(kept).toBe(url);
    expect(token.endsWith(`.${authority.fingerprint}`)).toBe(true);
    expect(await readFile(join(folder, "ca.crt"), "utf8")).toBe(ca);
    expect((await stat(join(folder, "tls.pem"))).mode & 0o077).toBe(0);
    // A token lets one node join, over TLS as in plain.
    const replay = joinNode({ url, token, name: "intruder", folder: lent.folderOf("intruder") });
    await expect(replay).rejects.toMatchObject({ code: "JOIN_TOKEN_INVALID" });
    await expect(stat(lent.folderOf("intruder"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("a node that waits for approval is given its certificate afterwards", async () => {
    const { folder, ...joined } = await joinedNode("patient", false);
    expect((await readdir(folder)).toSorted()).not.toContain("tls.pem");
    const connection = await openNodeConnection(folder, joined);
    await expect(connection.renew()).rejects.toMatchObject({ code: "NODE_NOT_APPROVED" });
    await lent.nexus.nodes.approve("patient");
    expect(await connection.renew()).toBe(true);
    expect(await connection.renew(authority.fingerprint)).toBe(false);
  });

  it("tells a token without a fingerprint, and one of another CA, and sends neither", async () => {
    const { token } = await lent.nexus.nodes.createJoinToken();
    const [secret] = token.split(".");
    const options = { url, name: "nobody", folder: lent.folderOf("nobody") };
    await expect(joinNode({ ...options, token: secret! })).rejects.toMatchObject({ code: "USAGE" });
    await expect(joinNode({ ...options, token: `${secret}.${"A".repeat(43)}` })).rejects.toMatchObject({ code: "SERVER_NOT_TRUSTED" });
    // It is still good: nobody has heard of it.
    await expect(joinNode({ ...options, token, name: "latecomer", folder: lent.folderOf("latecomer") })).resolves.toMatchObject({
      status: "pending",
    });
  });

  it("somebody in between who has another CA gets no token", async () => {
    await using home = await temporaryFolder();
    const { authority: theirs } = await openAuthority({ home: home.path });
    const { keyPem, chainPem } = await theirs.issueServer(["127.0.0.1"]);
    const [leaf = ""] = chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    // Their own chain, and their own leaf with our CA, which is no secret, behind it.
    for (const cert of [chainPem, `${leaf}${ca}`, `${leaf}${chainPem}${ca}`]) {
      let heard = "";
      const between = tls.createServer({ key: keyPem, cert }, (socket) =>
        socket.on("data", (bytes) => (heard += bytes.toString("latin1"))).on("error", () => {}),
      );
      between.listen(0, "127.0.0.1");
      await once(between, "listening");
      const { token } = await lent.nexus.nodes.createJoinToken();
      const joining = joinNode({
        url: `https://127.0.0.1:${(between.address() as AddressInfo).port}`,
        token,
        name: "victim",
        folder: lent.folderOf("victim"),
      });
      await expect(joining).rejects.toMatchObject({ code: "SERVER_NOT_TRUSTED" });
      expect(heard).toBe("");
      between.close();
    }
  });
});

describe("nodes over TLS", () => {
  it("train to the same bits as in plain, and renew their certificates while they do", async () => {
    const [a, b] = [await joinedNode("a"), await joinedNode("b")];
    let laterMs = 0;
    const connectionOf = ({ folder, ...joined }: typeof a) =>
      openNodeConnection(
        folder,
        { ...joined, transport: joined.identity.name === "b" ? "websocket" : "connect" },
        () => new Date(Date.now() + laterMs),
      );
    const hashes: string[] = [];
    for (const isTls of [true, false]) {
      await using stack = new AsyncDisposableStack();
      for (const node of [a, b]) {
        const rows = classRows(node.identity.name, 30, 10);
        stack.use(await startWork(lent.url, node.identity, isTls ? { rows, connection: await connectionOf(node) } : { rows }));
      }
      const run = async () => (await (await lent.nexus.runs.start(rowsSpec())).result()).modelHash;
      hashes.push(await run());
      if (!isTls) continue;
      const before = await readFile(join(a.folder, "tls.pem"), "utf8");
      laterMs = 5 * DAY_MS;
      hashes.push(await run());
      expect(await eventually(async () => ((await readFile(join(a.folder, "tls.pem"), "utf8")) === before ? undefined : true))).toBe(true);
    }
    expect(new Set(hashes).size).toBe(1);
    expect(hashes).toHaveLength(3);
  });

  it.each(TRANSPORTS)("are refused without the certificate of that very node, over %s", { timeout: 60_000 }, async (kind, open) => {
    await using elsewhere = await temporaryFolder();
    const { authority: another } = await openAuthority({ home: elsewhere.path });
    const [mine, theirs] = [await joinedNode(`mine-${kind}`), await joinedNode(`theirs-${kind}`)];
    const { identity } = mine;
    const ours = await certificateOf(identity);
    await using stack = new AsyncDisposableStack();
    const opened = stack.use((await session(identity, { ca, ...ours }, open)).transport);
    await expect(createClient(NodeService, opened.rpc).heartbeat({})).resolves.toBeDefined();

    const cases: readonly (readonly [string, { readonly key?: string; readonly cert?: string }, string])[] = [
      ["none", {}, "CERTIFICATE_REQUIRED"],
      ["another CA's", await certificateOf(identity, another), "CERTIFICATE_REQUIRED"],
      ["a server's", serverOf(await authority.issueServer(["127.0.0.1"])), "CERTIFICATE_REQUIRED"],
      ["expired", await certificateOf(identity, authority, { now: new Date(Date.now() - 8 * DAY_MS) }), "CERTIFICATE_EXPIRED"],
    ];
    for (const [name, shown, code] of cases) {
      const error = await session(identity, { ca, ...shown }, open).catch((reason: unknown) => reason);
      expect([name, error]).toMatchObject([name, { code }]);
    }
    // The token of an open session is nothing worth with the certificate of another node, of another key, or without any.
    const sessionToken = await tokenOf(identity, { ca, ...ours });
    const otherKey = { ...identity, key: theirs.identity.key };
    for (const shown of [await certificateOf(theirs.identity), await certificateOf(otherKey), {}]) {
      await using stolen = open({ baseUrl: url, token: () => sessionToken, tls: { ca, ...shown } });
      await expect(createClient(NodeService, stolen.rpc).nextTask({ waitMs: 0 })).rejects.toMatchObject({ code: "CERTIFICATE_REQUIRED" });
      const hash = "0".repeat(64) as Parameters<typeof stolen.blobs.get>[0];
      await expect(stolen.blobs.get(hash)).rejects.toMatchObject({ code: "CERTIFICATE_REQUIRED" });
    }
  });

  it("are given certificates for their own keys alone", async () => {
    const { identity } = await joinedNode("asker");
    const other = (await joinedNode("bystander")).identity;
    await using transport = connectTransport({ baseUrl: url, tls: { ca } });
    const client = createClient(NodeService, transport.rpc);
    const { nodeId, key } = identity;
    const { request } = await makeCertificateRequest();
    const ask = async (change: { readonly signer?: typeof key; readonly as?: string; readonly sent?: Uint8Array<ArrayBuffer> }) => {
      const { nonce } = await client.challenge({ nodeId: change.as ?? nodeId });
      const signature = await sign(change.signer ?? key, certificateBytes({ nodeId, nonce, request }));
      return { nonce, signature, asked: () => client.issueCertificate({ nodeId, nonce, request: change.sent ?? request, signature }) };
    };
    const { asked } = await ask({});
    await asked();
    await expect(asked()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await expect((await ask({ as: other.nodeId })).asked()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await expect((await ask({ signer: other.key })).asked()).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    const swapped = (await makeCertificateRequest()).request;
    await expect((await ask({ sent: swapped })).asked()).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });

  it("that were off for longer than their certificate renew it by their signing key", async () => {
    const { folder, ...joined } = await joinedNode("sleeper");
    const old = await certificateOf(joined.identity, authority, { now: new Date(Date.now() - 30 * DAY_MS) });
    await writeFile(join(folder, "tls.pem"), `${old.key}${old.cert}`);
    const connection = await openNodeConnection(folder, joined);
    expect(await connection.renew()).toBe(true);
    await using transport = (await openSession({ ...joined, kernelBuild: "x", softwareVersion: "1", connect: connection.connect })).transport;
    await expect(createClient(NodeService, transport.rpc).challenge({ nodeId: joined.identity.nodeId })).resolves.toBeDefined();
  });

  it.each(TRANSPORTS)("that are removed lose their connections at once and are let in no more, over %s", async (transport) => {
    const name = `leaver-${transport}`;
    const { folder, ...joined } = await joinedNode(name);
    const work = await startWork(url, joined.identity, {
      rows: classRows(name, 5, 0),
      connection: await openNodeConnection(folder, { ...joined, transport }),
    });
    const idle = tls.connect({ port: Number(new URL(url).port), host: "127.0.0.1", ca, ...(await certificateOf(joined.identity)) });
    idle.on("error", () => {});
    await once(idle, "secureConnect");
    idle.write("GET /blobs/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await once(idle, "data");
    await lent.nexus.nodes.remove(name);
    if (!idle.closed) await once(idle, "close");
    await expect(work.ended).rejects.toMatchObject({ code: "NODE_REMOVED" });
    const connection = await openNodeConnection(folder, joined, () => new Date(Date.now() + 6 * DAY_MS));
    await expect(connection.renew()).rejects.toMatchObject({ code: "NODE_REMOVED" });
  });
});

it("people reach it with the CA and the owner token, and not without the CA", async () => {
  await using nexus = connect({ url, token: lent.token, ca });
  expect((await nexus.status()).processId).toBe(process.pid);
  await using unknowing = connect({ url, token: lent.token });
  await expect(unknowing.status()).rejects.toMatchObject({ code: "SERVER_NOT_TRUSTED" });
  await using anonymous = connect({ url, token: "guess", ca });
  await expect(anonymous.status()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
});

function serverOf({ keyPem, chainPem }: { readonly keyPem: string; readonly chainPem: string }) {
  return { key: keyPem, cert: chainPem };
}

/** The token of a session, as somebody who reads the node's memory would have it. */
async function tokenOf(identity: NodeIdentity, credentials: TlsClientCredentials): Promise<string> {
  let read: (() => string | undefined) | undefined;
  const opened = await openSession({
    identity,
    kernelBuild: "x",
    softwareVersion: "1",
    connect: (token) => connectTransport({ baseUrl: url, token: (read = token), tls: credentials }),
  });
  await opened.transport.close();
  return read!()!;
}
