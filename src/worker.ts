import type { Env } from "./platform/env.ts";
import { newApp, refuseOtherMethods } from "./platform/http.ts";
import { sweepMedia } from "./platform/media/sweep.ts";
import { carryPushes } from "./platform/push/consumer.ts";
import { DOORS } from "./protocol/http.ts";
import { mountAuth } from "./routes/auth.ts";
import { mountBlocks } from "./routes/blocks.ts";
import { mountContacts } from "./routes/contacts.ts";
import { mountConversations } from "./routes/conversations.ts";
import { mountDocs } from "./routes/docs.ts";
import { mountEvents } from "./routes/events.ts";
import { mountInvites } from "./routes/invites.ts";
import { mountJoinRequests } from "./routes/join-requests.ts";
import { mountMe } from "./routes/me.ts";
import { mountMedia } from "./routes/media.ts";
import { mountOperator } from "./routes/operator.ts";
import { mountPush } from "./routes/push.ts";
import { mountSearch } from "./routes/search.ts";
import { mountSocket } from "./routes/socket.ts";
import { mountUploads } from "./routes/uploads.ts";
import { mountUsers } from "./routes/users.ts";

export { Conversation } from "./objects/conversation.ts";
export { Inbox } from "./objects/inbox.ts";

const app = newApp();
for (const mount of [
  mountAuth,
  mountMe,
  mountUsers,
  mountContacts,
  mountBlocks,
  mountConversations,
  mountInvites,
  mountJoinRequests,
  mountEvents,
  mountSearch,
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

/** [MD-11] Every hour. */
const scheduled = async (event: ScheduledController, env: Env): Promise<void> => {
  await sweepMedia(env, event.scheduledTime);
};

export default Object.assign(app, { queue: carryPushes, scheduled });
