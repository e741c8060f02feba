/**
 * Heart disease: 920 patients of four hospitals (303, 294, 123 and 200), 13 findings and the degree of narrowing that angiography found;
 * mixed types, and much missing.
 *
 * Source: Janosi, Steinbrunn, Pfisterer, Detrano, "Heart Disease", UCI Machine Learning Repository, 1988,
 * https://doi.org/10.24432/C52P4X, CC BY 4.0; columns as `heart-disease.names` there lists them, positions 1 to 14 of the processed files.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { parseDecimal } from "../../table/cell.ts";
import type { FetchRecipe } from "./recipe.ts";

const COLUMNS = ["age", "sex", "cp", "trestbps", "chol", "fbs", "restecg", "thalach", "exang", "oldpeak", "slope", "ca", "thal", "num"] as const;
/** The hospitals as the files call them, in the order of the result. */
const SITES = ["cleveland", "hungarian", "switzerland", "va"] as const;
const UNKNOWN = "?";

const SHA256 = {
  cleveland: "a74b7efa387bc9d108d7d0115d831fe9b414b29ae7124f331b622b4efa0427c8",
  hungarian: "d1ad108f785768cd3d7e82dc522e6f5a61eea93cccfb3a46ee8076f73fc3d796",
  switzerland: "834a405ccf5b66ab4056bb77794adc8df0b7125186454c0a1d002d33c6c3b314",
  va: "e7c93d8d0d2acdadfa4c5e8de768e2191e7f618b952e29623f1f0d5949ff6b8f",
} as const;

const NOTICE = `Heart Disease
Andras Janosi (Hungarian Institute of Cardiology, Budapest), William Steinbrunn (University Hospital, Zurich),
Matthias Pfisterer (University Hospital, Basel), Robert Detrano (V.A. Medical Center, Long Beach, and Cleveland
Clinic Foundation). UCI Machine Learning Repository, 1988. https://doi.org/10.24432/C52P4X

Licence: Creative Commons Attribution 4.0 International (CC BY 4.0), https://creativecommons.org/licenses/by/4.0/

Changes: fed_heart.csv joins the files processed.cleveland.data, processed.hungarian.data,
processed.switzerland.data and processed.va.data. A header and the column "site" were added, a cell "?" was
left empty, and numbers were written without needless zeros ("63.0" as 63, ".7" as 0.7). No row and no value
was changed, left out or added.
`;

export const heartDisease: FetchRecipe = {
  name: "heart-disease",
  about: "920 patients of four hospitals (Cleveland, Budapest, Switzerland, Long Beach): 13 findings, and whether angiography found heart disease",
  licence: "CC BY 4.0, Janosi, Steinbrunn, Pfisterer, Detrano",
  baseUrl: "https://archive.ics.uci.edu/ml/machine-learning-databases/heart-disease/",
  page: "https://archive.ics.uci.edu/dataset/45/heart+disease",
  files: SITES.map((site) => ({ name: fileOf(site), sha256: SHA256[site] })),
  maxFileBytes: 1_000_000,
  result: { name: "fed_heart.csv", sha256: "f2c325494cdd8d0d92feb4ccc5eccb44d268225bd292fe4373c74cd8d560e722" },
  notice: { name: "fed_heart.LICENSE.txt", text: NOTICE },
  make(files) {
    const rows = SITES.flatMap((site) => rowsOf(site, files.get(fileOf(site)) ?? new Uint8Array()));
    return new TextEncoder().encode(`${["site", ...COLUMNS].join(",")}\n${rows.join("")}`);
  },
};

function fileOf(site: (typeof SITES)[number]): string {
  return `processed.${site}.data`;
}

function rowsOf(site: (typeof SITES)[number], bytes: Uint8Array): readonly string[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  return lines.flatMap((line, index) => {
    if (line.trim() === "") return [];
    const cells = line.split(",").map(plainCell);
    if (cells.length === COLUMNS.length && !cells.includes(undefined)) return [`${[site, ...cells].join(",")}\n`];
    throw new NexusError("DATA_INVALID", `${fileOf(site)}, line ${index + 1} is not ${COLUMNS.length} numbers.`, {
      hint: "Get the file again.",
      details: { file: fileOf(site), line: index + 1 },
    });
  });
}

/** A number as short as it can be written, nothing where it is not known; undefined for anything else. */
function plainCell(text: string): string | undefined {
  const trimmed = text.trim();
  return trimmed === UNKNOWN ? "" : parseDecimal(trimmed)?.toString();
}
