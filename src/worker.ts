import { indexNames, sweepReports } from "./platform/chores.ts";
import type { Env } from "./platform/env.ts";
import { rearmErasures } from "./platform/erasures.ts";
import { newApp, refuseOtherMethods } from "./platform/http.ts";
import { sweepMedia } from "./platform/media/sweep.ts";
import { carryPushes } from "./platform/push/consumer.ts";
import { DOORS } from "./protocol/http.ts";
import { mountAuth } from "./routes/auth.ts";
import { mountBlocks } from "./routes/blocks.ts";
import { mountContacts } from "./routes/contacts.ts";
import { mountConversations } from "./routes/conversations.ts";
import { mountDocs } from "./routes/docs.ts";
import { mountErasures } from "./routes/erasures.ts";
import { mountEvents } from "./routes/events.ts";
import { mountExports } from "./routes/exports.ts";
import { mountInvites } from "./routes/invites.ts";
import { mountJoinRequests } from "./routes/join-requests.ts";
import { mountMe } from "./routes/me.ts";
import { mountMedia } from "./routes/media.ts";
import { mountOperator } from "./routes/operator.ts";
import { mountPush } from "./routes/push.ts";
import { mountReports } from "./routes/reports.ts";
import { mountSearch } from "./routes/search.ts";
import { mountSocket } from "./routes/socket.ts";
import { mountStars } from "./routes/stars.ts";
import { mountUploads } from "./routes/uploads.ts";
import { mountUsers } from "./routes/users.ts";

export { Conversation } from "./objects/conversation.ts";
export { Inbox } from "./objects/inbox.ts";

const app = newApp();
for (const mount of [
  mountAuth,
  mountMe,
  mountExports,
  mountErasures,
  mountUsers,
  mountContacts,
  mountBlocks,
  mountConversations,
  mountInvites,
  mountJoinRequests,
  mountEvents,
  mountStars,
  mountSearch,
  mountReports,
  mountMedia,
  mountUploads,
  mountPush,
  mountSocket,
  mountOperator,
  mountDocs,
]) {
  mount(app);
}
refuseOtherMethods(app, Object.values(DOORS));

/** [MD-11] [RP-7] [PE-8] [ER-5] Every hour. One that fails keeps no other from being done. */
const scheduled = async (event: ScheduledController, env: Env): Promise<void> => {
  const at = event.scheduledTime;
  const chores = [sweepMedia(env, at), sweepReports(env, at), indexNames(env), rearmErasures(env)];
  const done = await Promise.allSettled(chores);
  for (const chore of done) if (chore.status === "rejected") throw chore.reason;
};

export default Object.assign(app, { queue: carryPushes, scheduled });
