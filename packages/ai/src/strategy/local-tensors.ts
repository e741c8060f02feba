/**
 * Tensors that stay with the parties, of any strategy: each party trains its own values of them from round to round, and the others
 * are averaged. With the norm layers this is FedBN, with the last layers FedPer.
 * Source: Li, Jiang, Zhang, Kamp, Dou, "FedBN: federated learning on non-IID features via local batch normalization", ICLR 2021;
 * Arivazhagan, Aggarwal, Singh, Choudhary, "Federated learning with personalization layers", 2019.
 *
 * @module
 */
import { z } from "zod";

const localSchema = z
  .array(z.string().min(1).max(200))
  .min(1)
  .max(1_000)
  .describe("Tensors that never leave a party, each of which keeps its own values: names or kinds of layers, * for any characters (*-norm)");

/** What the options of every strategy have in the spec. */
export const everyStrategy = { local: localSchema.optional() } as const;

/** A tensor as patterns see it. */
export interface NamedTensor {
  readonly name: string;
  /** Kinds of the layers that it is in, outermost first: `residual`, `group-norm`; none when the trainer is the party's own. */
  readonly layerKinds: readonly string[];
}

/** Which tensors the patterns mean, in the order given, and which patterns mean none. */
export function matchTensors(
  patterns: readonly string[],
  tensors: readonly NamedTensor[],
): { readonly local: readonly string[]; readonly unmatched: readonly string[] } {
  const means = (pattern: string, { name, layerKinds }: NamedTensor) => [name, ...layerKinds].some((word) => matches(pattern, word));
  return {
    local: tensors.filter((tensor) => patterns.some((pattern) => means(pattern, tensor))).map(({ name }) => name),
    unmatched: patterns.filter((pattern) => !tensors.some((tensor) => means(pattern, tensor))),
  };
}

/** Whether a word is what the pattern says; only `*` means anything but itself. Takes at most length × length steps, whatever the pattern. */
export function matches(pattern: string, word: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let next = 0;
  while (next < word.length) {
    if (pattern[at] === "*") {
      star = at;
      resume = next;
      at += 1;
    } else if (pattern[at] === word[next]) {
      at += 1;
      next += 1;
    } else if (star >= 0) {
      // The last star takes one character more.
      at = star + 1;
      resume += 1;
      next = resume;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
