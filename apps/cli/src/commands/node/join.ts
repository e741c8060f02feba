import { NexusError } from "@ciphernx/core/errors";
import { argument, defineCommand, flag, requiredText } from "../../command.ts";
import { ORGANISATION_OPTIONS, withOrganisation } from "../../organisation.ts";
import { transportOption } from "../../transport-option.ts";
import { formatKey } from "../../views/organisations.ts";

export const nodeJoin = defineCommand({
  name: "join",
  summary: "Make this machine a node of a project",
  details: "Makes the node's key in its folder and registers it with a token from `nexus node token`. `nexus node run` then takes part.",
  arguments: { url: argument("<url>", "address of the coordinator") },
  options: {
    token: requiredText("--token <token>", "token for one node, from `nexus node token`"),
    name: requiredText("--name <name>", "the node's name, as run specs write it"),
    folder: requiredText("--folder <folder>", "where the node keeps its key and the descriptions of its data"),
    ...ORGANISATION_OPTIONS,
    transport: transportOption,
    rejoin: flag("--rejoin", "join anew with a folder whose coordinator no longer knows it; key, datasets and terms stay"),
  },
  examples: [
    { command: "nexus node join http://127.0.0.1:7700 --token TOKEN --name clinic-a --folder ./clinic-a" },
    {
      command: "nexus node join http://127.0.0.1:7700 --token TOKEN --name clinic-a --folder ./clinic-a --org ./clinic-a-org",
      about: "in a project with organisations: your organisation signs for the node",
    },
  ],
  async action({ args, options, ...context }) {
    const { output, global } = context;
    const [{ joinNode, loadIdentity }, { nameSchema }] = await Promise.all([import("@ciphernx/ai/federation/node"), import("@ciphernx/core/spec")]);
    const name = nameSchema.safeParse(options.name);
    if (!name.success) throw new NexusError("USAGE", `--name "${options.name}" cannot be a node's name. ${name.error.issues[0]!.message}`);
    const { org, passphraseFile, token, folder, transport, rejoin } = options;
    const join = () => joinNode({ url: args.url, token, name: options.name, folder, transport, proxy: global.proxy, rejoin });
    // The organisation's key is opened first: a wrong passphrase leaves everything as it was.
    const node =
      org === undefined
        ? await join()
        : await withOrganisation({ folder: org, passphraseFile }, context, async (organisation, access) => {
            const { signForNode } = await import("@ciphernx/ai/federation/organisation");
            const joined = await join();
            await signForNode(access, organisation, folder);
            return { ...joined, status: "approved" };
          });
    const { identity } = await loadIdentity(folder);
    const key = Buffer.from(identity.key.publicKey).toString("hex");
    const approval = node.status === "approved" ? "" : ` It waits for \`nexus node approve ${options.name}\`.`;
    output.result({
      data: { node: { ...node, key } },
      text: `Joined as ${options.name} (${node.nodeId}).${approval}\nIts public key: ${formatKey(key)}\nnexus node run --folder ${options.folder} takes part in runs.`,
      ids: [node.nodeId],
    });
  },
});
