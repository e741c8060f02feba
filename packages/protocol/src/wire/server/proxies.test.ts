import { randomBytes } from "node:crypto";
import { createClient } from "@connectrpc/connect";
import { memoryBlobStore } from "@ciphernx/core/blobs";
import { keyFingerprint } from "@ciphernx/core/identity/ca";
import { X509Certificate } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ControlService } from "../../proto.ts";
import { connectTransport, type ConnectTransportOptions, findAuthority } from "../connect.ts";
import { expectCode, sha256 } from "../transport.compliance.ts";
import { webSocketTransport } from "../websocket/index.ts";
import { connectProxy, type ConnectProxyOptions } from "./connect-proxy.fixture.ts";
import { startWireServer } from "./index.ts";
import { serverCredentials, tlsWorld } from "./tls.fixture.ts";

const world = await tlsWorld();
const ca = world.authority.certificatePem;
const credentials = await serverCredentials(world.authority, ["127.0.0.1", "::1", "localhost"]);
const PASSWORD = "s3cret of the proxy";
const CREDENTIALS = `node:${PASSWORD}`;

/** A coordinator on any address of this machine, over TLS, and a proxy on the way. */
async function openWay(options: ConnectProxyOptions = {}) {
  const stack = new AsyncDisposableStack();
  const store = memoryBlobStore();
  const server = stack.use(
    await startWireServer({
      port: 0,
      tls: { host: "::", port: 0, credentials },
      log: { debug: () => {}, warn: () => {}, error: (_fields, message) => expect(message).toBe("") },
      blobs: { store, authorizeGet: async () => {}, authorizePut: async () => {}, staged: async ({ staged }) => void (await staged.commit()) },
      routes: (router) => router.service(ControlService, { listRuns: () => ({ runs: [{ id: "run_1" }] }) }),
    }),
  );
  const proxy = stack.use(await connectProxy(options));
  const { port } = server.tls!;
  return {
    ...{ port, proxy, store, url: `https://127.0.0.1:${port}` },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const listRuns = async (transport: ReturnType<typeof connectTransport>) =>
  (await createClient(ControlService, transport.rpc).listRuns({})).runs[0]?.id;
const transports = [
  ["connect", connectTransport],
  ["websocket", webSocketTransport],
] as const satisfies readonly (readonly [string, (options: ConnectTransportOptions) => ReturnType<typeof connectTransport>])[];

afterEach(() => vi.unstubAllEnvs());

describe.each(transports)("%s through a proxy", (_, open) => {
  it.each(["127.0.0.1", "localhost", "[::1]"])("reaches a coordinator at %s, with calls and blobs", async (host) => {
    await using way = await openWay({ credentials: CREDENTIALS });
    const proxy = `http://node:${encodeURIComponent(PASSWORD)}@127.0.0.1:${way.proxy.port}`;
    await using transport = open({ baseUrl: `https://${host}:${way.port}`, tls: { ca }, proxy });
    expect(await listRuns(transport)).toBe("run_1");
    const blob = randomBytes(300_000);
    await transport.blobs.put(blob, { hash: sha256(blob), sizeBytes: blob.length });
    expect(Buffer.compare(await transport.blobs.get(sha256(blob)), blob)).toBe(0);
    expect(new Set(way.proxy.targets)).toEqual(new Set([`${host}:${way.port}`]));
  });

  it("whose own address is of IPv6", async () => {
    await using way = await openWay({ host: "::1" });
    await using transport = open({ baseUrl: way.url, tls: { ca }, proxy: `http://[::1]:${way.proxy.port}` });
    expect(await listRuns(transport)).toBe("run_1");
  });

  it("that the environment names, but for hosts that it excepts", async () => {
    await using way = await openWay();
    vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${way.proxy.port}`);
    await using through = open({ baseUrl: way.url, tls: { ca } });
    expect(await listRuns(through)).toBe("run_1");
    expect(way.proxy.targets.length).toBeGreaterThan(0);
    const before = way.proxy.targets.length;
    vi.stubEnv("NO_PROXY", "127.0.0.1");
    await using past = open({ baseUrl: way.url, tls: { ca } });
    expect(await listRuns(past)).toBe("run_1");
    expect(way.proxy.targets).toHaveLength(before);
  });

  it("that refuses says so, and no password is in what is said", async () => {
    await using way = await openWay({ credentials: "other:one" });
    await using transport = open({ baseUrl: way.url, tls: { ca }, proxy: `http://node:${encodeURIComponent(PASSWORD)}@127.0.0.1:${way.proxy.port}` });
    const error = await listRuns(transport).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "PROXY_REFUSED", message: expect.stringContaining("407") as string });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/s3cret/);
  });

  it("that does not reach the coordinator, or is not there, is no refusal", async () => {
    await using way = await openWay({ refusal: 504 });
    await using blocked = open({ baseUrl: way.url, tls: { ca }, proxy: `http://127.0.0.1:${way.proxy.port}` });
    await expectCode(listRuns(blocked), "COORDINATOR_UNREACHABLE");
    await using absent = open({ baseUrl: way.url, tls: { ca }, proxy: "http://127.0.0.1:1" });
    await expectCode(listRuns(absent), "COORDINATOR_UNREACHABLE");
  });

  it("is none that is no address", () => {
    for (const proxy of ["ftp://127.0.0.1:21", "http://", "://"]) {
      expect(() => open({ baseUrl: "https://127.0.0.1:1", proxy })).toThrow(expect.objectContaining({ code: "USAGE" }) as Error);
    }
  });

  it("still trusts no server but the coordinator: a proxy that answers in its place is found out", async () => {
    const other = await tlsWorld();
    await using way = await openWay();
    await using transport = open({ baseUrl: way.url, tls: { ca: other.authority.certificatePem }, proxy: `http://127.0.0.1:${way.proxy.port}` });
    await expectCode(listRuns(transport), "SERVER_NOT_TRUSTED");
  });
});

describe("the CA that a join token names", () => {
  const fingerprint = keyFingerprint(ca);

  it("is found through a proxy", async () => {
    await using way = await openWay();
    const found = await findAuthority({ url: way.url, fingerprint, proxy: `http://127.0.0.1:${way.proxy.port}` });
    expect(new X509Certificate(found).fingerprint256).toBe(new X509Certificate(ca).fingerprint256);
    expect(way.proxy.targets).toHaveLength(1);
  });

  it("is not found through one that refuses", async () => {
    await using way = await openWay({ refusal: 403 });
    await expectCode(findAuthority({ url: way.url, fingerprint, proxy: `http://127.0.0.1:${way.proxy.port}` }), "PROXY_REFUSED");
  });
});
