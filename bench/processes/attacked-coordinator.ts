/** A coordinator on both of its ports, for malformed messages; tells of its unexpected errors when it is asked. @module */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ownerTokenPath, startCoordinator } from "@ciphernx/coordinator";
import { givenOptions, letGo, tell } from "./child.ts";

export interface AttackedCoordinatorOptions {
  readonly home: string;
  /** Default: a database of its own in the data folder. */
  readonly databaseUrl?: string;
}

if (import.meta.main) {
  const ended = letGo();
  const { home, databaseUrl } = givenOptions<AttackedCoordinatorOptions>();
  await using coordinator = await startCoordinator({
    ...{ home, port: 0, tls: { listen: { host: "127.0.0.1", port: 0 } } },
    wrongSecretsPerMinute: 1e9, // every message is to be read
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
  const ownerToken = (await readFile(ownerTokenPath(home), "utf8")).trim();
  tell({ port: coordinator.port, tlsPort: Number(new URL(coordinator.tls!.url).port), ownerToken });
  process.on("message", () => {
    void readFile(join(home, "coordinator.log"), "utf8").then((log) => tell(log.split("\n").filter((line) => line.includes("unexpected error"))));
  });
  if (!ended.aborted) await once(ended, "abort");
}
