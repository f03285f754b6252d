import { useSignal } from "@preact/signals";
import type { Result } from "../../src/protocol/result.ts";
import { refusalText } from "../phrases.ts";
import type { ErrorCode } from "../wire.ts";

/** What a person asked of the server here: one thing at a time, and what was in the way of the last. */
export function useAsked() {
  const problem = useSignal("");
  const busy = useSignal(false);
  /** `words`: what some refusals mean here. Answers the value; null where it was refused. */
  const asked = async <T>(
    question: Promise<Result<T, ErrorCode>>,
    words: Partial<Record<ErrorCode, string>> = {},
  ): Promise<{ value: T } | null> => {
    busy.value = true;
    problem.value = "";
    const answer = await question;
    busy.value = false;
    if (answer.ok) return { value: answer.value };
    problem.value = words[answer.code] ?? refusalText(answer.code);
    return null;
  };
  return { problem, busy, asked };
}
