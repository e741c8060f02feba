import { NexusError } from "@ciphernx/core/errors";
import { argument, defineCommand, text } from "../../command.ts";
import { ORGANISATION_OPTIONS, withOrganisation } from "../../organisation.ts";
import { nodeData } from "../../views/nodes.ts";

export const nodeApprove = defineCommand({
  name: "approve",
  summary: "Let a node that has joined take part",
  details:
    "In a project with organisations, the one whose node it is signs for the node's key (--org), which is read from the node's folder or written as `nexus node join` printed it: the coordinator is not asked for it.",
  arguments: { node: argument("<node>", "id or name; with --org its name") },
  options: {
    ...ORGANISATION_OPTIONS,
    folder: text("--folder <folder>", "the node's folder, if it is on this machine; it learns whose node it is"),
    key: text("--key <digits>", "the node's public key, as `nexus node join` printed it on the node's machine"),
  },
  examples: [
    { command: "nexus node approve clinic-a" },
    { command: "nexus node approve clinic-a --org ./clinic-a-org --folder ./clinic-a", about: "sign for a node of your organisation" },
  ],
  async action({ args: { node }, options, ...context }) {
    const { output, withNexus } = context;
    const { org, passphraseFile, folder, key } = options;
    if (org === undefined) {
      if (folder !== undefined || key !== undefined)
        throw new NexusError("USAGE", "--folder and --key are for what an organisation signs: add --org.", { hint: "" });
      await withNexus(async (nexus) => {
        const approved = await nexus.nodes.approve(node);
        output.result({ data: { node: nodeData(approved) }, text: `Approved ${approved.name} (${approved.id}).`, ids: [approved.id] });
      });
      return;
    }
    const written = key?.replaceAll(/\s/g, "").toLowerCase();
    if ((folder === undefined) === (written === undefined) || (written !== undefined && !/^[0-9a-f]{64}$/.test(written))) {
      throw new NexusError("USAGE", "An organisation signs for a key: name the node's --folder, or write its --key of 64 digits.", {
        hint: "`nexus node join` prints the key on the node's machine.",
      });
    }
    const { addNode, signForNode } = await import("@ciphernx/ai/federation/organisation");
    await withOrganisation({ folder: org, passphraseFile }, context, async (organisation, access) => {
      const roster =
        folder === undefined ? await addNode(access, organisation, { node, key: written! }) : await signForNode(access, organisation, folder);
      const name = roster.nodes.get(node)?.name;
      if (name === undefined)
        throw new NexusError("USAGE", `The folder ${folder} is that of another node than ${node}.`, { hint: "Name the node as it joined." });
      const anchor =
        folder === undefined
          ? `\nOn its machine: nexus node owner ${organisation.name} --key ${organisation.publicKey} --folder DIR tells the node whose it is.`
          : "";
      output.result({
        data: { node, organisation: organisation.name, version: roster.version },
        text: `${organisation.name} signed for ${node} (entry ${roster.version} of the roster).${anchor}`,
        ids: [node],
      });
    });
  },
});
