import type { RunPlan } from "@ciphernx/ai/spec";
import { ERROR_CATALOGUE, type ErrorCode, isErrorCode } from "@ciphernx/core/errors";
import type { Participation, Round, Run } from "@ciphernx/protocol/proto";
import { type Colours, formatBytes, formatFields, formatSeconds, formatTable, formatTime } from "../output/index.ts";
import { learntFrom, learntFromText } from "../runs/learnt-from.ts";
import { formatMetric, metricTitle, roundMetrics } from "./metrics.ts";
import { protectionText } from "./plan.ts";
import { coordinatorSaw, formatSums, sumData } from "./sums.ts";
import { explainTrouble } from "./trouble.ts";

/** A run for programs. */
export function runData(run: Run) {
  const { id, name, state, round, rounds, specHash, createdAt, startedBy } = run;
  const spec = parseJson(run.specJson);
  const plan = parseJson(run.planJson);
  const ended = {
    outcome: run.outcome || null,
    reason: run.reason || null,
    finishedAt: run.finishedAt || null,
    modelId: run.modelId || null,
    modelHash: run.modelHash || null,
  };
  return {
    id,
    name,
    state,
    ...ended,
    round,
    rounds,
    specHash,
    createdAt,
    startedBy: startedBy || null,
    spec,
    plan,
    exposure: parseJson(run.exposureJson),
  };
}

/** A round and who took part in it, for programs. */
export function roundData({
  round,
  attempt,
  state,
  baseModelHash,
  modelHash,
  metricsJson,
  bytesUp,
  bytesDown,
  seconds,
  participations,
  sums,
}: Round) {
  const metrics = parseJson(metricsJson);
  const parties = participations.map(({ party, nodeId, kind, state, reason, bytesUp, bytesDown, durationMs, attempt, updateHash, weight }) => ({
    party,
    nodeId,
    kind,
    state,
    reason: reason || null,
    hint: hintOf(reason),
    bytesUp: Number(bytesUp),
    bytesDown: Number(bytesDown),
    durationMs,
    attempt,
    updateHash: updateHash || null,
    weight: Number(weight),
  }));
  return {
    round,
    attempt,
    state,
    baseModelHash,
    modelHash: modelHash || null,
    metrics,
    bytesUp: Number(bytesUp),
    bytesDown: Number(bytesDown),
    seconds,
    parties,
    sums: sums.map(sumData),
  };
}

/** What to do about a reason, `CODE: why`; null where there is nothing to do. */
function hintOf(reason: string): string | null {
  const [code = ""] = reason.split(":", 1);
  return isErrorCode(code) ? ERROR_CATALOGUE[code].hint : null;
}

/** `finished:completed`, coloured by how good that is. */
export function formatState({ state, outcome }: Pick<Run, "state" | "outcome">, { green, red, yellow, cyan }: Colours): string {
  if (state !== "finished") return cyan(state);
  const text = `finished:${outcome}`;
  return outcome === "completed" ? green(text) : outcome === "stopped" ? yellow(text) : red(text);
}

/** The table of runs for people. */
export function formatRuns(runs: readonly Run[], colours: Colours): string {
  return formatTable(
    [
      { title: "RUN", cell: ({ id }: Run) => id },
      { title: "NAME", cell: ({ name }) => name },
      { title: "STATE", cell: (run) => formatState(run, colours) },
      { title: "ROUND", align: "right", cell: ({ round, rounds }) => `${round}/${rounds}` },
      { title: "STARTED", cell: ({ createdAt }) => formatTime(createdAt) },
    ],
    runs,
    "No run has been started yet. `nexus run start SPEC` starts one.",
  );
}

