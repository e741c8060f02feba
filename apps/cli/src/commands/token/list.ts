import { defineCommand } from "../../command.ts";
import { formatTokens, tokenData } from "../../views/tokens.ts";

export const tokenList = defineCommand({
  name: "list",
  summary: "List the API tokens of the project",
  examples: [{ command: "nexus token list" }, { command: "nexus token list --quiet", about: "ids alone, for a script" }],
  async action({ output, withNexus }) {
    await withNexus(async (nexus) => {
      const tokens = await nexus.tokens.list();
      output.result({ data: { tokens: tokens.map(tokenData) }, text: formatTokens(tokens, output.colours), ids: tokens.map(({ id }) => id) });
    });
  },
});
