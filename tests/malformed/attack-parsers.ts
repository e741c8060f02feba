/** Malformed files against every reader of files. @module */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  inferCsvFiles,
  inferIdxFiles,
  inferImageFolder,
  inferJsonlFiles,
  listNpzArrays,
  loadDataset,
  loadImageFolder,
  loadNpy,
  loadNpzArray,
  loadParquetExamples,
} from "@ciphernx/ai/data/node";
import { encodeIdx, type TableSchema } from "@ciphernx/ai/data";
import { loadIdentity, readAnchor, readAuditHeads, readDecisions, readKeptRoster } from "@ciphernx/ai/federation/node";
import { readInvitation } from "@ciphernx/ai/federation/organisation";
import { readModelCard } from "@ciphernx/ai/models";
import { importOnnx } from "@ciphernx/ai/onnx";
import { parseRunSpec } from "@ciphernx/ai/spec";
import { decodeSafetensors, encodeSafetensors } from "@ciphernx/ai/tensor";
import { auditEventSchema, verifyAudit } from "@ciphernx/core/audit";
import { NexusError } from "@ciphernx/core/errors";
import { makeCertificateRequest, openAuthority, readNodeCertificate } from "@ciphernx/core/identity/ca";
import { readRoster } from "@ciphernx/core/roster";
import { exportSigningKey, generateSigningKey } from "@ciphernx/crypto/keys";
import { dice, mutate } from "./mutate.ts";

/** A reader, and well-formed contents to begin with. */
interface Reader {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  /** Bytes as they are, or where they lie. */
  read(bytes: Uint8Array<ArrayBuffer>, path: string): unknown;
  /** What the file is called, below a folder of the reader's own. */
  readonly file?: string;
}

/** What came of an attack. */
export interface ParserAttack {
  readonly files: number;
  /** Of those, how many were still well-formed enough to be read. */
  readonly accepted: number;
  /** Longest time that a file took. */
  readonly slowestMs: number;
  /** What was thrown that is no error of ours, with what brings it about. */
  readonly unexpected: readonly { readonly reader: string; readonly seed: number; readonly index: number; readonly error: string }[];
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const SHOWN = 10;
const TABLE: TableSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number" },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
};

