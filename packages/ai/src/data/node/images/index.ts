export { inferImageFolder, loadImageFolder } from "./image-folder.ts";
export { listLabels } from "./list-images.ts";
