import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { addToHistory, connect, type Nexus, type RoundSummary, type RunResult } from "@ciphernx/ai/client";
import type { PartyDataset } from "@ciphernx/ai/data";
import { type PartyFolder, writeSplit } from "@ciphernx/ai/data/node";
import { joinNode } from "@ciphernx/ai/federation/node";
import { runSigner, signForNode } from "@ciphernx/ai/federation/organisation";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { refusedError, type RunPlan, type RunSpec } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";
import type { Roster } from "@ciphernx/core/roster";
import type { Context } from "../context.ts";
import { formatSeconds } from "../output/index.ts";
import { formatEvent } from "../views/events.ts";
import { envelopeData, type NexusProcess, startNexus } from "./nexus-process.ts";
import { type DemoOrganisation, makeOrganisations } from "./organisations.ts";
import { openStage } from "./stage.ts";

const READY_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** What a run between processes of their own came to. */
export interface FederatedRun {
  readonly run: string;
  readonly plan: RunPlan;
  readonly rounds: readonly RoundSummary[];
  readonly result: RunResult;
  /** The model's safetensors file. */
  readonly model: Uint8Array<ArrayBuffer>;
  readonly folders: readonly PartyFolder[];
  /** Who the parties were, as they signed it. */
  readonly roster: Roster;
}

export interface FederateOptions extends Pick<Context, "output" | "signal"> {
  readonly spec: RunSpec;
  /** Each party's rows; they are read while the coordinator starts. */
  readonly parts: Promise<readonly PartyDataset[]>;
  /** Told what has been done. */
  step(line: string): void;
  /** What the division of the rows is, in a line. */
  describe(folders: readonly PartyFolder[]): string;
}

/** Says what has been done, and when. Programs get one envelope; a line of a stream is for `--jsonl` and people. */
export function createSteps(output: Context["output"], startedAt: number): (line: string) => void {
  const { dim } = output.colours;
  return (line) =>
    output.mode === "people" ? output.event(undefined, `${line}  ${dim(formatSeconds((performance.now() - startedAt) / 1000))}`) : output.note(line);
}

/**
 * A coordinator and a node for each party, as processes of their own, each party an organisation on a roster that they signed, and one run
 * from start to end. Stops everything it started.
 */
export async function federate({ spec, parts: reading, step, describe, output, signal }: FederateOptions): Promise<FederatedRun> {
  reading.catch(() => {}); // it is awaited below, after the folder has been made
  await using stage = await openStage();
  await using processes = new AsyncDisposableStack();
  const home = join(stage.folder, "coordinator");
  await mkdir(home);
  const coordinator = processes.use(
    startNexus(["up", "--json", "--port", "0", "--home", home, "--exit-with-parent"], join(stage.folder, "coordinator.log")),
  );
  const [{ url }, parts] = await Promise.all([coordinator.firstLine().then((line) => envelopeData<{ url: string }>(line)), reading]);
  signal.throwIfAborted();
  step(`coordinator on ${url}, with PostgreSQL and blobs of its own`);
  const folders = await writeSplit(join(stage.folder, "parties"), spec.data.dataset, parts);
  step(describe(folders));

  const token = (await readFile(join(home, "owner.token"), "utf8")).trim();
  await using nexus = connect({ url, token });
  await using transport = connectTransport({ baseUrl: url });
  const organisations = await makeOrganisations(nexus, { transport, folder: join(stage.folder, "organisations"), url }, folders);
  step(
    `${organisations.length} organisations signed a roster, each with its key in its own folder; ${organisations[0]!.organisation.name} invited the others`,
  );
  const nodes = await startNodes(nexus, url, folders, { organisations, processes, signal });
  const watched = Promise.race([coordinator.ended, ...nodes.map(({ ended }) => ended)]);
  await Promise.race([ready(nexus, folders.length, signal), watched]);
  step(`${nodes.length} node processes joined, each with its own key, folder and rows, each signed for by its organisation`);

  const plan = await planOf(nexus, spec);
  const { access, organisation } = organisations[0]!;
  const roster = await access.read();
  const run = await nexus.runs.start(spec, { signer: runSigner(access, organisation) });
  step(`run ${run.id} started, its spec and plan signed by ${organisation.name}`);
  const rounds: RoundSummary[] = [];
  await Promise.race([
    watched,
    (async () => {
      for await (const event of run.events({ signal })) {
        addToHistory(rounds, event);
        if (event.type !== "round-opened" && event.type !== "run-started") output.event(event, formatEvent(event, output.colours));
      }
    })(),
  ]);
  const result = await run.result({ signal });
  const model = await result.file();
  await Promise.all(nodes.map((node) => node.stop()));
  return { run: run.id, plan, rounds, result, model, folders, roster };
}

async function startNodes(
  nexus: Nexus,
  url: string,
  folders: readonly PartyFolder[],
  {
    organisations,
    processes,
    signal,
  }: { readonly organisations: readonly DemoOrganisation[]; readonly processes: AsyncDisposableStack; readonly signal: AbortSignal },
): Promise<readonly NexusProcess[]> {
  const nodes: NexusProcess[] = [];
  for (const [index, { party, folder }] of folders.entries()) {
    signal.throwIfAborted();
    const { token } = await nexus.nodes.createJoinToken();
    await joinNode({ url, token, name: party, folder });
    const { access, organisation } = organisations[index]!;
    await signForNode(access, organisation, folder);
    nodes.push(processes.use(startNexus(["node", "run", "--folder", folder, "--exit-with-parent"], join(folder, "node.log"))));
  }
  return nodes;
}

/** Waits until every node is online and has registered its rows. */
async function ready(nexus: Nexus, nodes: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const registered = await nexus.datasets.list();
    if (registered.length >= nodes) return;
    if (performance.now() > deadline)
      throw new NexusError("TIMEOUT", `Only ${registered.length} of ${nodes} nodes registered their data within ${READY_TIMEOUT_MS / 1000} seconds.`);
    await sleep(LOOK_EVERY_MS, { signal });
  }
}

async function planOf(nexus: Nexus, spec: RunSpec): Promise<RunPlan> {
  const answer = await nexus.runs.plan(spec);
  if (!answer.ok) throw refusedError(answer.refusals);
  return answer.plan;
}
