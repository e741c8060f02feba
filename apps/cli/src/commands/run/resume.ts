import { argument, defineCommand } from "../../command.ts";
import { runData } from "../../views/runs.ts";

export const runResume = defineCommand({
  name: "resume",
  summary: "Go on with a stopped run where it was",
  arguments: { run: argument("<run>", "id of the run") },
  examples: [{ command: "nexus run resume run_4kz7" }],
  async action({ args, output, withNexus }) {
    await withNexus(async (nexus) => {
      const run = await nexus.runs.handle(args.run).resume();
      output.result({
        data: { run: runData(run) },
        text: `Goes on after round ${run.round} of ${run.rounds}.\nnexus run watch ${args.run} follows it.`,
        ids: [args.run],
      });
    });
  },
});
