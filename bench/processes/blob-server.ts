/** The product's blob transfer over a folder: takes and gives everybody everything, and keeps parts of uploads that are cut. @module */
import { once } from "node:events";
import { folderBlobStore } from "@ciphernx/core/blobs";
import { collectBulkMemory } from "@ciphernx/core/process";
import { createPartialUploads } from "@ciphernx/protocol/wire";
import { startWireServer } from "@ciphernx/protocol/wire/server";
import { givenOptions, letGo, tell } from "./child.ts";

export interface BlobServerOptions {
  readonly folder: string;
}

if (import.meta.main) {
  collectBulkMemory();
  const ended = letGo();
  const { folder } = givenOptions<BlobServerOptions>();
  const uploads = createPartialUploads();
  const server = await startWireServer({
    port: 0,
    routes: () => {},
    blobs: {
      store: await folderBlobStore(folder),
      authorizeGet: async () => {},
      authorizePut: async () => {},
      staged: async ({ staged }) => void (await staged.commit()),
      resuming: { uploads, uploader: () => "bench", authorize: async () => {} },
    },
    log: { debug: () => {}, warn: () => {}, error: console.error },
  });
  tell(server.port);
  if (!ended.aborted) await once(ended, "abort");
  await server.close();
  await uploads.close();
}
