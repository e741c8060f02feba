/**
 * A party in a process of its own, to be killed. Says as lines of JSON when a task is before it, and takes its time for each.
 *
 * Arguments: the party's name, its folder, milliseconds for a task, and, the first time, the coordinator's address and a join token.
 *
 * @module
 */
import { sleep } from "@ciphernx/core/lifecycle";
import { party } from "./parties.ts";

const [name = "", folder = "", pauseMs = "0", url, token] = process.argv.slice(2);
const leaving = new AbortController();
process.once("SIGTERM", () => leaving.abort());
// Whoever started it has gone.
process.stdin.once("close", () => leaving.abort()).resume();

const node = party(name, {
  async before(_party, { round }, kind) {
    process.stdout.write(`${JSON.stringify({ round, kind })}\n`);
    await sleep(Number(pauseMs));
  },
});
await node.serve({ name, folder, signal: leaving.signal, ...(url === undefined || token === undefined ? {} : { url, token }) });
process.stdin.destroy();
