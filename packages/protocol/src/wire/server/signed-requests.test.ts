import http2 from "node:http2";
import { createClient } from "@connectrpc/connect";
import { memoryBlobStore } from "@ciphernx/core/blobs";
import { describe, expect, it } from "vitest";
import { ControlService } from "../../proto.ts";
import { connectTransport } from "../connect.ts";
import { MAX_MESSAGE_BYTES } from "../limits.ts";
import { createPartialUploads } from "../partial-uploads.ts";
import type { RequestSigner } from "../signatures/index.ts";
import { signedWorld } from "../signatures/signed-world.fixture.ts";
import { sha256 } from "../transport.compliance.ts";
import { webSocketTransport } from "../websocket/index.ts";
import { callerSigner, startWireServer, type WireCall } from "./index.ts";

/** A server that verifies signatures of one node, and notes what it is asked to admit. */
async function openSigned() {
  const { signer, checkSignature, seen } = await signedWorld();
  const admitted: WireCall[] = [];
  const acknowledged: string[] = [];
  const failures: string[] = [];
  let staged = 0;
  let kept = 0;
  const store = memoryBlobStore();
  const uploads = createPartialUploads();
  const server = await startWireServer({
    port: 0,
    checkSignature,
    admit: (call) => void admitted.push(call),
    log: { debug: () => {}, warn: () => {}, error: (_fields, message) => expect(message).toBe("") },
    blobs: {
      store: {
        ...store,
        async stage() {
          staged += 1;
          const blob = await store.stage();
          return { ...blob, discard: () => blob.discard().finally(() => (staged -= 1)), commit: () => blob.commit().finally(() => (staged -= 1)) };
        },
      },
      authorizeGet: async () => {},
      authorizePut: async () => {},
      async staged({ hash, staged: blob }) {
        await blob.commit();
        acknowledged.push(hash);
      },
      async failed(_upload, error) {
        failures.push((error as { readonly code: string }).code);
      },
      resuming: {
        uploads: {
          ...uploads,
          async open(identity, options) {
            const running = await uploads.open(identity, options);
            return { ...running, keep: (bytes) => ((kept += 1), running.keep(bytes)) };
          },
        },
        uploader: () => "node_1",
        authorize: async () => {},
      },
    },
    routes: (router) => router.service(ControlService, { listRuns: (_request, context) => ({ runs: [{ id: callerSigner(context) ?? "nobody" }] }) }),
  });
  return {
    ...{ server, signer, seen, admitted, acknowledged, failures },
    staged: () => staged,
    kept: () => kept,
    async [Symbol.asyncDispose]() {
      await server.close();
      await uploads.close();
    },
  };
}

describe.each([
  ["connect", connectTransport],
  ["websocket", webSocketTransport],
] as const)("a signed request over %s", (_, open) => {
  it("tells handlers and the gate who signed it; one without a signature tells nobody", async () => {
    await using world = await openSigned();
    for (const signer of [world.signer, undefined]) {
      await using transport = open({ baseUrl: world.server.url, signer });
      const { runs } = await createClient(ControlService, transport.rpc).listRuns({});
      expect(runs[0]?.id).toBe(signer === undefined ? "nobody" : "node_1");
      expect(world.admitted.at(-1)).toMatchObject({ peer: undefined, signedBy: signer === undefined ? undefined : "node_1" });
      await transport.blobs.put(Uint8Array.of(1), { hash: sha256(Uint8Array.of(1)), sizeBytes: 1 });
      expect(world.admitted.at(-1)?.signedBy).toBe(signer === undefined ? undefined : "node_1");
    }
    expect(world.seen.map(({ authority }) => authority)).toEqual(Array.from({ length: 2 }, () => `127.0.0.1:${world.server.port}`));
  });

  it("with another body than was signed is not acknowledged, and nothing of it stays", async () => {
    await using world = await openSigned();
    const bytes = new Uint8Array(300_000).fill(7);
    const others = Uint8Array.from(bytes).fill(8, 299_999);
    // The bytes on the line are those whose hash is asked for: somebody between could have put them there.
    const signer: RequestSigner = { sign: (head) => world.signer.sign(head, others) };
    await using transport = open({ baseUrl: world.server.url, signer });
    const put = transport.blobs.put(bytes, { hash: sha256(bytes), sizeBytes: bytes.length });
    await expect(put).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    expect([world.acknowledged, world.staged(), world.kept(), world.failures]).toEqual([[], 0, 0, ["SIGNATURE_INVALID"]]);
    await using honest = open({ baseUrl: world.server.url, signer: world.signer });
    await honest.blobs.put(bytes, { hash: sha256(bytes), sizeBytes: bytes.length });
    expect([world.acknowledged, world.staged()]).toEqual([[sha256(bytes)], 0]);
    expect(await honest.blobs.get(sha256(bytes))).toEqual(bytes);
  });

  it("whose signer fails fails with that, and leaves the transport as it was", async () => {
    await using world = await openSigned();
    let isBroken = true;
    const signer: RequestSigner = {
      sign: (head, content) => (isBroken ? Promise.reject(new Error("no key")) : world.signer.sign(head, content)),
    };
    await using transport = open({ baseUrl: world.server.url, signer });
    const { blobs, rpc } = transport;
    await expect(createClient(ControlService, rpc).listRuns({})).rejects.toThrow(/no key/);
    await expect(blobs.put(Uint8Array.of(1), { hash: sha256(Uint8Array.of(1)), sizeBytes: 1 })).rejects.toThrow(/no key/);
    isBroken = false;
    expect((await createClient(ControlService, rpc).listRuns({})).runs).toHaveLength(1);
  });
});

describe("a signed call of another program", () => {
  const path = `/${ControlService.typeName}/ListRuns`;
  const headers = { "content-type": "application/json" };
  const ask = async (world: Awaited<ReturnType<typeof openSigned>>, sent: Uint8Array, signed: Uint8Array, target = path) => {
    const session = http2.connect(world.server.url);
    const authority = `127.0.0.1:${world.server.port}`;
    const fields = await world.signer.sign({ method: "POST", authority, path: target, headers }, signed);
    const stream = session.request({ ":method": "POST", ":path": target, ...headers, ...fields });
    stream.end(sent);
    const answered = Promise.withResolvers<number>();
    stream.once("response", ({ ":status": status }) => answered.resolve(status ?? 0));
    stream.once("error", answered.reject);
    let text = "";
    for await (const piece of stream.setEncoding("utf8") as AsyncIterable<string>) text += piece;
    session.close();
    return { status: await answered.promise, text };
  };
  const json = (message: object) => new TextEncoder().encode(JSON.stringify(message));

  it("over HTTP/2 is answered as any other, and refused with another body, or where there is nothing", async () => {
    await using world = await openSigned();
    expect(await ask(world, json({}), json({}))).toEqual({ status: 200, text: '{"runs":[{"id":"node_1"}]}' });
    const altered = await ask(world, json({ limit: 1 }), json({}));
    expect(altered).toMatchObject({ status: 403, text: expect.stringContaining('"code":"SIGNATURE_INVALID"') as string });
    expect(await ask(world, json({}), json({}), "/nothing")).toMatchObject({ status: 400 });
    const huge = new Uint8Array(MAX_MESSAGE_BYTES + 1);
    expect(await ask(world, huge, huge)).toMatchObject({ status: 400, text: expect.stringContaining("bytes at most") as string });
  });
});
