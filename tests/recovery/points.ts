import type { Gate } from "./coordinator-process.ts";

/** A point of a round at which a process is killed. */
export interface Point {
  readonly name: string;
  /** The gate there, in a given round of a run. */
  gate(runId: string, round: number): Omit<Gate, "name">;
}

/** The row of a round is about to change. */
function roundBecomes(state: string, name: string): Point {
  return {
    name,
    gate: (runId, round) => ({
      table: "rounds",
      on: state === "open" ? "insert" : "update",
      when: `new.run_id = '${runId}' and new.round = ${round} and new.state = '${state}'`,
    }),
  };
}

/** The answer of the second party is about to be acknowledged: its file is in place, its row is not. */
function answerAccepted(kind: "statistics" | "fit" | "evaluate", name: string): Point {
  return {
    name,
    gate: (runId, round) => ({
      table: "tasks",
      on: "update",
      when: `new.run_id = '${runId}' and new.round = ${round} and new.kind = '${kind}' and new.party = 'clinic-b' and new.state = 'accepted'`,
    }),
  };
}

/** A step has done its work and is about to be recorded as done. */
function stepRecorded(step: string, name: string): Point {
  return {
    name,
    gate: (runId, round) => ({
      table: "dbos.operation_outputs",
      on: "insert",
      when: `(new.workflow_uuid = '${runId}/${round}' or new.workflow_uuid like '${runId}/${round}~%') and new.function_name = '${step}'`,
    }),
  };
}

export const POINTS = {
  opening: roundBecomes("open", "before the round is open"),
  opened: stepRecorded("invite 1", "after the round was opened"),
  answering: answerAccepted("fit", "while updates arrive"),
  closing: roundBecomes("closed", "before the accepted set is closed"),
  closed: stepRecorded("collect 1", "after the accepted set was closed"),
  aggregating: roundBecomes("stepped", "between the file of the model and its row"),
  aggregated: stepRecorded("aggregate", "after the aggregation"),
  judging: answerAccepted("evaluate", "while evaluations arrive"),
  judged: stepRecorded("total", "after the evaluations were added"),
  committing: roundBecomes("committed", "right before the commit"),
  committed: stepRecorded("commit", "right after the commit"),
  collecting: { name: "while blobs are collected", gate: (runId, round) => collection(runId, round) },
  next: { name: "before the next round has a workflow", gate: (runId, round) => nextWorkflow(runId, round) },
  linked: stepRecorded("round", "before the workflow knows that it started the next"),
} as const satisfies Readonly<Record<string, Point>>;

/** What a run that prepares its rows has besides, in round 0. */
export const STATISTICS_POINTS = {
  counting: answerAccepted("statistics", "while counts of rows arrive"),
  prepared: stepRecorded("prepare", "after the preprocessing was kept"),
} as const satisfies Readonly<Record<string, Point>>;

/** A step of a protected sum is about to end: all have handed in, and nobody has been told. */
function sumStepEnds(step: string, name: string, kind = "fit"): Point {
  return {
    name,
    gate: (runId, round) => ({
      table: "sum_steps",
      on: "insert",
      // The last round alone is judged by itself: the one after all points.
      when: `new.run_id = '${runId}' and new.round = ${kind === "evaluate" ? round + 1 : round} and new.kind = '${kind}' and new.step = '${step}'`,
    }),
  };
}

/** What parties hand in for a step of a protected sum is about to be kept. */
function handingIn(step: string, name: string): Point {
  return {
    name,
    gate: (runId, round) => ({ table: "sum_contributions", on: "insert", when: `new.step = '${step}' and gate.at('${runId}', ${round - 1})` }),
  };
}

/** What one party hands in for a step of a protected sum is about to be kept: its call is under way. */
function handsIn(party: string, step: string, name: string): Point {
  return {
    name,
    gate: (runId, round) => ({
      table: "sum_contributions",
      on: "insert",
      when: `gate.is_of('${party}', new.task_id) and new.step = '${step}' and gate.at('${runId}', ${round - 1})`,
    }),
  };
}

/** What a protected run has besides. */
export const SUM_POINTS = {
  advertising: handingIn("keys", "while keys arrive"),
  advertised: sumStepEnds("keys", "before the cohort is closed"),
  dealing: handingIn("shares", "while shares arrive"),
  dealt: sumStepEnds("shares", "before the dealers are closed"),
  masked: sumStepEnds("vector", "before the survivors are closed"),
  agreeing: handingIn("survivors", "while signatures arrive"),
  agreed: sumStepEnds("survivors", "before the signatures are closed"),
  unmasking: handingIn("unmask", "while shares are given away"),
  unmasked: sumStepEnds("unmask", "before the answers are closed"),
} as const satisfies Readonly<Record<string, Point>>;

/** What a party is in the middle of, in a protected round. */
export const sumPointsOf = (party: string): readonly Point[] => [
  handsIn(party, "keys", "while its keys are on their way"),
  SUM_POINTS.advertised,
  handsIn(party, "shares", "while the shares that it deals are on their way"),
  SUM_POINTS.dealt,
  SUM_POINTS.masked,
  handsIn(party, "survivors", "while its signature is on its way"),
  SUM_POINTS.agreed,
  handsIn(party, "unmask", "while the shares that it gives away are on their way"),
  SUM_POINTS.unmasked,
];

/** Comes last: in the round after that of the point before it. */
export const LAST_SUM_POINT = sumStepEnds("unmask", "before the answers of the evaluation are closed", "evaluate");

/** Files are gone, their rows are about to go. */
function collection(runId: string, round: number): Omit<Gate, "name"> {
  return { table: "blobs", on: "delete", when: `old.kind = 'update' and gate.at('${runId}', ${round})` };
}

function nextWorkflow(runId: string, round: number): Omit<Gate, "name"> {
  return { table: "dbos.workflow_status", on: "insert", when: `new.workflow_uuid = '${runId}/${round + 1}'` };
}
