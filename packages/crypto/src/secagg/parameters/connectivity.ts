/**
 * Whether masks hold the honest parties of a sum together. Where their graph falls apart, the masks of each group cancel within it, and the coordinator learns a sum for each.
 *
 * Two parties share a mask when either drew the other as a holder. Bell et al. (CCS 2020) have this graph connected except with negligible probability, for parties that drop
 * out whatever the graph is (§3). Here the coordinator may choose who is left out after it saw the graph: it is the one that says who dropped out. It
 * could so cut off any single party, if it were not that a party's mask is only removed by `threshold` of its holders who are in the sum themselves: with at
 * most 2·threshold − holders − 1 of them corrupt, as split views demand, at least `least` = holders − threshold + 1 honest holders, its neighbours, are.
 *
 * The bound is a union over every way in which the honest parties may be a group A, no larger than the rest B of the sum, and the parties O left out of it. Of A's a parties
 * each drew `least` within A; that alone is unlikely for small groups, whoever is left out:
 *   C(h, a) · P[least of a party's holders are among a − 1 others]^a.
 * Nobody in A drew anybody in B or the other way round; that alone is unlikely for large groups, for all ways to choose O as well:
 *   C(h, a) · C(h − a, o) · P[no holder among b]^a · P[no holder among a]^b.
 * The lesser of the two counts for each a. As leaving out more of B only makes a cut likelier, O is as large as it may be with b ≥ a.
 *
 * Assumes that honest parties draw uniformly and by themselves, and that all who unmask go by one list of the sum, which they sign. Corrupt parties hold nobody together.
 *
 * @module
 */
import { log2AtLeast } from "./hypergeometric.ts";
import { log2, log2Factorial } from "./log2.ts";

/** The graph of masks of an attempt, and whom it loses. Whole numbers. */
export interface MaskGraph {
  readonly parties: number;
  /** How many others each party draws, below parties. */
  readonly holders: number;
  /** How many of them it takes to remove its mask, up to holders. */
  readonly threshold: number;
  /** Parties that collude, none of them in honest groups. */
  readonly corrupt: number;
  /** Honest parties that the coordinator may leave out, as it likes. */
  readonly dropped: number;
}

/**
 * log2 of an upper bound of the probability that the coordinator can keep honest parties in more than one group: from −∞ to 0. Instead of adding the bounds of all sizes of
 * a group, which takes exponentials, it takes the greatest for each of them: at most 15 bits more for 65,536 parties.
 */
export function log2Disconnected({ parties, holders, threshold, corrupt, dropped }: MaskGraph): number {
  const others = parties - 1;
  const honest = parties - corrupt;
  const least = holders - threshold + 1;
  const factorials = Float64Array.from({ length: parties + 1 }, (_, n) => log2Factorial(n));
  const choose = (n: number, k: number) => (k > n ? -Infinity : factorials[n]! - factorials[k]! - factorials[n - k]!);
  const all = choose(others, holders);
  let [greatest, sizes] = [-Infinity, 0];
  for (let a = least + 1; 2 * a <= honest; a += 1) {
    const out = Math.min(dropped, honest - 2 * a);
    const b = honest - a - out;
    const groups = choose(honest, a);
    const apart = groups + choose(honest - a, out) + a * (choose(others - b, holders) - all) + b * (choose(others - a, holders) - all);
    // Where one bound is small enough to leave the greatest as it is, the other is not asked.
    if (apart > greatest)
      greatest = Math.max(greatest, Math.min(apart, groups + a * log2AtLeast({ population: others, marked: a - 1, drawn: holders }, least)));
    sizes += 1;
  }
  return sizes === 0 ? -Infinity : Math.min(0, greatest + log2(sizes));
}
