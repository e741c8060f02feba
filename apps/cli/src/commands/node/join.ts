import { NexusError } from "@ciphernx/core/errors";
import { argument, defineCommand, flag, requiredText } from "../../command.ts";

export const nodeJoin = defineCommand({
  name: "join",
  summary: "Make this machine a node of a project",
  details: "Makes the node's key in its folder and registers it with a token from `nexus node token`. `nexus node run` then takes part.",
  arguments: { url: argument("<url>", "address of the coordinator") },
  options: {
    token: requiredText("--token <token>", "token for one node, from `nexus node token`"),
    name: requiredText("--name <name>", "the node's name, as run specs write it"),
    folder: requiredText("--folder <folder>", "where the node keeps its key and the descriptions of its data"),
    rejoin: flag("--rejoin", "join anew with a folder whose coordinator no longer knows it; key, datasets and terms stay"),
  },
  examples: [{ command: "nexus node join http://127.0.0.1:7700 --token TOKEN --name clinic-a --folder ./clinic-a" }],
  async action({ args, options, output }) {
    const [{ joinNode }, { nameSchema }] = await Promise.all([import("@ciphernx/ai/federation/node"), import("@ciphernx/core/spec")]);
    const name = nameSchema.safeParse(options.name);
    if (!name.success) throw new NexusError("USAGE", `--name "${options.name}" cannot be a node's name. ${name.error.issues[0]!.message}`);
    const node = await joinNode({ url: args.url, token: options.token, name: options.name, folder: options.folder, rejoin: options.rejoin });
    const approval = node.status === "approved" ? "" : ` It waits for \`nexus node approve ${options.name}\`.`;
    output.result({
      data: { node },
      text: `Joined as ${options.name} (${node.nodeId}).${approval}\nnexus node run --folder ${options.folder} takes part in runs.`,
      ids: [node.nodeId],
    });
  },
});
