import { resolve } from "node:path";
import type { KernelBuild } from "@ciphernx/ai/nn";
import { simulate } from "@ciphernx/ai/simulation";
import type { Context } from "./context.ts";
import { writeModelFiles } from "./model-files.ts";
import { simulatedParties } from "./simulated-parties.ts";
import { formatEvent } from "./views/events.ts";

/** What may be written after `nexus sim SPEC`. */
export interface SimulateSpecOptions {
  readonly workers: number | undefined;
  readonly kernel: KernelBuild;
  /** File for the model. */
  readonly output: string | undefined;
}

/** Simulates the run of a spec file, showing its events as a distributed run's. */
export async function simulateSpecFile(
  specFile: string,
  options: SimulateSpecOptions,
  { output, signal }: Pick<Context, "output" | "signal">,
): Promise<void> {
  const { spec, parties } = await simulatedParties(specFile, { signal, shared: true });
  const { modelHash, plan, rounds, file, card } = await simulate({
    spec,
    parties,
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    kernel: options.kernel,
    signal,
    onEvent: (event) => output.event(event, formatEvent(event, output.colours)),
  });
  const modelFile = options.output === undefined ? null : resolve(options.output);
  if (modelFile !== null) await writeModelFiles(modelFile, file, card);
  const { bold } = output.colours;
  const text = `${plan.labels.map((label) => `${label}\n`).join("")}model sha-256 ${bold(modelHash)}${modelFile === null ? "" : `\n${modelFile}`}`;
  output.result({ data: { modelHash, specHash: plan.specHash, planHash: plan.planHash, rounds, card, modelFile }, text, ids: [modelHash] });
}
