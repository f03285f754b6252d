import { newApp, refuseOtherMethods } from "./platform/http.ts";
import { carryPushes } from "./platform/push/consumer.ts";
import { DOORS } from "./protocol/http.ts";
import { mountAuth } from "./routes/auth.ts";
import { mountContacts } from "./routes/contacts.ts";
import { mountConversations } from "./routes/conversations.ts";
import { mountDocs } from "./routes/docs.ts";
import { mountEvents } from "./routes/events.ts";
import { mountMe } from "./routes/me.ts";
import { mountOperator } from "./routes/operator.ts";
import { mountPush } from "./routes/push.ts";
import { mountSocket } from "./routes/socket.ts";
import { mountUsers } from "./routes/users.ts";

export { Conversation } from "./objects/conversation.ts";
export { Inbox } from "./objects/inbox.ts";

const app = newApp();
for (const mount of [
  mountAuth,
  mountMe,
  mountUsers,
  mountContacts,
  mountConversations,
  mountEvents,
  mountPush,
  mountSocket,
  mountOperator,
  mountDocs,
]) {
  mount(app);
}
refuseOtherMethods(app, Object.values(DOORS));

export default Object.assign(app, { queue: carryPushes });
