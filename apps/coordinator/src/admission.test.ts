import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join as pathJoin } from "node:path";
import { holdNode, joinNode, loadIdentity, type NodeIdentity } from "@ciphernx/ai/federation/node";
import { joinTokens } from "@ciphernx/core/store";
import { generateSigningKey, sign } from "@ciphernx/crypto/keys";
import { NodeService } from "@ciphernx/protocol/proto";
import { registrationBytes, sessionBytes } from "@ciphernx/protocol/wire";
import { sleep } from "@ciphernx/core/lifecycle";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classRows, eventually, openTestSession, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

let lent: TestCoordinator;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  lent = stack.use(await testCoordinator());
});
afterAll(() => stack.disposeAsync());

async function invitation(approved = true): Promise<string> {
  return (await lent.nexus.nodes.createJoinToken({ approved })).token;
}

function join(name: string, token: string, folder = name) {
  return joinNode({ url: lent.url, token, name, folder: lent.folderOf(folder) });
}

function nodeClient(token?: string) {
  const transport = stack.use(connectTransport({ baseUrl: lent.url, token: () => token }));
  return createClient(NodeService, transport.rpc);
}

describe("joining", () => {
  it("needs a token that is known, unused and not too old", async () => {
    await expect(join("stray", "njt_made_up")).rejects.toMatchObject({ code: "JOIN_TOKEN_INVALID", message: "That join token is unknown." });

    const token = await invitation();
    await expect(join("joiner", token)).resolves.toMatchObject({ status: "approved" });
    await expect(join("second", token)).rejects.toMatchObject({
      code: "JOIN_TOKEN_INVALID",
      message: expect.stringContaining("was used on") as string,
    });

    const old = await invitation();
    await lent.coordinator.store.db.update(joinTokens).set({ expiresAt: new Date(Date.now() - 1000) });
    await expect(join("late", old)).rejects.toMatchObject({ code: "JOIN_TOKEN_INVALID", message: expect.stringContaining("expired on") as string });
    await expect(lent.nexus.nodes.createJoinToken({ expiresInSeconds: 31 * 24 * 3600 })).rejects.toMatchObject({ code: "USAGE" });
  });

  it("keeps names apart, and a token that met a taken name is still good", async () => {
    await join("one", await invitation());
    const token = await invitation();
    await expect(join("one", token, "another-one")).rejects.toMatchObject({
      code: "NODE_NAME_TAKEN",
      message: expect.stringContaining('"one"') as string,
    });
    await expect(join("two", token)).resolves.toMatchObject({ status: "approved" });
    await expect(join("A b", await invitation())).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining('"A b"') as string,
    });
  });

  it("keeps the identity that a folder has", async () => {
    await join("settled", await invitation());
    const token = await invitation();
    await expect(join("moved", token, "settled")).rejects.toMatchObject({ code: "NODE_ALREADY_JOINED" });
    await expect(joinNode({ url: lent.url, token, name: "settled", folder: lent.folderOf("settled"), unlessJoined: true })).resolves.toMatchObject({
      status: "joined",
    });
    await expect(loadIdentity(lent.folderOf("nowhere"))).rejects.toMatchObject({ code: "NODE_FOLDER_INVALID" });
  });

  it("again gives a folder a new identity once its coordinator has forgotten it, with the same key", async () => {
    const { nodeId } = await join("returns", await invitation());
    const folder = lent.folderOf("returns");
    const { identity: before } = await loadIdentity(folder);
    const token = await invitation();
    const rejoin = { url: lent.url, token, name: "returns", folder, rejoin: true };
    await expect(joinNode(rejoin)).rejects.toMatchObject({ code: "NODE_ALREADY_JOINED", message: expect.stringContaining("still knows") as string });
    await lent.nexus.nodes.remove("returns");
    await expect(join("returns", token)).rejects.toMatchObject({ code: "NODE_ALREADY_JOINED" });
    const joined = await joinNode(rejoin);
    expect(joined.status).toBe("approved");
    expect(joined.nodeId).not.toBe(nodeId);
    const { identity } = await loadIdentity(folder);
    expect(identity).toMatchObject({ nodeId: joined.nodeId, key: { publicKey: before.key.publicKey } });
    await using session = (await openTestSession(lent.url, identity)).transport;
    expect(session).toBeDefined();
  });

  it("that broke off before its identity was kept goes on with the same token, key and name, and only with these", async () => {
    const token = await invitation();
    const { nodeId } = await join("halfway", token);
    const folder = lent.folderOf("halfway");
    const forget = (): Promise<void> => rm(pathJoin(folder, "node.json"));
    await forget(); // as if the process had been killed before it wrote it
    await expect(join("other-name", token, "halfway")).rejects.toMatchObject({ code: "JOIN_TOKEN_INVALID" });
    await lent.coordinator.store.db.update(joinTokens).set({ expiresAt: new Date(Date.now() - 1000) });
    await expect(join("halfway", token)).resolves.toMatchObject({ nodeId, status: "approved" });
    const { identity } = await loadIdentity(folder);
    await using session = (await openTestSession(lent.url, identity)).transport;
    expect(session).toBeDefined();

    await expect(join("halfway", token, "another-key")).rejects.toMatchObject({ code: "JOIN_TOKEN_INVALID" });
    await lent.nexus.nodes.remove("halfway");
    await forget();
    await expect(join("halfway", token)).rejects.toMatchObject({ code: "JOIN_TOKEN_INVALID" });
  });

  it("that is refused, or reaches nobody, leaves the folder as it was, and a repeat works", async () => {
    const token = await invitation();
    await expect(join("fresh", "njt_wrong", "deep/fresh")).rejects.toMatchObject({ code: "JOIN_TOKEN_INVALID" });
    // Port 1 (tcpmux) is privileged and listened on by nothing.
    const nowhere = { url: "http://127.0.0.1:1", token, name: "fresh", folder: lent.folderOf("deep/fresh") };
    await expect(joinNode(nowhere)).rejects.toMatchObject({ code: "COORDINATOR_UNREACHABLE" });
    await expect(readdir(lent.folderOf("deep"))).rejects.toMatchObject({ code: "ENOENT" });
    await mkdir(lent.folderOf("deep"));
    await writeFile(lent.folderOf("deep/rows.csv"), "a,b\n");
    await expect(join("fresh", "njt_wrong", "deep")).rejects.toMatchObject({ code: "JOIN_TOKEN_INVALID" });
    expect(await readdir(lent.folderOf("deep"))).toEqual(["rows.csv"]);
    await expect(join("fresh", token, "deep")).resolves.toMatchObject({ status: "approved" });
  });

  it("and running wait for nobody: a folder is in one pair of hands", async () => {
    await join("held", await invitation());
    const folder = lent.folderOf("held");
    {
      await using held = await holdNode(folder);
      expect(held.identity.name).toBe("held");
      await expect(holdNode(folder)).rejects.toMatchObject({ code: "NODE_FOLDER_BUSY", message: expect.stringContaining(folder) as string });
    }
    await (await holdNode(folder))[Symbol.asyncDispose]();
  });

  it("asks for proof that the node holds the key", async () => {
    const token = await invitation();
    const [key, other] = await Promise.all([generateSigningKey(), generateSigningKey()]);
    const request = { token, name: "forger", publicKey: key.publicKey };
    const client = nodeClient();
    await expect(client.register({ ...request, signature: await sign(other, registrationBytes(request)) })).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
    });
    await expect(client.register({ ...request, name: "changed", signature: await sign(key, registrationBytes(request)) })).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
    });
    await expect(client.register({ ...request, publicKey: new Uint8Array(31), signature: new Uint8Array(64) })).rejects.toMatchObject({
      code: "MESSAGE_INVALID",
    });
    await expect(client.register({ ...request, signature: await sign(key, registrationBytes(request)) })).resolves.toMatchObject({
      status: "approved",
    });
  });
});

