import { inferShapes, type LayerShapes, type NetworkSpec } from "@ciphernx/ai/nn";
import { type Column, formatTable } from "../output/index.ts";

const COLUMNS: readonly Column<LayerShapes>[] = [
  { title: "LAYER", cell: ({ name }) => name },
  { title: "KIND", cell: ({ kind }) => kind },
  { title: "OUTPUT", cell: ({ outputShape }) => outputShape.join(" × ") },
  // What is inside a block has lines of its own.
  { title: "PARAMETERS", align: "right", cell: ({ inner, parameters }) => (inner.length > 0 ? "" : String(countOf(parameters))) },
];

/** A network's layers, one a line, those inside a residual block under it: the shape of what each gives for one example, and its parameters. */
export function formatLayers({ layers, inputLength, inputShape = [inputLength] }: NetworkSpec): string {
  const lines = inferShapes(layers, inputShape).flatMap(withInner);
  return formatTable(COLUMNS, lines, "");
}

function withInner(layer: LayerShapes): readonly LayerShapes[] {
  return [layer, ...layer.inner.flatMap(withInner)];
}

function countOf(parameters: LayerShapes["parameters"]): number {
  return parameters.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
