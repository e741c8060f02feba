import { NexusError } from "@ciphernx/core/errors";
import { memoryNeeds } from "../../nn/index.ts";
import type { RunSpec, TaskPlan } from "../../spec/index.ts";
import type { DatasetGuard } from "./dataset-guard.ts";

/** Vectors of a model's size that a task has at hand beside the kernel's: the model as it came, and the change of it. */
const MODEL_VECTORS = 2;

/**
 * Bytes that a task of this plan needs beside what the node needs anyway: the network in its kernel (parameters, gradients, a batch's
 * outputs), the model as it came, what the strategy sends with it, and the upload. An estimate, as far as the plan tells.
 */
export function taskMemoryBytes(
  { train }: Pick<RunSpec, "train">,
  { model, stateBytes = 0, updateBytes }: Pick<TaskPlan, "model" | "stateBytes" | "updateBytes">,
): number {
  const kernelBytes = model.network === undefined ? 0 : memoryNeeds(model.network, train.batchSize).sizeBytes;
  return kernelBytes + MODEL_VECTORS * model.sizeBytes + stateBytes + updateBytes;
}

/**
 * Refuses tasks that need more memory than the node has left for them, before anything of them is fetched.
 * @param freeBytes what is left for a task when the node waits
 */
export function memoryGuard(guard: DatasetGuard, freeBytes: number): DatasetGuard {
  return {
    async admit(asked) {
      const { spec, plan, runId, party } = asked;
      const neededBytes = taskMemoryBytes(spec, plan);
      if (neededBytes > freeBytes) {
        throw new NexusError(
          "NODE_LIMIT",
          `A task of the run needs about ${mebibytes(neededBytes)} MiB of memory, and the node ${party} has ${mebibytes(Math.max(0, freeBytes))} MiB for it by its --memory.`,
          { details: { run: runId, neededBytes, freeBytes } },
        );
      }
      await guard.admit(asked);
    },
  };
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
