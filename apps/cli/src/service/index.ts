export { installUnit, ownCommand, ownerOf } from "./install-unit.ts";
