/** Nodes that hold no model and train nothing, many in one process: they join, open a session and register a dataset of one row. @module */
import { join } from "node:path";
import {
  joinNode,
  loadIdentity,
  type NodeSession,
  openSession,
  registerDataset,
  SOFTWARE_VERSION,
  type TransportKind,
  transportsOf,
} from "@ciphernx/ai/federation/node";
import type { SigningKey } from "@ciphernx/crypto/keys";

/** Which nodes, and where they join. */
export interface LightNodesToJoin {
  readonly folder: string;
  readonly url: string;
  readonly names: readonly string[];
  readonly tokens: readonly string[];
  /** Number of the first one. Default 1. */
  readonly firstNumber?: number;
}

export interface LightNode {
  readonly session: NodeSession;
  readonly key: SigningKey;
  /** No two have the same. */
  readonly number: number;
}

/** Joins that are under way at the same time. */
const AT_ONCE = 8;

/** Has them all join. */
export async function joinLightNodes(
  { folder, url, names, tokens, firstNumber = 1 }: LightNodesToJoin,
  kind: TransportKind,
): Promise<readonly LightNode[]> {
  const connect = await transportsOf(kind);
  const nodes: LightNode[] = [];
  const queue = names.entries();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const [index, name] of queue) nodes[index] = await lightNode(name, tokens[index]!, firstNumber + index);
    }),
  );
  return nodes;

  async function lightNode(name: string, token: string, number: number): Promise<LightNode> {
    const home = join(folder, name);
    await joinNode({ url, token, name, folder: home });
    const { identity } = await loadIdentity(home);
    const session = await openSession({
      identity,
      kernelBuild: "custom:light",
      softwareVersion: SOFTWARE_VERSION,
      connect: (bearer) => connect({ baseUrl: url, token: bearer }),
    });
    await registerDataset(session, { name: "rows", schema: { kind: "opaque" }, trainExamples: 1, testExamples: 0, contentHash: "0".repeat(64) });
    return { session, key: identity.key, number };
  }
}
