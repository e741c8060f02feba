export { bitmapOf, placesOf } from "./bitmap.ts";
export { drawHolders } from "./draw-holders.ts";
export { type Assumptions, MOST_COMPLETE, secAggParameters, type SecAggParameters } from "./parameters.ts";
export { packedBytes, type Ring, ringFor } from "./ring.ts";
