import type { Doors, Wire } from "../src/sdk/client/index.ts";

/** The wire's words, as the page has them from the SDK's package: ids are strings here, as in any app. [AP-38] */

export type { DoorName, Doors, ErrorCode, Shed } from "../src/sdk/client/index.ts";

export type ConversationId = Wire.ConversationId;
export type DeviceId = Wire.DeviceId;
export type IdempotencyKey = Wire.IdempotencyKey;
export type InviteCode = Wire.InviteCode;
export type MediaId = Wire.MediaId;
export type UserId = Wire.UserId;

export type Event = Wire.Event;
export type GoneContent = Wire.GoneContent;
export type MediaContent = Wire.MediaContent;
export type Content = Wire.TextContent | Wire.MediaContent;
export type Wish = Wire.Wish;

export type Contact = Wire.Contact;
export type Conversation = Wire.Conversation;
export type Device = Wire.Device;
export type EventReceipts = Wire.EventReceipts;
export type FoundPerson = Wire.FoundPerson;
export type Invite = Wire.Invite;
export type InvitePreview = Wire.InvitePreview;
export type JoinRequest = Wire.JoinRequest;
export type Me = Wire.Me;
export type Member = Wire.Member;
export type Mine = Wire.Mine;
export type Presence = Wire.Presence;
export type Privacy = Wire.Privacy;
export type Profile = Wire.Profile;
export type PushPayload = Wire.PushPayload;
export type ReportWish = Doors["report"]["body"];
export type Role = Wire.Role;
export type SearchHit = Wire.SearchHit;
export type Trace = Wire.Trace;
export type TracedMember = Wire.TracedMember;

/** What the service worker says to the page when a notification was clicked. */
export type OpenConversation = { readonly type: "open"; readonly conversationId: ConversationId };
