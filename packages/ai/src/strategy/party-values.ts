import type { Sharing } from "./sharing.ts";
import type { PartyGiven, Strategy } from "./strategy.ts";

/** A tensor that a party keeps to itself from round to round. */
export interface KeptTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly length: number;
}

/** What a party keeps, in the order in which its values lie one behind the other: tensors that are not shared, then the strategy's own vectors. */
export function keptTensors({ local, length }: Sharing, { party }: Strategy): readonly KeptTensor[] {
  const vectors = (party?.keeps ?? []).map((name): KeptTensor => ({ name, shape: [length], length }));
  return [...local.map(({ name, shape, length: count }) => ({ name, shape, length: count })), ...vectors];
}

/** Values that a party keeps in all. */
export function keptLength(sharing: Sharing, { party }: Strategy): number {
  return sharing.localLength + (party?.keeps ?? []).length * sharing.length;
}

/** The strategy's own vectors among what a party kept; zeros when it has kept nothing yet. */
export function keptVectors(kept: Float32Array | undefined, { localLength, length }: Sharing, { party }: Strategy): PartyGiven["kept"] {
  const at = (index: number) => localLength + index * length;
  return Object.fromEntries((party?.keeps ?? []).map((name, index) => [name, kept?.subarray(at(index), at(index + 1)) ?? new Float32Array(length)]));
}

/** The server's vectors that the parties are sent; their initial values before the first round. */
export function serverVectors(
  sent: Readonly<Record<string, Float64Array>> | undefined,
  { length }: Sharing,
  { state, party }: Strategy,
): PartyGiven["server"] {
  if (party?.receivesState !== true) return {};
  return Object.fromEntries(state.map(({ name, initial }) => [name, sent?.[name] ?? new Float64Array(length).fill(initial)]));
}
