/** Memory that is kept at most; larger models get new memory for every task, and give it back. */
const KEPT_BYTES = 128 * 1024 * 1024;

/** What a node's memory is for: a model as it came, an update as it goes, or as it is masked. */
export type TaskMemoryUse = "model" | "update" | "masked";

/**
 * Memory that task after task uses again. A node needs as much in every round, and memory outside the heap that comes and goes makes
 * the collector go through the whole heap each time.
 */
export interface TaskMemory {
  /** Memory of exactly that size for one use, until the next call for it; what is in it is garbage. */
  of(use: TaskMemoryUse, sizeBytes: number): ArrayBuffer;
  /** Gives back what is too much to keep, once nothing reads it any more. */
  rest(): void;
}

export function createTaskMemory(): TaskMemory {
  const kept = new Map<TaskMemoryUse, ArrayBuffer>();
  return {
    of(use, sizeBytes) {
      const known = kept.get(use);
      if (known?.byteLength === sizeBytes) return known;
      known?.transfer(0);
      const made = new ArrayBuffer(sizeBytes);
      kept.set(use, made);
      return made;
    },
    rest() {
      for (const [use, buffer] of kept) {
        if (buffer.byteLength <= KEPT_BYTES / 2) continue;
        buffer.transfer(0);
        kept.delete(use);
      }
    },
  };
}