/** One run with its rounds, and who failed in which round for what reason. */
export function formatRun(run: Run, rounds: readonly Round[], colours: Colours): string {
  const optional = (name: string, value: string): readonly (readonly [string, string])[] => (value === "" ? [] : [[name, value]]);
  const awaited = run.state === "finished" ? [] : awaitedParties(rounds);
  const plan = parseJson(run.planJson) as RunPlan;
  const fields = formatFields([
    ["run", run.id],
    ["name", run.name],
    ["state", formatState(run, colours)],
    ...optional("reason", run.reason),
    ["round", `${run.round} of ${run.rounds}`],
    ...optional("learnt from", learntFromText(learntFrom(plan, rounds), run.round)),
    ...optional(
      "figures",
      Object.keys(plan.metricSubjects ?? {})
        .map((name) => metricTitle(name, plan.metricSubjects))
        .join("; "),
    ),
    ...optional("awaited", awaited.join(", ")),
    ["started", `${formatTime(run.createdAt)}${run.startedBy === "" ? "" : ` by ${run.startedBy}`}`],
    ...optional("finished", run.finishedAt === "" ? "" : formatTime(run.finishedAt)),
    ["spec hash", run.specHash],
    ...optional("model", run.modelId),
    ...optional("model hash", run.modelHash),
    ["protection", protectionText(plan)],
    ...optional("coordinator saw", coordinatorSaw(plan.protection !== undefined, rounds)),
  ]);
  const signs = new Map(rounds.map((round) => [round, roundSigns(round)]));
  const metricColumns = (
    [
      ["training", "TRAIN"],
      ["heldOut", "HELD-OUT"],
    ] as const
  ).flatMap(([where, title]) =>
    [...new Set([...signs.values()].flatMap((figures) => Object.keys(figures[where] ?? {})))].map((name) => ({
      title: `${title} ${name.toUpperCase()}`,
      align: "right" as const,
      cell: (round: Round) => formatMetric(name, signs.get(round)?.[where]?.[name]),
    })),
  );
  const isClipped = [...signs.values()].some(({ saturated }) => saturated > 0);
  const table = formatTable(
    [
      { title: "ROUND", align: "right", cell: ({ round }: Round) => String(round) },
      { title: "ATTEMPT", align: "right", cell: ({ attempt }) => String(attempt) },
      { title: "STATE", cell: ({ state }) => state },
      { title: "OK", align: "right", cell: ({ participations }) => String(fits(participations).filter(({ state }) => state === "accepted").length) },
      { title: "NOT OK", align: "right", cell: ({ participations }) => String(fits(participations).filter(isTrouble).length) },
      ...metricColumns,
      ...(isClipped ? [{ title: "CLIPPED", align: "right" as const, cell: (round: Round) => String(signs.get(round)?.saturated ?? 0) }] : []),
      { title: "UP", align: "right", cell: ({ bytesUp }) => formatBytes(bytesUp) },
      { title: "DOWN", align: "right", cell: ({ bytesDown }) => formatBytes(bytesDown) },
      { title: "TIME", align: "right", cell: ({ state, seconds }) => (state === "committed" ? formatSeconds(seconds) : "-") },
    ],
    rounds,
    "No round has been opened yet.",
  );
  const trouble = rounds.flatMap(({ round, participations }) =>
    participations
      .filter(isTrouble)
      .map(({ party, kind, state, reason }) => colours.yellow(`round ${round}: ${party} ${kind} ${state}${reason === "" ? "" : `: ${reason}`}`)),
  );
  const hints = reasonHints(rounds).map(([code, hint]) => `${code}: ${hint}`);
  // The last round that shows it: what happened before may have been mended by a schedule.
  const diverging = [...signs].findLast(([, figures]) => explainTrouble(figures) !== undefined);
  const explained = diverging === undefined ? "" : colours.yellow(`round ${diverging[0].round}: ${explainTrouble(diverging[1])}`);
  return [fields, table, formatSums(rounds), trouble.join("\n"), hints.join("\n"), explained].filter((part) => part !== "").join("\n\n");
}

/** Node by round: what each did, how long it took, what it sent and received, and why it did not count. */
export function formatParties(rounds: readonly Round[], colours: Colours): string {
  const rows = rounds.flatMap(({ round, participations }) => participations.map((party) => ({ round, ...party })));
  return formatTable(
    [
      { title: "ROUND", align: "right", cell: ({ round }: (typeof rows)[number]) => String(round) },
      { title: "ATTEMPT", align: "right", cell: ({ attempt }) => String(attempt) },
      { title: "NODE", cell: ({ party }) => party },
      { title: "TASK", cell: ({ kind }) => kind },
      { title: "STATE", cell: (row) => (isTrouble(row) ? colours.yellow(row.state) : row.state) },
      { title: "TIME", align: "right", cell: ({ durationMs }) => (durationMs === 0 ? "-" : formatSeconds(durationMs / 1000)) },
      { title: "UP", align: "right", cell: ({ bytesUp }) => formatBytes(bytesUp) },
      { title: "DOWN", align: "right", cell: ({ bytesDown }) => formatBytes(bytesDown) },
      { title: "ERROR", cell: ({ reason }) => reason.replace(/:.*$/s, "") },
    ],
    rows,
    "No party has been asked yet.",
  );
}

/** What to do about each code that answers were refused with, once each. TASK_CLOSED is what becomes of the late, and says nothing more. */
function reasonHints(rounds: readonly Round[]): readonly (readonly [ErrorCode, string])[] {
  const codes = rounds.flatMap(({ participations }) => participations.filter(isTrouble).map(({ reason }) => reason.split(":", 1)[0] ?? ""));
  return [...new Set(codes)]
    .filter((code) => code !== "TASK_CLOSED")
    .flatMap((code) => (isErrorCode(code) ? [[code, ERROR_CATALOGUE[code].hint] as const] : []));
}

function roundSigns({ metricsJson }: Round) {
  const metrics = parseJson(metricsJson) as { readonly saturated?: unknown } | null;
  return { ...roundMetrics(metrics), saturated: typeof metrics?.saturated === "number" ? metrics.saturated : 0 };
}

/** Whom the last round still waits for: `clinic-b fit (at work)`. */
function awaitedParties(rounds: readonly Round[]): readonly string[] {
  const current = rounds.at(-1);
  if (current === undefined || current.state === "committed" || current.state === "abandoned") return [];
  return current.participations
    .filter(({ state }) => state === "waiting" || state === "delivered")
    .map(({ party, kind, state }) => `${party} ${kind} (${state === "delivered" ? "at work" : "not fetched yet"})`);
}

function parseJson(text: string): unknown {
  return text === "" ? null : JSON.parse(text);
}

/** Those a round could not do without: training, or before the first round counting rows. */
function fits(participations: readonly Participation[]): readonly Participation[] {
  return participations.filter(({ kind }) => kind !== "evaluate");
}

function isTrouble({ state }: Participation): boolean {
  return state === "rejected" || state === "failed" || state === "expired";
}
