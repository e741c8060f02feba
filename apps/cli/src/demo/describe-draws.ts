import { formatTable } from "../output/index.ts";
import { FIGURE_NAMES, type FigureName, type Way, WAYS } from "./compare-models.ts";
import type { ByWay, DrawsSummary, PartyFigures, Spread } from "./summarise-draws.ts";

const FIGURES: Readonly<Record<FigureName, { readonly title: string; readonly lowerIsBetter?: boolean }>> = {
  auc: { title: "AUC" },
  accuracy: { title: "accuracy" },
  f1: { title: "F1" },
  calibration: { title: "calibration error", lowerIsBetter: true },
};

const TITLES: Readonly<Record<Way, string>> = { localOnly: "alone", federated: "federated", pooled: "pooled" };

const WAY_COLUMNS = WAYS.map((way) => ({ title: TITLES[way], align: "right" as const, cell: (row: ByWay) => formatSpread(row[way]) }));

/** What each way to a model is worth, line by line: every figure on everybody's rows and on a party's own, also those that taking part makes worse. */
export function describeDraws({ union, own, parties }: DrawsSummary, draws: number, bold: (text: string) => string): readonly string[] {
  return [
    bold(`all hospitals' held-out patients, mean ± deviation over ${draws} draws`),
    figuresTable(union),
    "",
    bold("a hospital's own held-out patients, mean of the hospitals: what taking part gives it and costs it"),
    figuresTable(own),
    "",
    bold("AUC on each hospital's own patients: who gains, who loses"),
    partiesTable(parties),
  ];
}

function figuresTable(figures: DrawsSummary["union"]): string {
  return formatTable<ByWay & { readonly figure: FigureName }>(
    [
      { title: "", cell: ({ figure }) => FIGURES[figure].title },
      ...WAY_COLUMNS,
      { title: "federated is", align: "right", cell: ({ figure, federated, localOnly }) => verdict(figure, federated.mean - localOnly.mean) },
    ],
    FIGURE_NAMES.map((figure) => ({ figure, ...figures[figure] })),
    "",
  );
}

/** How much better or worse than alone. */
function verdict(figure: FigureName, difference: number): string {
  const size = Math.abs(difference).toFixed(3);
  if (Number(size) === 0) return "the same";
  return `${size} ${difference < 0 === (FIGURES[figure].lowerIsBetter === true) ? "better" : "worse"}`;
}

function partiesTable(parties: readonly PartyFigures[]): string {
  return formatTable<PartyFigures>(
    [
      { title: "hospital", cell: ({ party }) => party },
      { title: "learnt from", align: "right", cell: ({ trainExamples }) => String(trainExamples) },
      { title: "held out", align: "right", cell: ({ testExamples }) => String(testExamples) },
      { title: "ill", align: "right", cell: ({ positives }) => String(positives) },
      { title: "well", align: "right", cell: ({ negatives }) => String(negatives) },
      ...WAY_COLUMNS,
      { title: "gain", align: "right", cell: ({ gain }) => `${gain.mean >= 0 ? "+" : "−"}${Math.abs(gain.mean).toFixed(3)}` },
      {
        title: "",
        cell: ({ unreliable, positives, negatives }) => (unreliable ? `unreliable: ${Math.min(positives, negatives)} of one class` : ""),
      },
    ],
    parties,
    "",
  );
}

function formatSpread({ mean, deviation }: Spread): string {
  return `${mean.toFixed(3)} ± ${deviation.toFixed(3)}`;
}
