import type { StagedBlob } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import {
  type AggregationKernel,
  checkVector,
  contradiction,
  COORDINATE_BYTES,
  decodeExtras,
  inspectUpdateFile,
  type UpdateExtras,
  type VectorLayout,
} from "../../aggregation/index.ts";
import { impossibleStatistics, statisticsLength } from "../../data/preprocess/index.ts";
import { contradictoryMetric, metricTask } from "../../metrics/index.ts";
import type { RunPlan } from "../../spec/index.ts";
import type { PhaseKind } from "../round/run-round.ts";
import { taskFileSizeBytes, uploadLayout } from "../round/upload-layout.ts";

/** Bytes that are checked at once. */
const TILE_BYTES = 1 << 20;

/**
 * Checks an upload before it is acknowledged: the file is the expected one, every coordinate is in range, and the sums
 * in it are those that the node signed.
 * @throws NexusError UPDATE_REJECTED naming the party and what is wrong
 */
export async function checkUpdateFile(
  kernel: AggregationKernel,
  staged: Pick<StagedBlob, "read">,
  sizeBytes: number,
  task: { readonly party: string; readonly kind: PhaseKind; readonly plan: RunPlan },
  report: { readonly weight: number; readonly metrics: Readonly<Record<string, number>> },
): Promise<void> {
  const layout = uploadLayout(task.plan, task.kind);
  if (task.plan.protection !== undefined) return checkMasked(task, sizeBytes, report);
  const prefix = await staged.read(0, Math.min(sizeBytes, 4096));
  const { dataOffsetBytes } = named(task.party, () => inspectUpdateFile(prefix, sizeBytes, layout));
  const width = COORDINATE_BYTES[layout.dtype];
  using lent = kernel.lend(TILE_BYTES);
  for (let offset = dataOffsetBytes; offset < sizeBytes; offset += TILE_BYTES) {
    const lengthBytes = Math.min(TILE_BYTES, sizeBytes - offset);
    const tile = await staged.read(offset, lengthBytes, new Uint8Array(lent.buffer, lent.addresses[0], lengthBytes));
    const check = checkVector(kernel, tile, { dtype: layout.dtype, bits: task.plan.encoding.bits, offset: (offset - dataOffsetBytes) / width });
    if (!check.ok) throw rejected(task.party, check.reason);
  }
  const tail = await staged.read(dataOffsetBytes + layout.parameters * width, layout.extras * width);
  const extras = decodeExtras(coordinates(tail, layout.dtype), layout);
  if (extras.weight > task.plan.encoding.maxWeight) {
    throw rejected(task.party, `Its weight is ${extras.weight}; the plan allows ${task.plan.encoding.maxWeight} at most.`);
  }
  if (task.kind !== "evaluate" && extras.weight < 1) throw rejected(task.party, "It has no weight.");
  if (extras.saturated < 0 || extras.saturated > layout.parameters) throw rejected(task.party, `It counts ${extras.saturated} clipped coordinates.`);
  for (const name of (task.kind === "fit" ? task.plan.strategySums : undefined) ?? []) {
    const sum = extras.metrics[name]!;
    if (!(sum >= 0 && sum <= extras.weight)) throw rejected(task.party, `Its sum "${name}" is ${sum}, not from 0 to its weight ${extras.weight}.`);
  }
  if (task.kind === "statistics") return checkStatistics(task, extras, report);
  const problem = contradictoryHeldOut(task, extras) ?? contradiction(reported(task, extras), report);
  if (problem !== undefined) throw rejected(task.party, problem);
}

/** Of a masked vector nothing is seen but its size, and its report says nothing of what is in it. */
function checkMasked(
  { party, kind, plan }: { readonly party: string; readonly kind: PhaseKind; readonly plan: RunPlan },
  sizeBytes: number,
  report: { readonly weight: number; readonly metrics: Readonly<Record<string, number>> },
): void {
  const wanted = taskFileSizeBytes(plan, kind);
  if (sizeBytes !== wanted) throw rejected(party, `It has ${sizeBytes} bytes; a masked vector of this task has ${wanted}.`);
  if (report.weight !== 0 || Object.keys(report.metrics).length > 0)
    throw rejected(party, "Its report tells what is to be masked: a weight or metrics.");
}

/** What no held-out rows could have given. */
function contradictoryHeldOut({ kind, plan }: { readonly kind: PhaseKind; readonly plan: RunPlan }, extras: UpdateExtras): string | undefined {
  if (kind !== "evaluate" || plan.heldOutMetrics === undefined) return undefined;
  return contradictoryMetric(plan.heldOutMetrics, extras.metrics, extras.weight, metricTask(plan.schema, plan.model.network));
}

/** What a report repeats: sums that only an evaluation has are bound by the hash that is signed. */
function reported({ kind, plan }: { readonly kind: PhaseKind; readonly plan: RunPlan }, extras: UpdateExtras): UpdateExtras {
  if (kind !== "evaluate" || plan.heldOutMetrics === undefined) return extras;
  return { ...extras, metrics: Object.fromEntries(plan.metricNames.map((name) => [name, extras.metrics[name]!])) };
}

/** Statistics are bound by the hash that is signed; their report repeats the count of rows alone, and it is of no more rows than are registered. */
function checkStatistics(
  { party, plan }: { readonly party: string; readonly plan: RunPlan },
  extras: UpdateExtras,
  report: { readonly weight: number; readonly metrics: Readonly<Record<string, number>> },
): void {
  if (extras.weight !== report.weight) throw rejected(party, `It counts ${extras.weight} rows, its report ${report.weight}.`);
  const [metric] = Object.keys(report.metrics);
  if (metric !== undefined) throw rejected(party, `Its report of statistics has a metric "${metric}"; there is none.`);
  const registered = plan.parties.find(({ name }) => name === party)?.trainExamples ?? 0;
  if (extras.weight > registered) throw rejected(party, `It counts ${extras.weight} rows; ${registered} are registered.`);
  const { steps } = plan.preprocess!;
  const sums = Array.from({ length: statisticsLength(steps) }, (_, index) => extras.metrics[index]!);
  const problem = impossibleStatistics(steps, sums, extras.weight, plan.encoding.maxWeight);
  if (problem !== undefined) throw rejected(party, problem);
}

function coordinates(bytes: Uint8Array, dtype: VectorLayout["dtype"]): Int8Array | Int16Array | Int32Array {
  const { buffer } = Uint8Array.from(bytes);
  return dtype === "I8" ? new Int8Array(buffer) : dtype === "I16" ? new Int16Array(buffer) : new Int32Array(buffer);
}

function named<T>(party: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof NexusError)
      throw new NexusError(error.code, `The update of ${party} is rejected: ${error.message}`, {
        hint: error.hint,
        details: { ...error.details, party },
      });
    throw error;
  }
}

function rejected(party: string, reason: string): NexusError {
  return new NexusError("UPDATE_REJECTED", `The update of ${party} is rejected: ${reason}`, { details: { party } });
}
