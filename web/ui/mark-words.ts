const NAME = "found";

/**
 * [AP-27] Marks what is sought wherever these rows say it, also in those that come later. It adds nothing to them: what is drawn stays what
 * it is. Answers what ends it. A browser that cannot do so marks nothing.
 */
export function markWords(rows: Element, sought: string): () => void {
  if (!("highlights" in CSS)) return () => {};
  const words = sought.split(/\s+/).map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const any = new RegExp(words.join("|"), "giu");
  const mark = () => CSS.highlights.set(NAME, new Highlight(...textsIn(rows).flatMap((text) => rangesIn(text, any))));
  const watch = new MutationObserver(mark);
  watch.observe(rows, { childList: true, subtree: true, characterData: true });
  mark();
  return () => {
    watch.disconnect();
    CSS.highlights.delete(NAME);
  };
}

/** What people said, without times and names. */
function textsIn(rows: Element): Text[] {
  const texts: Text[] = [];
  for (const words of rows.querySelectorAll(".bubble > p[dir], .media bdi")) {
    const walker = document.createTreeWalker(words, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (walker.currentNode instanceof Text) texts.push(walker.currentNode);
  }
  return texts;
}

const rangesIn = (text: Text, any: RegExp): Range[] =>
  [...text.data.matchAll(any)].map((match) => {
    const range = new Range();
    range.setStart(text, match.index);
    range.setEnd(text, match.index + match[0].length);
    return range;
  });
