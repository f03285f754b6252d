import { LIMITS } from "../../src/protocol/limits.ts";
import { timeOfDay } from "../clock.ts";
import { jumpTo, openId } from "../model/route.ts";
import { dialog } from "../model/shows.ts";
import { forwardedText, GONE, refusalText } from "../phrases.ts";
import type { ShownMessage } from "../shown.ts";
import { Icon } from "./Icon.tsx";
import { Media } from "./Media.tsx";
import { openMenu } from "./open-menu.ts";
import { Reactions } from "./Reactions.tsx";
import { useSession } from "./session-context.ts";
import { TickSign } from "./Tick.tsx";
import { Words } from "./Words.tsx";

/** One message. */
export function Bubble({ row }: { row: ShownMessage }) {
  const words = row.media ? (row.media.caption ?? "") : row.text;
  const isLarge = isOnlyEmoji(words) && !row.quote;
  const isShort = !row.media && !isLarge && words.length + (row.edited ? 8 : 0) <= SHORT && !words.includes("\n");
  const classes = ["bubble", row.media ? "with-media" : "", isLarge ? "emoji" : "", isShort ? "short" : ""];
  return (
    <div class={classes.filter(Boolean).join(" ")}>
      {row.seq !== null && <More row={row} />}
      {row.sender && <strong dir="auto">{row.sender}</strong>}
      {row.forwards > 0 && (
        <p class="forwarded">
          <Icon name="forward" />
          {forwardedText(row.forwards, LIMITS.forwards)}
        </p>
      )}
      {row.quote && <Quote row={row} />}
      {row.media && <Media media={row.media} />}
      {row.gone ? (
        <p class="gone">{GONE[row.gone]}</p>
      ) : (
        words && (
          <p dir="auto">
            <Words text={words} mentioned={row.mentioned} />
          </p>
        )
      )}
      <small>
        {row.starred && <Icon name="star" label="starred" />}
        {row.edited && "edited "}
        <time dateTime={new Date(row.at).toISOString()}>{timeOfDay(row.at)}</time>
        <Ticks row={row} />
      </small>
      {row.reactions.length > 0 && <Reactions row={row} />}
      {row.tick === "failed" && <Failure row={row} />}
    </div>
  );
}

/** Of so few letters the time stands beside, not below. */
const SHORT = 32;

/** A few emoji and nothing else are shown large. */
const isOnlyEmoji = (text: string): boolean => text.length <= 24 && /^(?:\p{RGI_Emoji}\s?){1,3}$/v.test(text);

function More({ row }: { row: ShownMessage }) {
  return (
    <button
      type="button"
      class="more"
      tabIndex={-1}
      aria-label="What to do with this message"
      aria-haspopup="dialog"
      title="More"
      onClick={({ currentTarget }) => openMenu(row, currentTarget.getBoundingClientRect(), currentTarget)}
    >
      <span aria-hidden="true">⋯</span>
    </button>
  );
}

function Quote({ row: { quote } }: { row: ShownMessage }) {
  if (!quote) return null;
  const go = () => openId.value && jumpTo(openId.value, quote.seq);
  return (
    <button type="button" class="quote" tabIndex={-1} onClick={go} title="Go to this message">
      <span class="unseen">Answers </span>
      <b dir="auto">{quote.sender}</b>
      <span dir="auto">{quote.text}</span>
    </button>
  );
}

/** The ticks of a message that is in the log open what is known of its way. */
function Ticks({ row: { tick, seq } }: { row: ShownMessage }) {
  if (!tick) return null;
  if (seq === null || !openId.value)
    return (
      <span class="tick">
        <TickSign tick={tick} />
      </span>
    );
  const id = openId.value;
  return (
    <button
      type="button"
      class="tick"
      tabIndex={-1}
      title="Message info"
      onClick={() => (dialog.value = { is: "message", id, seq })}
    >
      <TickSign tick={tick} />
      <span class="unseen">: message info</span>
    </button>
  );
}

const CUT_OFF = "Not sent: the device was signed out meanwhile";

function Failure({ row: { wishId, code } }: { row: ShownMessage }) {
  const session = useSession();
  return (
    <p class="problem">
      {code ? `${code === "device_revoked" ? CUT_OFF : refusalText(code)}. ` : ""}
      <button type="button" class="link" onClick={() => wishId && session.retry(wishId)}>
        Try again
      </button>{" "}
      <button type="button" class="link" onClick={() => wishId && session.discard(wishId)}>
        Dismiss
      </button>
    </p>
  );
}
