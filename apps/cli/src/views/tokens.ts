import type { ApiToken } from "@ciphernx/protocol/proto";
import { type Colours, formatTable, formatTime } from "../output/index.ts";

/** An API token for programs; never its secret. */
export function tokenData({ id, name, role, state, createdAt, expiresAt, revokedAt, lastUsedAt }: ApiToken) {
  return { id, name, role, state, createdAt, expiresAt, revokedAt: revokedAt || null, lastUsedAt: lastUsedAt || null };
}

/** The table of API tokens for people. */
export function formatTokens(tokens: readonly ApiToken[], { green, yellow, dim }: Colours): string {
  const state = ({ state: word }: ApiToken): string => (word === "valid" ? green(word) : word === "expired" ? yellow(word) : dim(word));
  return formatTable(
    [
      { title: "NAME", cell: ({ name }: ApiToken) => name },
      { title: "ROLE", cell: ({ role }) => role },
      { title: "STATE", cell: state },
      { title: "EXPIRES", cell: ({ expiresAt }) => formatTime(expiresAt) },
      { title: "LAST USED", cell: ({ lastUsedAt }) => formatTime(lastUsedAt) },
      { title: "ID", cell: ({ id }) => id },
    ],
    tokens,
    "No API token has been made yet. `nexus token create` makes one.",
  );
}
