import type { OpenTask } from "@ciphernx/ai/federation/coordinator";
import type { Sha256, StagedBlob } from "@ciphernx/core/blobs";

/** An upload with the task that it answers, as that was when the upload was let in. */
export interface StagedUpload {
  readonly task: OpenTask;
  readonly hash: Sha256;
  readonly staged: StagedBlob;
}

/** Uploads that arrived whole and wait for the signed report that names them: one a task, the latest. */
export interface StagedUploads {
  /** Keeps an upload; one that the task had before is discarded. */
  keep(upload: StagedUpload): Promise<void>;
  /** Takes the upload of a node's task out, when it has that hash. */
  take(nodeId: string, taskId: string, hash: string): StagedUpload | undefined;
  /** Discards what tasks left behind that are not open any more. */
  discardOthers(openTaskIds: ReadonlySet<string>): Promise<void>;
  readonly taskIds: readonly string[];
}

export function createStagedUploads(): StagedUploads {
  const byTask = new Map<string, StagedUpload>();
  return {
    async keep(upload) {
      const before = byTask.get(upload.task.id);
      byTask.set(upload.task.id, upload);
      await before?.staged.discard();
    },
    take(nodeId, taskId, hash) {
      const known = byTask.get(taskId);
      if (known?.hash !== hash || known.task.nodeId !== nodeId) return undefined;
      byTask.delete(taskId);
      return known;
    },
    async discardOthers(openTaskIds) {
      for (const [taskId, { staged }] of byTask) {
        if (openTaskIds.has(taskId)) continue;
        byTask.delete(taskId);
        await staged.discard();
      }
    },
    get taskIds() {
      return [...byTask.keys()];
    },
  };
}
