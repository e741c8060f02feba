import { execFileSync, spawnSync } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fetchDataset, type FetchOptions, fetchRecipe } from "./fetch-dataset.ts";
import { sha256Of } from "./given-files.ts";
import type { FetchRecipe } from "./recipe.ts";

let folder: string;
let server: Server | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ciphernx-fetch-"));
});
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const FILES = new Map([
  ["a.data", encode("1\n2\n")],
  ["b.data", encode("3\n")],
]);
const RESULT = encode("x\n1\n2\n3\n");

/** A made-up dataset of two files that are joined. */
const recipe: FetchRecipe = {
  name: "numbers",
  about: "three numbers",
  licence: "none",
  baseUrl: "http://127.0.0.1:1/",
  page: "https://example.org/numbers",
  files: [...FILES].map(([name, bytes]) => ({ name, sha256: sha256Of(bytes) })),
  maxFileBytes: 1_000,
  result: { name: "numbers.csv", sha256: sha256Of(RESULT) },
  notice: { name: "numbers.LICENSE.txt", text: "Nobody's.\n" },
  make: (files) => Buffer.concat([encode("x\n"), ...[...FILES.keys()].map((name) => files.get(name)!)]),
};

/** Serves the files, or whatever `answer` does. @returns The address with a slash. */
async function serve(answer: RequestListener = publish): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/numbers/`;
}

const publish: RequestListener = (request, response) => {
  const bytes = FILES.get(request.url!.replace("/numbers/", ""));
  response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
};

const out = (): string => join(folder, "deep", "numbers");
const fetched = (options: Partial<FetchOptions>) => fetchDataset(recipe, { out: out(), ...options });

async function expectNothing(): Promise<void> {
  expect(await readdir(folder)).toEqual([]);
}

describe("fetchDataset", () => {
  it("downloads, checks, makes one file of it with its licence beside it, and does so once", async () => {
    let requests = 0;
    const baseUrl = await serve((request, response) => {
      requests += 1;
      publish(request, response);
    });
    const dataset = await fetched({ baseUrl });
    expect(dataset).toEqual({
      name: "numbers",
      file: join(out(), "numbers.csv"),
      noticeFile: join(out(), "numbers.LICENSE.txt"),
      sha256: recipe.result.sha256,
      sizeBytes: RESULT.length,
      origin: "downloaded",
    });
    expect(await readFile(dataset.file, "utf8")).toBe("x\n1\n2\n3\n");
    expect(await readFile(dataset.noticeFile, "utf8")).toBe("Nobody's.\n");
    expect((await readdir(out())).toSorted()).toEqual(["numbers.LICENSE.txt", "numbers.csv"]);
    expect(requests).toBe(2);
    expect(await fetched({ baseUrl })).toEqual({ ...dataset, origin: "present" });
    expect(requests).toBe(2);
    await expect(fetched({ from: join(folder, "nowhere") })).rejects.toMatchObject({ code: "DATA_UNREADABLE" });
    expect(await readFile(dataset.file, "utf8")).toBe("x\n1\n2\n3\n");
  });

  it("follows where the publisher has moved its files", async () => {
    const baseUrl = await serve((request, response) => {
      if (request.url!.startsWith("/numbers/")) response.writeHead(301, { location: request.url!.replace("/numbers/", "/moved/") }).end();
      else response.end(FILES.get(request.url!.replace("/moved/", "")));
    });
    expect((await fetched({ baseUrl })).origin).toBe("downloaded");
  });

  it.each<[string, RequestListener, RegExp]>([
    ["another status", (_, response) => void response.writeHead(503).end("later"), /a\.data was answered with status 503 instead of the file/],
    [
      "a transfer that breaks off",
      (_, response) => void (response.writeHead(200, { "content-length": 100 }).write("1\n"), setTimeout(() => response.destroy(), 20)),
      /a\.data cannot be fetched: /,
    ],
    ["no answer", () => undefined, /a\.data was not there after 0\.3 s/],
    ["an answer that stalls", (_, response) => void response.writeHead(200).write("1"), /a\.data was not there after 0\.3 s/],
    ["a connection that is closed", (request) => void request.socket.destroy(), /a\.data cannot be fetched: /],
  ])("says what is wrong with %s, and leaves nothing behind", async (_, answer, message) => {
    const baseUrl = await serve(answer);
    await expect(fetched({ baseUrl, timeoutMs: 300 })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: expect.stringMatching(message) as string,
      hint: expect.stringContaining("nexus dataset fetch numbers --from") as string,
      retryable: true,
    });
    await expectNothing();
  });

  it("says so where there is no connection", async () => {
    await expect(fetched({})).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: expect.stringMatching(/127\.0\.0\.1:1\/a\.data cannot be fetched: \S/) as string,
    });
    await expectNothing();
  });

  it("takes no more than the file may hold", async () => {
    let sentBytes = 0;
    const closed = Promise.withResolvers<void>();
    const baseUrl = await serve((_, response) => {
      response.on("close", () => closed.resolve());
      const send = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sentBytes += 65_536;
        sentBytes += 65_536;
        response.once("drain", send);
      };
      send();
    });
    await expect(fetched({ baseUrl })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: expect.stringContaining("more than the 1000 bytes") as string,
    });
    await closed.promise;
    expect(sentBytes).toBeLessThan(50_000_000);
    await expectNothing();
  });

  it("refuses files that are not the pinned ones, naming both hashes", async () => {
    const baseUrl = await serve((request, response) => void response.end(request.url!.endsWith("b.data") ? "4\n" : FILES.get("a.data")));
    await expect(fetched({ baseUrl })).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: `${baseUrl}b.data is not the published file: it has the SHA-256 ${sha256Of(encode("4\n"))}, not ${recipe.files[1]!.sha256}.`,
    });
    await expectNothing();
  });

  it("stops when it is told to, and leaves nothing behind", async () => {
    const interruption = new AbortController();
    const baseUrl = await serve((_, response) => {
      response.writeHead(200).write("1");
      interruption.abort(new Error("Ctrl-C"));
    });
    await expect(fetched({ baseUrl, signal: interruption.signal })).rejects.toThrow("Ctrl-C");
    await expectNothing();
  });

  it("leaves another file of that name alone", async () => {
    await mkdir(out(), { recursive: true });
    await writeFile(join(out(), "numbers.csv"), "mine");
    await expect(fetched({ baseUrl: await serve() })).rejects.toMatchObject({
      code: "FILE_UNUSABLE",
      message: expect.stringContaining("numbers.csv is there already") as string,
    });
    expect(await readdir(out())).toEqual(["numbers.csv"]);
  });

  it("names a folder that cannot be written to", async () => {
    await writeFile(join(folder, "deep"), "a file");
    await expect(fetched({ baseUrl: await serve() })).rejects.toMatchObject({
      code: "FILE_UNUSABLE",
      message: expect.stringContaining(out()) as string,
    });
    expect(await readdir(folder)).toEqual(["deep"]);
  });

  it.skipIf(process.getuid?.() === 0)("names a folder that may not be written to", async () => {
    await mkdir(out(), { recursive: true });
    await chmod(out(), 0o500);
    await expect(fetched({ baseUrl: await serve() })).rejects.toMatchObject({ code: "FILE_UNUSABLE" });
    await chmod(out(), 0o700);
    expect(await readdir(out())).toEqual([]);
  });

  it("leaves neither file nor draft on a disk that is full", async (context) => {
    if (process.getuid?.() !== 0 || spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).status !== 0)
      return context.skip("only root has a small disk");
    try {
      await writeFile(join(folder, "filler"), Buffer.alloc(60_000));
      const large = Buffer.alloc(20_000, "1\n");
      const of = { ...recipe, maxFileBytes: 30_000, result: { name: "numbers.csv", sha256: sha256Of(large) }, make: () => large };
      await expect(fetchDataset(of, { out: out(), baseUrl: await serve() })).rejects.toMatchObject({ code: "DISK_FULL" });
      expect(await readdir(folder)).toEqual(["filler"]);
    } finally {
      execFileSync("umount", [folder]);
    }
  });
});

/** A ZIP archive of deflated members. Source: APPNOTE 6.3.10, §4.3.7, §4.3.12 and §4.3.16. */
function zip(members: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, bytes] of members) {
    const packed = deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\u0001\u0002"), Buffer.of(20, 0), common, rest, Buffer.from(name)]));
    locals.push(local);
    at += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.size, 4);
  end.writeUInt16LE(members.size, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...locals, ...directory, Buffer.from("PK\u0005\u0006"), end]);
}

describe("fetchDataset from files that came otherwise", () => {
  const given = async (name: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  };

  it("takes the finished file, the publisher's folder, and its archive", async () => {
    const files = join(folder, "files");
    await mkdir(files);
    for (const [name, bytes] of FILES) await writeFile(join(files, name), bytes);
    const places = [
      await given("renamed.csv", RESULT),
      files,
      await given("numbers.zip", zip(FILES)),
      await given("nested.ZIP", zip(new Map([...FILES].map(([name, bytes]) => [`numbers/${name}`, bytes])))),
    ];
    for (const [index, from] of places.entries()) {
      const dataset = await fetched({ out: join(folder, `out-${index}`), from });
      expect(dataset.origin).toBe("given");
      expect(await readFile(dataset.file, "utf8")).toBe("x\n1\n2\n3\n");
    }
    const again = await fetched({ out: join(folder, "again"), from: join(folder, "out-0") });
    expect((await stat(again.file)).size).toBe(RESULT.length);
  });

  it.each<[string, () => Promise<string>, string, RegExp]>([
    [
      "another file",
      () => given("p.csv", encode("x\n1\n")),
      "DATA_INVALID",
      /p\.csv is not the published file: it has the SHA-256 [0-9a-f]{64}, not/,
    ],
    ["a file that is far too large", () => given("p.csv", new Uint8Array(2_000)), "DATA_INVALID", /holds more than 1000 bytes/],
    ["nothing", async () => join(folder, "nowhere"), "DATA_UNREADABLE", /nowhere does not exist/],
    [
      "a folder that lacks a file",
      async () => (await mkdir(join(folder, "half")), join(folder, "half")),
      "DATA_UNREADABLE",
      /half\/a\.data does not exist/,
    ],
    ["an archive that lacks a file", () => given("p.zip", zip(new Map([["a.data", FILES.get("a.data")!]]))), "DATA_INVALID", /has no b\.data in it/],
    [
      "an archive with another file",
      () => given("p.zip", zip(new Map([...FILES, ["b.data", encode("4\n")]]))),
      "DATA_INVALID",
      /b\.data is not the published file/,
    ],
    [
      "an archive that unpacks to more",
      () => given("p.zip", zip(new Map([...FILES, ["a.data", new Uint8Array(5_000)]]))),
      "DATA_INVALID",
      /has a a\.data of 5000 bytes/,
    ],
    ["what is no archive", () => given("p.zip", encode("PK")), "DATA_INVALID", /p\.zip/],
  ])("refuses %s", async (_, from, code, message) => {
    await expect(fetched({ from: await from() })).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(await readdir(folder)).not.toContain("deep");
  });

  it("takes no given file with a finished one that is damaged", async () => {
    await given("numbers.csv", encode("damaged"));
    for (const [name, bytes] of FILES) await given(name, bytes);
    await expect(fetched({ from: folder })).rejects.toMatchObject({ code: "DATA_INVALID" });
    await cp(join(folder, "a.data"), join(folder, "a.copy"));
    await rm(join(folder, "numbers.csv"));
    expect((await fetched({ from: folder })).origin).toBe("given");
  });
});

describe("fetchRecipe", () => {
  it("names what is meant", () => {
    expect(fetchRecipe("heart-disease").files).toHaveLength(4);
    expect(() => fetchRecipe("heart-diseas")).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining('is it "heart-disease"?') as string }),
    );
    expect(() => fetchRecipe("lungs")).toThrow(expect.objectContaining({ hint: "What can be fetched: heart-disease." }));
  });
});
