import { plural } from "@ciphernx/core/errors";
import { cut, formatFields, formatTable } from "../output/index.ts";
import { inMetricOrder } from "../runs/metric-order.ts";
import { formatMetric, metricTitle } from "./metrics.ts";
import { formatPreprocessing } from "./preprocessing.ts";
import { reproducibleText } from "./reproducible.ts";

/** Lines fit into a terminal of this many characters. */
const LINE_WIDTH = 80;
/** The longest name of a field below, with the gap after it. */
const FIELD_WIDTH = 15;
const SHOWN_PARTIES = 20;

type Part = Readonly<Record<string, unknown>>;
type Field = readonly [name: string, value: string];

/**
 * A model card for people: where the model comes from, how it was made, from whose data by reference, how well it did. A part that a
 * card of another version does not have is left out.
 */
export function formatModelCard(card: unknown): string {
  const { model, training, data, metrics, lineage, reproducible, dependsOnAnswers, labels } = record(card);
  const preprocessing = formatPreprocessing(data);
  const sections: readonly (readonly [string, string])[] = [
    ["LINEAGE", fields([...lineageFields(record(lineage), record(training)), ["reproducible", reproducibleText(reproducible, dependsOnAnswers)]])],
    ["MODEL", fields(modelFields(record(model)))],
    [preprocessing.title, preprocessing.body],
    ["TRAINING", fields(trainingFields(record(training)))],
    [`DATA: ${text(record(data)["dataset"]) || "not named"}`, formatParties(record(data), record(training)["rounds"])],
    ["METRICS", formatMetrics(record(metrics))],
    ["NOTES", list(labels).map(text).join("\n")],
  ];
  return sections
    .filter(([, body]) => body !== "")
    .map(([title, body]) => `${title}\n${body}`)
    .join("\n\n");
}

function lineageFields({ run, specHash, planHash, initialModelHash, kernelBuild, preprocessingHash }: Part, { seed }: Part): readonly Field[] {
  return [
    ["run", text(run)],
    ["spec hash", text(specHash)],
    ["plan hash", text(planHash)],
    ["initial model", text(initialModelHash) || (seed === undefined ? "" : `drawn from seed ${text(seed)}`)],
    ["preprocessing", text(preprocessingHash)],
    ["kernel build", text(kernelBuild)],
  ];
}

function modelFields({ format, parameters, tensors, network }: Part): readonly Field[] {
  const count = Number(parameters ?? 0);
  const { inputLength, layers, loss } = record(network);
  const path = [text(inputLength), ...list(layers).map(record).map(layerText)].filter((step) => step !== "");
  return [
    ["format", text(format)],
    ["parameters", parameters === undefined ? "" : `${count.toLocaleString("en-US")} in ${plural(list(tensors).length, "tensor")}`],
    ["network", path.join(" → ")],
    ["loss", text(loss)],
  ];
}

/** `dense 128`, `relu`: a layer's kind and what it is given besides. */
function layerText({ kind, ...options }: Part): string {
  return [text(kind), ...Object.values(options).map((value) => (typeof value === "object" ? JSON.stringify(value) : text(value)))].join(" ");
}

function trainingFields({ rounds, strategy, train, encoding, protection, seed }: Part): readonly Field[] {
  return [
    ["rounds", text(rounds)],
    ["strategy", optionsText(strategy)],
    ["train", optionsText(train)],
    ["encoding", optionsText(encoding)],
    ["protection", optionsText(protection)],
    ["seed", text(seed)],
  ];
}

/** The parties of the plan, with what each gave to the model where the card says it. */
function formatParties({ parties: given, trainedRows }: Part, rounds: unknown): string {
  const parties = list(given).map(record);
  const learntFrom = parties.filter(({ rounds: own }) => Number(own) > 0);
  const never = parties.filter(({ rounds: own }) => own === 0).map(({ name }) => text(name));
  const table = formatTable(
    [
      { title: "PARTY", cell: ({ name }: Part) => cut(text(name), 24) },
      { title: "TRAIN", align: "right", cell: ({ trainExamples }) => text(trainExamples) },
      { title: "TEST", align: "right", cell: ({ testExamples }) => text(testExamples) },
      ...(parties.some((party) => party["rounds"] !== undefined)
        ? [{ title: "ROUNDS", align: "right" as const, cell: ({ rounds: own }: Part) => `${text(own)}/${text(rounds)}` }]
        : []),
      ...(parties.some(({ counted }) => counted !== undefined)
        ? [{ title: "COUNTED", cell: ({ counted }: Part) => (counted === true ? "yes" : "no") }]
        : []),
      { title: "CONTENT", cell: ({ contentHash }) => text(contentHash).slice(0, 12) },
    ],
    parties.slice(0, SHOWN_PARTIES),
    "",
  );
  const rest = parties.length - SHOWN_PARTIES;
  const lines = [
    table,
    ...(rest > 0 ? [`and ${plural(rest, "more party", "more parties")}`] : []),
    ...(trainedRows === undefined
      ? []
      : [`learnt from ${plural(Number(trainedRows), "training row")} of ${plural(learntFrom.length, "party", "parties")}`]),
    ...(never.length === 0 ? [] : [`from no row of ${namedParties(never)}`]),
  ];
  return lines.filter((line) => line !== "").join("\n");
}

function namedParties(names: readonly string[]): string {
  const rest = names.length - SHOWN_PARTIES;
  return `${names.slice(0, SHOWN_PARTIES).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

function formatMetrics({ fit, evaluated, subjects }: Part): string {
  const training = record(fit);
  const heldOut = record(evaluated);
  return formatTable(
    [
      { title: "METRIC", cell: (name: string) => cut(metricTitle(name, subjects), 48) },
      { title: "IN TRAINING", align: "right", cell: (name) => formatMetric(name, training[name]) },
      { title: "HELD OUT", align: "right", cell: (name) => formatMetric(name, heldOut[name]) },
    ],
    inMetricOrder([...new Set([...Object.keys(training), ...Object.keys(heldOut)])]),
    "",
  );
}

/** `fedprox (mu 0.01)`: a section's kind, and its other options by name; those within one after its name. */
function optionsText(value: unknown): string {
  if (typeof value !== "object" || value === null) return text(value);
  if (Array.isArray(value)) return JSON.stringify(value);
  const { kind, ...options } = value as Part;
  const words = Object.entries(options).map(([name, option]) => `${name} ${optionsText(option)}`);
  if (kind === undefined) return words.join(", ");
  return words.length === 0 ? text(kind) : `${text(kind)} (${words.join(", ")})`;
}

/** Fields that say something, with long values continued under themselves. */
function fields(all: readonly Field[]): string {
  const said = all.filter(([, value]) => value !== "");
  return said.length === 0
    ? ""
    : formatFields(said.flatMap(([name, value]) => wrap(value).map((line, index): Field => [index === 0 ? name : "", line])));
}

/** Breaks a list into lines that fit beside the names of the fields; what belongs together stays together. */
function wrap(value: string): readonly string[] {
  return value.split(/(?<=[,→]) /).reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= LINE_WIDTH - FIELD_WIDTH) return [...lines.slice(0, -1), `${last} ${word}`];
    return [...lines, word];
  }, []);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

function record(value: unknown): Part {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Part) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
