import { DEFAULT_API_TOKEN_SECONDS, ROLES } from "@ciphernx/core/identity";
import { choice, defineCommand, duration, requiredText } from "../../command.ts";
import { formatTime } from "../../output/index.ts";
import { tokenData } from "../../views/tokens.ts";

export const tokenCreate = defineCommand({
  name: "create",
  summary: "Make an API token for a program",
  details: "The token is shown once and never again. Other commands take it with --token or NEXUS_TOKEN.",
  options: {
    name: requiredText("--name <name>", "what the token is for"),
    role: choice("--role <role>", "what it may do", ROLES, "data-scientist"),
    expires: duration("--expires <time>", "how long it is good for, at most 365d", DEFAULT_API_TOKEN_SECONDS, "90d"),
  },
  examples: [
    { command: "nexus token create --name ci --role data-scientist --expires 30d" },
    { command: "NEXUS_TOKEN=$(nexus token create --name audit --role auditor --quiet)", about: "for a script: the token alone" },
  ],
  async action({ options, output, withNexus }) {
    await withNexus(async (nexus) => {
      const { name, role, expires } = options;
      const { token, secret } = await nexus.tokens.create({ name, role, expiresInSeconds: expires });
      const text = `${secret}\n\nThe token ${token.name} (${token.role}) is good until ${formatTime(token.expiresAt)}. It is shown here and never again.`;
      output.result({ data: { token: tokenData(token), secret }, text, ids: [secret] });
    });
  },
});
