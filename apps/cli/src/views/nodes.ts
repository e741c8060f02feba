import type { Node } from "@ciphernx/protocol/proto";
import { type Colours, formatTable, formatTime } from "../output/index.ts";

/** A node for programs. */
export function nodeData({ id, name, status, online, lastSeenAt, joinedAt, kernelBuild, publicKeyHex, signsRequests }: Node) {
  return { id, name, status, online, lastSeenAt: lastSeenAt || null, joinedAt, kernelBuild: kernelBuild || null, publicKeyHex, signsRequests };
}

/** The table of nodes for people. */
export function formatNodes(nodes: readonly Node[], { green, yellow, dim }: Colours): string {
  const status = ({ status }: Node): string => (status === "approved" ? status : status === "pending" ? yellow(status) : dim(status));
  return formatTable(
    [
      { title: "NAME", cell: ({ name }: Node) => name },
      { title: "STATUS", cell: status },
      { title: "ONLINE", cell: ({ online }) => (online ? green("yes") : "no") },
      { title: "LAST SEEN", cell: ({ lastSeenAt }) => formatTime(lastSeenAt) },
      { title: "ID", cell: ({ id }) => id },
    ],
    nodes,
    "No node has joined yet. `nexus node token` makes a token for one.",
  );
}
