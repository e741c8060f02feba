import { openTask, refuseTask, runKey, taskFileSizeBytes } from "@ciphernx/ai/federation/coordinator";
import { isSha256, type Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { blobs, retrying, tasks } from "@ciphernx/core/store";
import type { BlobEndpoint } from "@ciphernx/protocol/wire";
import { and, eq, inArray } from "@ciphernx/core/store/sql";
import type { CoordinatorContext } from "./context.ts";
import { tellFullDisk } from "./full-disk.ts";
import { sameSecret } from "./owner-token.ts";

/** Largest checkpoint that a run may start from. */
const MAX_CHECKPOINT_BYTES = 16 * 1024 ** 3;

/** Who may read and send which bytes: nodes what their open tasks name, the owner every model and new checkpoints. */
export function blobEndpoint(context: CoordinatorContext): BlobEndpoint {
  const { store, sessions, uploads, waiters, blobLock } = context;
  const isOwner = (caller: string | undefined): boolean => caller !== undefined && sameSecret(caller, context.ownerToken);

  return {
    store: store.blobs,

    async authorizeGet(caller, hash) {
      if (isOwner(caller)) {
        const [known] = await retrying(() => store.db.select({ hash: blobs.hash }).from(blobs).where(eq(blobs.hash, hash)));
        if (known === undefined) throw new NexusError("BLOB_NOT_FOUND", `There is no blob ${hash}.`, { details: { blob: hash } });
        return;
      }
      const { nodeId } = sessions.caller(caller);
      const wanted = and(eq(tasks.nodeId, nodeId), eq(tasks.baseModelHash, hash), inArray(tasks.state, ["waiting", "delivered"]));
      const [task] = await retrying(() => store.db.select({ id: tasks.id }).from(tasks).where(wanted).limit(1));
      if (task === undefined)
        throw new NexusError("FORBIDDEN", `No open task of node ${nodeId} needs the blob ${hash}.`, { details: { blob: hash } });
    },

    async authorizePut(caller, { sizeBytes, taskId }) {
      if (taskId === undefined && isOwner(caller)) {
        if (sizeBytes <= MAX_CHECKPOINT_BYTES) return;
        throw new NexusError("UPDATE_REJECTED", `A checkpoint of ${sizeBytes} bytes is larger than ${MAX_CHECKPOINT_BYTES}.`);
      }
      const { nodeId } = sessions.caller(caller);
      if (taskId === undefined) throw new NexusError("FORBIDDEN", `The node ${nodeId} may send updates of its tasks only.`);
      const task = await retrying(() => openTask(store, nodeId, taskId));
      const expected = taskFileSizeBytes(task.plan, task.kind);
      if (sizeBytes !== expected) {
        const error = new NexusError(
          "UPDATE_REJECTED",
          `The update of ${task.party} is announced with ${sizeBytes} bytes; task ${taskId} expects ${expected}.`,
          {
            hint: "Use a node of the same version as the coordinator, and a trainer that returns the run's parameters.",
            details: { task: taskId, expectedBytes: expected },
          },
        );
        await retrying(() => refuseTask(store, task, { state: "rejected", code: error.code, message: error.message }));
        waiters.wake(runKey(task.runId));
        throw error;
      }
    },

    async failed({ taskId }, error) {
      if (taskId !== undefined) await tellFullDisk(context, taskId, error);
    },

    async staged({ caller, hash, taskId, staged }) {
      if (taskId !== undefined) {
        sessions.caller(caller);
        await uploads.keep(taskId, hash, staged);
        return;
      }
      await blobLock.shared(async () => {
        const { sizeBytes } = await staged.commit();
        await store.db
          .insert(blobs)
          .values({ hash, sizeBytes, kind: "upload" })
          .onConflictDoUpdate({ target: blobs.hash, set: { createdAt: new Date() } });
      });
    },
  };
}

/** Whether a blob can be the start of a run: one that is known, by upload or as the model of a run. */
export async function knownBlob({ store }: CoordinatorContext, hash: string): Promise<Sha256> {
  if (!isSha256(hash)) throw new NexusError("USAGE", `"${hash}" is not a SHA-256 in hex.`);
  const [known] = await store.db.select({ hash: blobs.hash }).from(blobs).where(eq(blobs.hash, hash));
  if (known === undefined)
    throw new NexusError("BLOB_NOT_FOUND", `There is no blob ${hash} to start from.`, {
      hint: "Upload the safetensors file first.",
      details: { blob: hash },
    });
  return hash;
}
