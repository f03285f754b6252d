import type { MediaId, UserId } from "../wire.ts";
import { ConversationAvatar } from "./ConversationAvatar.tsx";
import { useSession } from "./session-context.ts";

type Props = {
  userId: UserId;
  name: string;
  large?: boolean;
  /** As an answer has told it, of somebody who need not be known here; null: none. */
  told?: MediaId | null | undefined;
};

/** [AP-44] Somebody's face: the picture that they show me, or a letter. */
export function PersonAvatar({ userId, name, large = false, told }: Props) {
  const { naming } = useSession();
  const picture = told === undefined ? naming.value.face(userId) : told;
  return (
    <ConversationAvatar
      name={name}
      isGroup={false}
      picture={picture}
      large={large}
      whose={userId}
      looks={told === undefined}
    />
  );
}
