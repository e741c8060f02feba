/** What an error of a network says about the layer that it names. */
export interface LayerErrorDetails {
  /** For example `Layer 3, layer 1`: the layer 1 inside the layer 3. */
  readonly layer?: unknown;
  /** The setting that is wrong, where it is a single one. */
  readonly setting?: unknown;
}

/** Where in the spec the layer of an error is written: `model.layers[3].layers[1].channels`; the list as a whole where none is named. */
export function layerPath({ layer, setting }: LayerErrorDetails): string {
  if (typeof layer !== "string") return "model.layers";
  const places = [...layer.matchAll(/(layer|shortcut) (\d+)/giu)];
  const path = places.map(([, list, index]) => `${list!.toLowerCase() === "layer" ? "layers" : "shortcut"}[${index}]`);
  return ["model", ...path, ...(typeof setting === "string" ? [setting] : [])].join(".");
}
