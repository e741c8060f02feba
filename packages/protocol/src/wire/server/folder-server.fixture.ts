/** A process that serves the blobs of a folder to everybody, until it is killed or its parent is gone: tells its port. */
import { folderBlobStore } from "@ciphernx/core/blobs";
import { createPartialUploads } from "../partial-uploads.ts";
import { startWireServer } from "./index.ts";

const server = await startWireServer({
  port: 0,
  routes: () => {},
  log: { debug: () => {}, warn: console.error, error: console.error },
  blobs: {
    store: await folderBlobStore(process.argv[2] ?? ""),
    authorizeGet: async () => {},
    authorizePut: async () => {},
    staged: async ({ staged }) => void (await staged.commit()),
    resuming: { uploads: createPartialUploads(), uploader: () => "anybody", authorize: async () => {} },
  },
});
process.once("disconnect", () => process.exit());
process.send?.(server.port);
