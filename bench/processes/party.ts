/**
 * A party with a trainer of its own that changes one value a tensor, through `defineNode`; and, before it joins, a bare client that moves
 * the same bytes.
 *
 * @module
 */
import { once } from "node:events";
import http from "node:http";
import { collectBulkMemory } from "@ciphernx/core/process";
import { defineNode } from "@ciphernx/ai/client";
import { givenOptions, letGo, tell } from "./child.ts";

export interface PartyOptions {
  readonly name: string;
  readonly folder: string;
}

/** What a party is told: to move bytes once and say so, or to join and serve (told once). */
export type PartyOrder =
  | { readonly kind: "move"; readonly url: string; readonly sizeBytes: number }
  | { readonly kind: "serve"; readonly url: string; readonly token: string; readonly step: number; readonly tellsTasks?: boolean };

/** What it says: that it moved the bytes, that it serves, or when a task arrived (milliseconds of Unix time, with a fraction). */
export type PartyWord =
  | { readonly kind: "moved" }
  | { readonly kind: "serves" }
  | { readonly kind: "task"; readonly round: number; readonly at: number };

if (import.meta.main) {
  collectBulkMemory();
  const signal = letGo();
  const { name, folder } = givenOptions<PartyOptions>();
  const agent = new http.Agent({ keepAlive: true });
  let upload = Buffer.alloc(0);
  process.on("message", (order: PartyOrder) => {
    if (order.kind === "move") void move(order).then(() => tell({ kind: "moved" } satisfies PartyWord));
    if (order.kind === "serve") void serve(order);
  });
  if (!signal.aborted) await once(signal, "abort");
  agent.destroy();

  async function move({ url, sizeBytes }: Extract<PartyOrder, { kind: "move" }>): Promise<void> {
    if (upload.length !== sizeBytes) upload = Buffer.alloc(sizeBytes, name);
    const fetched = Buffer.allocUnsafe(sizeBytes);
    let at = 0;
    const [response] = (await once(http.request(url, { agent }).end(), "response")) as [http.IncomingMessage];
    for await (const chunk of response as AsyncIterable<Buffer>) at += chunk.copy(fetched, at);
    if (at !== sizeBytes) throw new Error(`${at} of ${sizeBytes} bytes came.`);
    const sending = http.request(`${url}/${name}`, { agent, method: "PUT", headers: { "content-length": sizeBytes } });
    const [answer] = (await once(sending.end(upload), "response")) as [http.IncomingMessage];
    answer.resume();
    await once(answer, "end");
  }

  async function serve({ url, token, step, tellsTasks = false }: Extract<PartyOrder, { kind: "serve" }>): Promise<void> {
    const node = defineNode({
      dataset: { name: "rows", trainExamples: 100 },
      fit({ parameters }) {
        for (const { data } of parameters.values()) data[0]! += step;
        return { parameters, examples: 100, metrics: { loss: 1, correct: 1 } };
      },
      evaluate: () => ({ examples: 0, metrics: { loss: 0, correct: 0 } }),
    });
    await node.serve({
      ...{ url, token, name, folder, signal },
      onEvent(event) {
        if (event.type === "connected") tell({ kind: "serves" } satisfies PartyWord);
        if (event.type === "task" && tellsTasks)
          tell({ kind: "task", round: event.task.round, at: performance.timeOrigin + performance.now() } satisfies PartyWord);
      },
    });
  }
}
