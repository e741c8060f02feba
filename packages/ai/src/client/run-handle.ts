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
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** How long a coordinator that does not answer is waited for. */
const PATIENCE_MS = 60_000;

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
  const show = async (signal?: AbortSignal): ReturnType<RunHandle["show"]> => {
    const { run, rounds } = await patiently(() => client.getRun({ runId: id }, callOptions(signal)), signal);
    return { run: present(run, id), rounds };
  };
  const page = (after: number, limit: number, waitMs: number, signal: AbortSignal | undefined) =>
    patiently(
      () => client.listEvents({ runId: id, after: BigInt(after), limit, waitMs }, { ...callOptions(signal), timeoutMs: waitMs + 15_000 }),
      signal,
    );

  /** Whether the run has ended and told everything. It may have been resumed since it ended: then its events go on. */
  async function isOver(last: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { run } = await show(signal);
    return run.state === "finished" && (await page(last, 1, 0, signal)).events.length === 0;
  }

  async function* events({ after = 0, follow = true, signal }: EventsOptions = {}): AsyncIterable<RunEvent> {
    let last = after;
    for (;;) {
      const found = (await page(last, PAGE, follow ? POLL_WAIT_MS : 0, signal)).events;
      if (found.length === 0 && (!follow || (await isOver(last, signal)))) return;
      for (const { number, at, type, payloadJson } of found) {
        last = Number(number);
        const event = { number: last, at, type, payload: JSON.parse(payloadJson) } as RunEvent;
        yield event;
        if (follow && event.type === "run-finished" && (await isOver(last, signal))) return;
      }
    }
  }

  return {
    id,
    events,
    show: () => show(),
    async result(options = {}) {
      for await (const event of events(options)) if (event.type === "run-finished" && event.payload.outcome === "completed") break;
      const { run } = await show(options.signal);
      if (run.outcome !== "completed")
        throw new NexusError("RUN_FAILED", `The run ${id} ${run.outcome}${run.reason === "" ? "." : `: ${run.reason}`}`, { details: { run: id } });
      const { model } = await patiently(() => client.getModel({ model: id }, options), options.signal);
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

function callOptions(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Asks again while the coordinator is away, as it is while it restarts; gives up when it stays away. Only for calls that change nothing. */
async function patiently<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const endsAt = performance.now() + PATIENCE_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof NexusError) || !error.retryable || signal?.aborted === true || performance.now() > endsAt) throw error;
    }
    await sleep(pauseMs, { signal });
  }
}

export function present<T>(message: T | undefined, what: string): T {
  if (message === undefined) throw new NexusError("MESSAGE_INVALID", `The coordinator's answer about ${what} is empty.`);
  return message;
}