describe("a node", () => {
  it("that is pending waits until it is approved, then works", async () => {
    const rows = classRows("patient", 12, 3);
    await join("patient", await invitation(false));
    const { identity } = await loadIdentity(lent.folderOf("patient"));
    await expect(openTestSession(lent.url, identity)).rejects.toMatchObject({
      code: "NODE_NOT_APPROVED",
      message: expect.stringContaining("patient") as string,
    });
    const starting = startWork(lent.url, identity, { rows });
    expect(await lent.nexus.nodes.approve("patient")).toMatchObject({ name: "patient", status: "approved" });
    await using node = await starting;
    await eventually(() => node.events.find(({ type }) => type === "connected"));
    expect(await lent.nexus.datasets.get("rows@patient")).toMatchObject({
      nodeName: "patient",
      trainExamples: 12n,
      testExamples: 3n,
      contentHash: rows.dataset.contentHash,
    });
  });

  it("that stops has left the list at once", async () => {
    const identity = await lent.join("goer");
    const present = async () => (await lent.nexus.nodes.list()).find(({ name }) => name === "goer")!;
    expect(await present()).toMatchObject({ online: false, lastSeenAt: "" });
    {
      await using node = await startWork(lent.url, identity, { rows: classRows("goer", 5, 0) });
      await eventually(() => node.events.find(({ type }) => type === "connected"));
      const [first, later] = [await present(), (await sleep(5), await present())];
      expect(first.online).toBe(true);
      expect(later.lastSeenAt > first.lastSeenAt).toBe(true);
    }
    const { lastSeenAt } = await eventually(async () => present().then((node) => (node.online ? undefined : node)));
    // Silence alone would have taken ten seconds to tell.
    expect(Date.now() - Date.parse(lastSeenAt)).toBeLessThan(10_000);
  });

  it("that is removed is told so in the middle of its wait, can never come back, and leaves its name", async () => {
    const identity = await lent.join("leaver");
    await using node = await startWork(lent.url, identity, { rows: classRows("leaver", 5, 0) });
    await eventually(() => node.events.find(({ type }) => type === "connected"));
    expect(await lent.nexus.nodes.remove("leaver")).toMatchObject({ id: identity.nodeId, status: "removed", online: false });
    await expect(node.ended).rejects.toMatchObject({ code: "NODE_REMOVED" });
    await expect(openTestSession(lent.url, identity)).rejects.toMatchObject({ code: "NODE_REMOVED" });
    await expect(lent.nexus.nodes.approve(identity.nodeId)).rejects.toMatchObject({ code: "NODE_REMOVED" });
    await expect(lent.nexus.nodes.remove("nobody")).rejects.toMatchObject({ code: "NODE_NOT_FOUND" });
    await expect(join("leaver", await invitation(), "leaver-again")).resolves.toMatchObject({ status: "approved" });
  });
});

