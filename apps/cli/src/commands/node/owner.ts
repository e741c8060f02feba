import { argument, defineCommand, requiredText } from "../../command.ts";

export const nodeOwner = defineCommand({
  name: "owner",
  summary: "Tell a node whose it is, where the organisation's key is on another machine",
  details:
    "From then on the node goes by the roster: it takes part with those alone that its organisation and the others signed for. Compare the key with what `nexus org init` or `nexus org join` printed. `nexus node approve --folder` does the same where both are on one machine.",
  arguments: { organisation: argument("<organisation>", "the organisation's name on the roster") },
  options: {
    folder: requiredText("--folder <folder>", "the node's folder"),
    key: requiredText("--key <digits>", "the organisation's public key"),
  },
  examples: [{ command: "nexus node owner clinic-a --key KEY --folder ./clinic-a" }],
  async action({ args: { organisation: name }, options: { folder, key: written }, output }) {
    const [{ loadIdentity, writeAnchor }, { publicKeySchema }, { nameSchema, parseDocumentWith }] = await Promise.all([
      import("@ciphernx/ai/federation/node"),
      import("@ciphernx/core/roster"),
      import("@ciphernx/core/spec"),
    ]);
    const organisation = parseDocumentWith(nameSchema, name, "The organisation's name");
    const key = parseDocumentWith(publicKeySchema, written.replaceAll(/\s/g, "").toLowerCase(), "The organisation's key");
    const { identity, projectId: project } = await loadIdentity(folder);
    await writeAnchor(folder, { organisation, key, project });
    output.result({
      data: { node: identity.name, organisation, key },
      text: `${identity.name} is a node of ${organisation}; restart it if it is running.`,
      ids: [identity.name],
    });
  },
});
