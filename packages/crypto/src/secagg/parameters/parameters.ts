/**
 * How many hold shares of a party's secrets, and how many of them it takes to give one back.
 *
 * Sources: Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning" (CCS 2017), §6.2, for a complete graph under a coordinator that may be
 * malicious; Bell et al., "Secure Single-Server Aggregation with (Poly)Logarithmic Overhead" (CCS 2020), §4, for holders that each party draws itself.
 *
 * A coordinator that shows some holders a list in which a party is in the sum, and others one in which it dropped out, gets shares of both its secrets. An
 * honest holder answers once; a corrupt one both ways. Each secret takes t shares, so with k holders of whom c are corrupt it fails as long as 2t > k + c. In
 * a complete graph c counts everybody who is corrupt; in a sampled one it is hypergeometric, as is how many holders drop out. Failures are bounded for all
 * parties of an attempt together, by a union bound:
 *   privacy       2^−40  that any party has 2t − k corrupt holders or more;
 *   correctness   2^−30  that any party has fewer than t holders that answer;
 *   connectivity  2^−40  that the honest parties can be kept in groups with a sum each (`connectivity.ts`).
 * From privacy also c < t: the corrupt holders alone give nothing back.
 *
 * Assumes that honest parties draw their holders uniformly and by themselves; that the corrupt are chosen before the draw, and that who drops out by accident does not depend on it.
 * Who hinders an attempt by refusing to answer, as corrupt parties may, is not bounded: that costs the attempt, nobody's privacy.
 *
 * The same bits on every host: parties that work the parameters out for themselves come to the same.
 *
 * @module
 */
import { log2SuccessesAtLeast } from "./binomial.ts";
import { log2Disconnected } from "./connectivity.ts";
import { log2AtLeast } from "./hypergeometric.ts";
import { log2 } from "./log2.ts";

/** Most parties of whom everybody holds shares of everybody's secrets. */
export const MOST_COMPLETE = 50;
/** Most parties at all: a holder's place is a point of GF(65537) other than 0. */
const MOST_PARTIES = 65_536;

/** log2 of the probabilities, for all parties of an attempt together. */
const PRIVACY = -40;
const CORRECTNESS = -30;

/** Who may fail a sum. Both are taken of the parties that advertised keys, rounded down. */
export interface Assumptions {
  /** Fraction of the parties that may collude with the coordinator, 0 ≤ · < 1/2. */
  readonly corruption: number;
  /** Fraction that may drop out between keys and unmasking, 0 ≤ · < 1/2. */
  readonly dropout: number;
}

/** Who holds shares of whose secrets in one attempt, and what it withstands. */
export interface SecAggParameters {
  readonly graph: "complete" | "sampled";
  /** N: parties that advertised keys. */
  readonly parties: number;
  /** k: parties that hold shares of one party's secrets. In a complete graph all N, itself included; in a sampled one others that it draws. */
  readonly holders: number;
  /** t: shares that give a secret back. */
  readonly threshold: number;
  /** Most parties that may collude with the coordinator. In a complete graph what the threshold withstands: what is assumed, and a third at least. */
  readonly corrupt: number;
  /** Most parties that may drop out. In a complete graph no more than leave a threshold. */
  readonly dropped: number;
  /** Fewest parties in a sum: a node unmasks no smaller one. */
  readonly leastSurvivors: number;
  /** Most parties that may have drawn one, which refuses more: an honest draw exceeds it for any party with probability 2^−40 at most. N − 1 in a complete graph. */
  readonly mostChosenBy: number;
}

/** Holders and threshold of a sampled graph. */
export interface SampledGraph {
  /** N. */
  readonly parties: number;
  /** k, from 1 to N − 1. */
  readonly holders: number;
  /** t, from 1 to k. */
  readonly threshold: number;
}

/** log2 of upper bounds of the probabilities with which a sampled graph fails any of its parties. */
export interface Log2Failures {
  readonly privacy: number;
  readonly correctness: number;
  readonly connectivity: number;
}

/**
 * The parameters for so many parties. In a sampled graph (above 50) the smallest even number of holders for which some threshold is safe, and the greatest such threshold.
 * @throws RangeError for fewer than 2 or more than 65,536 parties, fractions outside their range, or assumptions that no sampled graph meets
 */
export function secAggParameters(parties: number, assumptions: Assumptions): SecAggParameters {
  const counts = countsOf(parties, assumptions);
  return parties <= MOST_COMPLETE ? completeGraph(parties, counts) : sampledGraph(parties, counts);
}

