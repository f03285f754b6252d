/**
 * `npm run retention:apply`, once after RETENTION_DAYS was set or shortened: has also those conversations look at it that nobody wakes. From
 * then on each of them wakes itself. Where it asks: operator-walk.ts.
 */
import { walkUsers } from "./operator-walk.ts";

await walkUsers("applyRetention", {});
