import type { Sha256, StagedBlob } from "@ciphernx/core/blobs";

/** Uploads that arrived whole and wait for the signed report that names them: one a task, the latest. */
export interface StagedUploads {
  /** Keeps an upload; one that the task had before is discarded. */
  keep(taskId: string, hash: Sha256, staged: StagedBlob): Promise<void>;
  /** Takes the upload of a task out, when it has that hash. */
  take(taskId: string, hash: string): StagedBlob | undefined;
  /** Discards what tasks left behind that are not open any more. */
  discardOthers(openTaskIds: ReadonlySet<string>): Promise<void>;
  readonly taskIds: readonly string[];
}

export function createStagedUploads(): StagedUploads {
  const byTask = new Map<string, { readonly hash: Sha256; readonly staged: StagedBlob }>();
  return {
    async keep(taskId, hash, staged) {
      const before = byTask.get(taskId);
      byTask.set(taskId, { hash, staged });
      await before?.staged.discard();
    },
    take(taskId, hash) {
      const known = byTask.get(taskId);
      if (known?.hash !== hash) return undefined;
      byTask.delete(taskId);
      return known.staged;
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
