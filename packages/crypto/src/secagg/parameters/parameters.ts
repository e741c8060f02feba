/**
 * How many hold shares of a party's secrets, and how many of them it takes. Sources: Bonawitz et al. (CCS 2017), §6.2, for a complete graph and a coordinator that may be
 * malicious; Bell et al. (CCS 2020), §3.2 and §4, for neighbours that parties draw themselves.
 *
 * A coordinator that tells some holders of a party's shares that the party survived, and others that it dropped out, gets both kinds of shares: colluding holders give both, an honest one
 * only one. It needs `threshold` of each, so with k holders of whom c collude it fails as long as 2t > k + c. In a complete graph c is everybody who colludes; in a
 * sampled one it is a draw, and the bound holds for all parties at once except with probability 2^−40. Then also c < t, so that those who collude cannot unmask anybody by themselves.
 *
 * Assumes that parties draw their holders uniformly, and that who colludes and who drops out does not depend on the draw.
 *
 * @module
 */
import { log2AtLeast, log2Sum, type LogFactorials, logFactorials } from "./tails.ts";

/** Most parties of which everybody holds shares of everybody. */
export const MOST_COMPLETE = 50;
/** Most parties at all: a share has a place in GF(65,537). */
const MOST_PARTIES = 65_536;

/** log2 of the probability with which privacy may fail for any party of an attempt. */
const PRIVACY = -40;
/** log2 of the probability with which an attempt may fail though no more drop out than assumed. */
const CORRECTNESS = -30;

/** What parameters are worked out for. */
export interface Assumptions {
  /** Fraction of the parties that may collude with the coordinator: from 0, below 1/2. */
  readonly corruption: number;
  /** Fraction that may drop out between the keys and the unmasking: from 0, below 1/2. */
  readonly dropout: number;
}

/** How one attempt is protected. */
export interface SecAggParameters {
  readonly graph: "complete" | "sampled";
  /** Parties that advertised keys. */
  readonly parties: number;
  /** Who hold shares of a party's secrets; in a complete graph the party itself is one of them. */
  readonly holders: number;
  /** Shares that give a secret back. */
  readonly threshold: number;
  /** Most parties that may collude with the coordinator. */
  readonly corrupt: number;
  /** Fewest parties whose vectors a party lets be added. */
  readonly leastSurvivors: number;
  /** Most parties that may have drawn one: more are refused. */
  readonly mostChosenBy: number;
}

/**
 * The parameters for so many parties.
 * @throws RangeError for assumptions that no threshold meets, or fewer than 2 or more than 65,536 parties
 */
export function secAggParameters(parties: number, assumptions: Assumptions): SecAggParameters {
  const { corruption, dropout } = assumptions;
  if (!Number.isSafeInteger(parties) || parties < 2 || parties > MOST_PARTIES) {
    throw new RangeError(`A sum is protected among 2 to ${MOST_PARTIES} parties, not ${parties}.`);
  }
  for (const [name, fraction] of Object.entries({ corruption, dropout })) {
    if (!(fraction >= 0 && fraction < 0.5)) throw new RangeError(`The assumed ${name} is a fraction from 0 to below 1/2, not ${fraction}.`);
  }
  return parties <= MOST_COMPLETE ? completeGraph(parties, assumptions) : sampledGraph(parties, assumptions);
}

function completeGraph(parties: number, { corruption }: Assumptions): SecAggParameters {
  const assumed = share(parties, corruption);
  const threshold = Math.max(Math.floor((2 * parties) / 3) + 1, Math.floor((parties + assumed) / 2) + 1);
  return {
    graph: "complete",
    parties,
    holders: parties,
    threshold,
    corrupt: 2 * threshold - parties - 1,
    leastSurvivors: threshold,
    mostChosenBy: parties - 1,
  };
}

/** The smallest even number of holders for which some threshold keeps privacy and correctness for all parties at once. */
function sampledGraph(parties: number, { corruption, dropout }: Assumptions): SecAggParameters {
  const corrupt = share(parties, corruption);
  const dropped = share(parties, dropout);
  const factorials = logFactorials(parties);
  for (let holders = 2; holders < parties; holders += 2) {
    const threshold = mostThreshold(factorials, { parties, holders, dropped });
    if (2 * threshold <= holders || !isSplitViewSafe(factorials, { parties, holders, threshold, corrupt })) continue;
    if (log2Unconnected(factorials, { parties, holders, honest: parties - corrupt - dropped }) > PRIVACY) continue;
    return {
      ...{ graph: "sampled", parties, holders, threshold, corrupt },
      leastSurvivors: Math.max(threshold, parties - dropped),
      mostChosenBy: mostChosenBy(factorials, parties, holders),
    };
  }
  throw new RangeError(`No threshold protects a sum among ${parties} parties when ${corrupt} may collude and ${dropped} drop out.`);
}

/** Greatest threshold that the holders who are left reach, for every party. */
function mostThreshold(
  factorials: LogFactorials,
  { parties, holders, dropped }: { readonly parties: number; readonly holders: number; readonly dropped: number },
): number {
  const draw = { population: parties - 1, marked: dropped, drawn: holders };
  let threshold = 0;
  while (threshold < holders && log2AtLeast(factorials, draw, holders - threshold) + Math.log2(parties) <= CORRECTNESS) threshold += 1;
  return threshold;
}

/** Whether no party has so many colluding holders that a split view unmasks it. */
function isSplitViewSafe(
  factorials: LogFactorials,
  {
    parties,
    holders,
    threshold,
    corrupt,
  }: { readonly parties: number; readonly holders: number; readonly threshold: number; readonly corrupt: number },
): boolean {
  const draw = { population: parties - 1, marked: corrupt, drawn: holders };
  return log2AtLeast(factorials, draw, 2 * threshold - holders) + Math.log2(parties) <= PRIVACY;
}

/**
 * log2 of a bound of the probability that the honest parties that are left fall into groups without a mask between them, which would be sums of their own: over all groups of at
 * most half, that no member drew anybody outside and nobody outside drew a member.
 */
function log2Unconnected(
  { choose }: LogFactorials,
  { parties, holders, honest }: { readonly parties: number; readonly holders: number; readonly honest: number },
): number {
  const all = choose(parties - 1, holders);
  const terms = Array.from({ length: Math.floor(honest / 2) }, (_, index) => {
    const group = index + 1;
    const rest = honest - group;
    return choose(honest, group) + group * (choose(parties - 1 - rest, holders) - all) + rest * (choose(parties - 1 - group, holders) - all);
  });
  return log2Sum(terms);
}

/** By how many at most a party is drawn, for all parties at once: the number is binomial. */
function mostChosenBy({ choose }: LogFactorials, parties: number, holders: number): number {
  const others = parties - 1;
  const [hit, miss] = [Math.log2(holders / others), Math.log2(1 - holders / others)];
  const terms = Array.from({ length: others + 1 }, (_, by) => choose(others, by) + by * hit + (others - by) * (by === others ? 0 : miss));
  let tail = -Infinity;
  for (let by = others; by >= 0; by -= 1) {
    tail = log2Sum([tail, terms[by]!]);
    if (tail + Math.log2(parties) > PRIVACY) return by;
  }
  return 0;
}

/** Parties in a fraction; a rounding error of the fraction takes nobody away. */
function share(parties: number, fraction: number): number {
  return Math.floor(parties * fraction + 1e-9);
}