describe("a session", () => {
  const about = { kernelBuild: "build", softwareVersion: "1" };
  let identity: NodeIdentity;
  let other: NodeIdentity;
  beforeAll(async () => {
    identity = await lent.join("prover");
    other = await lent.join("other");
  });

  async function opening(nonce: Uint8Array, by: NodeIdentity = identity) {
    const request = { nodeId: identity.nodeId, nonce, ...about };
    return { ...request, signature: await sign(by.key, sessionBytes(request)) };
  }

  it("opens once for a nonce that the node was given, signed by its key", async () => {
    const client = nodeClient();
    const { nonce } = await client.challenge({ nodeId: identity.nodeId });
    const request = await opening(nonce);
    expect((await client.openSession(request)).sessionToken).not.toBe("");
    await expect(client.openSession(request)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("does not open for a made-up nonce, another node's, or another's signature", async () => {
    const client = nodeClient();
    await expect(client.openSession(await opening(randomBytes(32)))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    const { nonce: foreign } = await client.challenge({ nodeId: other.nodeId });
    await expect(client.openSession(await opening(foreign))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    const { nonce } = await client.challenge({ nodeId: identity.nodeId });
    await expect(client.openSession(await opening(nonce, other))).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    // A nonce is used up by the attempt.
    await expect(client.openSession(await opening(nonce))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await expect(client.challenge({ nodeId: "node_unknown" })).rejects.toMatchObject({ code: "NODE_NOT_FOUND" });
  });

  it("does not open when what was signed differs from what is sent", async () => {
    const client = nodeClient();
    const { nonce } = await client.challenge({ nodeId: identity.nodeId });
    await expect(client.openSession({ ...(await opening(nonce)), kernelBuild: "another build" })).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
    });
  });

  it("ends the one before, which opens itself anew when it is used", async () => {
    await using sessions = new AsyncDisposableStack();
    const first = sessions.use((await openTestSession(lent.url, identity)).transport);
    const second = await openTestSession(lent.url, identity);
    sessions.use(second.transport);
    await expect(createClient(NodeService, first.rpc).heartbeat({ taskIds: [] })).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await expect(second.call((client) => client.heartbeat({ taskIds: [] }))).resolves.toMatchObject({ cancelledTaskIds: [] });
    sessions.use((await openTestSession(lent.url, identity)).transport);
    await expect(second.call((client) => client.heartbeat({ taskIds: ["tsk_gone"] }))).resolves.toMatchObject({ cancelledTaskIds: ["tsk_gone"] });
  });
});
