import { defineCommand, flag, integer, text } from "../../command.ts";

export const up = defineCommand({
  name: "up",
  summary: "Start the coordinator on this machine",
  details:
    "It serves loopback addresses only, keeps everything in the data folder, and writes the owner token there, where the other commands find it.",
  options: {
    port: integer("--port <number>", "port to listen on; 0 takes a free one", { min: 0, max: 65_535, fallback: 7700 }),
    host: text("--host <address>", "loopback address to listen on (default: 127.0.0.1 and ::1)"),
    databaseUrl: text("--database-url <url>", "PostgreSQL to use instead of the embedded one (default: $DATABASE_URL)"),
    detach: flag("-d, --detach", "leave it running in the background and return when it answers"),
    exitWithParent: flag("--exit-with-parent", "stop when the process that started it ends, however it ends"),
  },
  examples: [
    { command: "nexus up" },
    { command: "nexus up --detach --port 7800 --home ./nexus-data" },
    { command: "DATABASE_URL=postgres://nexus@db.internal/nexus nexus up", about: "with a PostgreSQL of your own" },
  ],
  async action({ options, ...context }) {
    const { runCoordinator, startDetached } = await import("../../coordinator-process.ts");
    await (options.detach ? startDetached(options, context) : runCoordinator(options, context));
  },
});
