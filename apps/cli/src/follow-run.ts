import type { RunHandle } from "@ciphernx/ai/client";
import type { Context } from "./context.ts";
import { formatEvent } from "./views/events.ts";

/**
 * Prints a run's events after a number until it is finished, then its result.
 * @throws NexusError RUN_FAILED when it ended without one, INTERRUPTED when the reader stopped watching; the run goes on then.
 */
export async function followRun(handle: RunHandle, { output, signal }: Pick<Context, "output" | "signal">, after: number): Promise<void> {
  try {
    for await (const event of handle.events({ after, signal })) output.event(event, formatEvent(event, output.colours));
    const result = await handle.result({ signal });
    const { green, bold } = output.colours;
    const text = `${green("done")}  model ${bold(result.modelId)}  sha-256 ${result.modelHash}\nnexus model pull ${result.modelId} writes the file.`;
    output.result({ data: { run: handle.id, ...result }, text, ids: [handle.id] });
  } catch (error) {
    if (signal.aborted) output.note(`The run goes on. Follow it with: nexus run watch ${handle.id}`);
    throw error;
  }
}