/** Reads `files` malformed files in `folder`, in turns by every reader. */
export async function attackParsers(folder: string, { files, seed }: { readonly files: number; readonly seed: number }): Promise<ParserAttack> {
  const readers = await everyReader(folder);
  const unexpected: ParserAttack["unexpected"][number][] = [];
  let accepted = 0;
  let slowestMs = 0;
  for (let index = 0; index < files; index += 1) {
    const { name, samples, read, file } = readers[index % readers.length]!;
    const roll = dice(seed * 1_000_003 + index);
    const bytes = new Uint8Array(mutate(samples[roll(samples.length)]!, samples, roll));
    const path = join(folder, name, file ?? "file");
    if (file !== undefined) await writeFile(path, bytes);
    const startedAt = performance.now();
    try {
      await read(bytes, path);
      accepted += 1;
    } catch (error) {
      const isOurs = error instanceof NexusError && error.code !== "INTERNAL";
      if (!isOurs && unexpected.length < SHOWN)
        unexpected.push({ reader: name, seed, index, error: String(error instanceof Error ? error.stack : error) });
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  }
  return { files, accepted, slowestMs, unexpected };
}

/** Base64 constants of a fixture that holds files which other programs wrote. */
async function fixtureFiles(path: string): Promise<readonly Uint8Array[]> {
  const source = await readFile(new URL(`../../packages/ai/src/data/${path}`, import.meta.url), "utf8");
  return [...source.matchAll(/"([A-Za-z0-9+/=]{100,})"/g)].map(([, base64]) => Buffer.from(base64!, "base64"));
}

async function everyReader(folder: string): Promise<readonly Reader[]> {
  const parquet = await fixtureFiles("node/parquet/parquet.fixture.ts");
  const numpy = await fixtureFiles("npy/npy.fixture.ts");
  const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50;
  const { authority } = await openAuthority({ home: join(folder, "authority") });
  const { request } = await makeCertificateRequest();
  const names = { projectId: "prj_1", nodeId: "node_1", signingKey: new Uint8Array(32) };
  const certificate = Buffer.from((await authority.issueNode(request, names)).replaceAll(/-----.*?-----|\s/g, ""), "base64");
  const key = await exportSigningKey(await generateSigningKey(), "pkcs8");
  const event = {
    number: 1,
    at: "2026-01-01T00:00:00.000Z",
    actor: "owner",
    action: "node-joined",
    subject: "node_1",
    details: {},
    previous: "",
    hash: "0".repeat(64),
  };
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  const descriptor = { formatVersion: 1, name: "rows", schema: TABLE, files: { format: "csv", train: "rows.csv" } };
  const spec =
    "version: 1\nname: small\nseed: 7\ndata: { dataset: rows }\nmodel: { kind: mlp, hidden: [5] }\ntrain: { optimiser: { kind: sgd, learningRate: 0.2 }, batchSize: 8 }\nrounds: 3\n";
  const csv = text('age,ill\n1,no\n2.5,yes\n"3",no\n,yes\n');
  const readers: readonly Reader[] = [
    { name: "csv", samples: [csv, text("a;b\r\n1;2\r\n")], file: "rows.csv", read: (_, path) => inferCsvFiles([path]) },
    {
      name: "jsonl",
      samples: [text('{"age":1,"ill":"no"}\n{"age":null,"ill":"yes"}\n')],
      file: "rows.jsonl",
      read: (_, path) => inferJsonlFiles([path]),
    },
    { name: "parquet", samples: parquet, file: "rows.parquet", read: (_, path) => loadParquetExamples(TABLE, [path]) },
    { name: "npy", samples: numpy.filter((bytes) => !isZip(bytes)), file: "a.npy", read: (_, path) => loadNpy(path) },
    {
      ...{ name: "npz", samples: numpy.filter(isZip), file: "a.npz" },
      read: async (_, path) => {
        for (const array of (await listNpzArrays(path)).slice(0, 3)) await loadNpzArray(path, array);
      },
    },
    {
      ...{ name: "idx", samples: [Buffer.concat(encodeIdx({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) }))], file: "a.idx" },
      read: (_, path) => inferIdxFiles({ features: path, targets: path }),
    },
    {
      ...{ name: "images", samples: [png], file: "train/cat/a.png" },
      read: async (_, path) => {
        const train = dirname(dirname(path));
        await loadImageFolder(await inferImageFolder(train, ["cat", "dog"]), train, ["cat", "dog"]);
      },
    },
    {
      ...{ name: "safetensors", samples: [encodeSafetensors(new Map([["w", { shape: [2], data: Float32Array.of(1, 2) }]]))] },
      read: (bytes) => decodeSafetensors(bytes),
    },
    { name: "onnx", samples: [text("\x08\x08\x12\x05nexus\x3a\x0a\x12\x01g\x2a\x05\x08\x01\x42\x01w")], read: (bytes) => importOnnx(bytes) },
    { name: "spec", samples: [text(spec)], read: (bytes) => parseRunSpec(Buffer.from(bytes).toString("utf8")) },
    {
      name: "model card",
      samples: [text('{"formatVersion":1,"name":"m"}')],
      read: (bytes) => readJson(bytes, (card) => readModelCard(card, "the card")),
    },
    { name: "dataset", samples: [text(JSON.stringify(descriptor))], file: "rows.json", read: (_, path) => loadDataset(path) },
    { name: "certificate", samples: [certificate], read: (bytes) => readNodeCertificate(bytes) },
    { name: "certificate request", samples: [request], read: (bytes) => authority.issueNode(bytes, names) },
    {
      name: "organisation's invitation",
      samples: [text(`noi_${"A".repeat(43)}.${Buffer.from("{}").toString("base64url")}`)],
      read: (bytes) => readInvitation(Buffer.from(bytes).toString()),
    },
    {
      name: "roster",
      samples: [text('{"version":1,"act":{"type":"organisation-added"},"previous":"","signature":"AA"}')],
      read: (bytes) => readJson(bytes, (entry) => readRoster([entry])),
    },
    {
      ...{ name: "audit", samples: [text(JSON.stringify(event))] },
      read: (bytes) =>
        readJson(bytes, (value) => {
          const parsed = auditEventSchema.safeParse(value);
          if (parsed.success) verifyAudit([parsed.data], []);
        }),
    },
    ...(["roster-anchor.json", "roster.jsonl", "audit.jsonl", "decisions.jsonl"] as const).map((file, index) => ({
      ...{ name: file, samples: [text(`{"formatVersion":1,"version":1,"hash":"${"0".repeat(64)}"}\n`), text(`${JSON.stringify(event)}\n`)], file },
      read: (_: unknown, path: string) => [readAnchor, readKeptRoster, readAuditHeads, readDecisions][index]!(dirname(path)),
    })),
    {
      name: "node's key",
      samples: [key, text(JSON.stringify({ formatVersion: 1, nodeId: "node_1", name: "a" }))],
      file: "node.json",
      read: (_, path) => loadIdentity(dirname(path)),
    },
  ];
  for (const { name, file } of readers) await mkdir(dirname(join(folder, name, file ?? "file")), { recursive: true });
  await mkdir(join(folder, "images/train/dog"), { recursive: true });
  await writeFile(join(folder, "images/train/dog/b.png"), png);
  await writeFile(join(folder, "dataset/rows.csv"), csv);
  await writeFile(join(folder, "node's key/node.key"), key);
  return readers;
}

/** What is no JSON is refused before these readers see it. */
function readJson(bytes: Uint8Array, read: (value: unknown) => unknown): unknown {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new NexusError("DATA_INVALID", "That is no JSON.", { cause: error });
  }
  return read(value);
}
