import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { protectedBy, type ProtectionKind } from "./protected-by.ts";
import { parseRunSpec, type RunSpec } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";
import type { Context } from "../context.ts";
import { formatBytes, formatSeconds } from "../output/index.ts";
import { splitParties } from "../simulated-parties.ts";
import { rosterData } from "../views/organisations.ts";
import { compareModels, type Draw, FIGURE_NAMES } from "./compare-models.ts";
import { describeDraws } from "./describe-draws.ts";
import { createSteps, federate } from "./federation.ts";
import { summariseDraws } from "./summarise-draws.ts";

const EXAMPLE = fileURLToPath(new URL("../../../../examples/heart-disease/", import.meta.url));
const FILE = "fed_heart.csv";
/** Where the data may lie when nobody says: where `nexus dataset fetch` puts it, and beside a clone. */
const PLACES: readonly string[] = [
  join("heart-disease", FILE),
  FILE,
  join(EXAMPLE, FILE),
  resolve(EXAMPLE, "../../../shared/datasets/heart-disease", FILE),
];
const DEFAULT_OUTPUT = "demo-output";

export interface HeartDiseaseDemoOptions {
  /** The file that `nexus dataset fetch heart-disease` writes. */
  readonly data: string | undefined;
  /** Draws of held-out rows that the comparison is made on. */
  readonly draws: number;
  readonly protection: ProtectionKind;
  readonly rounds: number | undefined;
  readonly output: string | undefined;
}

/** Four hospitals learn together, and whether it was worth it for each: a run between processes, then the same on several draws of held-out rows. */
export async function showHeartDisease(options: HeartDiseaseDemoOptions, { output, signal }: Pick<Context, "output" | "signal">): Promise<void> {
  const { bold } = output.colours;
  const startedAt = performance.now();
  const data = await findData(options.data);
  const example = await readExample(options.rounds);
  const spec = protectedBy(options.protection, example);
  const step = createSteps(output, startedAt);
  const deal = (seed: number) => splitParties(onDraw(spec, data, seed), { folder: EXAMPLE, signal, shared: true });

  const { run, rounds, result, model, roster } = await federate({
    ...{ spec, step, output, signal },
    parts: deal(0),
    describe: (folders) =>
      `${folders.map(({ party, trainExamples, testExamples }) => `${party} ${trainExamples} + ${testExamples}`).join(", ")} patients (to learn from + held out), each in its hospital's folder`,
  });

  step(`for comparison, on this machine: each hospital alone, and one model on everybody's rows, on ${options.draws} draws of held-out rows`);
  const draws: Draw[] = [];
  for (let seed = 0; seed < options.draws; seed += 1) {
    signal.throwIfAborted();
    draws.push(await compareModels({ ...example, seed: example.seed + seed }, await deal(seed), signal));
  }
  const sameHash = draws[0]!.modelHash === result.modelHash;
  const summary = summariseDraws(draws);

  const folder = resolve(options.output ?? DEFAULT_OUTPUT);
  await mkdir(folder, { recursive: true });
  const files = { model: join(folder, `${spec.name}.safetensors`), card: join(folder, `${spec.name}.card.json`) };
  await writeFile(files.model, model);
  await writeFile(files.card, `${JSON.stringify(result.card, null, 2)}\n`);
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const text = [
    "",
    ...describeDraws(summary, options.draws, bold),
    "",
    `model   ${relative(process.cwd(), files.model)} (${formatBytes(model.length)}), its preprocessing in the card`,
    `sha256  ${result.modelHash}${sameHash ? ", also of the simulated run" : ", NOT that of the simulated run"}`,
    `card    ${relative(process.cwd(), files.card)}`,
    `time    ${formatSeconds(seconds)}`,
    "",
    bold("the same by hand"),
    ...byHand(data),
  ].join("\n");
  const { union, own, parties } = summary;
  output.result({
    data: {
      ...{ union: union.auc, own: own.auc, hospitals: parties },
      figures: Object.fromEntries(FIGURE_NAMES.filter((name) => name !== "auc").map((name) => [name, { union: union[name], own: own[name] }])),
      ...{
        draws: options.draws,
        modelHash: result.modelHash,
        sameHash,
        rounds: rounds.length,
        seconds,
        run,
        roster: rosterData(roster),
        modelFile: files.model,
        cardFile: files.card,
      },
      history: rounds,
    },
    text,
    ids: [result.modelHash],
  });
}

/** The spec on another draw of held-out rows; draw 0 is the example's own. */
function onDraw(spec: RunSpec, data: string, seed: number): RunSpec {
  const { simulation } = spec;
  if (simulation === undefined || typeof simulation.source === "string" || simulation.holdOut === undefined) {
    throw new NexusError("SPEC_INVALID", "examples/heart-disease/run.yaml no longer says which rows to split and to hold out.");
  }
  const holdOut = { ...simulation.holdOut, seed: simulation.holdOut.seed + seed };
  return { ...spec, simulation: { ...simulation, source: { ...simulation.source, data }, holdOut } };
}

async function readExample(rounds: number | undefined): Promise<RunSpec> {
  let text: string;
  try {
    text = await readFile(join(EXAMPLE, "run.yaml"), "utf8");
  } catch (cause) {
    throw new NexusError("SPEC_UNREADABLE", "The demo needs examples/heart-disease/run.yaml, which is not here.", {
      hint: "Run it from a clone of the project.",
      cause,
    });
  }
  const spec = parseRunSpec(text, "examples/heart-disease/run.yaml");
  return rounds === undefined ? spec : { ...spec, rounds };
}

async function findData(named: string | undefined): Promise<string> {
  for (const place of named === undefined ? PLACES : [named]) {
    const found = await stat(place).then(
      (entry) => entry.isFile(),
      () => false,
    );
    if (found) return resolve(place);
  }
  const where = named === undefined ? `neither in ./${dirname(PLACES[0]!)} nor here` : `not at ${named}`;
  throw new NexusError("DATA_UNREADABLE", `The patients' records are ${where}; they are not part of the project.`, {
    hint: "`npx nexus dataset fetch heart-disease` gets them from UCI (CC BY 4.0, 40 kB). A file that is there already is named with --data.",
  });
}

function byHand(data: string): readonly string[] {
  const shown = relative(process.cwd(), data);
  return [
    `npx nexus dataset fetch heart-disease --out examples/heart-disease --from ${shown.startsWith("..") ? data : shown}`,
    "npx nexus up --detach",
    "npx nexus dataset split examples/heart-disease/run.yaml --output hospitals",
    "# for each of cleveland, hungarian, switzerland, va:",
    'npx nexus node join http://127.0.0.1:7700 --name cleveland --folder hospitals/cleveland --token "$(npx nexus node token --approved --quiet)"',
    "npx nexus node run --folder hospitals/cleveland &",
    "npx nexus run start examples/heart-disease/run.yaml",
    "npx nexus run pull RUN --output heart-disease.safetensors",
    `npx nexus predict heart-disease.safetensors --data examples/heart-disease/${FILE} --output judged.csv`,
    "kill $(jobs -p)",
    "npx nexus down",
    "# and with an organisation for each hospital, as here: docs/ORGANISATIONS.md",
  ].map((line) => `  ${line}`);
}
