/**
 * A process that takes uploads for a test: tells its port and memory, and on a message, once nothing more arrives, its
 * memory and how many bytes it has taken.
 */
import { startWireServer } from "./index.ts";

let receivedBytes = 0;

const server = await startWireServer({
  port: 0,
  routes: () => {},
  log: { debug: () => {}, warn: console.error, error: console.error },
  blobs: {
    store: {
      stage: async () => ({
        async write(chunk) {
          // As slow as a disk: with many senders, data waits in front of it.
          await new Promise((resolve) => setTimeout(resolve, 1));
          receivedBytes += chunk.length;
        },
        flush: async () => {},
        finish: () => Promise.reject(new Error("no upload of this test ends")),
        read: () => Promise.reject(new Error("no upload of this test ends")),
        commit: () => Promise.reject(new Error("no upload of this test ends")),
        discard: async () => {},
      }),
      put: () => Promise.reject(new Error("not part of this test")),
      size: async () => undefined,
      read: () => Promise.reject(new Error("not part of this test")),
      async *stream() {},
      delete: async () => {},
      async *list() {},
    },
    authorizeGet: async () => {},
    authorizePut: async () => {},
    staged: async () => {},
  },
});

async function measure(): Promise<void> {
  for (let before = -1; before !== receivedBytes;) {
    before = receivedBytes;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  process.send?.({ rssBytes: process.memoryUsage.rss(), receivedBytes });
}

process.on("message", () => void measure());
process.send?.({ port: server.port, rssBytes: process.memoryUsage.rss() });
