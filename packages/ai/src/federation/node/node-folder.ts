import { mkdir, readFile, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { type FolderLock, lockFolder } from "@ciphernx/core/store/folder-lock";
import { exportSigningKey, generateSigningKey, importSigningKey, sign, type SigningKey } from "@ciphernx/crypto/keys";
import { NodeService, type RegisterResponse } from "@ciphernx/protocol/proto";
import { registrationBytes } from "@ciphernx/protocol/wire";
import { createClient } from "@connectrpc/connect";
import { nameSchema } from "@ciphernx/core/spec";
import { z } from "zod";
import { isMissing, writeDurably } from "./durable-file.ts";
import type { NodeIdentity } from "./identity.ts";
import type { Joined } from "./joined.ts";
import { pinAuditKey } from "./audit-heads.ts";
import { keepTrusted, openNodeConnection, trustedByToken } from "./node-connection.ts";
import { TRANSPORT_KINDS, type TransportKind, transportsOf, type WayToCoordinator } from "./node-transport.ts";

const IDENTITY_FILE = "node.json";
const KEY_FILE = "node.key";

const identitySchema = z.object({
  formatVersion: z.literal(1),
  nodeId: z.string().min(1),
  name: nameSchema,
  url: z.string().min(1),
  transport: z.enum(TRANSPORT_KINDS).optional(),
  projectId: z.string().min(1),
});

/** A node as its folder knows it. */
export interface JoinedNode {
  readonly identity: NodeIdentity;
  readonly projectId: string;
  /** The coordinator it joined. */
  readonly url: string;
  /** How it joined, and goes on to talk. */
  readonly transport: TransportKind;
}

export interface JoinOptions extends WayToCoordinator {
  readonly url: string;
  readonly token: string;
  readonly name: string;
  readonly folder: string;
  /** Keep the identity that is there instead of refusing. Default false. */
  readonly unlessJoined?: boolean;
  /**
   * Give the folder a new identity when its coordinator no longer knows the one that is there: key, datasets, terms and approvals
   * stay. Default false.
   */
  readonly rejoin?: boolean;
}

/** A joined node that no other process runs until this is disposed. */
export interface HeldNode extends JoinedNode, AsyncDisposable {}

/**
 * Joins a project: makes an Ed25519 key, proves that it holds it, and keeps the identity in the folder (`node.json`, and `node.key` for
 * its owner alone). The key is kept before the coordinator hears of it, and a coordinator that knows token, name and key already answers
 * as before: a join that broke off at any point is repeated with the same options. One that was refused leaves the folder as it was.
 *
 * A coordinator on another machine (`https://`) is told apart by the fingerprint in the token before the token is sent to it; its CA
 * (`ca.crt`) and, once the node is approved, a key and a certificate for TLS (`tls.pem`) are kept as well.
 * @throws NexusError USAGE for a name that is none, JOIN_TOKEN_INVALID, NODE_NAME_TAKEN, NODE_ALREADY_JOINED when the folder has an
 * identity, with `rejoin` when it is still known, NODE_FOLDER_INVALID, NODE_FOLDER_BUSY, SERVER_NOT_TRUSTED, COORDINATOR_UNREACHABLE
 */
export async function joinNode(options: JoinOptions): Promise<Joined> {
  const folder = resolve(options.folder);
  const name = nameSchema.safeParse(options.name);
  if (!name.success) throw new NexusError("USAGE", `A node cannot be called "${options.name}". ${name.error.issues[0]!.message}`, { hint: "" });
  const present = await joinedAlready(folder, options);
  if (present !== undefined) return present;
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await using stack = new AsyncDisposableStack();
    stack.adopt(await lockNodeFolder(folder), (lock) => lock.release());
    if (options.rejoin === true) await assertForgotten(folder, options);
    return (await joinedAlready(folder, options)) ?? (await register(folder, options));
  } catch (error) {
    if (made !== undefined) await removeEmptyFolders(folder, made);
    throw error;
  }
}

/** The answer to a join for a folder that has an identity and is to keep it; undefined when it may have one. @throws NexusError NODE_ALREADY_JOINED */
async function joinedAlready(folder: string, { unlessJoined = false, rejoin = false }: JoinOptions): Promise<Joined | undefined> {
  const present = await readIdentity(folder);
  if (present === undefined || rejoin) return undefined;
  if (unlessJoined) return { nodeId: present.nodeId, projectId: present.projectId, status: "joined" };
  throw new NexusError("NODE_ALREADY_JOINED", `${folder} holds the identity of the node ${present.name} (${present.nodeId}) already.`);
}

/** Sees to it that a node which its coordinator still knows is not made a second one. @throws NexusError NODE_ALREADY_JOINED */
async function assertForgotten(folder: string, { url, proxy }: JoinOptions): Promise<void> {
  const present = await readIdentity(folder);
  // Another address may be another coordinator, or the same one moved; only that of before can be asked.
  if (present === undefined || present.url !== url) return;
  const { name, nodeId } = present;
  const { connect } = await openNodeConnection(folder, { ...(await loadIdentity(folder)), proxy });
  await using connection = connect(() => undefined);
  try {
    await createClient(NodeService, connection.rpc).challenge({ nodeId });
  } catch (error) {
    if (error instanceof NexusError && FORGOTTEN.has(error.code)) return;
    if (!(error instanceof NexusError) || error.code !== "NODE_NOT_APPROVED") throw error;
  }
  throw new NexusError("NODE_ALREADY_JOINED", `The coordinator at ${url} still knows the node ${name} (${nodeId}) of ${folder}.`, {
    hint: `Run it with \`nexus node run\`, or have it removed first: \`nexus node remove ${name}\` on the coordinator's machine.`,
  });
}

