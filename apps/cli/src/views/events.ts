import { plural } from "@ciphernx/core/errors";
import { type Colours, formatBytes, formatSeconds } from "../output/index.ts";
import { formatMetric, type RoundMetrics, roundMetrics } from "./metrics.ts";
import { constantNote } from "./preprocessing.ts";
import { explainTrouble } from "./trouble.ts";

/** An event of a run as it comes over the wire, perhaps from a newer coordinator. */
export interface EventRow {
  readonly type: string;
  readonly payload: unknown;
}

type Payload = Readonly<Record<string, unknown>>;

/**
 * The line of an event for people. A type that this build does not know is shown as it came, so that an older
 * command still follows the runs of a newer coordinator.
 */
export function formatEvent({ type, payload }: EventRow, colours: Colours): string {
  const { bold, dim, green, red, yellow } = colours;
  const body: Payload = typeof payload === "object" && payload !== null ? (payload as Payload) : {};
  const attempt = Number(body["attempt"] ?? 1) > 1 ? `, attempt ${text(body["attempt"])}` : "";
  switch (type) {
    case "run-started":
      return bold(`${text(body["name"])}: ${plural(number(body["rounds"]), "round")}, ${plural(number(body["parties"]), "party", "parties")}`);
    case "round-opened":
      if (body["round"] === 0)
        return dim(`preparing rows${attempt}: ${plural(list(body["parties"]).length, "party", "parties")} asked to count their training rows`);
      return dim(`round ${text(body["round"])} opened${attempt}: ${plural(list(body["parties"]).length, "party", "parties")} invited`);
    case "answer-refused":
      return yellow(
        `round ${text(body["round"])}: ${text(body["party"])} ${text(body["kind"])} refused: ${text(body["message"])} (${text(body["code"])})`,
      );
    case "round-abandoned":
      return yellow(`round ${text(body["round"])} abandoned${attempt}: ${whyAbandoned(body)}`);
    case "rows-prepared": {
      const missed = list(body["missed"]);
      const without = missed.length === 0 ? "" : yellow(`  without ${missed.join(", ")}`);
      const what = `${plural(number(body["rows"]), "row")} of ${plural(number(body["accepted"]), "party", "parties")}`;
      return `rows prepared by the counts and sums of ${what}: ${plural(number(body["columns"]), "column")}, up ${formatBytes(number(body["bytesUp"]))}${without}${spreadless(list(body["constant"]), yellow)}`;
    }
    case "round-committed":
      return formatRound(body, colours);
    case "round-judged":
      return formatJudged(body, colours);
    case "run-waiting":
      return yellow(`waiting in round ${text(body["round"])}: ${text(body["message"])} (${text(body["code"])})`);
    case "run-resumed":
      return `resumed at round ${text(body["round"])}`;
    case "run-finished": {
      const reason = typeof body["reason"] === "string" && body["reason"] !== "" ? `: ${body["reason"]}` : "";
      const line = `finished:${text(body["outcome"])}${reason}`;
      return body["outcome"] === "completed" ? green(line) : body["outcome"] === "stopped" ? yellow(line) : red(line);
    }
    default:
      return `${type} ${JSON.stringify(payload)}`;
  }
}

function spreadless(columns: readonly string[], yellow: Colours["yellow"]): string {
  const note = constantNote(columns);
  return note === "" ? "" : yellow(`  ${note}`);
}

/** `round  3/20  10 ok  0 failed  held out: loss 0.4123  accuracy 88.12%  up 4.1 MB  down 4.1 MB  0.61 s`; `training:` where the model was not judged. */
function formatRound(round: Payload, { yellow }: Colours): string {
  const total = text(round["rounds"]);
  const missed = list(round["missed"]);
  const { training, heldOut } = roundMetrics(round);
  const figures = figuresText(heldOut ?? training);
  const parts = [
    `round ${text(round["round"]).padStart(total.length)}/${total}`,
    `${text(round["accepted"])} ok`,
    missed.length === 0 ? "0 failed" : yellow(`${missed.length} failed (${missed.join(", ")})`),
    ...(figures === "" ? [] : [`${heldOut === undefined ? "training" : "held out"}: ${figures}`]),
    `up ${formatBytes(number(round["bytesUp"]))}`,
    `down ${formatBytes(number(round["bytesDown"]))}`,
    formatSeconds(number(round["seconds"])),
  ];
  const saturated = number(round["saturated"]);
  if (saturated > 0) parts.push(yellow(`${plural(saturated, "value")} clipped`));
  const trouble = explainTrouble({ training, heldOut, saturated });
  return [parts.join("  "), ...(trouble === undefined ? [] : [`  ${yellow(trouble)}`])].join("\n");
}

/** `round  2/20  held out: loss 0.4123  accuracy 88.12%`: what became known with the updates of the next round. */
function formatJudged(round: Payload, { dim, yellow }: Colours): string {
  const { training, heldOut } = roundMetrics(round);
  const line = `round ${text(round["round"]).padStart(text(round["rounds"]).length)}/${text(round["rounds"])}  held out: ${figuresText(heldOut ?? {})}`;
  const trouble = explainTrouble({ training, heldOut, saturated: 0 });
  return trouble === undefined ? dim(line) : `${line}\n  ${yellow(trouble)}`;
}

function figuresText(metrics: RoundMetrics["training"]): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(name, value)}`)
    .join("  ");
}

function whyAbandoned({ why, missing }: Readonly<Record<string, unknown>>): string {
  return typeof why === "string" ? why : `without ${list(missing).join(", ")} there is no quorum`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "bigint" ? String(value) : "-";
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text) : [];
}
