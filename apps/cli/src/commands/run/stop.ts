import { argument, defineCommand } from "../../command.ts";
import { RUN_WORD, runId } from "../../runs/run-id.ts";
import { runData } from "../../views/runs.ts";

export const runStop = defineCommand({
  name: "stop",
  summary: "Stop a run after what it has committed",
  details: "The rounds it has committed stay; `nexus run resume` goes on with them.",
  arguments: { run: argument("<run>", RUN_WORD) },
  examples: [{ command: "nexus run stop run_4kz7" }],
  async action({ args, output, withNexus }) {
    await withNexus(async (nexus) => {
      const run = await nexus.runs.handle(await runId(nexus, args.run)).stop();
      output.result({ data: { run: runData(run) }, text: `Stopped ${run.id} after round ${run.round} of ${run.rounds}.`, ids: [run.id] });
    });
  },
});
