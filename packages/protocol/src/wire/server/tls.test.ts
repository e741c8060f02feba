import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { memoryBlobStore } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { keyFingerprint, readNodeCertificate } from "@ciphernx/core/identity/ca";
import { describe, expect, it } from "vitest";
import { ControlService } from "../../proto.ts";
import { callerToken } from "../bearer.ts";
import { connectTransport, findAuthority, type TlsClientCredentials } from "../connect.ts";
import { expectCode, sha256 } from "../transport.compliance.ts";
import { startWireServer, type TlsPeer, type TlsServerCredentials, type WireLimits } from "./index.ts";
import { nodeCredentials, serverCredentials, tlsWorld } from "./tls.fixture.ts";

const DAY_MS = 24 * 3_600_000;
const [world, other] = await Promise.all([tlsWorld(), tlsWorld()]);
const ca = world.authority.certificatePem;

/** A server that notes whom it sees, and lets nobody with the token `refused` in. */
async function openTls(credentials: TlsServerCredentials = world.server, limits: Partial<WireLimits> = {}) {
  const seen: TlsPeer[] = [];
  const tokens: (string | undefined)[] = [];
  const server = await startWireServer({
    limits,
    port: 0,
    tls: { host: "127.0.0.1", port: 0, credentials },
    log: { debug: () => {}, warn: () => {}, error: (_fields, message) => expect(message).toBe("") },
    admit({ peer, token }) {
      if (peer !== undefined) seen.push(peer);
      if (token === "refused") throw new NexusError("CERTIFICATE_REQUIRED", "Not without a certificate.");
    },
    blobs: { store: memoryBlobStore(), authorizeGet: async () => {}, authorizePut: async () => {}, staged: async () => {} },
    routes: (router) =>
      router.service(ControlService, {
        listRuns(_request, context) {
          tokens.push(callerToken(context));
          return { runs: [{ id: "run_1" }] };
        },
      }),
  });
  const { port } = server.tls!;
  const url = `https://127.0.0.1:${port}`;
  return {
    ...{ server, seen, tokens, port, url },
    connect: (credentialsOfClient: TlsClientCredentials = { ca }, baseUrl = url, token = "secret") =>
      connectTransport({ baseUrl, tls: credentialsOfClient, token: () => token }),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const listRuns = (transport: ReturnType<typeof connectTransport>) => createClient(ControlService, transport.rpc).listRuns({});

/** What a client sees of the server's answer to bytes of its choice. */
async function talk(port: number, bytes: Uint8Array | string): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
  socket.on("error", () => {});
  socket.write(bytes);
  await once(socket, "close");
  return answer;
}

/** Whether the machine has the program that makes a certificate which nothing of ours would make. */
const HAS_OPENSSL = spawnSync("openssl", ["version"]).status === 0;

describe("the TLS port", () => {
  it("speaks gRPC, gRPC-web and Connect over HTTP/1.1 and HTTP/2", async () => {
    await using lent = await openTls();
    const { url: baseUrl } = lent;
    const nodeOptions = { ca, minVersion: "TLSv1.3" as const };
    for (const transport of [
      createGrpcTransport({ baseUrl, nodeOptions }),
      createGrpcWebTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
      createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
      createConnectTransport({ baseUrl, httpVersion: "2", nodeOptions }),
    ]) {
      expect((await createClient(ControlService, transport).listRuns({})).runs[0]?.id).toBe("run_1");
    }
    expect(lent.seen).toHaveLength(4);
  });

  it.skipIf(!HAS_OPENSSL)("knows clients by certificates of its own CA, and by no others", async () => {
    await using lent = await openTls();
    const selfSigned = await selfSignedNode();
    const cases: readonly (readonly [string, { readonly key?: string; readonly cert?: string }, string | undefined])[] = [
      ["ours", await nodeCredentials(world.authority, "node_1"), undefined],
      ["none", {}, undefined],
      ["another CA's", await nodeCredentials(other.authority, "node_1"), "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
      ["expired", await nodeCredentials(world.authority, "node_1", new Date(Date.now() - 8 * DAY_MS)), "CERT_HAS_EXPIRED"],
      ["not yet valid", await nodeCredentials(world.authority, "node_1", new Date(Date.now() + DAY_MS)), "CERT_NOT_YET_VALID"],
      ["a server's", { key: world.server.key, cert: world.server.cert }, "INVALID_PURPOSE"],
      ["signed by itself", selfSigned, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ];
    for (const [name, shown, distrusted] of cases) {
      await using transport = lent.connect({ ca, ...shown });
      await listRuns(transport);
      const peer = lent.seen.at(-1)!;
      expect([name, peer.distrusted]).toEqual([name, distrusted]);
      expect([name, peer.certificate && readNodeCertificate(peer.certificate)?.nodeId]).toEqual([name, name === "ours" ? "node_1" : undefined]);
    }
  });

  it("closes connections of an address that has too many, before the handshake, and serves those that it has", async () => {
    for (const limits of [{ maxConnectionsPerAddress: 3 }, { handshakeBurstPerAddress: 3, handshakesPerAddressPerSecond: 0.001 }]) {
      await using lent = await openTls(world.server, limits);
      const open = async (): Promise<tls.TLSSocket> => {
        const socket = tls.connect({ port: lent.port, host: "127.0.0.1", ca, ALPNProtocols: ["http/1.1"] });
        await once(socket, "secureConnect");
        return socket;
      };
      const held = [await open(), await open(), await open()];
      // Not one byte is read of what comes next.
      expect(await talk(lent.port, "plain words, which are told apart from TLS otherwise")).toBe("");
      await expect(open()).rejects.toThrow(/ECONNRESET|socket disconnected/);
      held[0]!.write(`GET /blobs/${"0".repeat(64)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      const [answer] = (await once(held[0]!, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1.1 404 /);
      // This machine's own port is not concerned.
      expect((await fetch(`${lent.server.url}/blobs/${"0".repeat(64)}`)).status).toBe(404);
      for (const socket of held) socket.destroy();
    }
  });

  it("cuts off who begins a handshake and does not go on, or speaks TLS and no HTTP", async () => {
    await using lent = await openTls(world.server, { headersTimeoutMs: 150 });
    expect(await talk(lent.port, Uint8Array.of(0x16, 3, 1, 2, 0, 1))).toBe("");
    expect(await talk(lent.port, "")).toBe("");
    const socket = tls.connect({ port: lent.port, host: "127.0.0.1", ca, ALPNProtocols: ["http/1.1"] });
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
    const drip = setInterval(() => socket.write("x"), 20);
    await once(socket.resume(), "close");
    clearInterval(drip);
  });

  it("asks before calls and blobs, and says why not", async () => {
    await using lent = await openTls();
    await using transport = lent.connect({ ca }, lent.url, "refused");
    await expectCode(listRuns(transport), "CERTIFICATE_REQUIRED");
    await expectCode(transport.blobs.get(sha256(new Uint8Array(1))), "CERTIFICATE_REQUIRED");
    const bytes = new Uint8Array(8);
    await expectCode(transport.blobs.put(bytes, { hash: sha256(bytes), sizeBytes: 8 }), "CERTIFICATE_REQUIRED");
    expect(lent.tokens).toEqual([]);
  });

  it("tells who speaks plainly to it, and cuts off who speaks older TLS or nonsense", async () => {
    await using lent = await openTls();
    expect(await talk(lent.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")).toMatch(/^HTTP\/1\.1 409 .*"code":"TLS_MISMATCH".*https:\/\//s);
    await using plain = connectTransport({ baseUrl: `http://127.0.0.1:${lent.port}` });
    await expectCode(plain.blobs.get(sha256(new Uint8Array())), "TLS_MISMATCH");
    // A message whose body comes in a packet of its own.
    for (let round = 0; round < 5; round += 1) await expectCode(listRuns(plain), "TLS_MISMATCH");
    const old = tls.connect({ port: lent.port, host: "127.0.0.1", ca, maxVersion: "TLSv1.2" });
    const [error] = (await once(old, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
    await talk(lent.port, Uint8Array.from([0x16, 0x03, 0x01, 0x00, 0x05, 1, 2, 3, 4, 5]));
    await using transport = lent.connect();
    await expect(listRuns(transport)).resolves.toMatchObject({ runs: [{ id: "run_1" }] });
  });

  it("shows a new certificate to those who come, and keeps the connections of those who are there", async () => {
    await using lent = await openTls();
    const before = tls.connect({ port: lent.port, host: "127.0.0.1", ca, minVersion: "TLSv1.3" });
    await once(before, "secureConnect");
    const renewed = await serverCredentials(world.authority, ["127.0.0.1"]);
    lent.server.tls!.setCredentials(renewed);
    const after = tls.connect({ port: lent.port, host: "127.0.0.1", ca });
    await once(after, "secureConnect");
    expect(after.getPeerX509Certificate()!.toString()).toBe(renewed.cert.split(/(?<=-----END CERTIFICATE-----\n)/)[0]);
    expect(after.getProtocol()).toBe("TLSv1.3");
    before.setEncoding("latin1").write("GET /blobs/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    expect(await once(before, "data")).toMatchObject([expect.stringMatching(/^HTTP\/1\.1 400/) as string]);
    before.destroy();
    after.destroy();
  });

  it("ends the connections of a peer", async () => {
    await using lent = await openTls();
    const [mine, theirs] = await Promise.all([nodeCredentials(world.authority, "node_1"), nodeCredentials(world.authority, "node_2")]);
    const connect = async (shown: { readonly key: string; readonly cert: string }) => {
      const socket = tls.connect({ port: lent.port, host: "127.0.0.1", ca, ...shown });
      await once(socket, "secureConnect");
      socket.write("GET /blobs/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      await once(socket, "data");
      return socket;
    };
    const [first, second] = [await connect(mine), await connect(theirs)];
    lent.server.tls!.endConnections(({ certificate }) => certificate !== undefined && readNodeCertificate(certificate)?.nodeId === "node_1");
    first.on("error", () => {});
    await once(first, "close");
    expect(second.closed).toBe(false);
    second.destroy();
  });
});

describe("a client over TLS", () => {
  it("sends nothing to a server that it does not trust, and says why", async () => {
    const expired = await serverCredentials(world.authority, ["127.0.0.1"], new Date(Date.now() - 60 * DAY_MS));
    const early = await serverCredentials(world.authority, ["127.0.0.1"], new Date(Date.now() + DAY_MS));
    const node = await nodeCredentials(world.authority, "node_1");
    const cases: readonly (readonly [TlsServerCredentials, TlsClientCredentials, RegExp])[] = [
      [other.server, { ca }, /CA that is not known/],
      [world.server, {}, /CA that is not known/],
      [expired, { ca }, /has expired/],
      [early, { ca }, /not valid yet/],
      [await serverCredentials(world.authority, ["hospital.example"]), { ca }, /another name/],
      [{ ...node, ca }, { ca }, /not one for servers/],
    ];
    for (const [credentials, client, why] of cases) {
      await using lent = await openTls(credentials);
      await using transport = lent.connect(client);
      for (const asked of [listRuns(transport), transport.blobs.get(sha256(new Uint8Array()))]) {
        await expect(asked).rejects.toMatchObject({ code: "SERVER_NOT_TRUSTED", message: expect.stringMatching(why) as string });
      }
      expect(lent.seen).toEqual([]);
    }
  });

  it("tells a server without TLS, and one of an older TLS", async () => {
    await using lent = await openTls();
    await using toPlain = lent.connect({ ca }, `https://127.0.0.1:${lent.server.port}`);
    await expectCode(listRuns(toPlain), "TLS_MISMATCH");
    await expectCode(toPlain.blobs.get(sha256(new Uint8Array())), "TLS_MISMATCH");
    const old = tls.createServer({ ...world.server, maxVersion: "TLSv1.2" }, (socket) => socket.destroy());
    old.listen(0, "127.0.0.1");
    await once(old, "listening");
    await using toOld = lent.connect({ ca }, `https://127.0.0.1:${(old.address() as net.AddressInfo).port}`);
    await expectCode(listRuns(toOld), "TLS_MISMATCH");
    old.close();
  });
});

describe("the CA that a fingerprint stands for", () => {
  const { fingerprint } = world.authority;

  it("is found among what a server shows, over IPv4 and IPv6, and trusted from then on", async () => {
    await using lent = await openTls(await serverCredentials(world.authority, ["127.0.0.1", "::1"]));
    const found = await findAuthority({ url: lent.url, fingerprint });
    expect(found).toBe(`${ca.trimEnd()}\n`);
    await using transport = lent.connect({ ca: found });
    await expect(listRuns(transport)).resolves.toBeDefined();
    if (!Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === "::1"))) return;
    await using six = await startWireServer({
      port: 0,
      tls: { host: "::1", port: 0, credentials: world.server },
      log: { debug: () => {}, warn: () => {}, error: () => {} },
      blobs: { store: memoryBlobStore(), authorizeGet: async () => {}, authorizePut: async () => {}, staged: async () => {} },
      routes: (router) => router.service(ControlService, {}),
    });
    const url = `https://[::1]:${six.tls!.port}`;
    expect(await findAuthority({ url, fingerprint })).toBe(found);
    // The certificate is for other names: a connection is refused by what the CA itself says.
    await using refused = lent.connect({ ca: found }, url);
    await expectCode(listRuns(refused), "SERVER_NOT_TRUSTED");
  });

  it("is not found where another answers, none, or one without TLS", async () => {
    await using theirs = await openTls(other.server);
    await expectCode(findAuthority({ url: theirs.url, fingerprint }), "SERVER_NOT_TRUSTED");
    // The fingerprint of a leaf is that of no CA.
    await expectCode(findAuthority({ url: theirs.url, fingerprint: keyFingerprint(other.server.cert) }), "SERVER_NOT_TRUSTED");
    await expectCode(findAuthority({ url: `https://127.0.0.1:${theirs.server.port}`, fingerprint }), "TLS_MISMATCH");
    const silent = net.createServer((socket) => socket.resume());
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const url = `https://127.0.0.1:${(silent.address() as net.AddressInfo).port}`;
    await expectCode(findAuthority({ url, fingerprint, timeoutMs: 50 }), "TIMEOUT");
    silent.close();
    await once(silent, "close");
    await expectCode(findAuthority({ url, fingerprint }), "COORDINATOR_UNREACHABLE");
  });
});

/** A certificate that names a node, signed by its own key. */
async function selfSignedNode(): Promise<{ readonly key: string; readonly cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), "nexus-self-signed-"));
  try {
    const [keyFile, configFile] = [join(folder, "key.pem"), join(folder, "openssl.cnf")];
    await writeFile(configFile, "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=node\n");
    const cert = execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-config", configFile, "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", keyFile],
        ...["-days", "5", "-addext", "extendedKeyUsage=clientAuth", "-addext", "basicConstraints=critical,CA:FALSE"],
        ...[
          "-addext",
          `subjectAltName=URI:spiffe://${world.authority.trustDomain}/org/prj_1/node/node_1,URI:urn:ciphernx:ed25519:${"00".repeat(32)}`,
        ],
      ],
      { encoding: "utf8", stdio: "pipe" },
    );
    return { key: await readFile(keyFile, "utf8"), cert };
  } finally {
    await rm(folder, { recursive: true });
  }
}
