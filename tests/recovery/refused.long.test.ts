import { chmod, mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { startCoordinatorProcess } from "./coordinator-process.ts";

const IS_ROOT = process.getuid?.() === 0;

describe("a coordinator that cannot start", () => {
  it("says that another one has the data folder, or that something listens on the port", async () => {
    await using folder = await temporaryFolder();
    const home = join(folder.path, "home");
    const first = await startCoordinatorProcess(home, { port: 0 });
    await expect(startCoordinatorProcess(home, { port: 0 })).rejects.toMatchObject({
      code: "DATA_FOLDER_BUSY",
      message: expect.stringContaining(String(first.pid)) as string,
    });
    await first.stop();

    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { readonly port: number };
    await expect(startCoordinatorProcess(home, { port })).rejects.toMatchObject({
      code: "PORT_IN_USE",
      message: expect.stringContaining(String(port)) as string,
    });
    other.close();
    // Neither refusal has left anything behind.
    await (await startCoordinatorProcess(home, { port })).stop();
  });

  it.skipIf(!IS_ROOT)("names the folder that PostgreSQL's user may not enter", async () => {
    await using folder = await temporaryFolder();
    const closed = join(folder.path, "closed");
    await mkdir(closed);
    await chmod(closed, 0o700);
    await expect(startCoordinatorProcess(join(closed, "home"), { port: 0 })).rejects.toMatchObject({
      code: "DATA_FOLDER_UNUSABLE",
      message: expect.stringContaining(`may not enter ${closed}`) as string,
    });
  });
});
