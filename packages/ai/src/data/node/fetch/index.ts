export { FETCH_RECIPES, fetchDataset, type FetchedDataset, type FetchOptions, fetchRecipe } from "./fetch-dataset.ts";
export type { FetchRecipe, PublishedFile } from "./recipe.ts";
