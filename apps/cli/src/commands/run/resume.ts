import { argument, defineCommand } from "../../command.ts";
import { RUN_WORD, runId } from "../../runs/run-id.ts";
import { runData } from "../../views/runs.ts";

export const runResume = defineCommand({
  name: "resume",
  summary: "Go on with a stopped run where it was",
  arguments: { run: argument("<run>", RUN_WORD) },
  examples: [{ command: "nexus run resume run_4kz7" }],
  async action({ args, output, withNexus }) {
    await withNexus(async (nexus) => {
      const run = await nexus.runs.handle(await runId(nexus, args.run)).resume();
      output.result({
        data: { run: runData(run) },
        text: `Goes on after round ${run.round} of ${run.rounds}.\nnexus run watch ${run.id} follows it.`,
        ids: [run.id],
      });
    });
  },
});
