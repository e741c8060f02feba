import { choice, defineCommand } from "../../command.ts";
import { formatRuns, runData } from "../../views/runs.ts";

export const runList = defineCommand({
  name: "list",
  summary: "List the runs, newest first",
  options: { state: choice("--state <state>", "only runs in this state", ["pending", "starting", "running", "finished"], undefined) },
  examples: [{ command: "nexus run list" }, { command: "nexus run list --state running --json | jq -r '.data.runs[].id'" }],
  async action({ options, output, withNexus }) {
    await withNexus(async (nexus) => {
      const all = await nexus.runs.list();
      const runs = options.state === undefined ? all : all.filter(({ state }) => state === options.state);
      output.result({ data: { runs: runs.map(runData) }, text: formatRuns(runs, output.colours), ids: runs.map(({ id }) => id) });
    });
  },
});
