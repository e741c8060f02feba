import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { PartyFolder } from "@ciphernx/ai/data/node";
import { type Baselines, baselines } from "@ciphernx/ai/simulation";
import { parseRunSpec, type RunSpec } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";
import type { Context } from "../context.ts";
import { formatBytes, formatSeconds, formatShare, formatTable } from "../output/index.ts";
import { splitParties } from "../simulated-parties.ts";
import { rosterData } from "../views/organisations.ts";
import { createSteps, federate } from "./federation.ts";
import { protectedBy, type ProtectionKind } from "./protected-by.ts";

const SPEC_FILE = new URL("../../../../examples/mnist/run.yaml", import.meta.url);
const DEFAULT_OUTPUT = "demo-output";
/** McMahan's hard split needs more rounds for the same accuracy. */
const SHARDS_ROUNDS = 30;

export interface MnistDemoOptions {
  readonly split: "dirichlet" | "shards";
  readonly protection: ProtectionKind;
  readonly rounds: number | undefined;
  readonly output: string | undefined;
}

type Edges = Pick<Context, "output" | "signal">;

/** Everything of the product once: coordinator, nodes, datasets by reference, a run, its model, and what it was worth. */
export async function showMnist(options: MnistDemoOptions, edges: Edges): Promise<void> {
  const { output, signal } = edges;
  const { bold } = output.colours;
  const startedAt = performance.now();
  const spec = await demoSpec(options);
  const step = createSteps(output, startedAt);

  const reading = splitParties(spec, { folder: process.cwd(), signal, shared: true });
  const { run, plan, rounds, result, model, folders, roster } = await federate({
    ...{ spec, step, output, signal },
    parts: reading,
    describe: (folders) =>
      `${total(folders, "trainExamples")} training and ${total(folders, "testExamples")} held-out images divided among ${folders.length} folders (${describeSplit(spec)})`,
  });
  const parts = await reading;

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
      run,
      split: options.split,
      roster: rosterData(roster),
      modelFile: files.model,
      cardFile: files.card,
      history: rounds,
    },
  };
  output.result({ data, text, ids: [result.modelHash] });
}

async function demoSpec({ split, protection, rounds }: MnistDemoOptions): Promise<RunSpec> {
  let text: string;
  try {
    text = await readFile(SPEC_FILE, "utf8");
  } catch (cause) {
    throw new NexusError("SPEC_UNREADABLE", "The demo needs examples/mnist/run.yaml, which is not here.", {
      hint: "Run it from a clone of the project.",
      cause,
    });
  }
  const spec = protectedBy(protection, parseRunSpec(text, "examples/mnist/run.yaml"));
  const { simulation } = spec;
  if (simulation === undefined)
    throw new NexusError("SPEC_INVALID", "examples/mnist/run.yaml has no simulation section, which says how to divide the rows.");
  if (split === "dirichlet") return { ...spec, rounds: rounds ?? spec.rounds };
  return parseRunSpec({ ...spec, rounds: rounds ?? SHARDS_ROUNDS, simulation: { ...simulation, partition: { kind: "shards" } } });
}

function describeSplit(spec: RunSpec): string {
  const { partition } = spec.simulation!;
  return partition.kind === "dirichlet" ? `Dirichlet(${partition.alpha})` : partition.kind;
}

function total(folders: readonly PartyFolder[], key: "trainExamples" | "testExamples"): string {
  return folders.reduce((sum, folder) => sum + folder[key], 0).toLocaleString("en");
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

function byHand({ split: kind, protection, rounds }: MnistDemoOptions): readonly string[] {
  const spec = "examples/mnist/run.yaml";
  const wanted = rounds ?? (kind === "shards" ? SHARDS_ROUNDS : undefined);
  const changes = [
    ...(kind === "shards" ? ["`partition: { kind: shards }`"] : []),
    ...(wanted === undefined ? [] : [`\`rounds: ${wanted}\``]),
    ...(protection === "none" ? ["`protection: { kind: none }`"] : []),
  ];
  return [
    "npx nexus up --detach",
    `npx nexus dataset split ${spec} --output parties`,
    "export NEXUS_ORG_PASSPHRASE_FILE=passphrase # of the organisations' keys; where it is not there, each is asked for",
    "npx nexus org init party-01 --folder organisations/party-01",
    "# for each other party, party-02 … party-10:",
    'npx nexus org join http://127.0.0.1:7700 --invitation "$(npx nexus org invite party-02 --org organisations/party-01 --quiet)" --folder organisations/party-02',
    "# for each party of party-01 … party-10:",
    'npx nexus node join http://127.0.0.1:7700 --name party-01 --folder parties/party-01 --token "$(npx nexus node token --quiet)" --org organisations/party-01',
    "npx nexus node run --folder parties/party-01 &",
    `npx nexus run start ${spec} --org organisations/party-01`,
    "npx nexus run pull RUN --output mnist.safetensors",
    "kill $(jobs -p)",
    "npx nexus down",
    ...(changes.length === 0 ? [] : [`# with ${changes.join(" and ")} in the spec`]),
    `# or all of it on one machine, without sockets, with the same model hash: npx nexus sim ${spec}`,
  ].map((line) => `  ${line}`);
}
