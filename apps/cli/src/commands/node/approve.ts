import { argument, defineCommand } from "../../command.ts";
import { nodeData } from "../../views/nodes.ts";

export const nodeApprove = defineCommand({
  name: "approve",
  summary: "Let a node that has joined take part",
  arguments: { node: argument("<node>", "id or name") },
  examples: [{ command: "nexus node approve clinic-a" }],
  async action({ args, output, withNexus }) {
    await withNexus(async (nexus) => {
      const node = await nexus.nodes.approve(args.node);
      output.result({ data: { node: nodeData(node) }, text: `Approved ${node.name} (${node.id}).`, ids: [node.id] });
    });
  },
});
