import { effect, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { LIMITS } from "../../src/protocol/limits.ts";
import { picker } from "../model/shows.ts";
import { wish } from "../model/wishes.ts";
import type { Writing } from "../model/writing.ts";
import type { ConversationId } from "../wire.ts";
import { Attach } from "./Attach.tsx";
import { ComposerAbout } from "./ComposerAbout.tsx";
import { editLast } from "./edit-last.ts";
import { SendSign } from "./Icon.tsx";
import { IconButton } from "./IconButton.tsx";
import { Mentions, useMentions } from "./Mentions.tsx";
import { mayRecord, Recorder } from "./Recorder.tsx";
import { useSession } from "./session-context.ts";
import { useWriting } from "./writing-context.ts";

const isTouched = (): boolean => matchMedia("(pointer: coarse)").matches;

/** The field to write in. Enter sends, Shift and Enter begins a line; where there is no keyboard, Enter begins a line, too. */
export function Composer({ id }: { id: ConversationId }) {
  const session = useSession();
  const writing = useWriting();
  const field = useRef<HTMLTextAreaElement>(null);
  const recording = useSignal(false);
  const mentions = useMentions(id, field);
  const { text } = writing;
  const hasFiles = session.uploads.of(id).value.some(({ is, problem }) => is === "staged" && !problem);
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
    return () => writing.rest();
  }, [writing, recording.value]);
  useLayoutEffect(() => effect(() => heed(writing)), [writing]);
  useLayoutEffect(() => grow(field.current), [text]);
  useLayoutEffect(() => {
    if (writing.focusCount.value === 0) return;
    field.current?.focus();
    const caret = writing.caret ?? field.current?.value.length ?? 0;
    field.current?.setSelectionRange(caret, caret);
  }, [writing.focusCount.value]);
  const send = () => {
    writing.send(field.current?.value ?? "");
    mentions.end();
  };
  const insert = (emoji: string) => {
    const at = field.current?.selectionStart ?? text.length;
    writing.type(text.slice(0, at) + emoji + text.slice(field.current?.selectionEnd ?? at));
    writing.focus(at + emoji.length);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || mentions.key(event)) return;
    if (event.key === "Escape" && (writing.editing.value || writing.replyTo !== null)) {
      event.preventDefault();
      if (writing.editing.value) writing.endEdit();
      else writing.answer(null);
    }
    if (event.key === "ArrowUp" && text === "" && editLast(session, writing)) event.preventDefault();
    if (event.key !== "Enter" || event.shiftKey || isTouched()) return;
    event.preventDefault();
    send();
  };
  if (recording.value) return <Recorder id={id} end={() => (recording.value = false)} />;
  const canSend = text.trim() !== "" || hasFiles || writing.editing.value?.isCaption === true;
  return (
    <form
      id="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <ComposerAbout />
      <p class="about full" role="status">
        {text.length >= LIMITS.textLength && "This is as long as one message may be"}
      </p>
      <Mentions of={mentions} />
      <div class="field">
        <Attach />
        <IconButton
          icon="smile"
          label="Emoji"
          onClick={({ currentTarget }) => {
            picker.value = { at: currentTarget.getBoundingClientRect(), back: currentTarget, chosen: insert };
          }}
        />
        <label class="unseen" for="text">
          Message
        </label>
        <textarea
          id="text"
          ref={field}
          rows={1}
          dir="auto"
          maxLength={LIMITS.textLength}
          placeholder={hasFiles ? "Caption" : "Message"}
          enterkeyhint={isTouched() ? "enter" : "send"}
          value={text}
          {...mentions.aria}
          onInput={({ currentTarget }) => {
            writing.type(currentTarget.value);
            mentions.look();
          }}
          onKeyDown={onKeyDown}
          onBlur={() => writing.rest()}
          onPaste={(event) => {
            if (writing.stage(event.clipboardData?.files)) event.preventDefault();
          }}
        />
        {canSend || !mayRecord() ? (
          <button type="submit" class="main send" aria-label="Send" title="Send" disabled={!canSend}>
            <SendSign />
          </button>
        ) : (
          <IconButton icon="mic" label="Record a voice message" onClick={() => (recording.value = true)} />
        )}
      </div>
    </form>
  );
}

/** Takes up what the menu asks for as it is asked, not after the next paint: what is typed and sent until then is meant for it. [AP-33] */
function heed(writing: Writing): void {
  const wanted = wish.value;
  if (!wanted) return;
  wish.value = null;
  if (wanted.is === "edit") writing.edit(wanted.row);
  else writing.answer(wanted.row.seq);
}

/** As high as its lines, up to what the style allows. */
function grow(field: HTMLTextAreaElement | null): void {
  if (!field) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}
