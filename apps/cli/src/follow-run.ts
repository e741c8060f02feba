import type { RunHandle } from "@ciphernx/ai/client";
import { NexusError } from "@ciphernx/core/errors";
import type { Context } from "./context.ts";
import { liveFigures } from "./live-figures.ts";
import { formatEvent } from "./views/events.ts";

/**
 * Prints a run's events after a number until it is finished, then its result.
 * @throws NexusError RUN_FAILED when it ended without one, INTERRUPTED when the reader stopped watching; the run goes on then.
 */
export async function followRun(handle: RunHandle, { output, signal }: Pick<Context, "output" | "signal">, after: number): Promise<void> {
  const figures = liveFigures(output);
  try {
    for await (const event of handle.events({ after, signal })) {
      output.event(event, formatEvent(event, output.colours));
      figures.add(event);
    }
    figures.finish();
    const result = await handle.result({ signal });
    const { green, bold } = output.colours;
    const text = `${green("done")}  model ${bold(result.modelId)}  sha-256 ${result.modelHash}\nnexus model pull ${result.modelId} writes the file.`;
    output.result({ data: { run: handle.id, ...result }, text, ids: [handle.id] });
  } catch (error) {
    figures.finish();
    if (signal.aborted) output.note(`The run goes on. Follow it with: nexus run watch ${handle.id}`);
    if (!(error instanceof NexusError) || error.code !== "RUN_FAILED") throw error;
    const { run } = await handle.show();
    if (run.outcome !== "stopped") throw error;
    throw new NexusError(error.code, error.message, {
      hint: `\`nexus run resume ${handle.id}\` goes on with it.`,
      details: error.details,
      cause: error,
    });
  }
}