/** How likely a sampled graph is to fail. @throws RangeError as `secAggParameters`, or for holders and a threshold that are none */
export function log2Failures(graph: SampledGraph, assumptions: Assumptions): Log2Failures {
  const { parties, holders, threshold } = graph;
  const counts = countsOf(parties, assumptions);
  if (!isCount(holders, 1, parties - 1) || !isCount(threshold, 1, holders)) {
    throw new RangeError(`Among ${parties} parties nobody has ${holders} holders of whom ${threshold} give a secret back.`);
  }
  return {
    privacy: log2Exposed(graph, counts),
    correctness: log2Unanswered(graph, counts),
    connectivity: log2Disconnected({ ...graph, ...counts }),
  };
}

/** Whether a sampled graph fails no more often than it may. @throws RangeError as `log2Failures` */
export function isSafe(graph: SampledGraph, assumptions: Assumptions): boolean {
  const { privacy, correctness, connectivity } = log2Failures(graph, assumptions);
  return privacy <= PRIVACY && correctness <= CORRECTNESS && connectivity <= PRIVACY;
}

interface Counts {
  readonly corrupt: number;
  readonly dropped: number;
}

function countsOf(parties: number, { corruption, dropout }: Assumptions): Counts {
  if (!isCount(parties, 2, MOST_PARTIES)) throw new RangeError(`A sum is protected among 2 to ${MOST_PARTIES} parties, not ${parties}.`);
  // The fraction of a count, such as 1/3 of 51, may be stored as slightly less.
  const countOf = (name: string, fraction: number) => {
    if (!(fraction >= 0 && fraction < 0.5)) throw new RangeError(`The assumed ${name} is a fraction from 0 to below 1/2, not ${fraction}.`);
    return Math.floor(parties * fraction + 1e-9);
  };
  return { corrupt: countOf("corruption", corruption), dropped: countOf("dropout", dropout) };
}

function completeGraph(parties: number, { corrupt: assumed, dropped }: Counts): SecAggParameters {
  // Two thirds withstand a third; more than that is assumed now and then.
  const threshold = Math.max(Math.floor((2 * parties) / 3) + 1, Math.floor((parties + assumed) / 2) + 1);
  return {
    graph: "complete",
    parties,
    holders: parties,
    threshold,
    corrupt: 2 * threshold - parties - 1,
    dropped: Math.min(dropped, parties - threshold),
    leastSurvivors: threshold,
    mostChosenBy: parties - 1,
  };
}

function sampledGraph(parties: number, counts: Counts): SecAggParameters {
  const { corrupt, dropped } = counts;
  const impossible = `No threshold protects a sum among ${parties} parties of whom ${corrupt} may collude with the coordinator and ${dropped} drop out`;
  // Holders of whom corrupt + 2·dropped are fewer than all are asked for by 2t > k + corrupt and t ≤ k − dropped; on average no draw has them.
  if (corrupt + 2 * dropped >= parties - 1) {
    throw new RangeError(`${impossible}: those who collude and twice those who drop out have to be fewer than ${parties - 1}.`);
  }
  for (let [holders, threshold] = [2, 2]; holders < parties; holders += 2, threshold += 2) {
    // Two more holders raise the greatest threshold by two at most, and never lower it.
    while (threshold > 0 && log2Unanswered({ parties, holders, threshold }, counts) > CORRECTNESS) threshold -= 1;
    const graph = { parties, holders, threshold };
    if (2 * threshold <= holders || log2Exposed(graph, counts) > PRIVACY || log2Disconnected({ ...graph, ...counts }) > PRIVACY) continue;
    return {
      graph: "sampled",
      ...graph,
      ...counts,
      leastSurvivors: Math.max(threshold, parties - dropped),
      mostChosenBy: mostChosenBy(parties, holders),
    };
  }
  throw new RangeError(`${impossible}: there are too few of them for a draw to be even enough.`);
}

/** That any party has so many corrupt holders that a split view unmasks it. */
function log2Exposed({ parties, holders, threshold }: SampledGraph, { corrupt }: Counts): number {
  return forAll(parties, log2AtLeast({ population: parties - 1, marked: corrupt, drawn: holders }, 2 * threshold - holders));
}

/** That any party has too few holders left. */
function log2Unanswered({ parties, holders, threshold }: SampledGraph, { dropped }: Counts): number {
  return forAll(parties, log2AtLeast({ population: parties - 1, marked: dropped, drawn: holders }, holders - threshold + 1));
}

/** By how many a party is drawn is binomial: the others draw independently of each other. */
function mostChosenBy(parties: number, holders: number): number {
  const others = parties - 1;
  if (holders === others) return others;
  let most = holders;
  while (forAll(parties, log2SuccessesAtLeast({ trials: others, numerator: holders, denominator: others }, most + 1)) > PRIVACY) most += 1;
  return most;
}

/** The union bound. */
function forAll(parties: number, log2Probability: number): number {
  return Math.min(0, log2Probability + log2(parties));
}

function isCount(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
