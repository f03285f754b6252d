/** How long the browser may take to begin reading what it saves. Ms. */
const READ_WITHIN_MS = 60_000;

/** Gives a file to the browser to save, under this name, as it saves any download. */
export function saveFile(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), READ_WITHIN_MS);
}
