import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Writing } from "../model/writing.ts";

export const WritingContext = createContext<Writing | null>(null);

/** What is being written in the open conversation. Throws outside of one. */
export function useWriting(): Writing {
  const writing = useContext(WritingContext);
  if (!writing) throw new Error("no conversation is open");
  return writing;
}
