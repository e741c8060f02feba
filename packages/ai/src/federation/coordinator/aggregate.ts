import type { BlobStore, Sha256, StagedBlob } from "@ciphernx/core/blobs";
import type { AggregationKernel, UpdateExtras } from "../../aggregation/index.ts";
import type { RunPlan } from "../../spec/index.ts";
import type { Strategy } from "../../strategy/index.ts";
import { placesOf, type Sharing, sharingOf } from "../../strategy/sharing.ts";
import { safetensorsHeader, safetensorsLayout, type TensorDescription } from "../../tensor/index.ts";
import { nextModel } from "../round/next-model.ts";
import { baseTotals } from "../round/phase-totals.ts";
import { splitExtras } from "../round/riding-metrics.ts";
import type { PhaseTotals } from "../round/run-round.ts";
import type { PhaseSums } from "./plain-sums.ts";

/** Parameters of a tile: small enough to be cheap for any model, large enough that reads are long. */
const TILE_LENGTH = 262_144;

/** An accepted upload. */
export interface AcceptedBlob {
  readonly party: string;
  readonly hash: Sha256;
}

/** The next model and the strategy's vectors, staged: the caller commits both, or discards both. */
export interface NextModelBlobs {
  readonly model: StagedBlob;
  readonly state: StagedBlob | undefined;
  readonly extras: UpdateExtras;
  readonly fit: Readonly<Record<string, number>>;
  /** How the base model does; absent where no update said it. */
  readonly base?: PhaseTotals;
}

export interface AggregateOptions {
  readonly kernel: AggregationKernel;
  readonly blobs: BlobStore;
  readonly plan: RunPlan;
  readonly strategy: Strategy;
  readonly round: number;
  readonly sums: PhaseSums;
  readonly baseModel: Sha256;
  readonly baseState: Sha256 | null;
}

/**
 * add → decode → step from blobs to a blob, in tiles: memory does not grow with the number of parties or parameters.
 * The model file is written in its canonical form while it is hashed; its hash is the model's hash.
 */
export async function aggregate(options: AggregateOptions): Promise<NextModelBlobs> {
  const { kernel, blobs, plan, strategy, round, sums, baseModel, baseState } = options;
  const { update: extras, base } = splitExtras(plan, await sums.extras());
  const planned = plan.parties.reduce((sum, { trainExamples }) => sum + trainExamples, 0);
  const aggregation = strategy.aggregateFit({ round, weight: extras.weight, planned, metrics: extras.metrics });

  const sharing = sharingOf(plan.model);
  // The changes, then each of the strategy's vectors.
  const sumOf = (index: number) => sums.tiles({ start: index * sharing.length, length: sharing.length, tileLength: TILE_LENGTH });
  const stateFile = safetensorsLayout(stateTensors(strategy, sharing));
  const model = await blobs.stage();
  const state = strategy.state.length === 0 ? undefined : await stageStates(blobs, strategy);
  try {
    const file = await beginModel(blobs, plan, sharing, baseModel, model);
    const tiles = nextModel({
      kernel,
      plan,
      strategy,
      aggregation,
      extras,
      sums: sumOf(0),
      vectorSums: Object.fromEntries((plan.strategyVectors ?? []).map((name, index) => [name, sumOf(index + 1)])),
      readBase: file.readShared,
      readState: async (name, offset, length) => {
        const entry = stateFile.entries.find((candidate) => candidate.name === name);
        if (baseState === null || entry === undefined) return undefined;
        return doubles(await blobs.read(baseState, entry.offsetBytes + offset * 8, length * 8));
      },
    });
    for await (const tile of tiles) {
      await file.writeShared(tile.offset, tile.parameters);
      for (const [name, vector] of Object.entries(tile.state)) await state?.get(name)?.write(bytesOf(vector));
    }
    await file.end();
    const joined = state === undefined ? undefined : await joinStates(blobs, strategy, sharing, state);
    return { model, state: joined, extras, fit: aggregation.metrics, ...baseTotals(plan, base) };
  } catch (error) {
    await model.discard();
    throw error;
  } finally {
    for (const staged of state?.values() ?? []) await staged.discard();
  }
}

/** The next model's file while it grows: shared parameters as they come, the others as the base model has them. */
async function beginModel(blobs: BlobStore, plan: RunPlan, sharing: Sharing, baseModel: Sha256, model: StagedBlob) {
  const { headerBytes } = safetensorsLayout(plan.model.tensors);
  const read = (offset: number, length: number) => blobs.read(baseModel, headerBytes + offset * 4, length * 4);
  await model.write(safetensorsHeader(plan.model.tensors));
  let written = 0;

  async function keepUntil(end: number): Promise<void> {
    while (written < end) {
      const length = Math.min(TILE_LENGTH, end - written);
      await model.write(await read(written, length));
      written += length;
    }
  }

  return {
    async readShared(start: number, length: number): Promise<Float32Array> {
      const places = placesOf(sharing, start, length);
      const [only] = places;
      if (only !== undefined && places.length === 1) return floats(await read(only.offset, length));
      const gathered = new Float32Array(length);
      for (const place of places) gathered.set(floats(await read(place.offset, place.length)), place.shared);
      return gathered;
    },
    async writeShared(start: number, parameters: Float32Array): Promise<void> {
      for (const { offset, shared, length } of placesOf(sharing, start, parameters.length)) {
        await keepUntil(offset);
        await model.write(bytesOf(parameters.subarray(shared, shared + length)));
        written += length;
      }
    },
    end: () => keepUntil(plan.model.parameters),
  };
}

function stateTensors(strategy: Strategy, { length }: Sharing): readonly TensorDescription[] {
  return strategy.state.map(({ name }) => ({ name, dtype: "F64", shape: [length] }));
}

/** Each of the strategy's vectors grows in a staged file of its own, since a safetensors file holds one after the other. */
async function stageStates(blobs: BlobStore, strategy: Strategy): Promise<Map<string, StagedBlob>> {
  const staged = new Map<string, StagedBlob>();
  for (const { name } of strategy.state) staged.set(name, await blobs.stage());
  return staged;
}

async function joinStates(blobs: BlobStore, strategy: Strategy, sharing: Sharing, states: ReadonlyMap<string, StagedBlob>): Promise<StagedBlob> {
  const joined = await blobs.stage();
  const tensors = stateTensors(strategy, sharing);
  await joined.write(safetensorsHeader(tensors));
  for (const { name, sizeBytes } of safetensorsLayout(tensors).entries) {
    const state = states.get(name)!;
    await state.finish();
    for (let offset = 0; offset < sizeBytes; offset += TILE_LENGTH * 8) {
      await joined.write(await state.read(offset, Math.min(TILE_LENGTH * 8, sizeBytes - offset)));
    }
  }
  return joined;
}

function floats(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  return bytes.byteOffset % 4 === 0
    ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    : new Float32Array(Uint8Array.from(bytes).buffer);
}

function doubles(bytes: Uint8Array<ArrayBuffer>): Float64Array {
  // A copy: the strategy overwrites it with the new state.
  return new Float64Array(Uint8Array.from(bytes).buffer);
}

function bytesOf(array: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
