import { NexusError } from "@ciphernx/core/errors";
import { argument, defineCommand, requiredText } from "../../command.ts";

export const datasetRevoke = defineCommand({
  name: "revoke",
  summary: "Take back that a run may learn from a dataset of this node",
  details:
    "A node that is running refuses the run's next task, and sends no answer to the one that it is working on. What it has sent before is not taken back.",
  arguments: { name: argument("<name>", "the dataset's name, as `nexus dataset add` was told") },
  options: {
    folder: requiredText("--folder <folder>", "the node's folder"),
    run: requiredText("--run <spec>", "the run's spec file, or the spec's hash, as `nexus dataset approvals` shows it"),
  },
  examples: [{ command: "nexus dataset revoke visits --folder ./clinic-a --run visits.yaml" }],
  async action({ args: { name: dataset }, options: { folder, run }, output, signal }) {
    const [{ folderApprovals, logDecision }, { requireDescribed }, { approvedSpec }] = await Promise.all([
      import("@ciphernx/ai/federation/node"),
      import("./described-dataset.ts"),
      import("./approved-spec.ts"),
    ]);
    await requireDescribed(dataset, folder);
    const { specHash } = await approvedSpec(run, dataset, signal);
    // Done first: nobody waits for a note while rows are still learnt from.
    const revoked = await folderApprovals(folder).remove(dataset, specHash);
    if (!revoked) {
      throw new NexusError("APPROVAL_NOT_FOUND", `Nothing is revoked: ${dataset} has no approval of spec ${specHash}.`, {
        hint: `\`nexus dataset approvals ${dataset} --folder ${folder}\` lists those that there are.`,
      });
    }
    await logDecision(folder, { act: "revoked", dataset, specHash });
    output.result({ data: { dataset, specHash }, text: `Revoked spec ${specHash} for ${dataset}.`, ids: [specHash] });
  },
});
