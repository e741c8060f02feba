import type { Round, Run } from "@ciphernx/protocol/proto";
import { bestFigure, type Better, betterWay, type RoundFigure } from "./best-figure.ts";
import { flattenDocument } from "./flatten-document.ts";
import { figureNames, figuresByRound } from "./round-row.ts";

/** A run with every attempt at its rounds. */
export interface RunRecord {
  readonly run: Run;
  readonly rounds: readonly Round[];
}

/** The same thing of both runs. */
export interface Pair<T> {
  readonly a: T;
  readonly b: T;
}

/** A leaf of two documents; a side that does not have it has no value. */
export interface Compared {
  readonly path: string;
  readonly a?: unknown;
  readonly b?: unknown;
  readonly differs: boolean;
}

/** What one run came to. */
export interface RunTotals {
  /** Committed ones. */
  readonly rounds: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Of the committed rounds, each from its opening to its commit. */
  readonly seconds: number;
  /** From start to end; null where the run is not over. */
  readonly elapsedSeconds: number | null;
}

/** One figure of both runs. */
export interface ComparedFigure {
  /** `fit.loss`, `evaluated.accuracy`. */
  readonly name: string;
  readonly better: Better;
  /** Of the last committed round that has it. */
  readonly final: Pair<RoundFigure | null>;
  readonly best: Pair<RoundFigure | null>;
}

/** Two runs side by side. */
export interface Comparison {
  /** Leaves of the specs, in their order. */
  readonly spec: readonly Compared[];
  /** Leaves of the plans, and the model that each run began with; without what the specs say in the same words. */
  readonly plan: readonly Compared[];
  readonly metrics: readonly ComparedFigure[];
  readonly totals: Pair<RunTotals>;
  /** Whether the runs' models are the same bits so far. */
  readonly sameModel: boolean;
}

/** Parts of a plan that say nothing of their own: hashes of the rest, and what follows from the spec's model and the data's schema. */
const DERIVED: readonly string[] = ["specHash", "planHash", "partyTree", "mostTrainExamples", "preprocess", "model.network", "model.tensors"];

/** Compares two runs; what is equal is told apart, not left out. */
export function compareRuns(a: RunRecord, b: RunRecord): Comparison {
  const spec = compareLeaves(flattenJson(a.run.specJson), flattenJson(b.run.specJson));
  const inSpec = new Map(spec.map((leaf) => [leaf.path, leaf]));
  const plan = compareLeaves(planFacts(a), planFacts(b)).filter((leaf) => {
    const same = inSpec.get(leaf.path);
    return same === undefined || !isSame(same.a, leaf.a) || !isSame(same.b, leaf.b);
  });
  const figures = { a: figuresByRound(a.rounds), b: figuresByRound(b.rounds) };
  const series = (side: "a" | "b", name: string): readonly RoundFigure[] =>
    [...figures[side]].flatMap(([round, { [name]: value }]) => (value === undefined ? [] : [{ round, value }]));
  const metrics = figureNames([...figures.a.values(), ...figures.b.values()]).map((name): ComparedFigure => {
    const better = betterWay(name);
    const both = { a: series("a", name), b: series("b", name) };
    return {
      ...{ name, better },
      final: { a: both.a.at(-1) ?? null, b: both.b.at(-1) ?? null },
      best: { a: bestFigure(both.a, better) ?? null, b: bestFigure(both.b, better) ?? null },
    };
  });
  return {
    ...{ spec, plan, metrics, totals: { a: totals(a), b: totals(b) } },
    sameModel: a.run.modelHash !== "" && a.run.modelHash === b.run.modelHash,
  };
}

function compareLeaves(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): readonly Compared[] {
  return [...new Set([...a.keys(), ...b.keys()])].map((path) => ({
    path,
    ...(a.has(path) ? { a: a.get(path) } : {}),
    ...(b.has(path) ? { b: b.get(path) } : {}),
    differs: !isSame(a.get(path), b.get(path)),
  }));
}

/** A run may start from a checkpoint that its spec does not name, so the first round tells what it began with. */
function planFacts({ run, rounds }: RunRecord): ReadonlyMap<string, unknown> {
  const facts = [...flattenJson(run.planJson)].filter(([path]) => !DERIVED.some((part) => isWithin(path, part)));
  const initial = rounds[0]?.baseModelHash;
  return new Map([...facts, ...(initial === undefined ? [] : [["initialModelHash", initial] as const])]);
}

function isWithin(path: string, part: string): boolean {
  return path === part || path.startsWith(`${part}.`) || path.startsWith(`${part}[`);
}

function totals({ run, rounds }: RunRecord): RunTotals {
  const committed = rounds.filter(({ state }) => state === "committed");
  const sum = (of: (round: Round) => number): number => committed.reduce((total, round) => total + of(round), 0);
  return {
    // Round 0 prepares rows.
    rounds: committed.filter(({ round }) => round > 0).length,
    bytesUp: sum(({ bytesUp }) => Number(bytesUp)),
    bytesDown: sum(({ bytesDown }) => Number(bytesDown)),
    seconds: sum(({ seconds }) => seconds),
    elapsedSeconds: run.finishedAt === "" ? null : (Date.parse(run.finishedAt) - Date.parse(run.createdAt)) / 1000,
  };
}

function flattenJson(text: string): ReadonlyMap<string, unknown> {
  return text === "" ? new Map() : flattenDocument(JSON.parse(text));
}

/** Leaves are plain values or lists of them; both came from JSON. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
