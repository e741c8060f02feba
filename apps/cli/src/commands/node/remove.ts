import { argument, defineCommand } from "../../command.ts";
import { ORGANISATION_OPTIONS, withOrganisation } from "../../organisation.ts";
import { nodeData } from "../../views/nodes.ts";

export const nodeRemove = defineCommand({
  name: "remove",
  summary: "Take a node out of the project for good",
  details:
    "Its key opens nothing any more and its running tasks count as failed; what it gave to finished rounds stays in them. With --org its organisation signs that it no longer speaks for it.",
  arguments: { node: argument("<node>", "id or name; with --org its name") },
  options: ORGANISATION_OPTIONS,
  examples: [{ command: "nexus node remove clinic-a --yes" }, { command: "nexus node remove clinic-a --org ./clinic-a-org --yes" }],
  async action({ args: { node: named }, options: { org, passphraseFile }, ...context }) {
    const { confirm, output, withNexus } = context;
    await confirm(`Remove the node ${named} for good?`);
    if (org !== undefined) {
      const { removeNode } = await import("@ciphernx/ai/federation/organisation");
      const { version } = await withOrganisation({ folder: org, passphraseFile }, context, (organisation, access) =>
        removeNode(access, organisation, named),
      );
      output.result({ data: { node: named, version }, text: `${named} is off the roster (entry ${version}), and removed.`, ids: [named] });
      return;
    }
    await withNexus(async (nexus) => {
      const node = await nexus.nodes.remove(named);
      output.result({ data: { node: nodeData(node) }, text: `Removed ${node.name} (${node.id}).`, ids: [node.id] });
    });
  },
});
