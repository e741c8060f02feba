/**
 * Adding 100 updates of a million int32 coordinates that lie in WebAssembly memory to an int64 sum, against copying the
 * same bytes within the same run. Both memories are touched before anything is timed; turns alternate, so that what else
 * the machine does meets both alike; the figures are medians.
 *
 * @module
 */
import { addVectors, COORDINATE_BYTES, loadAggregationKernel } from "@ciphernx/ai/aggregation";

export const name = "integer-sum";

const UPDATES = 100;
const LENGTH = 1_000_000;
const TURNS = 9;
const WARM_UP_TURNS = 2;

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export async function run(): Promise<{ figures: Figure[] }> {
  const kernel = await loadAggregationKernel();
  const strideBytes = LENGTH * COORDINATE_BYTES.I32;
  const updatesBytes = UPDATES * strideBytes;
  const { exports, buffer, addresses } = kernel.instantiate(LENGTH * 8, updatesBytes);
  const [sum, updates] = addresses as [number, number];
  const source = new Uint8Array(buffer, updates, updatesBytes);
  const destination = new Uint8Array(updatesBytes).fill(1);
  const coordinates = new Int32Array(buffer, updates, UPDATES * LENGTH);
  for (let i = 0; i < coordinates.length; i += 1) coordinates[i] = Math.imul(i, 0x9e3779b1);
  const sums = new BigInt64Array(buffer, sum, LENGTH);

  const addingMs: number[] = [];
  const copyingMs: number[] = [];
  for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn += 1) {
    sums.fill(0n);
    const began = performance.now();
    addVectors(exports, "I32", { sum, updates, strideBytes, count: UPDATES, length: LENGTH });
    const added = performance.now();
    destination.set(source);
    const copied = performance.now();
    if (turn < WARM_UP_TURNS) continue;
    addingMs.push(added - began);
    copyingMs.push(copied - added);
  }
  checkSums(sums, coordinates);

  const adding = median(addingMs);
  const copying = median(copyingMs);
  return {
    figures: [
      { name: "sum of 100 updates of 1M coordinates", value: adding, unit: "ms" },
      { name: "copy of the same bytes", value: copying, unit: "ms" },
      { name: "sum to copy", value: adding / copying, unit: "×", atMost: 2.5 },
    ],
  };
}

/** A sum that is fast but wrong would be no figure. */
function checkSums(sums: BigInt64Array, coordinates: Int32Array): void {
  for (let i = 0; i < LENGTH; i += 997) {
    let wanted = 0;
    for (let update = 0; update < UPDATES; update += 1) wanted += coordinates[update * LENGTH + i]!;
    if (sums[i] !== BigInt(wanted)) throw new Error(`Coordinate ${i} adds up to ${sums[i]}, not ${wanted}.`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

if (import.meta.main) console.table((await run()).figures);
