export { findProfile, type Profile } from "./find-profile.ts";
