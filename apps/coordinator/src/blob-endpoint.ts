import { answersKey, openTask, type OpenTask, refuseTask, runKey, taskFileSizeBytes } from "@ciphernx/ai/federation/coordinator";
import { isSha256, type Sha256 } from "@ciphernx/core/blobs";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { hashSecret } from "@ciphernx/core/identity";
import { blobs, prepared, retrying, tasks } from "@ciphernx/core/store";
import { BLOB_PERMISSIONS, type Caller } from "@ciphernx/protocol/permissions";
import type { BlobEndpoint, BlobUpload } from "@ciphernx/protocol/wire";
import { and, eq, inArray, sql } from "@ciphernx/core/store/sql";
import type { CoordinatorContext } from "./context.ts";
import { tellFullDisk } from "./full-disk.ts";

/** Largest checkpoint that a run may start from. */
const MAX_CHECKPOINT_BYTES = 16 * 1024 ** 3;

/** Who may read and send which bytes: nodes what their open tasks name, the roles that the table of permissions names every model and new checkpoints. */
export function blobEndpoint(context: CoordinatorContext): BlobEndpoint {
  const { store, documents, access, sessions, uploads, partialUploads, waiters, blobLock } = context;
  /** Tasks whose uploads were let in and are on their way, by task. */
  const underway = new Map<string, OpenTask>();
  /** Asks the table of permissions; tells whether a node is let in, or somebody of the project. */
  const admit = async (
    call: string,
    callers: readonly Caller[],
    token: string | undefined,
    address = "in-process",
  ): Promise<{ readonly isNode: boolean; readonly actor: string }> => {
    using admitted = await access.admit({ call, callers, token, address });
    return { isNode: admitted.kind === "node", actor: admitted.actor };
  };

  /** The open task that an upload answers; undefined for a checkpoint. Throws when it may not come. */
  const letIn = async (caller: string | undefined, { sizeBytes, taskId }: BlobUpload, address?: string): Promise<OpenTask | undefined> => {
    if (taskId === undefined) {
      await admit("PUT /blobs without a task", BLOB_PERMISSIONS.sendCheckpoint, caller, address);
      if (sizeBytes <= MAX_CHECKPOINT_BYTES) return undefined;
      throw new NexusError("UPDATE_REJECTED", `A checkpoint of ${sizeBytes} bytes is larger than ${MAX_CHECKPOINT_BYTES}.`);
    }
    await admit("PUT /blobs of a task", BLOB_PERMISSIONS.sendUpdate, caller, address);
    const { nodeId } = sessions.caller(caller);
    const task = await retrying(() => openTask(store, documents, nodeId, taskId));
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
      waiters.wake(answersKey(task.runId));
      waiters.wake(runKey(task.runId));
      throw error;
    }
    return task;
  };

  return {
    store: store.blobs,

    async authorizeGet(caller, hash, address) {
      const { isNode, actor } = await admit("GET /blobs", BLOB_PERMISSIONS.read, caller, address);
      if (!isNode) {
        const [known] = await retrying(() => store.db.select({ kind: blobs.kind }).from(blobs).where(eq(blobs.hash, hash)));
        if (known === undefined) throw new NexusError("BLOB_NOT_FOUND", `There is no blob ${hash}.`, { details: { blob: hash } });
        if (known.kind === "model") await retrying(() => context.audit.note({ actor, action: "model-pulled", subject: hash }));
        return;
      }
      const { nodeId } = sessions.caller(caller);
      const [task] = await retrying(() => taskFromModel(store.db).execute({ node: nodeId, model: hash }));
      if (task === undefined)
        throw new NexusError("FORBIDDEN", `No open task of node ${nodeId} needs the blob ${hash}.`, { details: { blob: hash } });
    },

    async authorizePut(caller, upload, address) {
      const task = await letIn(caller, upload, address);
      if (task !== undefined) underway.set(task.id, task);
    },

    resuming: {
      uploads: partialUploads,
      uploader: (caller) => sessions.holder(caller)?.nodeId ?? hashSecret(caller ?? ""),
      async authorize(caller, upload, address) {
        await letIn(caller, upload, address);
      },
    },

    async failed({ taskId }, error) {
      // What waits for senders that may never come back is the first to go.
      if (toNexusError(error).code === "DISK_FULL") await partialUploads.discardAll();
      if (taskId === undefined) return;
      underway.delete(taskId);
      await tellFullDisk(context, taskId, error);
    },

    async staged({ caller, hash, taskId, staged }) {
      if (taskId !== undefined) {
        const { nodeId } = sessions.caller(caller);
        // Two uploads for one task end one after the other: the second finds the task in the database.
        const task = underway.get(taskId) ?? (await retrying(() => openTask(store, documents, nodeId, taskId)));
        underway.delete(taskId);
        await uploads.keep({ task, hash, staged });
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

const taskFromModel = prepared((db) =>
  db
    .select({ id: tasks.id })
    .from(tasks)
    .where(
      and(
        eq(tasks.nodeId, sql.placeholder("node")),
        // The model that a task starts from, or the strategy's vectors that it names.
        sql`(${tasks.baseModelHash} = ${sql.placeholder("model")} or ${tasks.config} ->> 'stateHash' = ${sql.placeholder("model")})`,
        inArray(tasks.state, ["waiting", "delivered"]),
      ),
    )
    .limit(1)
    .prepare("task-from-model"),
);

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