async function register(folder: string, { url, token, name, transport, proxy }: JoinOptions): Promise<Joined> {
  const keyFile = join(folder, KEY_FILE);
  const kept = await readKey(keyFile);
  const key = kept ?? (await generateSigningKey());
  if (kept === undefined) await writeDurably(keyFile, Buffer.from(await exportSigningKey(key, "pkcs8")).toString("base64"), 0o600);
  let joined: RegisterResponse;
  let trusted: string | undefined;
  try {
    trusted = await trustedByToken(url, token, proxy);
    await using connection = (await transportsOf(transport))({ baseUrl: url, tls: { ca: trusted }, proxy });
    const client = createClient(NodeService, connection.rpc);
    const signature = await sign(key, registrationBytes({ token, name, publicKey: key.publicKey }));
    joined = await client.register({ token, name, publicKey: key.publicKey, signature });
  } catch (error) {
    // A key that the coordinator may have heard of is kept: with it the same token still joins.
    if (kept === undefined && isRefusal(error)) await rm(keyFile, { force: true });
    throw error;
  }
  const { nodeId, projectId, status } = joined;
  await keepTrusted(folder, trusted);
  await pinAuditKey(folder, projectId, joined.auditKey);
  await writeDurably(
    join(folder, IDENTITY_FILE),
    `${JSON.stringify({ formatVersion: 1, nodeId, name, url, transport, projectId }, null, 2)}\n`,
    0o644,
  );
  // One that waits for approval is given a certificate when it first runs.
  if (status === "approved") await (await openNodeConnection(folder, { identity: { nodeId, name, key }, url, transport, proxy })).renew();
  return { nodeId, projectId, status };
}

/** What a coordinator says of a node that has to join anew; one with another CA is another, which the token has to vouch for. */
const FORGOTTEN: ReadonlySet<string> = new Set(["NODE_NOT_FOUND", "NODE_REMOVED", "SERVER_NOT_TRUSTED"]);
/** What tells that no connection came about. */
const NEVER_CONNECTED: ReadonlySet<unknown> = new Set(["EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND"]);
/** What leaves open whether the coordinator did what it was asked. */
const UNCERTAIN: ReadonlySet<string> = new Set(["INTERNAL", "INTERRUPTED", "TIMEOUT"]);

/** Whether the coordinator certainly did not register the key. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof NexusError)) return false;
  return NEVER_CONNECTED.has(error.details["errno"]) || !(error.retryable || UNCERTAIN.has(error.code));
}

/** Removes the folder and its parents up to the first that a join made; what somebody has put into them since stays. */
async function removeEmptyFolders(folder: string, first: string): Promise<void> {
  for (let path = folder; path.startsWith(first); path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      return; // it is in use; the error that ended the join is the one to tell
    }
  }
}

/** @throws NexusError NODE_FOLDER_BUSY naming the process */
async function lockNodeFolder(folder: string): Promise<FolderLock> {
  try {
    return await lockFolder(folder);
  } catch (error) {
    if (!(error instanceof NexusError) || error.code !== "DATA_FOLDER_BUSY") throw error;
    const { pid } = error.details;
    const who = pid === process.pid ? "this process itself" : `process ${String(pid)}`;
    throw new NexusError("NODE_FOLDER_BUSY", `The node's folder ${folder} is in use by ${who}.`, { details: { folder, pid }, cause: error });
  }
}

/**
 * A joined node, to run it: no other process can until it is disposed, or this process ends, however it ends.
 * @throws NexusError NODE_FOLDER_INVALID when there is none, or it is damaged; NODE_FOLDER_BUSY naming the process that runs it
 */
export async function holdNode(folder: string): Promise<HeldNode> {
  const node = await loadIdentity(folder);
  const lock = await lockNodeFolder(resolve(folder));
  return { ...node, [Symbol.asyncDispose]: () => lock.release() };
}

/** Reads a joined node's identity. @throws NexusError NODE_FOLDER_INVALID when there is none, or it is damaged */
export async function loadIdentity(folder: string): Promise<JoinedNode> {
  const known = await readIdentity(folder);
  if (known === undefined) throw new NexusError("NODE_FOLDER_INVALID", `${folder} holds no node's identity (${IDENTITY_FILE} is missing).`);
  const path = join(folder, KEY_FILE);
  const key = await readKey(path);
  if (key === undefined)
    throw new NexusError("NODE_FOLDER_INVALID", `The key of node ${known.name} is missing: there is no ${path}.`, { hint: KEY_HINT });
  return {
    identity: { nodeId: known.nodeId, name: known.name, key },
    projectId: known.projectId,
    url: known.url,
    transport: known.transport ?? "connect",
  };
}

const KEY_HINT = "Restore the file, or join again under a new name with another --folder.";

/** Undefined when there is no such file. */
async function readKey(path: string): Promise<SigningKey | undefined> {
  try {
    return await importSigningKey(Buffer.from(await readFile(path, "utf8"), "base64"));
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new NexusError("NODE_FOLDER_INVALID", `The node's key in ${path} cannot be read.`, { hint: KEY_HINT, cause });
  }
}

async function readIdentity(folder: string): Promise<z.output<typeof identitySchema> | undefined> {
  const path = join(folder, IDENTITY_FILE);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new NexusError("NODE_FOLDER_INVALID", `${path} cannot be read.`, { hint: "Check the permissions of the folder.", cause: error });
  }
  const parsed = identitySchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new NexusError("NODE_FOLDER_INVALID", `${path} is not a node's identity.`, { cause: parsed.error });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema then refuses it with the file's name
  }
}
