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
import { mountMe } from "./routes/me.ts";
import { mountMedia } from "./routes/media.ts";
import { mountOperator } from "./routes/operator.ts";
import { mountPush } from "./routes/push.ts";
import { mountSearch } from "./routes/search.ts";
import { mountSocket } from "./routes/socket.ts";
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
  mountEvents,
  mountSearch,
  mountMedia,
  mountPush,
  mountSocket,
  mountOperator,
  mountDocs,
]) {
  mount(app);
}
refuseOtherMethods(app, Object.values(DOORS));

/** [MD-11] [ER-5] Every hour; neither keeps the other from its work. */
const scheduled = async (event: ScheduledController, env: Env): Promise<void> => {
  await Promise.all([sweepMedia(env, event.scheduledTime), rearmErasures(env)]);
};

export default Object.assign(app, { queue: carryPushes, scheduled });
