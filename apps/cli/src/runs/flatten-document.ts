/**
 * Every leaf of a JSON document under its path: `train.optimiser.kind`, `layers[0].units`. A list of things that have names is
 * addressed by them, `parties.clinic-a.trainExamples`, so that one more of them does not make all that follow differ. A list of plain
 * values is one leaf.
 */
export function flattenDocument(document: unknown): ReadonlyMap<string, unknown> {
  const leaves = new Map<string, unknown>();
  const visit = (path: string, value: unknown): void => {
    const children = childrenOf(path, value);
    if (children === undefined) leaves.set(path, value);
    else for (const [childPath, child] of children) visit(childPath, child);
  };
  visit("", document);
  return leaves;
}

function childrenOf(path: string, value: unknown): readonly (readonly [path: string, child: unknown])[] | undefined {
  if (Array.isArray(value)) return listChildren(path, value);
  if (!isRecord(value) || Object.keys(value).length === 0) return undefined;
  return Object.entries(value).map(([key, child]) => [join(path, key), child]);
}

function listChildren(path: string, list: readonly unknown[]): readonly (readonly [string, unknown])[] | undefined {
  if (!list.some((item) => typeof item === "object" && item !== null)) return undefined;
  const names = list.map((item) => (isRecord(item) ? item["name"] : undefined));
  if (names.every((name) => typeof name === "string") && new Set(names).size === names.length) {
    return list.map((item, index) => {
      const { name: _, ...rest } = item as Readonly<Record<string, unknown>>;
      return [join(path, String(names[index])), rest];
    });
  }
  return list.map((item, index) => [`${path}[${index}]`, item]);
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
