import { type Colours, cut } from "../output/index.ts";
import { bestFigure, betterWay, type RoundFigure } from "../runs/best-figure.ts";
import { figureNames, type RoundFigures } from "../runs/round-row.ts";
import { drawLine, extent } from "./chart.ts";
import { formatMetric } from "./metrics.ts";

/** Charts are as wide as two of them side by side in a terminal of 80. */
const MAX_COLUMNS = 80;
const MIN_COLUMNS = 36;
const CHART_ROWS = 6;
const GAP = "   ";

/** One chart: a metric over the rounds. */
interface Panel {
  readonly metric: string;
  readonly where: string;
  readonly figures: readonly RoundFigure[];
}

export interface FiguresFrame {
  /** Rounds that the run will have. */
  readonly rounds: number;
  /** Of the terminal. */
  readonly columns: number;
}

/**
 * The loss and, beside it, the accuracy (or another metric where there is none) over the rounds, on held-out rows where the model was
 * judged on some; below them a line for every other metric of held-out rows. Undefined where there is too little to draw, or too little room.
 */
export function formatFigures(byRound: ReadonlyMap<number, RoundFigures>, { rounds, columns }: FiguresFrame, colours: Colours): string | undefined {
  const room = Math.min(columns, MAX_COLUMNS) - 1; // a character in the last column wraps on some terminals
  const panels = choosePanels(byRound);
  if (panels.length === 0 || room < MIN_COLUMNS) return undefined;
  const beside = panels.length === 2 && room >= 2 * MIN_COLUMNS;
  const shown = beside ? panels : panels.slice(0, 1);
  const width = Math.floor((room - GAP.length * (shown.length - 1)) / shown.length);
  const paint = [colours.cyan, colours.green];
  const drawn = shown.map((panel, index) => drawPanel(panel, { rounds, width }, { ...colours, cyan: paint[index]! }));
  const charts = drawn[0]!.map((_, line) =>
    drawn
      .map((panel) => panel[line]!)
      .join(GAP)
      .trimEnd(),
  );
  const others = otherMetrics(byRound, panels).map((panel) => cut(titleOf(panel), room));
  return [...charts, ...others].join("\n");
}

/** What held-out rows say besides what is drawn. */
function otherMetrics(byRound: ReadonlyMap<number, RoundFigures>, drawn: readonly Panel[]): readonly Panel[] {
  return figureNames(byRound.values())
    .filter((name) => name.startsWith("evaluated."))
    .map((name) => ({ metric: name.slice(name.indexOf(".") + 1), where: "held out", figures: series(byRound, name) }))
    .filter(({ metric }) => !drawn.some((panel) => panel.metric === metric));
}

function titleOf({ metric, figures }: Panel): string {
  const best = bestFigure(figures, betterWay(metric))!;
  return `${metric} ${formatMetric(metric, figures.at(-1)!.value)}, best ${formatMetric(metric, best.value)} in ${best.round}`;
}

function choosePanels(byRound: ReadonlyMap<number, RoundFigures>): readonly Panel[] {
  const names = new Set([...byRound.values()].flatMap((figures) => Object.keys(figures)));
  const metrics = new Set([...names].map((name) => name.slice(name.indexOf(".") + 1)));
  const second = metrics.has("accuracy") ? "accuracy" : [...metrics].find((metric) => metric !== "loss");
  return [...(metrics.has("loss") ? ["loss"] : []), ...(second === undefined ? [] : [second])].flatMap((metric): readonly Panel[] => {
    const heldOut = series(byRound, `evaluated.${metric}`);
    const figures = heldOut.length > 0 ? heldOut : series(byRound, `fit.${metric}`);
    return figures.length < 2 ? [] : [{ metric, where: heldOut.length > 0 ? "held out" : "in training", figures }];
  });
}

function series(byRound: ReadonlyMap<number, RoundFigures>, name: string): readonly RoundFigure[] {
  return [...byRound].flatMap(([round, { [name]: value }]) => (value === undefined ? [] : [{ round, value }]));
}

/** Lines that are all `width` characters wide. */
function drawPanel(panel: Panel, { rounds, width }: { readonly rounds: number; readonly width: number }, colours: Colours) {
  const { metric, where, figures } = panel;
  const points = figures.map(({ round, value }) => ({ x: round, y: value }));
  const labels = extent(points).map((value) => formatMetric(metric, value));
  const labelWidth = Math.max(...labels.map(({ length }) => length));
  const columns = width - labelWidth - 2;
  const lines = drawLine(points, { from: 1, to: Math.max(rounds, 2), columns, rows: CHART_ROWS });
  const label = (line: number): string => (line === 0 ? labels[1]! : line === CHART_ROWS - 1 ? labels[0]! : "").padStart(labelWidth);
  const last = String(Math.max(rounds, 2));
  const axis = `└1${`round, ${where}`.padStart(Math.floor((columns - 1 + where.length) / 2)).padEnd(columns - 1 - last.length)}${last}`;
  return [
    colours.bold(cut(titleOf(panel), width).padEnd(width)),
    ...lines.map((line, index) => `${colours.dim(`${label(index)} │`)}${colours.cyan(line)}`),
    colours.dim(`${" ".repeat(labelWidth)} ${axis}`),
  ];
}
