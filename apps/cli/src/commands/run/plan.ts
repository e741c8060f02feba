import { argument, defineCommand } from "../../command.ts";
import { offlineParties, offlineWarning } from "../../runs/offline-parties.ts";
import { readSpec } from "../../spec-file.ts";
import { formatPlan } from "../../views/plan.ts";

export const runPlan = defineCommand({
  name: "plan",
  summary: "Say what a run would do and cost, and start nothing",
  details: "A spec that cannot be run is refused with every reason and its remedy.",
  arguments: { spec: argument("<spec>", "file with the run spec, or - for standard input") },
  examples: [{ command: "nexus run plan examples/mnist/run.yaml" }],
  async action({ args, output, signal, withNexus }) {
    const spec = await readSpec(args.spec, signal);
    await withNexus(async (nexus) => {
      const answer = await nexus.runs.plan(spec);
      if (!answer.ok) throw (await import("@ciphernx/ai/spec")).refusedError(answer.refusals);
      const { plan } = answer;
      const offline = offlineParties(plan, await nexus.nodes.list());
      const warning = offlineWarning(offline, plan);
      const text = warning === undefined ? formatPlan(plan) : `${formatPlan(plan)}\n\n${output.colours.yellow(warning)}`;
      output.result({ data: { plan, offline }, text, ids: [plan.planHash] });
    });
  },
});
