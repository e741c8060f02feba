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
import type { NodeIdentity } from "./identity.ts";

const DATABASE = "ciphernx-node";
const STORE = "nodes";

/** A node as the browser keeps it, by its name. */
interface KeptNode {
  readonly name: string;
  readonly key: SigningKey;
  /** Absent until the coordinator has answered. */
  readonly joined?: { readonly nodeId: string; readonly projectId: string; readonly auditKey: Uint8Array };
}

/** A node of this browser that has joined. */
export interface BrowserNode {
  readonly identity: NodeIdentity;
  readonly projectId: string;
  /** By which the coordinator signs heads of its audit log. */
  readonly auditKey: Uint8Array;
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
 * @returns the node, and its status: pending until the project's owner approves it
 * @throws NexusError USAGE for a name that is none, JOIN_TOKEN_INVALID, NODE_NAME_TAKEN, NODE_ALREADY_JOINED, COORDINATOR_UNREACHABLE, BROWSER_STORAGE_UNUSABLE
 */
export async function joinInBrowser({ origin, token, name }: BrowserJoinOptions): Promise<BrowserNode & { readonly status: string }> {
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
  await keep({ name, key, joined: { nodeId, projectId, auditKey } });
  return { ...browserNode(origin, name, key, { nodeId, projectId, auditKey }), status };
}

/** A node that joined from this browser; undefined when none of that name did. @throws NexusError BROWSER_STORAGE_UNUSABLE */
export async function loadBrowserNode(origin: string, name: string): Promise<BrowserNode | undefined> {
  const kept = await readKept(name);
  return kept?.joined && browserNode(origin, name, kept.key, kept.joined);
}

/** Forgets a node, its key included: nobody can speak for it any more. */
export async function forgetBrowserNode(name: string): Promise<void> {
  await inStore("readwrite", (store) => store.delete(name));
}

function browserNode(origin: string, name: string, key: SigningKey, { nodeId, projectId, auditKey }: NonNullable<KeptNode["joined"]>): BrowserNode {
  const signer = requestSigner({ nodeId, key });
  return {
    ...{ identity: { nodeId, name, key }, projectId, auditKey },
    connect: (token) => browserTransport({ origin, token, signer }),
  };
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
