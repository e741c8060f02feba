/// <reference lib="webworker" />
/** The worker of `browser-node.chromium.long.test.ts`: a node whose rows the page hands over. @module */
import { allocateExamples, createDataset, describeDataset, type DatasetSchema } from "@ciphernx/ai/data";
import {
  anchorBrowserNode,
  type BrowserNode,
  holdBrowserNode,
  joinInBrowser,
  type RosterAnchor,
  registerDataset,
  runNode,
  SOFTWARE_VERSION,
  type SumJournal,
} from "@ciphernx/ai/federation/node/browser";
import { loadKernel } from "@ciphernx/ai/nn";
import { networkTrainer } from "@ciphernx/ai/training";
import { generateSigningKey, sign } from "@ciphernx/crypto/keys";
import { NodeService } from "@ciphernx/protocol/proto";
import { registrationBytes } from "@ciphernx/protocol/wire";
import { browserTransport } from "@ciphernx/protocol/wire/websocket/browser";
import { createClient } from "@connectrpc/connect";

/** What the page says: who the node is, and its rows as plain numbers. */
export interface BrowserNodeOrder {
  readonly origin: string;
  /** Undefined for a node that has joined from this browser before. */
  readonly token: string | undefined;
  /** Whether it keeps its key in the browser's database and signs each request, as a node on another machine does. */
  readonly signs: boolean;
  /** Where it stops for good in its first protected sum: once it has noted that it began, once its masked vector is kept, or once its answer is. */
  readonly stopsAt?: "begun" | "masked" | "answered";
  /** Whose node it is, where its owner says so now. */
  readonly anchor?: RosterAnchor | undefined;
  readonly name: string;
  readonly schema: DatasetSchema;
  readonly parts: readonly { readonly count: number; readonly features: readonly number[]; readonly targets: readonly number[] }[];
}

self.addEventListener("message", ({ data }: MessageEvent<BrowserNodeOrder>) => {
  void serve(data).catch((error: unknown) => self.postMessage({ type: "ended", error: String(error) }));
});

type Joined = Pick<BrowserNode, "identity" | "connect"> & Partial<BrowserNode>;

async function joinPlainly({ origin, token = "", name }: BrowserNodeOrder): Promise<Joined> {
  const key = await generateSigningKey();
  await using joining = browserTransport({ origin });
  const signature = await sign(key, registrationBytes({ token, name, publicKey: key.publicKey }));
  const { nodeId } = await createClient(NodeService, joining.rpc).register({ token, name, publicKey: key.publicKey, signature });
  return { identity: { nodeId, name, key }, connect: (bearer) => browserTransport({ origin, token: bearer }) };
}

async function joinSigning({ origin, token, name, anchor }: BrowserNodeOrder): Promise<Joined> {
  if (token !== undefined) await joinInBrowser({ origin, token, name });
  if (anchor !== undefined) await anchorBrowserNode(name, anchor);
  const node = await holdBrowserNode(origin, name);
  if (node === undefined) throw new Error(`There is no node ${name} in this browser.`);
  const { secret } = node.identity.key;
  const read = await crypto.subtle.exportKey("pkcs8", secret).catch((error: unknown) => (error as DOMException).name);
  self.postMessage({ type: "joined", nodeId: node.identity.nodeId, key: read });
  return node;
}

/** A journal at one of whose steps the node stands still, as a page that is closed does. */
function stopping(sums: SumJournal, at: BrowserNodeOrder["stopsAt"]): SumJournal {
  const stop = (kept: Uint8Array): Promise<never> => {
    self.postMessage({ type: "stopped", kept: [...kept] });
    return new Promise(() => {});
  };
  return {
    ...sums,
    async append(entry) {
      await sums.append(entry);
      if (entry.step === at) await stop(entry.step === "answered" ? entry.message : new Uint8Array());
    },
    async keepVector(sum, bytes) {
      await sums.keepVector(sum, bytes);
      if (at === "masked") await stop(bytes);
    },
  };
}

async function serve(order: BrowserNodeOrder): Promise<void> {
  const { schema, parts, signs, stopsAt } = order;
  const { identity, connect, auditHeads, roster, sums } = await (signs ? joinSigning : joinPlainly)(order);
  const [train, test] = parts.map(({ count, features, targets }) => {
    const examples = allocateExamples(schema, count);
    examples.features.set(features);
    examples.targets.set(targets);
    return examples;
  });
  const dataset = createDataset(schema, train!, test);
  await runNode({
    identity,
    trainer: networkTrainer({ kernel: await loadKernel(), dataset: () => Promise.resolve(dataset) }),
    softwareVersion: SOFTWARE_VERSION,
    ...{ connect, auditHeads, roster },
    ...(sums === undefined ? {} : { sums: stopping(sums, stopsAt) }),
    signal: new AbortController().signal,
    onSession: (session) => registerDataset(session, { name: "rows", ...describeDataset(dataset) }),
    onEvent: (event) =>
      self.postMessage(
        "error" in event
          ? { type: event.type, error: event.error.message }
          : { type: event.type, ...("answer" in event ? { answer: event.answer.kind } : {}) },
      ),
  });
}
