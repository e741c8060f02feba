import type { Run } from "@ciphernx/protocol/proto";
import type { RoundFigure } from "../runs/best-figure.ts";
import type { Compared, ComparedFigure, Comparison, Pair, RunTotals } from "../runs/compare-runs.ts";
import { type Colours, cut, formatBytes, formatSeconds, formatTable } from "../output/index.ts";
import { formatMetric } from "./metrics.ts";
import { formatState } from "./runs.ts";

/** Columns that fit into a terminal of 80: a key, and a value of each run. */
const KEY_WIDTH = 30;
const VALUE_WIDTH = 23;
/** Lines of differences in a list; programs get them all. */
const SHOWN_LEAVES = 60;

export interface ComparisonView {
  readonly runs: Pair<Run>;
  readonly comparison: Comparison;
  /** Equal keys too. */
  readonly all: boolean;
}

/** A comparison for programs. */
export function comparisonData({ runs, comparison, all }: ComparisonView) {
  const run = ({ id, name, state, outcome, specHash, modelHash }: Run) => ({
    ...{ id, name, state, outcome: outcome || null },
    ...{ specHash, modelHash: modelHash || null },
  });
  const { spec, plan, ...rest } = comparison;
  return { a: run(runs.a), b: run(runs.b), spec: wanted(spec, all), plan: wanted(plan, all), ...rest };
}

/** A comparison for people. */
export function formatComparison({ runs, comparison, all }: ComparisonView, colours: Colours): string {
  const head = formatTable(
    [
      { title: "", cell: ([side]: readonly [string, Run]) => side },
      { title: "RUN", cell: ([, { id }]) => id },
      { title: "NAME", cell: ([, { name }]) => cut(name, 24) },
      { title: "STATE", cell: ([, run]) => formatState(run, colours) },
    ],
    [
      ["A", runs.a],
      ["B", runs.b],
    ],
    "",
  );
  const sections = [
    head,
    formatLeaves("SPEC", wanted(comparison.spec, all), "The specs are the same."),
    formatLeaves("PLAN", wanted(comparison.plan, all), "The plans differ in nothing else."),
    formatFigures(comparison.metrics),
    formatTotals(comparison.totals),
    ...(comparison.sameModel ? [`Both have the same model: ${runs.a.modelHash}`] : []),
  ];
  return sections.join("\n\n");
}

function wanted(leaves: readonly Compared[], all: boolean): readonly Compared[] {
  return all ? leaves : leaves.filter(({ differs }) => differs);
}

function formatLeaves(title: string, leaves: readonly Compared[], whenEmpty: string): string {
  const table = formatTable(
    [
      { title, cell: ({ path }: Compared) => cutStart(path, KEY_WIDTH) },
      { title: "A", cell: (leaf) => cut("a" in leaf ? leafText(leaf.a) : "-", VALUE_WIDTH) },
      { title: "B", cell: (leaf) => cut("b" in leaf ? (leaf.differs ? leafText(leaf.b) : "=") : "-", VALUE_WIDTH) },
    ],
    leaves.slice(0, SHOWN_LEAVES),
    whenEmpty,
  );
  const rest = leaves.length - SHOWN_LEAVES;
  return rest > 0 ? `${table}\nand ${rest} more; --json has them all` : table;
}

function formatFigures(figures: readonly ComparedFigure[]): string {
  const value = (name: string, figure: RoundFigure | null): string => (figure === null ? "-" : formatMetric(lastWord(name), figure.value));
  const best = (name: string, figure: RoundFigure | null): string => (figure === null ? "-" : `${value(name, figure)} in ${figure.round}`);
  return formatTable(
    [
      { title: "METRIC", cell: ({ name }: ComparedFigure) => cutStart(name, KEY_WIDTH - 10) },
      { title: "FINAL A", align: "right", cell: ({ name, final }) => value(name, final.a) },
      { title: "FINAL B", align: "right", cell: ({ name, final }) => value(name, final.b) },
      { title: "BEST A", align: "right", cell: ({ name, best: { a } }) => best(name, a) },
      { title: "BEST B", align: "right", cell: ({ name, best: { b } }) => best(name, b) },
    ],
    figures,
    "Neither run has committed a round with metrics.",
  );
}

function formatTotals({ a, b }: Pair<RunTotals>): string {
  const row = (name: string, of: (totals: RunTotals) => string) => ({ name, a: of(a), b: of(b) });
  return formatTable(
    [
      { title: "TOTAL", cell: ({ name }: ReturnType<typeof row>) => name },
      { title: "A", align: "right", cell: (cells) => cells.a },
      { title: "B", align: "right", cell: (cells) => cells.b },
    ],
    [
      row("rounds", ({ rounds }) => String(rounds)),
      row("bytes up", ({ bytesUp }) => formatBytes(bytesUp)),
      row("bytes down", ({ bytesDown }) => formatBytes(bytesDown)),
      row("time in rounds", ({ seconds }) => formatSeconds(seconds)),
      row("start to end", ({ elapsedSeconds }) => (elapsedSeconds === null ? "not over" : formatSeconds(elapsedSeconds))),
    ],
    "",
  );
}

function leafText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A path's end says more than its beginning. */
function cutStart(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;
}

function lastWord(name: string): string {
  return name.slice(name.indexOf(".") + 1);
}
