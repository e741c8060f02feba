/**
 * A node's identity in a browser: its Ed25519 key lies in IndexedDB, where no page, this one included, can read the secret out again (WebCrypto,
 * not extractable), and pages of other origins cannot reach it at all. The browser can show no client certificate, so the node signs each request.
 *
 * Assumed: the browser and this machine. What runs in the page's origin cannot take the key away, but can sign with it while it runs; whoever
 * clears the site's data loses the key, and the node joins anew under another name.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { nameSchema } from "@ciphernx/core/spec";
import { generateSigningKey, sign, type SigningKey } from "@ciphernx/crypto/keys";
import { NodeService } from "@ciphernx/protocol/proto";
import { registrationBytes, type Transport } from "@ciphernx/protocol/wire";
import { requestSigner } from "@ciphernx/protocol/wire/signatures";
import { browserTransport } from "@ciphernx/protocol/wire/websocket/browser";
import { createClient } from "@connectrpc/connect";
import { bytesToHex } from "@noble/hashes/utils.js";
import { type AuditHeads, followAuditHeads, type KeptAuditHead, thinHeads } from "./follow-audit-heads.ts";
import type { NodeIdentity } from "./identity.ts";
import type { Joined } from "./joined.ts";

const DATABASE = "ciphernx-node";
const STORE = "nodes";
/** Heads of the audit log that are kept with a node: they are written anew with each. */
const MAX_HEADS = 1_000;
/** A page that is loaded anew lets go of its locks a moment after the next one has begun. */
const LOCK_WAIT_MS = 1_000;

/** A node as the browser keeps it, by its name. */
interface KeptNode {
  readonly name: string;
  readonly key: SigningKey;
  /** Absent until the coordinator has answered. */
  readonly joined?: JoinedNode;
}

interface JoinedNode {
  readonly nodeId: string;
  readonly projectId: string;
  /** By which the coordinator signs heads of its audit log; 32 bytes. */
  readonly auditKey: Uint8Array;
  /** What the node has seen of that log. */
  readonly heads: readonly KeptAuditHead[];
}

/** A node of this browser that no other page or worker of it runs until this is disposed of. */
export interface BrowserNode extends AsyncDisposable {
  readonly identity: NodeIdentity;
  readonly projectId: string;
  /** What it has seen of the coordinator's audit log, kept beside its key. */
  readonly auditHeads: AuditHeads;
  /** Opens a transport whose every exchange the node signs. */
  connect(token: () => string | undefined): Transport;
}

export interface BrowserJoinOptions {
  /** Where the page comes from: `location.origin`. */
  readonly origin: string;
  readonly token: string;
  readonly name: string;
}

/**
 * Joins a project from a page or its worker. The key is kept before the coordinator hears of it, and a coordinator that knows token, name and key
 * already answers as before: a join that broke off is repeated with the same options.
 *
 * @returns who it is, and its status: pending until the project's owner approves it
 * @throws NexusError USAGE for a name that is none, JOIN_TOKEN_INVALID, NODE_NAME_TAKEN, NODE_ALREADY_JOINED, COORDINATOR_UNREACHABLE, BROWSER_STORAGE_UNUSABLE
 */
export async function joinInBrowser({ origin, token, name }: BrowserJoinOptions): Promise<Joined> {
  const named = nameSchema.safeParse(name);
  if (!named.success) throw new NexusError("USAGE", `A node cannot be called "${name}". ${named.error.issues[0]!.message}`, { hint: "" });
  const kept = await readKept(name);
  if (kept?.joined !== undefined) {
    throw new NexusError("NODE_ALREADY_JOINED", `This browser holds the identity of the node ${name} (${kept.joined.nodeId}) already.`, {
      hint: "Run it, or join under another name.",
    });
  }
  const key = kept?.key ?? (await generateSigningKey({ extractable: false }));
  if (kept === undefined) await keep({ name, key });
  const registration = { token, name, publicKey: key.publicKey, signsRequests: true };
  await using transport = browserTransport({ origin });
  const signature = await sign(key, registrationBytes(registration));
  const { nodeId, projectId, auditKey, status } = await createClient(NodeService, transport.rpc).register({ ...registration, signature });
  await keep({ name, key, joined: { nodeId, projectId, auditKey, heads: [] } });
  return { nodeId, projectId, status };
}

/**
 * A node that joined from this browser, to run it; undefined when none of that name did. Two that spoke for one node would end each other's sessions.
 * @throws NexusError NODE_FOLDER_BUSY, BROWSER_STORAGE_UNUSABLE
 */
export async function holdBrowserNode(origin: string, name: string): Promise<BrowserNode | undefined> {
  const kept = await readKept(name);
  if (kept?.joined === undefined) return undefined;
  const release = await lock(name);
  const { key, joined } = kept;
  const { nodeId, projectId, auditKey } = joined;
  const signer = requestSigner({ nodeId, key });
  let { heads } = joined;
  return {
    identity: { nodeId, name, key },
    projectId,
    auditHeads: followAuditHeads({
      pin: { project: projectId, key: bytesToHex(auditKey) },
      last: heads.at(-1),
      async keep(head) {
        const thinned = thinHeads([...heads, head], MAX_HEADS);
        await keep({ name, key, joined: { ...joined, heads: thinned } });
        heads = thinned;
      },
    }),
    connect: (token) => browserTransport({ origin, token, signer }),
    [Symbol.asyncDispose]: async () => release(),
  };
}

/** Forgets a node, its key included: nobody can speak for it any more. @throws NexusError NODE_FOLDER_BUSY, BROWSER_STORAGE_UNUSABLE */
export async function forgetBrowserNode(name: string): Promise<void> {
  const release = await lock(name);
  try {
    await inStore("readwrite", (store) => store.delete(name));
  } finally {
    release();
  }
}

/** Holds a node by the browser's own locks, which end with the page or worker, however it ends. */
async function lock(name: string): Promise<() => void> {
  const held = Promise.withResolvers<void>();
  const granted = Promise.withResolvers<void>();
  const asked = { signal: AbortSignal.timeout(LOCK_WAIT_MS) };
  const request = navigator.locks.request(`${DATABASE}/${name}`, asked, () => (granted.resolve(), held.promise));
  request.catch(granted.reject);
  try {
    await granted.promise;
    return held.resolve;
  } catch (cause) {
    throw new NexusError("NODE_FOLDER_BUSY", `Another page or worker of this browser runs the node ${name}.`, {
      hint: "Close the other one first.",
      cause,
    });
  }
}

const readKept = (name: string): Promise<KeptNode | undefined> => inStore<KeptNode | undefined>("readonly", (store) => store.get(name));
const keep = (node: KeptNode): Promise<unknown> => inStore("readwrite", (store) => store.put(node));

/** Does one thing in the browser's database; resolves when it is there to stay. */
async function inStore<T>(mode: IDBTransactionMode, action: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.addEventListener("upgradeneeded", () => opening.result.createObjectStore(STORE, { keyPath: "name" }));
    const database = await resultOf(opening);
    try {
      const transaction = database.transaction(STORE, mode, { durability: "strict" });
      const done = new Promise<void>((resolve, reject) => {
        transaction.addEventListener("complete", () => resolve());
        transaction.addEventListener("abort", () => reject(transaction.error ?? new Error("the transaction was aborted")));
      });
      const [result] = await Promise.all([resultOf(action(transaction.objectStore(STORE))), done]);
      return result;
    } finally {
      database.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NexusError("BROWSER_STORAGE_UNUSABLE", `The browser's database does not keep the node's key: ${reason}.`, { cause });
  }
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("the request failed")));
  });
}
