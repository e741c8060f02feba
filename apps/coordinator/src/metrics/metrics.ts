/**
 * What a Prometheus server scrapes: `GET /metrics`, in its text format, names with units after its rules. Nothing in it tells of rows or
 * parties: labels are words of fixed lists (methods, states, codes of errors), never names or ids.
 *
 * @module
 */
import { METRICS_PERMISSIONS } from "@ciphernx/protocol/permissions";
import { bearerToken } from "@ciphernx/protocol/wire";
import type { CallObservation, Site, SiteRequest } from "@ciphernx/protocol/wire/server";
import { nodes, retrying, rounds, runs, type Store, tasks } from "@ciphernx/core/store";
import { and, eq, gt, sql } from "@ciphernx/core/store/sql";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Access } from "../access.ts";
import type { Sessions } from "../sessions.ts";

const PATH = "/metrics";
/** From a round of a tiny model on one machine to one of a large one across the world. */
const ROUND_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];
const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface MetricsOptions {
  readonly store: Store;
  readonly projectId: string;
  readonly access: Access;
  readonly sessions: Sessions;
  readonly version: string;
}

/** The coordinator's metrics. */
export interface Metrics {
  /** Told of every call that was answered. */
  observe(call: CallObservation): void;
  /** Serves them to who may read them. */
  readonly site: Site;
}

export function createMetrics({ store, projectId, access, sessions, version }: MetricsOptions): Metrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  new Gauge({ name: "ciphernx_build_info", help: "Always 1; the version is in its label.", labelNames: ["version"], registers }).set({ version }, 1);
  const calls = new Histogram({
    name: "ciphernx_rpc_duration_seconds",
    help: "How long calls took, long polls with their waiting; by method and code of the error, ok without one.",
    labelNames: ["method", "code"],
    buckets: CALL_SECONDS,
    registers,
  });
  const runStates = new Gauge({ name: "ciphernx_runs", help: "Runs by state; finished ones by their outcome.", labelNames: ["state"], registers });
  const nodeStates = new Gauge({ name: "ciphernx_nodes", help: "Nodes by status.", labelNames: ["status"], registers });
  const online = new Gauge({ name: "ciphernx_nodes_online", help: "Approved nodes that have shown a sign of life lately.", registers });
  const roundSeconds = new Histogram({
    name: "ciphernx_round_duration_seconds",
    help: "From the opening of a round to its commit, of rounds that were committed since the coordinator started.",
    buckets: ROUND_SECONDS,
    registers,
  });
  const answers = new Counter({
    name: "ciphernx_answers_total",
    help: "Answers of nodes to tasks since the coordinator started, by kind and state.",
    labelNames: ["kind", "state"],
    registers,
  });
  const bytes = new Counter({
    name: "ciphernx_answer_bytes_total",
    help: "Bytes of answered tasks since the coordinator started: models to the nodes (down), updates from them (up).",
    labelNames: ["direction"],
    registers,
  });
  let since = new Date();

  /** Brings what lies in the database up to date; two scrapes at once take turns, so that nothing is counted twice. */
  async function collect(): Promise<void> {
    const { db } = store;
    const until = new Date();
    const [byState, byStatus, known, committed, reported] = await Promise.all([
      db
        .select({ state: runs.state, outcome: runs.outcome, count: sql<number>`count(*)::int` })
        .from(runs)
        .where(eq(runs.projectId, projectId))
        .groupBy(runs.state, runs.outcome),
      db
        .select({ status: nodes.status, count: sql<number>`count(*)::int` })
        .from(nodes)
        .where(eq(nodes.projectId, projectId))
        .groupBy(nodes.status),
      db
        .select({ id: nodes.id })
        .from(nodes)
        .where(and(eq(nodes.projectId, projectId), eq(nodes.status, "approved"))),
      db
        .select({ seconds: sql<number>`extract(epoch from ${rounds.committedAt} - ${rounds.openedAt})::float8` })
        .from(rounds)
        .where(and(eq(rounds.state, "committed"), gt(rounds.committedAt, since), sql`${rounds.committedAt} <= ${until}`)),
      db
        .select({
          ...{ kind: tasks.kind, state: tasks.state, count: sql<number>`count(*)::int` },
          ...{ up: sql<number>`sum(${tasks.bytesUp})::float8`, down: sql<number>`sum(${tasks.bytesDown})::float8` },
        })
        .from(tasks)
        .where(and(gt(tasks.reportedAt, since), sql`${tasks.reportedAt} <= ${until}`))
        .groupBy(tasks.kind, tasks.state),
    ]);
    since = until;
    runStates.reset();
    for (const { state, outcome, count } of byState) runStates.set({ state: outcome ?? state }, count);
    nodeStates.reset();
    for (const { status, count } of byStatus) nodeStates.set({ status }, count);
    online.set(known.filter(({ id }) => sessions.presence(id).online).length);
    for (const { seconds } of committed) roundSeconds.observe(seconds);
    for (const { kind, state, count, up, down } of reported) {
      answers.inc({ kind, state }, count);
      bytes.inc({ direction: "up" }, up);
      bytes.inc({ direction: "down" }, down);
    }
  }
  let turn: Promise<unknown> = Promise.resolve();

  return {
    observe: ({ method, code, seconds }) => calls.observe({ method, code }, seconds),
    site: {
      serves: (path) => path === PATH,
      async serve({ headers, address }: SiteRequest) {
        const token = bearerToken(headers.authorization);
        (await access.admit({ call: `GET ${PATH}`, callers: METRICS_PERMISSIONS.read, token, address }))[Symbol.dispose]();
        const text = turn.then(async () => {
          await retrying(collect);
          return register.metrics();
        });
        turn = text.catch(() => {}); // whoever asked hears of it
        return new Response(await text, { headers: { "content-type": register.contentType, "cache-control": "no-store" } });
      },
    },
  };
}

/** Several sites behind one port: the first that serves a path answers. */
export function sites(...all: readonly Site[]): Site {
  const of = (path: string): Site | undefined => all.find((site) => site.serves(path));
  return {
    serves: (path) => of(path) !== undefined,
    serve: (request) => of(request.target.split("?", 1)[0]!)!.serve(request),
  };
}
