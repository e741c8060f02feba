import { argument, defineCommand } from "../../command.ts";
import { formatRun, roundData, runData } from "../../views/runs.ts";

export const runShow = defineCommand({
  name: "show",
  summary: "Show a run: its state, its rounds, and who failed in which round and why",
  arguments: { run: argument("<run>", "id of the run") },
  examples: [{ command: "nexus run show run_4kz7" }],
  async action({ args, output, withNexus }) {
    await withNexus(async (nexus) => {
      const { run, rounds } = await nexus.runs.handle(args.run).show();
      output.result({ data: { run: runData(run), rounds: rounds.map(roundData) }, text: formatRun(run, rounds, output.colours), ids: [run.id] });
    });
  },
});
