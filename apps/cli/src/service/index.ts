export { installUnit, ownCommand, ownerOf } from "./install-unit.ts";
export { serviceUnit, type ServiceUnit } from "./unit.ts";
