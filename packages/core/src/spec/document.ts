import { LineCounter, parseDocument } from "yaml";
import { NexusError } from "../errors/index.ts";

/** Longest spec text that is read: a spec is written by people, and a bomb is not. */
const MAX_SPEC_CHARACTERS = 1_000_000;

/**
 * Reads a YAML or JSON document (JSON is YAML) into plain values.
 * @throws NexusError SPEC_UNREADABLE with line and column of the first mistake.
 */
export function readDocument(text: string, source = "the spec"): unknown {
  if (text.length > MAX_SPEC_CHARACTERS) {
    throw new NexusError("SPEC_UNREADABLE", `${source} is ${text.length} characters long; at most ${MAX_SPEC_CHARACTERS} are read.`);
  }
  const lineCounter = new LineCounter();
  // Pretty errors would name the place once more, within the message.
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: false, lineCounter });
  const mistake = document.errors[0];
  if (mistake !== undefined) {
    const { line, col } = lineCounter.linePos(mistake.pos[0]);
    throw new NexusError("SPEC_UNREADABLE", `${source}, line ${line}, column ${col}: ${mistake.message}`, { cause: mistake });
  }
  try {
    // Aliases may be used, but not to grow a small text into a huge value.
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new NexusError("SPEC_UNREADABLE", `${source}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
