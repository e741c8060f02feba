import type { Approval } from "@ciphernx/ai/federation/node";
import { argument, defineCommand, requiredText } from "../../command.ts";
import { formatTable } from "../../output/index.ts";

export const datasetApprovals = defineCommand({
  name: "approvals",
  summary: "List the runs that may learn from a dataset of this node, and those that wait for their owner's word",
  arguments: { name: argument("<name>", "the dataset's name, as `nexus dataset add` was told") },
  options: { folder: requiredText("--folder <folder>", "the node's folder") },
  examples: [{ command: "nexus dataset approvals visits --folder ./clinic-a" }],
  async action({ args: { name: dataset }, options: { folder }, output }) {
    const [{ awaitedApprovals, folderApprovals, readDecisions }, { dayOf }, { requireDescribed }] = await Promise.all([
      import("@ciphernx/ai/federation/node"),
      import("@ciphernx/ai/data"),
      import("./described-dataset.ts"),
    ]);
    await requireDescribed(dataset, folder);
    const today = dayOf(new Date());
    const approvals = (await folderApprovals(folder).list(dataset)).map((approval) => ({
      ...approval,
      state: approval.until !== undefined && approval.until < today ? "expired" : "good",
    }));
    const waiting = awaitedApprovals(await readDecisions(folder), dataset);
    const asked = waiting.map(
      ({ specHash, run, at }) =>
        `${run} was refused on ${timeOf(at)} for want of an approval: nexus dataset approve ${dataset} --folder ${folder} --run ${specHash}`,
    );
    const table = formatTable(
      [
        { title: "SPEC", cell: ({ specHash }: Approval & { readonly state: string }) => specHash },
        { title: "NAME", cell: ({ name }) => name ?? "" },
        { title: "STATE", cell: ({ state }) => state },
        { title: "APPROVED", cell: ({ approvedAt }) => timeOf(approvedAt) },
        { title: "UNTIL", cell: ({ until }) => until ?? "" },
      ],
      approvals,
      `No run is approved for ${dataset}.`,
    );
    output.result({ data: { approvals, waiting }, text: [table, ...asked].join("\n"), ids: approvals.map(({ specHash }) => specHash) });
  },
});

function timeOf(instant: string): string {
  return instant.slice(0, 16).replace("T", " ");
}
