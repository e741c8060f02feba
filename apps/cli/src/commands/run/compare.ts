import { argument, defineCommand, flag } from "../../command.ts";
import { compareRuns } from "../../runs/compare-runs.ts";
import { RUN_WORD } from "../../runs/run-id.ts";
import { comparisonData, formatComparison } from "../../views/comparison.ts";

export const runCompare = defineCommand({
  name: "compare",
  summary: "Show how two runs differ: what they were asked, what they were planned with, what they came to",
  details: "Metrics are shown as they ended and at their best, with the round of the best.",
  arguments: {
    a: argument("<a>", RUN_WORD),
    b: argument("<b>", "the run to compare it with, likewise"),
  },
  options: { all: flag("--all", "keys that are equal too") },
  examples: [
    { command: "nexus run compare run_4kz7 run_9pm2" },
    { command: "nexus run compare run_4kz7 run_9pm2 --json | jq .data.metrics", about: "for a program: figures alone" },
  ],
  async action({ args, options, output, withNexus }) {
    await withNexus(async (nexus) => {
      const { findRun } = await import("../../runs/find-run.ts");
      const list = await nexus.runs.list();
      const records = [findRun(list, args.a), findRun(list, args.b)].map(({ id }) => nexus.runs.handle(id).show());
      const [a, b] = await Promise.all([records[0]!, records[1]!]);
      const view = { runs: { a: a.run, b: b.run }, comparison: compareRuns(a, b), all: options.all };
      output.result({ data: comparisonData(view), text: formatComparison(view, output.colours), ids: [a.run.id, b.run.id] });
    });
  },
});
