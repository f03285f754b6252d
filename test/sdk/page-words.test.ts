import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mentionAt, mentionsOf, piecesOf, plainName } from "../../web/words.ts";
import { userId } from "./support/ids.ts";

const links = (text: string) => piecesOf(text).flatMap((piece) => (piece.is === "link" ? [piece.href] : []));

describe("[AP-6] words", () => {
  test("what is an address becomes a link, without what stands around it", () => {
    expect(links("see https://example.com.")).toEqual(["https://example.com/"]);
    expect(links("(https://en.example/wiki/A_(b)) and http://a.example/x?y=1&z#w!")).toEqual([
      "https://en.example/wiki/A_(b)",
      "http://a.example/x?y=1&z#w",
    ]);
    expect(links("two: https://a.example, https://b.example")).toHaveLength(2);
    expect(links("“https://a.example/q”")).toEqual(["https://a.example/q"]);
    expect(links('<a href="https://a.example">')).toEqual(["https://a.example/"]);
  });

  test("nothing but http and https, and nothing that names somebody before its host", () => {
    const none = [
      ...["javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd"],
      ...["JaVaScRiPt:alert(1)//https", "https://bank.example@evil.example/", "https://a:b@evil.example", "https://"],
      ...[
        "blob:https://a.example/1",
        "intent://x#Intent;end",
        "no link at all",
        "http//a.example",
        "xhttps://a.example",
      ],
    ];
    for (const text of none)
      expect([text, links(text).filter((href) => !href.startsWith("https://a.example/"))]).toEqual([text, []]);
    expect(links("javascript:alert(1)")).toEqual([]);
  });

  test("an address ends before a mark that turns the direction of what follows", () => {
    expect(links("https://a.example/\u202egpj.exe")).toEqual(["https://a.example/"]);
    expect(plainName("invoice\u202egpj.exe")).toBe("invoicegpj.exe");
    expect(plainName("\u2066a\u2069\nb\u0000")).toBe("ab");
    expect(plainName("שלום العربية")).toBe("שלום العربية");
  });

  test("the pieces are the text, whatever it is, and every link is one to http or https", () => {
    const mentioned = [
      { name: "ann", me: false },
      { name: "ann.b", me: true },
    ];
    const some = fc.constantFrom(
      "https://",
      "http://a.b",
      "javascript:",
      "@ann",
      "@ann.b",
      " ",
      "<b>",
      "\u202e",
      ")",
      "x",
    );
    const texts = fc.array(fc.oneof(some, fc.string())).map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, (text) => {
        const pieces = piecesOf(text, mentioned);
        expect(pieces.map((piece) => piece.text).join("")).toBe(text);
        for (const piece of pieces) if (piece.is === "link") expect(piece.href).toMatch(/^https?:\/\/[^@]/);
      }),
      { numRuns: 1_000 },
    );
  });

  test("[AP-9] a mention is a whole name, the longest that fits, and of somebody who is mentioned", () => {
    const pieces = piecesOf("hi @ann.b and @anna, @ann", [
      { name: "ann", me: false },
      { name: "ann.b", me: true },
    ]);
    expect(pieces.filter(({ is }) => is === "mention")).toEqual([
      { is: "mention", text: "@ann.b", me: true },
      { is: "mention", text: "@ann", me: false },
    ]);
    const people = [
      { userId: userId("A"), name: "ann" },
      { userId: userId("B"), name: "bob" },
    ];
    expect(mentionsOf("@bob look", people)).toEqual([userId("B")]);
    expect(mentionsOf("@bobby and ann@bob.example", people)).toEqual([]);
    expect(mentionAt("hello @be", 9)).toEqual({ from: 6, query: "be" });
    expect(mentionAt("mail a@be", 9)).toBeNull();
    expect(mentionAt("@", 1)).toEqual({ from: 0, query: "" });
  });
});
