import { randomBytes } from "node:crypto";
import { NexusError } from "@ciphernx/core/errors";
import { hashSecret } from "@ciphernx/core/identity";
import type { Roster } from "@ciphernx/core/roster";
import { newId } from "@ciphernx/core/ids";
import { isUniqueViolation, joinTokens, nodes, type Store, tasks, type Transaction } from "@ciphernx/core/store";
import { and, eq, inArray, isNull, ne, or, sql } from "@ciphernx/core/store/sql";
import type { AuditLog } from "./audit/audit-log.ts";

export type NodeRow = typeof nodes.$inferSelect;

const DEFAULT_TOKEN_SECONDS = 3_600;
const MAX_TOKEN_SECONDS = 30 * 24 * 3_600;

/** What follows the dot is the fingerprint of the CA: for the node, and no secret. */
const hashToken = (token: string): string => hashSecret(token.split(".", 1)[0]!);

/** Where decisions are made and kept. */
export interface Recorded {
  readonly store: Store;
  readonly audit: AuditLog;
}

/** Who decides, in which project. */
export interface Deciding {
  readonly projectId: string;
  /** As the audit log names them. */
  readonly actor: string;
}

/** A single-use token that lets one node join. Only its hash is kept. */
export async function createJoinToken(store: Store, projectId: string, options: { readonly expiresInSeconds: number; readonly approved: boolean }) {
  const seconds = options.expiresInSeconds === 0 ? DEFAULT_TOKEN_SECONDS : options.expiresInSeconds;
  if (seconds > MAX_TOKEN_SECONDS) throw new NexusError("USAGE", `A join token is good for ${MAX_TOKEN_SECONDS} seconds at most, not ${seconds}.`);
  const token = `njt_${randomBytes(24).toString("base64url")}`;
  const expiresAt = new Date(Date.now() + seconds * 1000);
  await store.db.insert(joinTokens).values({ tokenHash: hashToken(token), projectId, approved: options.approved, expiresAt });
  return { token, expiresAt };
}

/** What a joining node says of itself. */
export interface Registration {
  readonly token: string;
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly signsRequests: boolean;
}

/**
 * Lets a node join: uses the token up and records the key, in one transaction. Who comes again with the token, the name and the key
 * did not hear the answer, and is told it once more.
 * @throws NexusError JOIN_TOKEN_INVALID, NODE_NAME_TAKEN
 */
