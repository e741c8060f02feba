import { defineCommand } from "../../command.ts";
import { formatNodes, nodeData } from "../../views/nodes.ts";

export const nodeList = defineCommand({
  name: "list",
  summary: "List the nodes that have joined",
  examples: [{ command: "nexus node list" }, { command: "nexus node list --quiet", about: "ids alone, for a script" }],
  async action({ output, withNexus }) {
    await withNexus(async (nexus) => {
      const nodes = await nexus.nodes.list();
      output.result({ data: { nodes: nodes.map(nodeData) }, text: formatNodes(nodes, output.colours), ids: nodes.map(({ id }) => id) });
    });
  },
});
