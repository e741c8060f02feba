import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { connect, type Nexus, type RoundSummary } from "@ciphernx/ai/client";
import { type PartyDataset, splitDataset } from "@ciphernx/ai/data";
import { loadSource, type PartyFolder, writeSplit } from "@ciphernx/ai/data/node";
import { joinNode } from "@ciphernx/ai/federation/node";
import { type Baselines, baselines } from "@ciphernx/ai/simulation";
import { parseRunSpec, refusedError, type RunPlan, type RunSpec } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";
import type { Context } from "../context.ts";
import { formatBytes, formatSeconds, formatShare, formatTable } from "../output/index.ts";
import { formatEvent } from "../views/events.ts";
import { envelopeData, type NexusProcess, startNexus } from "./nexus-process.ts";
import { openStage } from "./stage.ts";

const SPEC_FILE = new URL("../../../../examples/mnist/run.yaml", import.meta.url);
const DEFAULT_OUTPUT = "demo-output";
/** McMahan's hard split needs more rounds for the same accuracy. */
const SHARDS_ROUNDS = 30;
const READY_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 50;

export interface DemoOptions {
  readonly split: "dirichlet" | "shards";
  readonly rounds: number | undefined;
  readonly output: string | undefined;
}

type Edges = Pick<Context, "output" | "signal">;

/** Everything of the product once: coordinator, nodes, datasets by reference, a run, its model, and what it was worth. */
export async function showDemo(options: DemoOptions, edges: Edges): Promise<void> {
  const { output, signal } = edges;
  const { bold, dim } = output.colours;
  const startedAt = performance.now();
  const spec = await demoSpec(options);
  const say = (line: string): void => output.event(undefined, line);
  // Programs get one envelope; a line of a stream is for `--jsonl` and people.
  const step = (line: string): void =>
    output.mode === "people" ? say(`${line}  ${dim(formatSeconds((performance.now() - startedAt) / 1000))}`) : output.note(line);

  await using stage = await openStage();
  await using processes = new AsyncDisposableStack();
  const home = join(stage.folder, "coordinator");
  await mkdir(home);

  const coordinator = processes.use(
    startNexus(["up", "--json", "--port", "0", "--home", home, "--exit-with-parent"], join(stage.folder, "coordinator.log")),
  );
  const [{ url }, parts] = await Promise.all([coordinator.firstLine().then((line) => envelopeData<{ url: string }>(line)), split(spec, signal)]);
  signal.throwIfAborted();
  step(`coordinator on ${url}, with PostgreSQL and blobs of its own`);
  const folders = await writeSplit(join(stage.folder, "parties"), spec.data.dataset, parts);
  step(
    `${total(folders, "trainExamples")} training and ${total(folders, "testExamples")} held-out images divided among ${folders.length} folders (${describeSplit(spec)})`,
  );

  const token = (await readFile(join(home, "owner.token"), "utf8")).trim();
  await using nexus = connect({ url, token });
  const nodes = await startNodes(nexus, url, folders, processes);
  const watched = Promise.race([coordinator.ended, ...nodes.map(({ ended }) => ended)]);
  await Promise.race([ready(nexus, folders.length, signal), watched]);
  step(`${nodes.length} node processes joined, each with its own key, folder and rows; datasets registered by reference`);

  const plan = await planOf(nexus, spec);
  const run = await nexus.runs.start(spec);
  step(`run ${run.id} started`);
  const rounds: RoundSummary[] = [];
  await Promise.race([
    watched,
    (async () => {
      for await (const event of run.events({ signal })) {
        if (event.type === "round-committed") rounds.push(event.payload);
        if (event.type !== "round-opened" && event.type !== "run-started") output.event(event, formatEvent(event, output.colours));
      }
    })(),
  ]);
  const result = await run.result({ signal });
  const model = await result.file();
  await Promise.all(nodes.map((node) => node.stop()));

  step("for comparison, on this machine: each party alone, and one model on everybody's rows");
  const compared = await baselines({ spec, plan, parties: parts });
  const folder = resolve(options.output ?? DEFAULT_OUTPUT);
  await mkdir(folder, { recursive: true });
  const files = { model: join(folder, `${spec.name}.safetensors`), card: join(folder, `${spec.name}.card.json`) };
  await writeFile(files.model, model);
  await writeFile(files.card, `${JSON.stringify(result.card, null, 2)}\n`);

  const federated = rounds.at(-1)?.evaluated?.["accuracy"] ?? Number.NaN;
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const { localOnly, pooled } = compared;
  const text = [
    "",
    bold(`accuracy on the ${total(folders, "testExamples")} held-out images`),
    comparison(compared, federated),
    "",
    `model   ${relative(process.cwd(), files.model)} (${formatBytes(model.length)})`,
    `sha256  ${result.modelHash}`,
    `card    ${relative(process.cwd(), files.card)}`,
    `time    ${formatSeconds(seconds)}`,
    "",
    bold("the same by hand"),
    ...byHand(options),
  ].join("\n");
  const data = {
    ...{ localOnly: { mean: localOnly.mean, best: localOnly.best, parties: localOnly.parties }, federated, pooled },
    ...{
      modelHash: result.modelHash,
      rounds: rounds.length,
      seconds,
      run: run.id,
      split: options.split,
      modelFile: files.model,
      cardFile: files.card,
      history: rounds,
    },
  };
  output.result({ data, text, ids: [result.modelHash] });
}

