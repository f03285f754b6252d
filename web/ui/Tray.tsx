import { LIMITS } from "../../src/protocol/limits.ts";
import type { Upload } from "../model/uploads.ts";
import { refusalText, sizeText } from "../phrases.ts";
import type { ConversationId } from "../wire.ts";
import { plainName } from "../words.ts";
import { Icon } from "./Icon.tsx";
import { IconButton } from "./IconButton.tsx";
import { useSession } from "./session-context.ts";

/** [MD-16] Files that are to be sent, and those on their way. */
export function Tray({ id }: { id: ConversationId }) {
  const { uploads } = useSession();
  const items = uploads.all.value.filter(({ conversationId }) => conversationId === id);
  return (
    <ul id="uploads" class="plain" aria-label="Files on their way" hidden={items.length === 0}>
      {items.map((item) => (
        <TrayItem key={item.key} item={item} />
      ))}
    </ul>
  );
}

function TrayItem({ item }: { item: Upload }) {
  const { uploads } = useSession();
  const { key, file, preview, is, progress, problem } = item;
  const name = plainName(file.name) || "File";
  const isUnderway = is === "waiting" || is === "going" || is === "paused";
  return (
    <li data-is={is}>
      {preview ? <img src={preview} alt="" /> : <Icon name="file" />}
      <span class="name">
        <bdi>{name}</bdi>
        <small class="quiet">{sizeText(file.size)}</small>
      </span>
      {isUnderway && <progress max={1} value={progress} aria-label={`Uploading ${name}`} />}
      {is === "going" && file.size > LIMITS.partBytes && (
        <IconButton icon="pause" label={`Pause ${name}`} onClick={() => uploads.pause(key)} />
      )}
      {is === "paused" && <IconButton icon="play" label={`Go on with ${name}`} onClick={() => uploads.resume(key)} />}
      {problem && (
        <span class="problem">{problem === "invalid_request" ? "This file is empty" : refusalText(problem)}</span>
      )}
      {is === "failed" && problem === "unavailable" && (
        <button type="button" class="link" onClick={() => uploads.retry(key)}>
          Try again
        </button>
      )}
      <IconButton icon="close" label={`Cancel ${name}`} onClick={() => uploads.cancel(key)} />
    </li>
  );
}
