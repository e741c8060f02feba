/**
 * An upload of 100 MB over a line of 50 ms round trip that is cut after every 10 MB, against the same upload over the same line
 * undisturbed. Every cut costs what was under way, the time until it is noticed, a new connection and one question; how much that is
 * beside the transfer depends on the line's rate, so there are two lines. Medians; server and line are processes of their own.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import type { Sha256 } from "@ciphernx/core/blobs";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { type Figure, median, type Outcome } from "./figures/figure.ts";
import type { BlobServerOptions } from "./processes/blob-server.ts";
import { startChild, temporaryFolder } from "./processes/child.ts";
import type { CutEvery, LineOptions } from "./processes/line.ts";

export const name = "blob-resume";

const SIZE_BYTES = 100_000_000;
const CUT_EVERY_BYTES = 10_000_000;
const ROUND_TRIP_MS = 50;
/** What Linux lets a sender have under way (net.ipv4.tcp_wmem). */
const WINDOW_BYTES = 4 * 1024 ** 2;
const TURNS = 3;
const LINES = [
  { title: "200 Mbit/s", bytesPerSecond: 25e6, atMost: 1.5 },
  { title: "1 Gbit/s", bytesPerSecond: 125e6, atMost: undefined },
] as const;

export async function run(): Promise<Outcome> {
  await using folder = await temporaryFolder("blob-resume");
  await using server = startChild("./blob-server.ts", { folder: folder.path } satisfies BlobServerOptions);
  const port = await server.next<number>();
  const figures: Figure[] = [];
  for (const { title, bytesPerSecond, atMost } of LINES) {
    const options: LineOptions = { port, roundTripMs: ROUND_TRIP_MS, bytesPerSecond, windowBytes: WINDOW_BYTES };
    await using line = startChild("./line.ts", options);
    const baseUrl = await line.next<string>();
    const seconds = { whole: [] as number[], cut: [] as number[] };
    const cuts: number[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      for (const way of ["whole", "cut"] as const) {
        line.say({ cutEveryBytes: way === "cut" ? CUT_EVERY_BYTES : 0 } satisfies CutEvery);
        await line.next<number>();
        const bytes = randomBytes(SIZE_BYTES);
        const hash = createHash("sha256").update(bytes).digest("hex") as Sha256;
        await using transport = connectTransport({ baseUrl, token: () => "bench" });
        const start = performance.now();
        await transport.blobs.put(bytes, { hash, sizeBytes: bytes.length });
        seconds[way].push((performance.now() - start) / 1000);
        if (way === "whole") continue;
        line.say({ cutEveryBytes: 0 } satisfies CutEvery);
        cuts.push(await line.next<number>());
      }
    }
    const [whole, cut] = [median(seconds.whole), median(seconds.cut)];
    figures.push(
      { name: `100 MB up, 50 ms, ${title}`, value: whole, unit: "s" },
      { name: `the same, cut every 10 MB, ${title}`, value: cut, unit: "s" },
      { name: `cuts, ${title}`, value: median(cuts), unit: "" },
      { name: `cut / undisturbed, ${title}`, value: cut / whole, unit: "×", ...(atMost !== undefined && { atMost }) },
    );
  }
  return { figures };
}

if (import.meta.main) console.table((await run()).figures);
