import { NexusError } from "@ciphernx/core/errors";
import { COORDINATE_BYTES } from "../../aggregation/index.ts";
import { memoryNeeds } from "../../nn/index.ts";
import type { RunSpec, TaskPlan } from "../../spec/index.ts";
import { uploadLayout } from "../round/upload-layout.ts";
import type { DatasetGuard } from "./dataset-guard.ts";

/** Vectors of a model's size that a task has at hand beside the kernel's: the model as it came, and the change of it. */
const MODEL_VECTORS = 2;

/**
 * Bytes that a task of this plan needs beside what the node needs anyway: the network in its kernel (parameters, gradients, a batch's
 * outputs), the model as it came, what the strategy sends with it, and the upload, in a protected run also before it is masked. An estimate, as far as the plan tells.
 */
export function taskMemoryBytes(
  { train }: Pick<RunSpec, "train">,
  plan: Pick<TaskPlan, "model" | "stateBytes" | "updateBytes" | "protection"> & Parameters<typeof uploadLayout>[0],
): number {
  const { model, stateBytes = 0, updateBytes, protection } = plan;
  // What is masked is kept as it was until the task is over.
  const { length, dtype } = uploadLayout(plan, "fit");
  const unmaskedBytes = protection === undefined ? 0 : length * COORDINATE_BYTES[dtype];
  const kernelBytes = model.network === undefined ? 0 : memoryNeeds(model.network, train.batchSize).sizeBytes;
  return kernelBytes + MODEL_VECTORS * model.sizeBytes + stateBytes + updateBytes + unmaskedBytes;
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
