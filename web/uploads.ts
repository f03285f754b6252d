const CONTENT_TYPE = /^[a-z0-9][a-z0-9.+-]{0,62}\/[a-z0-9][a-z0-9.+-]{0,62}$/;

/** What the browser takes it for, as the wire wants it; else bytes without a meaning. */
export function contentTypeOf(file: Blob): string {
  const type = file.type.split(";")[0]?.trim().toLowerCase() ?? "";
  return CONTENT_TYPE.test(type) ? type : "application/octet-stream";
}
