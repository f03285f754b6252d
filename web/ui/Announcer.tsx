import { useEffect, useRef } from "preact/hooks";
import { said } from "../model/shows.ts";
import { GONE } from "../phrases.ts";
import { useSession } from "./session-context.ts";

/** A screen reader says what others write while the page is looked at; what comes while catching up is not said. [AP-8] */
export function Announcer() {
  const { list, naming, connection } = useSession();
  const newest = list.value.reduce((most, { last }) => Math.max(most, last?.at ?? 0), 0);
  const before = useRef(newest);
  const isLive = connection.value.is === "connected";
  useEffect(() => {
    const news = list.value.find(({ last }) => last?.at === newest)?.last;
    const isNew = newest > before.current && isLive;
    before.current = newest;
    if (isNew && news?.is === "message" && !news.isMine)
      said.value = `${naming.value.name(news.senderId)}: ${news.gone ? GONE[news.gone] : news.text.slice(0, 300)}`;
  }, [newest, isLive]);
  return null;
}
