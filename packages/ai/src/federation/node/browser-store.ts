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
import type { JournalEntry } from "./sum/sum-journal.ts";

const DATABASE = "ciphernx-node";
const DATABASE_VERSION = 2;
const NODES = "nodes";
/** What nodes noted of protected sums, in the order in which they did; and the last vector that each masked in a run. */
const SUM_ENTRIES = "sum-entries";
const SUM_VECTORS = "sum-vectors";
/** Entries by node, and by node and run. */
const BY_NODE = "node";
const BY_RUN = "run";
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
  return inStores([NODES], "readonly", ([nodes]) => resultOf<KeptNode | undefined>(nodes.get(name)));
}

/** Resolves when it is there to stay. @throws NexusError BROWSER_STORAGE_UNUSABLE */
export async function keepNode(node: KeptNode): Promise<void> {
  await inStores([NODES], "readwrite", ([nodes]) => resultOf(nodes.put(node)));
}

/** With all that it remembered of protected sums. @throws NexusError BROWSER_STORAGE_UNUSABLE */
export async function forgetNode(name: string): Promise<void> {
  await inStores([NODES, SUM_ENTRIES, SUM_VECTORS], "readwrite", async ([nodes, entries, vectors]) => {
    nodes.delete(name);
    for (const key of await resultOf(entries.index(BY_NODE).getAllKeys(name))) entries.delete(key);
    vectors.delete(IDBKeyRange.bound([name], [name, []]));
  });
}

/** What a node noted of protected sums, oldest first; of one run, if one is named. @throws NexusError BROWSER_STORAGE_UNUSABLE */
export async function readSumEntries(node: string, run?: string): Promise<readonly JournalEntry[]> {
  const kept = await inStores([SUM_ENTRIES], "readonly", ([entries]) =>
    resultOf<KeptSumEntry[]>(run === undefined ? entries.index(BY_NODE).getAll(node) : entries.index(BY_RUN).getAll([node, run])),
  );
  return kept.map(({ entry }) => entry);
}

/** Resolves when it is there to stay. @throws NexusError BROWSER_STORAGE_UNUSABLE */
export async function addSumEntry(node: string, entry: JournalEntry): Promise<void> {
  await inStores([SUM_ENTRIES], "readwrite", ([entries]) => resultOf(entries.add({ node, run: entry.run, entry } satisfies KeptSumEntry)));
}

/** The last vector that a node masked in a run, with the name of its sum. @throws NexusError BROWSER_STORAGE_UNUSABLE */
export function readSumVector(node: string, run: string): Promise<KeptSumVector | undefined> {
  return inStores([SUM_VECTORS], "readonly", ([vectors]) => resultOf<KeptSumVector | undefined>(vectors.get([node, run])));
}

/** In the place of the run's one before; resolves when it is there to stay. @throws NexusError BROWSER_STORAGE_UNUSABLE */
export async function keepSumVector(vector: KeptSumVector): Promise<void> {
  await inStores([SUM_VECTORS], "readwrite", ([vectors]) => resultOf(vectors.put(vector)));
}

interface KeptSumEntry {
  readonly node: string;
  readonly run: string;
  readonly entry: JournalEntry;
}

/** A masked vector as the browser keeps it. */
export interface KeptSumVector {
  readonly node: string;
  readonly run: string;
  readonly sum: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Does something in the browser's database, all of it or nothing; resolves when it is there to stay. */
async function inStores<T, const N extends readonly string[]>(
  names: N,
  mode: IDBTransactionMode,
  action: (stores: { readonly [I in keyof N]: IDBObjectStore }) => Promise<T>,
): Promise<T> {
  try {
    const opening = indexedDB.open(DATABASE, DATABASE_VERSION);
    opening.addEventListener("upgradeneeded", () => createStores(opening.result));
    const database = await resultOf(opening);
    try {
      const transaction = database.transaction(names, mode, { durability: "strict" });
      const done = new Promise<void>((resolve, reject) => {
        transaction.addEventListener("complete", () => resolve());
        transaction.addEventListener("abort", () => reject(transaction.error ?? new Error("the transaction was aborted")));
      });
      const stores = names.map((name) => transaction.objectStore(name)) as unknown as { readonly [I in keyof N]: IDBObjectStore };
      const [result] = await Promise.all([action(stores), done]);
      return result;
    } finally {
      database.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NexusError("BROWSER_STORAGE_UNUSABLE", `The browser's database does not keep what the node has to: ${reason}.`, { cause });
  }
}

/** Whatever an older version of the database has not. */
function createStores(database: IDBDatabase): void {
  const isThere = (name: string): boolean => database.objectStoreNames.contains(name);
  if (!isThere(NODES)) database.createObjectStore(NODES, { keyPath: "name" });
  if (!isThere(SUM_ENTRIES)) {
    const entries = database.createObjectStore(SUM_ENTRIES, { autoIncrement: true });
    entries.createIndex(BY_NODE, "node");
    entries.createIndex(BY_RUN, ["node", "run"]);
  }
  if (!isThere(SUM_VECTORS)) database.createObjectStore(SUM_VECTORS, { keyPath: ["node", "run"] });
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("the request failed")));
  });
}
