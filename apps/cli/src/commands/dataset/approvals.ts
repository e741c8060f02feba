import type { Approval } from "@ciphernx/ai/federation/node";
import { argument, defineCommand, requiredText } from "../../command.ts";
import { formatTable } from "../../output/index.ts";

export const datasetApprovals = defineCommand({
  name: "approvals",
  summary: "List the runs that may learn from a dataset of this node",
  arguments: { name: argument("<name>", "the dataset's name, as `nexus dataset add` was told") },
  options: { folder: requiredText("--folder <folder>", "the node's folder") },
  examples: [{ command: "nexus dataset approvals visits --folder ./clinic-a" }],
  async action({ args: { name: dataset }, options: { folder }, output }) {
    const [{ folderApprovals }, { dayOf }, { requireDescribed }] = await Promise.all([
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
    const text = formatTable(
      [
        { title: "SPEC", cell: ({ specHash }: Approval & { readonly state: string }) => specHash },
        { title: "NAME", cell: ({ name }) => name ?? "" },
        { title: "STATE", cell: ({ state }) => state },
        { title: "APPROVED", cell: ({ approvedAt }) => approvedAt.slice(0, 16).replace("T", " ") },
        { title: "UNTIL", cell: ({ until }) => until ?? "" },
      ],
      approvals,
      `No run is approved for ${dataset}.`,
    );
    output.result({ data: { approvals }, text, ids: approvals.map(({ specHash }) => specHash) });
  },
});
