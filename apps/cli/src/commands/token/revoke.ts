import { argument, defineCommand } from "../../command.ts";
import { tokenData } from "../../views/tokens.ts";

export const tokenRevoke = defineCommand({
  name: "revoke",
  summary: "End an API token at once and for good",
  details: "Commands that wait under it end, too.",
  arguments: { token: argument("<token>", "id or name") },
  examples: [{ command: "nexus token revoke ci --yes" }],
  async action({ args, confirm, output, withNexus }) {
    await confirm(`Revoke the API token ${args.token} for good?`);
    await withNexus(async (nexus) => {
      const token = await nexus.tokens.revoke(args.token);
      output.result({ data: { token: tokenData(token) }, text: `Revoked ${token.name} (${token.id}).`, ids: [token.id] });
    });
  },
});
