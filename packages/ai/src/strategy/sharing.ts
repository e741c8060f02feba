import { type ParameterLayout, parameterLayout } from "../tensor/index.ts";

/** A run of parameters that are shared and lie side by side, both in the model and in the vector of shared parameters. */
export interface SharedRun {
  /** The first one's place among all parameters of the model, in canonical order. */
  readonly offset: number;
  /** Its place among those that are shared. */
  readonly shared: number;
  readonly length: number;
}

/** Which of a model's parameters leave the parties. */
export interface Sharing {
  /** In order; neighbours are joined, so a model that is shared whole is one run. */
  readonly runs: readonly SharedRun[];
  /** Parameters that are shared. */
  readonly length: number;
  /** Tensors that stay with the parties, sorted by name, and where they lie in the model. */
  readonly local: ParameterLayout["entries"];
  /** Parameters that stay. */
  readonly localLength: number;
}

/** The part of a plan that says what is shared. */
export interface SharedModel {
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Names of the tensors that stay with the parties; absent when all are shared. */
  readonly local?: readonly string[];
}

/** Asked again and again of a run's one plan. */
const known = new WeakMap<SharedModel, Sharing>();

export function sharingOf(model: SharedModel): Sharing {
  const sharing = known.get(model) ?? workOut(model);
  known.set(model, sharing);
  return sharing;
}

function workOut({ tensors, local = [] }: SharedModel): Sharing {
  const staying = new Set(local);
  const { entries, length: all } = parameterLayout(tensors.map(({ name, shape }) => [name, shape]));
  const runs: SharedRun[] = [];
  let length = 0;
  for (const entry of entries) {
    if (staying.has(entry.name)) continue;
    const last = runs.at(-1);
    if (last !== undefined && last.offset + last.length === entry.offset) runs[runs.length - 1] = { ...last, length: last.length + entry.length };
    else runs.push({ offset: entry.offset, shared: length, length: entry.length });
    length += entry.length;
  }
  return { runs, length, local: entries.filter(({ name }) => staying.has(name)), localLength: all - length };
}

/** Where `length` shared parameters from the one at `start` on lie in the model; `shared` counts from `start`. */
export function placesOf({ runs }: Sharing, start: number, length: number): readonly SharedRun[] {
  const end = start + length;
  return runs
    .filter((run) => run.shared < end && run.shared + run.length > start)
    .map((run) => {
      const first = Math.max(start, run.shared);
      return { offset: run.offset + first - run.shared, shared: first - start, length: Math.min(end, run.shared + run.length) - first };
    });
}

/** Moves the shared ones of all parameters to the front of their own memory. @returns a view of them; the rest is garbage */
export function gatherShared(parameters: Float32Array, { runs, length }: Sharing): Float32Array {
  for (const { offset, shared, length: count } of runs) parameters.copyWithin(shared, offset, offset + count);
  return parameters.subarray(0, length);
}

/** Puts shared parameters into their places among all; the others stay. */
export function scatterShared(shared: Float32Array, into: Float32Array, { runs }: Sharing): void {
  for (const { offset, shared: at, length } of runs) into.set(shared.subarray(at, at + length), offset);
}

/** Copies the parameters that stay, one tensor after the other. */
export function takeLocal(parameters: Float32Array, { local, localLength }: Sharing): Float32Array<ArrayBuffer> {
  const taken = new Float32Array(localLength);
  let at = 0;
  for (const { offset, length } of local) {
    taken.set(parameters.subarray(offset, offset + length), at);
    at += length;
  }
  return taken;
}

/** Puts parameters that stayed into their places among all. */
export function placeLocal(taken: Float32Array, into: Float32Array, { local }: Sharing): void {
  let at = 0;
  for (const { offset, length } of local) {
    into.set(taken.subarray(at, at + length), offset);
    at += length;
  }
}
