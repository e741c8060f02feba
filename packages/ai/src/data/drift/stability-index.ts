/**
 * The population stability index of two histograms: Σ (q − p) ln(q / p) over the bins' shares, 0 where the shares are equal. Bands: below 0.1
 * hardly a difference, to 0.25 some, above it a large one.
 * Source: N. Siddiqi, "Credit Risk Scorecards", Wiley 2006, chapter 8; its distribution without any drift: B. Yurdakul, "Statistical
 * Properties of Population Stability Index", Western Michigan University 2018.
 *
 * @module
 */

export type DriftBand = "none" | "some" | "large";

const SOME = 0.1;
const LARGE = 0.25;

/** The quantile of the standard normal distribution at 0.95. */
const NORMAL_95 = 1.6448536269514722;

export function driftBand(psi: number): DriftBand {
  return psi < SOME ? "none" : psi <= LARGE ? "some" : "large";
}

/**
 * The index of counts now against those then, as many bins each.
 *
 * A bin that is empty on one side alone would make it infinite, so both sides are given half a row for each bin that is not empty on both,
 * spread over the bins as all rows together are: equal shares still give 0.
 * @returns undefined where one side counts nothing
 */
export function stabilityIndex(then: readonly number[], now: readonly number[]): number | undefined {
  const thenTotal = total(then);
  const nowTotal = total(now);
  if (thenTotal === 0 || nowTotal === 0) return undefined;
  const added = occupied(then, now) / 2;
  return then.reduce((sum, before, bin) => {
    const share = (before + now[bin]!) / (thenTotal + nowTotal);
    if (share === 0) return sum;
    const p = (before + added * share) / (thenTotal + added);
    const q = (now[bin]! + added * share) / (nowTotal + added);
    return sum + (q - p) * Math.log(q / p);
  }, 0);
}

/**
 * What the index stays below in 19 of 20 draws of as many rows where nothing has drifted: (1/N + 1/M) χ²₀.₉₅ with one degree of freedom less
 * than bins, N and M the rows of both sides (Yurdakul 2018). With few rows that is more than the bands allow.
 */
export function stabilityByChance(then: readonly number[], now: readonly number[]): number {
  const freedom = occupied(then, now) - 1;
  if (freedom < 1) return 0;
  return (1 / total(then) + 1 / total(now)) * chiSquare95(freedom);
}

/** The 0.95 quantile of χ², to 3% for one degree of freedom and 1% for more. Source: E. B. Wilson, M. M. Hilferty, "The distribution of chi-square", PNAS 17 (1931). */
function chiSquare95(freedom: number): number {
  const spread = 2 / (9 * freedom);
  return freedom * (1 - spread + NORMAL_95 * Math.sqrt(spread)) ** 3;
}

/** Bins that are not empty on both sides. */
function occupied(then: readonly number[], now: readonly number[]): number {
  return then.filter((before, bin) => before + now[bin]! > 0).length;
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
