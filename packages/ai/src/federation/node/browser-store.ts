/**
 * What a browser keeps of its nodes: a database (IndexedDB) of the page's origin, and a lock for whoever runs one.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import type { RosterEntry } from "@ciphernx/core/roster";
import type { SigningKey } from "@ciphernx/crypto/keys";
import type { KeptAuditHead } from "./follow-audit-heads.ts";
import type { RosterAnchor } from "./follow-roster.ts";

const DATABASE = "ciphernx-node";
const STORE = "nodes";
/** A page that is loaded anew lets go of its locks a moment after the next one has begun. */
const LOCK_WAIT_MS = 1_000;

/** A node as the browser keeps it, by its name. */
export interface KeptNode {
  readonly name: string;
  /** Its secret is not extractable. */
  readonly key: SigningKey;
  /** Absent until the coordinator has answered. */
  readonly joined?: KeptMembership;
  /** Whose node it is; absent while nobody has said so. */
  readonly anchor?: RosterAnchor;
  /** Entries of the roster as the node saw it last. */
  readonly roster?: readonly RosterEntry[];
}

/** What the coordinator said to a node that joined. */
export interface KeptMembership {
  readonly nodeId: string;
  readonly projectId: string;
  /** By which the coordinator signs heads of its audit log; 32 bytes. */
  readonly auditKey: Uint8Array;
  /** What the node has seen of that log. */
  readonly heads: readonly KeptAuditHead[];
}

/** Holds a node by the browser's own locks, which end with the page or worker, however it ends. @throws NexusError NODE_FOLDER_BUSY */
export async function lockBrowserNode(name: string): Promise<Disposable> {
  const held = Promise.withResolvers<void>();
  const granted = Promise.withResolvers<void>();
  const asked = { signal: AbortSignal.timeout(LOCK_WAIT_MS) };
  const request = navigator.locks.request(`${DATABASE}/${name}`, asked, () => (granted.resolve(), held.promise));
  request.catch(granted.reject);
  try {
    await granted.promise;
    return { [Symbol.dispose]: () => held.resolve() };
  } catch (cause) {
    throw new NexusError("NODE_FOLDER_BUSY", `Another page or worker of this browser runs the node ${name}.`, {
      hint: "Close the other one first.",
      cause,
    });
  }
}

/** Undefined when there is none of that name. @throws NexusError BROWSER_STORAGE_UNUSABLE */
export function readKeptNode(name: string): Promise<KeptNode | undefined> {
  return inStore<KeptNode | undefined>("readonly", (store) => store.get(name));
}

/** Resolves when it is there to stay. @throws NexusError BROWSER_STORAGE_UNUSABLE */
export async function keepNode(node: KeptNode): Promise<void> {
  await inStore("readwrite", (store) => store.put(node));
}

/** @throws NexusError BROWSER_STORAGE_UNUSABLE */
export function forgetNode(name: string): Promise<void> {
  return inStore("readwrite", (store) => store.delete(name));
}

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
