/** Every bound of the wire, in one place. Sizes in bytes unless the name says otherwise. */
export const LIMITS = {
  /** UTF-16 code units of a text message. */
  textLength: 16_384,
  /** A client frame, UTF-8. A text of the greatest length in the widest script fits, escapes included. */
  frameBytes: 128 * 1024,
  /** An HTTP request body, UTF-8. */
  bodyBytes: 128 * 1024,
  /** Members of a group, the maker included. */
  groupMembers: 1_024,
  /** People one message may mention. */
  mentions: 64,
  /** UTF-16 code units of a reaction: the longest emoji there is, and some more. */
  emojiLength: 40,
  titleLength: 100,
  displayNameLength: 100,
  deviceNameLength: 100,
  passwordMin: 8,
  passwordMax: 256,
  handleMin: 2,
  handleMax: 64,
  /** Events in one HTTP page. */
  historyPage: 200,
  /** Events in one `page` frame. */
  pullPage: 1_000,
  /** A page also ends here, so that no answer nears the runtime's 32 MiB frame. */
  pageBytes: 1024 * 1024,
  /** Frames a device may send a second, and at once, where limits are strict; past it they are `rate_limited`. */
  framesPerSecond: 50,
  framesBurst: 500,
  /** Unread messages of one conversation are counted up to so many. */
  unread: 10_000,
  /** Conversations in one `changed` frame or one HTTP list page. */
  listPage: 100,
  /** Devices of one user that are signed in at a time. */
  devices: 32,
  tokenLength: 4_096,
  /** UTF-16 code units of what is searched for. */
  searchLength: 200,
  /** Hits in one page of search. */
  searchPage: 50,
  /** Contacts of one user, with those whom they have asked. */
  contacts: 2_000,
  /** People who wait for one user's answer to be their contact. */
  contactRequests: 500,
  /** Changes of contacts in one page. */
  contactsPage: 500,
  /** Requests of one user that came to nothing and are still told to clients that were away. */
  contactsEnded: 10_000,
  /** People that one search finds. */
  peoplePage: 20,
  /** Messages that one user has starred at a time, and starred messages in one page. */
  stars: 1_000,
  starsPage: 100,
  /** Places at which one member has deleted messages of one conversation for themselves; next to each other they are one. */
  deletions: 1_000,
  /** Messages that one report names, reports that one user makes a day, and reports in one page of the operator's. */
  reportMessages: 20,
  reportsPerDay: 50,
  reportsPage: 50,
  /** UTF-16 code units of what is written beside a report. */
  reportNoteLength: 1_000,
  /** Invites to one group at a time. */
  invites: 100,
  /** People who wait to be let into one group. */
  joinRequests: 200,
  /** People one user blocks at a time. */
  blocks: 1_000,
  /** People one device watches at a time. */
  watched: 100,
  /** Members above which receipts are counts. */
  receiptMembers: 256,
  /** A person's own picture, which is shown small and often. */
  avatarBytes: 1024 * 1024,
  /** A photo or picture; a voice message or other sound; a video; anything else. */
  imageBytes: 16 * 1024 * 1024,
  audioBytes: 16 * 1024 * 1024,
  videoBytes: 2 * 1024 * 1024 * 1024,
  fileBytes: 2 * 1024 * 1024 * 1024,
  /** What one request uploads at most; more goes in parts. */
  putBytes: 100 * 1024 * 1024,
  /** Every part of an upload but the last, which may be shorter. R2 takes parts of 5 MiB or more. */
  partBytes: 8 * 1024 * 1024,
  /** Parts whose URLs are given out at a time. */
  partsAtOnce: 8,
  /** Parts of which one request tells that they are there. */
  partsToldAtOnce: 100,
  captionLength: 1_024,
  fileNameLength: 255,
  /** No sound or video is longer than a week. */
  mediaDurationMs: 7 * 24 * 60 * 60_000,
  /** Width or height of a picture, in pixels. */
  mediaPixels: 65_535,
  /** A ThumbHash in base64url: 25 bytes at most, and room. */
  thumbhashLength: 64,
  /** A small JPEG or WebP that travels in the message itself, in base64. */
  thumbnailLength: 4_096,
  /** 64 bytes in base64url, and room. */
  waveformLength: 88,
  /** Hops of a forwarded message that are told apart. */
  forwards: 5,
  /** URL of a Web Push endpoint, and a provider's registration token. */
  endpointLength: 2_048,
} as const;

/** Every duration that both sides must agree on. Ms. */
export const TIMES = {
  /** How long a URL to upload to is good for beginning an upload. */
  uploadMs: 15 * 60_000,
  /** How long a URL to download from is good at least; it is never good for twice as long. */
  downloadMs: 15 * 60_000,
  /** How long it is told to clients that were away which contacts have ended; one that was away for longer is told all anew. */
  contactsToldMs: 90 * 24 * 60 * 60_000,
  /** How long uploaded media waits for its message before it is deleted. */
  mediaWaitsMs: 24 * 60 * 60_000,
  /** How often a live device says `ping`. One that did and falls silent counts as gone. */
  heartbeatMs: 25_000,
  /** How long an invite is good unless it says otherwise, and at most. */
  inviteMs: 7 * 24 * 60 * 60_000,
  inviteMaxMs: 366 * 24 * 60 * 60_000,
  /** How long a `watch` lasts unless it is repeated. */
  watchMs: 60_000,
  /** How long `typing` lasts unless it is repeated. */
  typingMs: 6_000,
  /** How long after the server received it a message may be edited. */
  editMs: 15 * 60_000,
  /** How long after the server received it its sender may recall a message. */
  recallMs: 2 * 24 * 60 * 60_000,
  /** What a conversation's messages may be kept for: a minute, to a year. */
  retentionMinMs: 60_000,
  retentionMaxMs: 365 * 24 * 60 * 60_000,
} as const;
