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
import { readRoster } from "@ciphernx/core/roster";
import { nameSchema } from "@ciphernx/core/spec";
import { generateSigningKey, sign } from "@ciphernx/crypto/keys";
import { NodeService } from "@ciphernx/protocol/proto";
import { registrationBytes, type Transport } from "@ciphernx/protocol/wire";
import { requestSigner } from "@ciphernx/protocol/wire/signatures";
import { browserTransport } from "@ciphernx/protocol/wire/websocket/browser";
import { createClient } from "@connectrpc/connect";
import { bytesToHex } from "@noble/hashes/utils.js";
import { forgetNode, type KeptNode, keepNode, lockBrowserNode, readKeptNode } from "./browser-store.ts";
import { type AuditHeads, followAuditHeads, thinHeads } from "./follow-audit-heads.ts";
import { followRoster, type NodeRoster, type RosterAnchor } from "./follow-roster.ts";
import type { NodeIdentity } from "./identity.ts";
import type { Joined } from "./joined.ts";
import { browserSumJournal } from "./sum/browser-sum-journal.ts";
import type { SumJournal } from "./sum/sum-journal.ts";

/** Heads of the audit log that are kept with a node: they are written anew with each. */
const MAX_HEADS = 1_000;

/** A node of this browser that no other page or worker of it runs until this is disposed of. */
export interface BrowserNode extends AsyncDisposable {
  readonly identity: NodeIdentity;
  readonly projectId: string;
  /** What it has seen of the coordinator's audit log, kept beside its key. */
  readonly auditHeads: AuditHeads;
  /** Who may take part beside it; undefined where nobody said whose node it is (`anchorBrowserNode`). */
  readonly roster: NodeRoster | undefined;
  /** What it remembers of protected sums, kept beside its key. */
  readonly sums: SumJournal;
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
 * @throws NexusError USAGE for a name that is none, JOIN_TOKEN_INVALID, NODE_NAME_TAKEN, NODE_ALREADY_JOINED, NODE_FOLDER_BUSY,
 * COORDINATOR_UNREACHABLE, BROWSER_STORAGE_UNUSABLE
 */
export async function joinInBrowser({ origin, token, name }: BrowserJoinOptions): Promise<Joined> {
  const named = nameSchema.safeParse(name);
  if (!named.success) throw new NexusError("USAGE", `A node cannot be called "${name}". ${named.error.issues[0]!.message}`, { hint: "" });
  using stack = new DisposableStack();
  stack.use(await lockBrowserNode(name));
  const kept = await readKeptNode(name);
  if (kept?.joined !== undefined) {
    throw new NexusError("NODE_ALREADY_JOINED", `This browser holds the identity of the node ${name} (${kept.joined.nodeId}) already.`, {
      hint: "Run it, or join under another name; where its coordinator no longer knows it, have the browser forget it first.",
    });
  }
  const key = kept?.key ?? (await generateSigningKey({ extractable: false }));
  if (kept === undefined) await keepNode({ name, key });
  const registration = { token, name, publicKey: key.publicKey, signsRequests: true };
  await using transport = browserTransport({ origin });
  const signature = await sign(key, registrationBytes(registration));
  const { nodeId, projectId, auditKey, status } = await createClient(NodeService, transport.rpc).register({ ...registration, signature });
  await keepNode({ name, key, joined: { nodeId, projectId, auditKey, heads: [] } });
  return { nodeId, projectId, status };
}

/**
 * A node that joined from this browser, to run it; undefined when none of that name did. Two that spoke for one node would end each other's sessions.
 * @throws NexusError NODE_FOLDER_BUSY, BROWSER_STORAGE_UNUSABLE
 */
export async function holdBrowserNode(origin: string, name: string): Promise<BrowserNode | undefined> {
  using stack = new DisposableStack();
  stack.use(await lockBrowserNode(name));
  let kept = await readKeptNode(name);
  if (kept?.joined === undefined) return undefined;
  const { key, anchor, joined } = kept;
  const { nodeId, projectId, auditKey } = joined;
  const signer = requestSigner({ nodeId, key });
  let { heads } = joined;
  const change = (changes: Partial<KeptNode>): Promise<void> => keepNode((kept = { ...kept!, ...changes }));
  const known = kept.roster && (await readRoster(kept.roster));
  const held = stack.move();
  return {
    identity: { nodeId, name, key },
    projectId,
    auditHeads: followAuditHeads({
      pin: { project: projectId, key: bytesToHex(auditKey) },
      last: heads.at(-1),
      async keep(head) {
        const thinned = thinHeads([...heads, head], MAX_HEADS);
        await change({ joined: { ...joined, heads: thinned } });
        heads = thinned;
      },
    }),
    roster: anchor && followRoster({ anchor, key, known, keep: ({ entries }) => change({ roster: entries }) }),
    sums: browserSumJournal(name),
    connect: (token) => browserTransport({ origin, token, signer }),
    [Symbol.asyncDispose]: async () => held.dispose(),
  };
}

/**
 * Says whose node it is: it goes by the roster from then on, and takes part beside nodes that are on it alone. For the organisation that owns the node,
 * which has its own key at hand; never what a coordinator says.
 * @throws NexusError NODE_NOT_FOUND when no node of that name joined from this browser, NODE_FOLDER_BUSY, BROWSER_STORAGE_UNUSABLE
 */
export async function anchorBrowserNode(name: string, anchor: RosterAnchor): Promise<void> {
  using stack = new DisposableStack();
  stack.use(await lockBrowserNode(name));
  const kept = await readKeptNode(name);
  if (kept?.joined === undefined) throw new NexusError("NODE_NOT_FOUND", `No node "${name}" joined from this browser.`, { hint: "Join first." });
  await keepNode({ ...kept, anchor });
}

/** Forgets a node, its key included: nobody can speak for it any more. @throws NexusError NODE_FOLDER_BUSY, BROWSER_STORAGE_UNUSABLE */
export async function forgetBrowserNode(name: string): Promise<void> {
  using stack = new DisposableStack();
  stack.use(await lockBrowserNode(name));
  await forgetNode(name);
}
