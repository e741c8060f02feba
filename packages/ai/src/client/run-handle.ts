import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";
import type { ControlService, Round, Run } from "@ciphernx/protocol/proto";
import type { Transport } from "@ciphernx/protocol/wire";
import type { Client } from "@connectrpc/connect";
import type { RunEvent } from "../federation/events.ts";
import { decodeParameters, type ParameterSet } from "../tensor/index.ts";

/** How long one long poll for events waits at the coordinator. */
const POLL_WAIT_MS = 30_000;
const PAGE = 500;
const LONGEST_PAUSE_MS = 2_000;

export interface EventsOptions {
  /** Only events with a greater number; 0 for all. Default 0. */
  readonly after?: number;
  /** Wait for what is still to come; false ends with the last event there is. Default true. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** What a run gave. */
export interface RunResult {
  readonly runId: string;
  readonly modelId: string;
  /** SHA-256 of the canonical safetensors file. */
  readonly modelHash: string;
  /** The model card. */
  readonly card: unknown;
  /** The model's parameters, verified against the hash. */
  parameters(): Promise<ParameterSet>;
  /** The safetensors file, verified against the hash. */
  file(): Promise<Uint8Array<ArrayBuffer>>;
}

/** One run, started by whomever. */
export interface RunHandle {
  readonly id: string;
  /**
   * What happens in the run, from event `after` + 1 on, until the run has finished. Survives a restart of the coordinator: nothing
   * is lost and nothing comes twice.
   */
  events(options?: EventsOptions): AsyncIterable<RunEvent>;
  /**
   * Waits for the run's end.
   * @throws NexusError RUN_FAILED when it failed or was stopped, with the reason
   */
  result(options?: { readonly signal?: AbortSignal }): Promise<RunResult>;
  /** State, rounds and each party's part in them. */
  show(): Promise<{ readonly run: Run; readonly rounds: readonly Round[] }>;
  stop(): Promise<Run>;
  resume(): Promise<Run>;
}

export function runHandle(id: string, client: Client<typeof ControlService>, transport: Transport): RunHandle {
  const show: RunHandle["show"] = async () => {
    const { run, rounds } = await client.getRun({ runId: id });
    return { run: present(run, id), rounds };
  };

  async function* events({ after = 0, follow = true, signal }: EventsOptions = {}): AsyncIterable<RunEvent> {
    let last = after;
    let pauseMs = 50;
    for (;;) {
      let page;
      try {
        const options = { timeoutMs: POLL_WAIT_MS + 15_000, ...(signal === undefined ? {} : { signal }) };
        page = await client.listEvents({ runId: id, after: BigInt(last), limit: PAGE, waitMs: follow ? POLL_WAIT_MS : 0 }, options);
        pauseMs = 50;
      } catch (error) {
        // A coordinator that restarts is waited for; anything else is the caller's.
        if (!(error instanceof NexusError) || !error.retryable || signal?.aborted === true) throw error;
        await sleep(pauseMs, { signal });
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
        continue;
      }
      if (page.events.length === 0 && (!follow || (await isOver(client, id, last)))) return;
      for (const { number, at, type, payloadJson } of page.events) {
        last = Number(number);
        const event = { number: last, at, type, payload: JSON.parse(payloadJson) } as RunEvent;
        yield event;
        if (follow && event.type === "run-finished" && (await isOver(client, id, last))) return;
      }
    }
  }

  return {
    id,
    events,
    show,
    async result(options = {}) {
      for await (const event of events(options)) if (event.type === "run-finished" && event.payload.outcome === "completed") break;
      const { run } = await show();
      if (run.outcome !== "completed") throw new NexusError("RUN_FAILED", `The run ${id} ${run.outcome}${run.reason === "" ? "." : `: ${run.reason}`}`, { details: { run: id } });
      const { model } = await client.getModel({ model: id });
      if (model === undefined) throw new NexusError("MODEL_NOT_FOUND", `The run ${id} has no model.`);
      const file = () => transport.blobs.get(model.hash as Sha256, { expectedSizeBytes: Number(model.sizeBytes), ...options });
      return {
        runId: id,
        modelId: model.id,
        modelHash: model.hash,
        card: JSON.parse(model.cardJson) as unknown,
        file,
        parameters: async () => decodeParameters(await file()),
      };
    },
    stop: async () => present((await client.stopRun({ runId: id })).run, id),
    resume: async () => present((await client.resumeRun({ runId: id })).run, id),
  };
}

/** Whether a run has ended and told everything. It may have been resumed since it ended: then its events go on. */
async function isOver(client: Client<typeof ControlService>, id: string, last: number): Promise<boolean> {
  const { run } = await client.getRun({ runId: id });
  if (run?.state !== "finished") return false;
  const { events } = await client.listEvents({ runId: id, after: BigInt(last), limit: 1, waitMs: 0 });
  return events.length === 0;
}

export function present<T>(message: T | undefined, what: string): T {
  if (message === undefined) throw new NexusError("MESSAGE_INVALID", `The coordinator's answer about ${what} is empty.`);
  return message;
}