async function demoSpec({ split, rounds }: DemoOptions): Promise<RunSpec> {
  let text: string;
  try {
    text = await readFile(SPEC_FILE, "utf8");
  } catch (cause) {
    throw new NexusError("SPEC_UNREADABLE", "The demo needs examples/mnist/run.yaml, which is not here.", {
      hint: "Run it from a clone of the project.",
      cause,
    });
  }
  const spec = parseRunSpec(text, "examples/mnist/run.yaml");
  const { simulation } = spec;
  if (simulation === undefined)
    throw new NexusError("SPEC_INVALID", "examples/mnist/run.yaml has no simulation section, which says how to divide the rows.");
  if (split === "dirichlet") return { ...spec, rounds: rounds ?? spec.rounds };
  return parseRunSpec({ ...spec, rounds: rounds ?? SHARDS_ROUNDS, simulation: { ...simulation, partition: { kind: "shards" } } });
}

async function split(spec: RunSpec, signal: AbortSignal): Promise<readonly PartyDataset[]> {
  const { source, parties, partition } = spec.simulation!;
  return splitDataset(await loadSource(source, { signal }), { parties, partition, seed: spec.seed, shared: true });
}

function describeSplit(spec: RunSpec): string {
  const { partition } = spec.simulation!;
  return partition.kind === "dirichlet" ? `Dirichlet(${partition.alpha})` : partition.kind;
}

function total(folders: readonly PartyFolder[], key: "trainExamples" | "testExamples"): string {
  return folders.reduce((sum, folder) => sum + folder[key], 0).toLocaleString("en");
}

async function startNodes(
  nexus: Nexus,
  url: string,
  folders: readonly PartyFolder[],
  processes: AsyncDisposableStack,
): Promise<readonly NexusProcess[]> {
  const nodes: NexusProcess[] = [];
  for (const { party, folder } of folders) {
    const { token } = await nexus.nodes.createJoinToken({ approved: true });
    await joinNode({ url, token, name: party, folder });
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

function comparison({ localOnly, pooled }: Baselines, federated: number): string {
  return formatTable(
    [
      { title: "local only: mean", align: "right", cell: () => formatShare(localOnly.mean) },
      { title: "best party", align: "right", cell: () => formatShare(localOnly.best) },
      { title: "│", cell: () => "│" },
      { title: "federated", align: "right", cell: () => formatShare(federated) },
      { title: "│", cell: () => "│" },
      { title: "pooled (upper bound)", align: "right", cell: () => formatShare(pooled) },
    ],
    [undefined],
    "",
  );
}

function byHand({ split: kind, rounds }: DemoOptions): readonly string[] {
  const spec = "examples/mnist/run.yaml";
  const wanted = rounds ?? (kind === "shards" ? SHARDS_ROUNDS : undefined);
  const changes = [...(kind === "shards" ? ["`partition: { kind: shards }`"] : []), ...(wanted === undefined ? [] : [`\`rounds: ${wanted}\``])];
  return [
    "npx nexus up --detach",
    `npx nexus dataset split ${spec} --output parties`,
    "# for each party of party-01 … party-10:",
    'npx nexus node join http://127.0.0.1:7700 --name party-01 --folder parties/party-01 --token "$(npx nexus node token --approved --quiet)"',
    "npx nexus node run --folder parties/party-01 &",
    `npx nexus run start ${spec}`,
    "npx nexus run pull RUN --output mnist.safetensors",
    "npx nexus down",
    ...(changes.length === 0 ? [] : [`# with ${changes.join(" and ")} in the spec`]),
    `# or all of it on one machine, without sockets, with the same model hash: npx nexus sim ${spec}`,
  ].map((line) => `  ${line}`);
}
