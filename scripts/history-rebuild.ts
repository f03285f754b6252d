/** `npm run history:rebuild`: ships the logs of all conversations to the history shards anew. Where it asks: operator-walk.ts. */
import { walkUsers } from "./operator-walk.ts";

await walkUsers("rebuildHistory", { startedAt: Date.now() });