export async function registerNode({ store, audit }: Recorded, request: Registration, roster?: Pick<Roster, "nodes">): Promise<NodeRow> {
  const tokenHash = hashToken(request.token);
  // One that joins again: its organisation's signature still stands.
  const isOnRoster = roster?.nodes.get(request.name)?.key === Buffer.from(request.publicKey).toString("hex");
  try {
    return await audit.decide(async (tx) => {
      const id = newId("node");
      const [token] = await tx
        .update(joinTokens)
        .set({ usedAt: new Date(), usedByNode: id })
        .where(and(eq(joinTokens.tokenHash, tokenHash), isNull(joinTokens.usedAt), sql`${joinTokens.expiresAt} > now()`))
        .returning();
      if (token === undefined) {
        const before = await registeredBefore(tx, tokenHash, request);
        if (before === undefined) throw await unusable(store, tokenHash);
        return { value: before, note: undefined };
      }
      const [row] = await tx
        .insert(nodes)
        .values({
          id,
          projectId: token.projectId,
          name: request.name,
          publicKey: request.publicKey,
          signsRequests: request.signsRequests,
          status: token.approved || isOnRoster ? "approved" : "pending",
        })
        .returning();
      const { name, status } = row!;
      const key = Buffer.from(request.publicKey).toString("hex");
      const details = { name, status, key, ...(request.signsRequests ? { signsRequests: true } : {}) };
      return { value: row!, note: { actor: `node ${id}`, action: "node-joined", subject: id, details } };
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new NexusError("NODE_NAME_TAKEN", `A node named "${request.name}" has joined already.`, { cause: error });
  }
}

/** The node that joined with that token under that name and with that key. */
async function registeredBefore(tx: Transaction, tokenHash: string, { name, publicKey, signsRequests }: Registration): Promise<NodeRow | undefined> {
  const [found] = await tx
    .select({ node: nodes })
    .from(joinTokens)
    .innerJoin(nodes, eq(nodes.id, joinTokens.usedByNode))
    .where(
      and(
        ...[eq(joinTokens.tokenHash, tokenHash), eq(nodes.name, name), eq(nodes.publicKey, publicKey)],
        ...[eq(nodes.signsRequests, signsRequests), ne(nodes.status, "removed")],
      ),
    );
  return found?.node;
}

async function unusable(store: Store, tokenHash: string): Promise<NexusError> {
  const [known] = await store.db
    .select({ usedAt: joinTokens.usedAt, expiresAt: joinTokens.expiresAt })
    .from(joinTokens)
    .where(eq(joinTokens.tokenHash, tokenHash));
  if (known === undefined) return new NexusError("JOIN_TOKEN_INVALID", "That join token is unknown.");
  if (known.usedAt !== null)
    return new NexusError("JOIN_TOKEN_INVALID", `That join token was used on ${known.usedAt.toISOString()}; a token lets one node join.`);
  return new NexusError("JOIN_TOKEN_INVALID", `That join token expired on ${known.expiresAt.toISOString()}.`);
}

/** A node that may open a session. @throws NexusError NODE_NOT_FOUND, NODE_REMOVED, NODE_NOT_APPROVED */
export async function admittedNode(store: Store, nodeId: string): Promise<NodeRow> {
  const [row] = await store.db.select().from(nodes).where(eq(nodes.id, nodeId));
  if (row === undefined) throw new NexusError("NODE_NOT_FOUND", `No node has the id ${nodeId}.`);
  if (row.status === "removed") throw new NexusError("NODE_REMOVED", `The node ${row.name} (${nodeId}) was removed from the project.`);
  if (row.status === "pending") throw new NexusError("NODE_NOT_APPROVED", `The node ${row.name} (${nodeId}) waits for approval.`);
  return row;
}

/** A node by id or name, removed ones by id only. @throws NexusError NODE_NOT_FOUND */
export async function findNode(store: Store, projectId: string, idOrName: string): Promise<NodeRow> {
  const named = and(eq(nodes.name, idOrName), ne(nodes.status, "removed"));
  const [row] = await store.db
    .select()
    .from(nodes)
    .where(and(eq(nodes.projectId, projectId), or(eq(nodes.id, idOrName), named)));
  if (row === undefined) throw new NexusError("NODE_NOT_FOUND", `No node has the id or name "${idOrName}".`);
  return row;
}

export async function approveNode({ store, audit }: Recorded, { projectId, actor }: Deciding, idOrName: string): Promise<NodeRow> {
  const found = await findNode(store, projectId, idOrName);
  if (found.status === "removed") throw new NexusError("NODE_REMOVED", `The node ${found.name} was removed; it cannot be approved.`);
  return audit.decide(async (tx) => {
    const [row] = await tx.update(nodes).set({ status: "approved" }).where(eq(nodes.id, found.id)).returning();
    return { value: row!, note: { actor, action: "node-approved", subject: found.id, details: { name: found.name } } };
  });
}

/** Sends a node away: its open tasks end, its name is free again. */
export async function removeNode({ store, audit }: Recorded, { projectId, actor }: Deciding, idOrName: string): Promise<NodeRow> {
  const found = await findNode(store, projectId, idOrName);
  return audit.decide(async (tx) => {
    const [row] = await tx.update(nodes).set({ status: "removed" }).where(eq(nodes.id, found.id)).returning();
    await closeTasks(tx, found.id);
    return { value: row!, note: { actor, action: "node-removed", subject: found.id, details: { name: found.name } } };
  });
}

/** Ends the open tasks of a node that was sent away. */
export async function closeTasks(tx: Transaction, nodeId: string): Promise<void> {
  await tx
    .update(tasks)
    .set({ state: "failed", reasonCode: "NODE_REMOVED", reason: "The node was removed from the project.", reportedAt: new Date() })
    .where(and(eq(tasks.nodeId, nodeId), inArray(tasks.state, ["waiting", "delivered"])));
}
