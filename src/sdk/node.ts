/** `@edgewise/sdk/node`: what only Node has. */

export { fileStorage } from "./node/file-storage.ts";
