import { type AggregationKernel, decodeSum, type SumTile, type UpdateExtras } from "../../aggregation/index.ts";
import type { RunPlan } from "../../spec/index.ts";
import type { FitAggregation, Strategy } from "../../strategy/index.ts";

/** One tile of the next model, and of the strategy's own vectors by name. */
export interface NextTile {
  readonly offset: number;
  /** Valid until the next tile is asked for. */
  readonly parameters: Float32Array;
  readonly state: Readonly<Record<string, Float64Array>>;
}

export interface NextModelOptions {
  readonly kernel: AggregationKernel;
  readonly plan: Pick<RunPlan, "encoding">;
  readonly strategy: Strategy;
  readonly aggregation: FitAggregation;
  /** Sums of the weights and metrics of the accepted updates. */
  readonly extras: UpdateExtras;
  /** Sums of the parameter coordinates. */
  readonly sums: AsyncIterable<SumTile> | Iterable<SumTile>;
  /** Sums of the strategy's further vectors, in tiles like those of `sums`. */
  readonly vectorSums?: Readonly<Record<string, AsyncIterator<SumTile> | Iterator<SumTile>>>;
  /** Reads the round's base model. */
  readBase(offset: number, length: number): Promise<Float32Array>;
  /** Reads one of the strategy's vectors; undefined before the first round. */
  readState(name: string, offset: number, length: number): Promise<Float64Array | undefined>;
}

/**
 * decode → strategy step, tile by tile: from integer sums to the next model. Memory is that of one tile; tiles of any
 * length give the same bits.
 */
export async function* nextModel(options: NextModelOptions): AsyncGenerator<NextTile, void, undefined> {
  const { kernel, plan, strategy, aggregation, extras, sums, vectorSums = {}, readBase, readState } = options;
  let memory = { meanDelta: new Float32Array(), parameters: new Float32Array() };
  try {
    for await (const { offset, sum } of sums) {
      const length = sum.length;
      // Tiles have one length but for the last.
      if (memory.parameters.length !== length) memory = { meanDelta: new Float32Array(length), parameters: new Float32Array(length) };
      const { meanDelta, parameters } = memory;
      decodeSum({ kernel, sum, weight: extras.weight, encoding: plan.encoding, out: meanDelta });
      const vectors: Record<string, Float32Array> = {};
      for (const [name, tiles] of Object.entries(vectorSums)) {
        const next = await tiles.next();
        if (next.done === true || next.value.sum.length !== length) throw new RangeError(`The tiles of ${name} are not those of the parameters.`);
        vectors[name] = decodeSum({ kernel, sum: next.value.sum, weight: extras.weight, encoding: plan.encoding });
      }
      const base = await readBase(offset, length);
      const state: Record<string, Float64Array> = {};
      for (const { name, initial } of strategy.state) {
        state[name] = (await readState(name, offset, length)) ?? new Float64Array(length).fill(initial);
      }
      aggregation.step({ base, meanDelta, vectors, state, parameters });
      yield { offset, parameters, state };
    }
  } finally {
    for (const tiles of Object.values(vectorSums)) await tiles.return?.();
  }
}
