import { argument, defineCommand } from "../../command.ts";
import { nodeData } from "../../views/nodes.ts";

export const nodeRemove = defineCommand({
  name: "remove",
  summary: "Take a node out of the project for good",
  details: "Its key opens nothing any more and its running tasks count as failed; what it gave to finished rounds stays in them.",
  arguments: { node: argument("<node>", "id or name") },
  examples: [{ command: "nexus node remove clinic-a --yes" }],
  async action({ args, confirm, output, withNexus }) {
    await confirm(`Remove the node ${args.node} for good?`);
    await withNexus(async (nexus) => {
      const node = await nexus.nodes.remove(args.node);
      output.result({ data: { node: nodeData(node) }, text: `Removed ${node.name} (${node.id}).`, ids: [node.id] });
    });
  },
});
