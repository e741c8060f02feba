import { defineCommand, duration, flag } from "../../command.ts";
import { formatTime } from "../../output/index.ts";

export const nodeToken = defineCommand({
  name: "token",
  summary: "Make a token with which one node can join",
  options: {
    approved: flag("--approved", "the node needs no approval afterwards"),
    expires: duration("--expires <time>", "how long it may be used", 3600, "1h"),
  },
  examples: [{ command: "nexus node token" }, { command: "TOKEN=$(nexus node token --approved --quiet)", about: "for a script: the token alone" }],
  async action({ options, output, withNexus }) {
    await withNexus(async (nexus, url) => {
      const { token, expiresAt, publicUrl } = await nexus.nodes.createJoinToken({ approved: options.approved, expiresInSeconds: options.expires });
      const text = `${token}\n\nGood for one node until ${formatTime(expiresAt)}. On its machine:\n  nexus node join ${publicUrl ?? url} --token ${token} --name NAME --folder FOLDER`;
      output.result({ data: { token, expiresAt, publicUrl: publicUrl ?? null }, text, ids: [token] });
    });
  },
});
