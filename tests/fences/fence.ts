/** One fenced block of a Markdown page. */
export interface Fence {
  /** The page, as the reader knows it. */
  readonly page: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** `key="value"` pairs of the info string. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What may be written after the language, and what it means. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  skip: "why the block is not run",
  file: "the block is also written to this file of the page's working folder",
  kind: "what the document is when it is no run spec",
};

/** Languages of a page: run, checked, or only shown. */
export const LANGUAGES: Readonly<Record<string, "shell" | "typescript" | "yaml" | "json" | "shown">> = {
  sh: "shell",
  ts: "typescript",
  yaml: "yaml",
  json: "json",
  csv: "shown",
  text: "shown",
  mermaid: "shown",
};

/** Finds the fenced blocks of a page (CommonMark 0.31, section 4.5), indented ones in lists included. Throws on what the runner does not know. */
export function parseFences(page: string, markdown: string): readonly Fence[] {
  const fences: Fence[] = [];
  let open: { readonly indent: number; readonly marks: string; readonly line: number; readonly info: string; readonly lines: string[] } | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (open === undefined) {
      const [, indent, marks, info] = /^(\s*)(`{3,}|~{3,})([^`]*)$/.exec(line) ?? [];
      if (marks !== undefined) open = { indent: indent!.length, marks, line: index + 1, info: info!.trim(), lines: [] };
    } else if (line.trim().startsWith(open.marks) && /^(`+|~+)$/.test(line.trim())) {
      fences.push(toFence(page, open));
      open = undefined;
    } else {
      open.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: this fence is never closed.`);
  return fences;
}

function toFence(page: string, { line, info, lines }: { readonly line: number; readonly info: string; readonly lines: readonly string[] }): Fence {
  const [language = ""] = info.split(/\s/);
  const rest = info.slice(language.length);
  const pairs = [...rest.matchAll(/\s+(\w+)="([^"]*)"/g)];
  const where = `${page}:${line}`;
  if (LANGUAGES[language] === undefined) throw new Error(`${where}: "${language}" is none of ${Object.keys(LANGUAGES).join(", ")}.`);
  if (pairs.map(([pair]) => pair).join("") !== rest) throw new Error(`${where}: "${rest.trim()}" is not written as key="value".`);
  for (const [, key, value] of pairs) {
    if (ATTRIBUTES[key!] === undefined) throw new Error(`${where}: ${key} is none of ${Object.keys(ATTRIBUTES).join(", ")}.`);
    if (value!.trim() === "") throw new Error(`${where}: ${key} needs a value: ${ATTRIBUTES[key!]}.`);
  }
  return { page, line, language, attributes: Object.fromEntries(pairs.map(([, key, value]) => [key!, value!])), text: `${lines.join("\n")}\n` };
}
