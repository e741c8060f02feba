import type { Refusal } from "@ciphernx/core/spec";
import { memoryNeeds, type NetworkSpec } from "../nn/index.ts";
import type { RunSpec } from "./run-spec.ts";

/** A network that no kernel's memory holds would fail every party, at the first batch. */
export function checkMemory({ train }: RunSpec, network: NetworkSpec, refusals: Refusal[]): void {
  const { batchSize } = train;
  const { fits, sizeBytes, largest } = memoryNeeds(network, batchSize);
  if (fits) return;
  const smaller = powersBelow(batchSize).find((size) => memoryNeeds(network, size).fits);
  refusals.push({
    path: smaller === undefined ? "model" : "train.batchSize",
    reason:
      `Training in batches of ${batchSize} needs ${gibibytes(sizeBytes)} GiB, and a kernel's memory holds 4; ` +
      `${largest.name} (${largest.kind}) needs the most, ${gibibytes(largest.sizeBytes)} GiB.`,
    remedy: smaller === undefined ? "Make that layer smaller." : `Lower the batch size to ${smaller}, or make that layer smaller.`,
    ...(smaller === undefined ? {} : { edits: [{ path: "train.batchSize", value: smaller }] }),
  });
}

/** The powers of two below a number, the largest first. */
function powersBelow(number: number): readonly number[] {
  const powers: number[] = [];
  for (let power = 1; power < number; power *= 2) powers.unshift(power);
  return powers;
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
