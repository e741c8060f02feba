import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { checkClock, clockFinding } from "./clock.ts";
import { findingsOf } from "./findings.fixture.ts";

describe("the doctor", () => {
  it("finds nothing to mend before anything runs, and says what comes next", async () => {
    await using folder = await temporaryFolder();
    const { code, of } = await findingsOf(["--home", join(folder.path, "home")]);
    expect(code).toBe(0);
    expect(of("data folder")).toMatchObject([{ state: "good", found: expect.stringContaining("not there yet") as string }]);
    expect(of("database")).toMatchObject([{ state: "good" }]);
    expect(of("coordinator")).toMatchObject([{ state: "warning", fix: expect.stringContaining("nexus up") as string }]);
  });

  it("names what will fail, with its fix, and ends with exit code 1", async () => {
    await using folder = await temporaryFolder();
    const home = join(folder.path, "home");
    await writeFile(home, "a file");
    const { code, error, of } = await findingsOf(["--home", home, "--url", "http://127.0.0.1:9"], {
      DATABASE_URL: "postgres://127.0.0.1:9/nowhere",
      NEXUS_TOKEN: "token",
    });
    expect(code).toBe(1);
    expect(error).toMatchObject({ code: "UNHEALTHY", message: "3 problems found: data folder, database, coordinator." });
    expect(of("data folder")).toMatchObject([{ state: "problem", found: `${home} is a file.` }]);
    expect(of("database")).toMatchObject([{ state: "problem", found: expect.stringContaining("ECONNREFUSED") as string }]);
    expect(of("coordinator")).toMatchObject([{ state: "problem", fix: expect.any(String) as string }]);
  });
});

describe("clocks", () => {
  it.each([
    [1_000, "good", "as the coordinator's"],
    [-20_000, "warning", "20 s behind the coordinator's"],
    [600_000, "problem", "600 s ahead of the coordinator's"],
  ] as const)("%i ms apart", (aheadMs, state, found) => {
    expect(clockFinding(aheadMs)).toMatchObject({ subject: "clock", state, found });
  });

  it("are compared by the date of an answer", async () => {
    let date: Date | undefined = new Date(Date.now() + 3_600_000);
    const server = createServer((_, response) => {
      response.sendDate = false;
      if (date !== undefined) response.setHeader("date", date.toUTCString());
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { signal } = new AbortController();
    expect(await checkClock(url, signal)).toMatchObject({ state: "problem", found: expect.stringMatching(/^3(599|600|601) s behind/) as string });
    date = undefined;
    expect(await checkClock(url, signal)).toMatchObject({ state: "warning", found: expect.stringContaining("does not tell its time") as string });
    await new Promise((resolve) => server.close(resolve));
  });
});
